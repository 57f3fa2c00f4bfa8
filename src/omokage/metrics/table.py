"""Scores of a faces table against a labelled folder, with the found rate, intervals and the trivial answer beside each.

A labels file is a CSV with the column `file` and any of: `age`; `age_bin` (``20-29``, ``70+``); `gender` (``female``,
``male``); `smile`, `glasses` (1/0, yes/no); `emotion`; `yaw`, `pitch`, `roll` (also with `_deg`, `yaw_right_deg`,
`pitch_up_deg`, `roll_cw_deg`); points `x0, y0 .. x67, y67`, or the five `leye_x, leye_y, reye_.., nose_.., lmouth_..,
rmouth_..`; `pose_class` (``left_profile``, ``left``, ``right``, ``right_profile`` in the image, anything else for
frontal); `person` (pictures of one person are not independent: intervals then draw whole persons); the name of an
attribute that the weights were adapted to (`metrics.adapted`).

A labelled face without an answer counts as wrong: an accuracy misses it, its landmark error is `MISSED_POINTS`, a
number counts as a guess without looking (the mean or median of the whole labels: that of a group would look at the
group), a probability as 0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.metrics.adapted import adapted_scores
from omokage.metrics.age_bins import place, scale
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import area_under_curve
from omokage.metrics.labels import ANGLES, EMOTIONS, FIVE, NO, YES, Face, Label, adapted_kind, rows_of, span
from omokage.metrics.matching import nearest_box
from omokage.results import EXPRESSIONS, Box

FOUND = "found"  # the measure that says in how many labelled faces a face was found
FEWEST_DRAWN = 3  # people, or faces where persons are not known, below which a value has no interval
MISSED_POINTS = 30.0  # percent of the distance between the eyes
Pair = tuple[Label, Face | None]


@dataclass(frozen=True, slots=True)
class TableScore:
    """One measure: its value with the 95 percent interval (not a number below `FEWEST_DRAWN`), over `n` labelled faces,
    and what the best constant answer for these faces would get."""

    measure: str
    value: float
    low: float
    high: float
    n: int
    trivial: float | None = None


def match(labels: Sequence[Label], faces: Iterable[Face]) -> list[Pair]:
    """Each label row with the face that belongs to it: nearest to the labelled points where there are any, else the
    largest. Whole tables are matched: which file is meant depends on all of them (`metrics.paths`)."""
    pairs: list[Pair] = []
    for row, rows in zip(labels, rows_of(labels, faces), strict=True):
        found = [face for face in rows or () if face.get("box_x0") is not None]
        pairs.append((row, _belonging(found, points_of(row))))
    return pairs


def score_table(labels: Sequence[Label], faces: Iterable[Face]) -> list[TableScore]:
    """Every measure that the labels allow, the found rate first."""
    return score_pairs(match(labels, faces))


def score_pairs(pairs: Sequence[Pair], among: Sequence[Pair] | None = None) -> list[TableScore]:
    """The same of labels that are matched. `among`: all pairs, where `pairs` are a group of them; they give the age
    bins and the guesses that stand in for missing numbers, so that all groups are measured alike."""
    whole = [label for label, _ in (pairs if among is None else among)]
    found = np.array([face is not None for _, face in pairs], float)
    answers = {name for _, face in (pairs if among is None else among) if face is not None for name in face}
    return [
        _score(FOUND, np.mean, [r for r, _ in pairs], found),
        *_points(pairs),
        *_age(pairs, whole),
        *_age_bin(pairs, whole),
        *_gender(pairs),
        *_smile(pairs, answers),
        *_glasses(pairs, answers),
        *_emotion(pairs),
        *_pose(pairs, whole),
        *_yaw_side(pairs),
        *adapted_scores(pairs, _score, whole),
    ]


def points_of(row: Label) -> NDArray[np.float64] | None:
    """Labelled points (68, 2) or (5, 2) in pixels, or None."""
    if row.get("x67"):
        return np.array([[float(row[f"x{i}"]), float(row[f"y{i}"])] for i in range(68)])
    if row.get("leye_x"):
        return np.array([[float(row[f"{n}_x"]), float(row[f"{n}_y"])] for n in FIVE])
    return None


def _belonging(faces: Sequence[Face], points: NDArray[np.float64] | None) -> Face | None:
    if not faces:
        return None
    if points is None:
        return max(faces, key=lambda f: (f["box_x1"] - f["box_x0"]) * (f["box_y1"] - f["box_y0"]))
    best = nearest_box([Box(*(face[f"box_{side}"] for side in ("x0", "y0", "x1", "y1"))) for face in faces], points)
    return None if best is None else faces[best]


def _score(
    name: str, function: Callable[..., Any], rows: Sequence[Label], *arrays: NDArray, trivial: float | None = None
) -> TableScore:
    persons = [r.get("person", "") for r in rows]
    groups = persons if all(persons) else None
    low, high = interval(lambda *a: float(function(*a)), *arrays, groups=groups, fewest=FEWEST_DRAWN)
    return TableScore(name, float(function(*arrays)), low, high, len(rows), trivial)


def _value(face: Face | None, column: str) -> float | None:
    value = None if face is None else face.get(column)
    return None if value is None else float(value)


def _points(pairs: Sequence[Pair]) -> list[TableScore]:
    use = [(r, f, p) for r, f in pairs if (p := points_of(r)) is not None]
    if not use:
        return []
    errors = np.array([_point_error(f, p) for _, f, p in use])
    rows = [r for r, _, _ in use]
    inside = [(r, within) for r, f, p in use if (within := _points_within(f, p)) is not None]
    return [
        _score("landmark error, % of the eye distance", np.mean, rows, errors),
        *_within("landmarks", inside),
    ]


def _points_within(face: Face | None, truth: NDArray[np.float64]) -> float | None:
    """The share of 68 labelled points that lie within the face's sigmas; None where one of both is missing."""
    if face is None or face.get("landmarks_sigma") is None or face.get("landmarks") is None or len(truth) != 68:
        return None
    got = np.asarray(face["landmarks"], float).reshape(-1, 2)
    return float((np.linalg.norm(got - truth, axis=1) <= np.asarray(face["landmarks_sigma"], float)).mean())


def _within(name: str, inside: Sequence[tuple[Label, float]]) -> list[TableScore]:
    """How often the errors of faces that were found stay below their sigma: 0.68 where a sigma is what it promises."""
    if not inside:
        return []
    shares = np.array([share for _, share in inside], float)
    return [_score(f"{name}, errors below sigma (0.68 is right)", np.mean, [row for row, _ in inside], shares)]


def _point_error(face: Face | None, truth: NDArray[np.float64]) -> float:
    if face is None or face.get("landmarks") is None:
        return MISSED_POINTS
    got = np.asarray(face["landmarks"], float).reshape(-1, 2)
    if len(truth) == 5:
        got = np.stack([got[36:42].mean(0), got[42:48].mean(0), got[30], got[48], got[54]])
        between = np.linalg.norm(truth[0] - truth[1])
    else:
        between = np.linalg.norm(truth[36] - truth[45])
    return min(float(100 * np.linalg.norm(got - truth, axis=1).mean() / between), MISSED_POINTS)


def _age(pairs: Sequence[Pair], whole: Sequence[Label]) -> list[TableScore]:
    use = [(r, f) for r, f in pairs if r.get("age")]
    if not use:
        return []
    rows = [r for r, _ in use]
    truth = np.array([float(r["age"]) for r in rows])
    guess = float(np.median([float(r["age"]) for r in whole if r.get("age")]))
    said = [_value(f, "age_years") for _, f in use]
    error = np.abs(np.array([guess if s is None else s for s in said]) - truth)
    trivial = float(np.abs(truth - np.median(truth)).mean())
    scores = [_score("age, mean absolute error in years", np.mean, rows, error, trivial=trivial)]
    spans = [(_value(f, "age_q05"), _value(f, "age_q95"), float(r["age"])) for r, f in use]
    inside = np.array([lo is not None and hi is not None and lo <= t <= hi for lo, hi, t in spans], float)
    return [*scores, _score("age inside the 90 % interval", np.mean, rows, inside)]


def _age_bin(pairs: Sequence[Pair], whole: Sequence[Label]) -> list[TableScore]:
    use = [(r, f, s) for r, f in pairs if (s := span(r.get("age_bin", ""))) is not None]
    if not use:
        return []
    bins = scale(s for row in whole if (s := span(row.get("age_bin", ""))) is not None)
    truth = np.array([bins.index(s) for _, _, s in use])
    said = np.array([place(_value(f, "age_years"), bins) for _, f, _ in use])
    near = (np.abs(said - truth) <= 1) & (said >= 0)
    best = max(_mean_over_classes((np.abs(truth - b) <= 1).astype(float), truth) for b in range(len(bins)))
    rows = [r for r, _, _ in use]
    name = "age within one bin, mean over the bins"
    scores = [_score(name, _mean_over_classes, rows, near.astype(float), truth, trivial=best)]
    spans = [(_value(f, "age_q05"), _value(f, "age_q95"), s) for _, f, s in use]
    reach = np.array([lo is not None and hi is not None and lo < s[1] and hi >= s[0] for lo, hi, s in spans], float)
    scores.append(_score("age interval reaches the bin", np.mean, rows, reach))
    width = [(r, hi - lo) for r, (lo, hi, _) in zip(rows, spans, strict=True) if lo is not None and hi is not None]
    if width:
        values = np.array([w for _, w in width])
        scores.append(_score("age interval, median width in years", np.median, [r for r, _ in width], values))
    return scores


def _mean_over_classes(right: NDArray, truth: NDArray) -> float:
    return float(np.mean([right[truth == c].mean() for c in np.unique(truth)]))


def _gender(pairs: Sequence[Pair]) -> list[TableScore]:
    use = [(r, f) for r, f in pairs if r.get("gender", "").lower() in ("female", "male")]
    if not use:
        return []
    rows = [r for r, _ in use]
    truth = np.array([r["gender"].lower() == "female" for r in rows])
    said = [_value(f, "gender_female_p") for _, f in use]
    right = np.array([s is not None and (s > 0.5) == t for s, t in zip(said, truth, strict=True)], float)
    scores = [_score("perceived gender, mean over both", _mean_over_classes, rows, right, truth, trivial=0.5)]
    grown = np.array([_adult(row) for row in rows])
    if grown.any() and not grown.all():
        adults = [row for row, is_grown in zip(rows, grown, strict=True) if is_grown]
        name = "perceived gender of adults, mean over both"
        scores.append(_score(name, _mean_over_classes, adults, right[grown], truth[grown], trivial=0.5))
    return scores


def _adult(row: Label) -> bool:
    """Whether a label says 18 years or more; a bin counts from its lower end, 20 on."""
    if row.get("age"):
        return float(row["age"]) >= 18
    years = span(row.get("age_bin", ""))
    return years is not None and years[0] >= 20


def _smile(pairs: Sequence[Pair], answers: Collection[str]) -> list[TableScore]:
    return _yes_no(pairs, _shipped(("smile", "smiling"), answers), "attr_smiling_p", "smiling")


def _glasses(pairs: Sequence[Pair], answers: Collection[str]) -> list[TableScore]:
    return _yes_no(pairs, _shipped(("glasses", "eyeglasses"), answers), "attr_eyeglasses_p", "eyeglasses")


def _shipped(columns: tuple[str, str], answers: Collection[str]) -> list[str]:
    """The label columns that judge the shipped answer, named like the second: not the first one where an answer that
    the user's own labels taught has that very name (`metrics.adapted`)."""
    short, full = columns
    return [full] if adapted_kind(short, answers) else [short, full]


def _yes_no(pairs: Sequence[Pair], labels: Sequence[str], column: str, name: str) -> list[TableScore]:
    use = [(r, f, t) for r, f in pairs for t in [next((r[k].lower() for k in labels if r.get(k)), "")] if t in YES | NO]
    truth = np.array([t in YES for _, _, t in use], bool)
    if not len(use) or truth.all() or not truth.any():
        return []
    said = np.array([0.5 if (v := _value(f, column)) is None else v for _, f, _ in use])
    answered = np.array([_value(f, column) is not None for _, f, _ in use])
    rows = [r for r, _, _ in use]
    right = (((said > 0.5) == truth) & answered).astype(float)
    return [
        _score(f"{name}, area under the curve", _curve, rows, said, truth, trivial=0.5),
        _score(f"{name}, accuracy", np.mean, rows, right, trivial=float(max(truth.mean(), 1 - truth.mean()))),
    ]


def _curve(score: NDArray, truth: NDArray) -> float:
    return float("nan") if truth.all() or not truth.any() else area_under_curve(score, truth)


def _emotion(pairs: Sequence[Pair]) -> list[TableScore]:
    named = [(r, f, EMOTIONS.get(e, e)) for r, f in pairs for e in [r.get("emotion", "").lower()]]
    use = [(r, f, e) for r, f, e in named if e in EXPRESSIONS]
    if not use:
        return []
    rows = [r for r, _, _ in use]
    right = np.array([f is not None and f.get("expression") == e for _, f, e in use], float)
    truth = np.array([EXPRESSIONS.index(e) for _, _, e in use])
    share = np.bincount(truth)
    chance = 1 / int((share > 0).sum())
    scores = [
        _score("expression, accuracy", np.mean, rows, right, trivial=float(share.max() / len(use))),
        _score("expression, mean over the classes", _mean_over_classes, rows, right, truth, trivial=chance),
    ]
    for k in np.flatnonzero(share):
        of = [row for row, t in zip(rows, truth, strict=True) if t == k]
        scores.append(
            _score(f"expression, {EXPRESSIONS[k]} named right", np.mean, of, right[truth == k], trivial=chance)
        )
    return scores


def _yaw_side(pairs: Sequence[Pair]) -> list[TableScore]:
    """To which side a face turns that is labelled as turned."""
    want = {"left_profile": -1.0, "left": -1.0, "right": 1.0, "right_profile": 1.0}
    use = [(r, want[r["pose_class"]], _value(f, "yaw_deg")) for r, f in pairs if r.get("pose_class", "") in want]
    if not use:
        return []
    right = np.array([yaw is not None and yaw * side > 0 for _, side, yaw in use], float)
    sides = np.array([side > 0 for _, side, _ in use])
    trivial = float(max(sides.mean(), 1 - sides.mean()))
    return [_score("side to which the face turns", np.mean, [r for r, _, _ in use], right, trivial=trivial)]


def _pose(pairs: Sequence[Pair], whole: Sequence[Label]) -> list[TableScore]:
    scores: list[TableScore] = []
    for column, labels in ANGLES.items():
        use = [(r, f, t) for r, f in pairs if (t := _angle(r, labels)) is not None]
        if not use:
            continue
        truth = np.array([t for _, _, t in use])
        guess = float(np.mean([t for r in whole if (t := _angle(r, labels)) is not None]))
        said = np.array([guess if (v := _value(f, column)) is None else v for _, f, _ in use])
        error = np.abs((said - truth + 180) % 360 - 180)
        angle = column.removesuffix("_deg")
        name = f"{angle}, mean absolute error in degrees"
        trivial = float(np.abs(truth - truth.mean()).mean())
        scores.append(_score(name, np.mean, [r for r, _, _ in use], error, trivial=trivial))
        sigmas = [_value(f, f"{angle}_sigma") for _, f, _ in use]
        told = zip(use, error.tolist(), sigmas, strict=True)
        scores += _within(angle, [(r, float(e <= sigma)) for (r, _, _), e, sigma in told if sigma is not None])
    return scores


def _angle(row: Label, columns: Sequence[str]) -> float | None:
    text = next((row[c] for c in columns if row.get(c)), "")
    return float(text) if text else None
