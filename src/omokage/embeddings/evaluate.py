"""Probes as a measurement: how much of each label a frozen encoder's codes carry, by how many labels were given.

    scores = evaluate([encoder, untrained()], faces, ProbeConfig())

Every picture is judged once, by a probe that has seen no picture of its person: people are dealt to five folds, each
fold is judged by probes fitted to the others. Intervals are bootstrapped over people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omokage.embeddings.labelled import HIGHER, LabelledFaces, Target
from omokage.embeddings.predict import Encoder
from omokage.errors import InputError
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import accuracy, area_under_curve
from omokage.metrics.folds import by_fold
from omokage.metrics.regression import correlation
from omokage.nn.probe import Probe, fit_probe, inner_folds
from omokage.nn.published_probe import fit_published_probe

Floats = NDArray[np.float64]
ALL = 0  # as a number of labels: all that there are


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """How probes are fitted and judged; `protocol` "published" is batch norm and a linear layer by descent."""

    labels: tuple[int, ...] = (10, 50, 100, 1000, ALL)
    folds: int = 5
    draws: int = 300  # of the bootstrap
    seed: int = 0
    protocol: Literal["ridge", "published"] = "ridge"


@dataclass(frozen=True, slots=True)
class ProbeScore:
    """One measure with its 95 percent interval: probes with `labels` labels, judged on `n` pictures, and what a
    constant answer gets. `every` tells that `labels` are all there are."""

    encoder: str
    task: str
    measure: str
    labels: int
    value: float
    low: float
    high: float
    n: int
    trivial: float
    every: bool = False

    @property
    def higher_is_better(self) -> bool:
        return HIGHER[self.measure.partition(" of ")[0]]


def evaluate(
    encoders: Iterable[Encoder],
    faces: LabelledFaces,
    config: ProbeConfig | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[ProbeScore]:
    """The scores of each encoder's codes of one labelled set. Raises InputError when nothing can be measured."""
    if not faces.targets:
        raise InputError(f"{faces.name} has no labels that a probe could learn; see docs/how-to/embeddings.md")
    scores: list[ProbeScore] = []
    for encoder in encoders:
        codes = encoder.encode(faces.crops)
        for task, target in faces.targets.items():
            if progress is not None:
                progress(f"{encoder.name}: {task}")
            scores += task_scores(codes, faces.people, task, target, encoder.name, config or ProbeConfig())
    return scores


def task_scores(
    codes: NDArray[np.floating], people: Sequence[str], task: str, target: Target, encoder: str, config: ProbeConfig
) -> list[ProbeScore]:
    """The curve of one task over the numbers of labels, in their order; numbers that the set does not reach are left
    out. `codes` (n, d) and `people` (n,) are of all pictures. Raises InputError with fewer than three people."""
    x = np.asarray(codes, np.float64)[target.rows]
    groups = [people[i] for i in target.rows]
    if len(set(groups)) < 3:
        raise InputError(
            f"{task} is labelled for {len(set(groups))} different people: a probe is judged on people that it has not "
            "seen, which needs at least three"
        )
    fold = inner_folds(len(x), groups, None, config.folds, config.seed)
    least = min(int((fold != k).sum()) for k in range(int(fold.max()) + 1))
    scores = []
    for labels in config.labels:
        if labels <= least:
            scores += _scored(x, target, groups, fold, labels, encoder, task, config)
    return scores


def _scored(
    x: Floats, target: Target, groups: Sequence[str], fold: NDArray[np.int64], labels: int, encoder: str, task: str,
    config: ProbeConfig,
) -> list[ProbeScore]:  # fmt: skip
    """Scores with one number of labels: fit on the other folds, answer on each; none when a fold allows no fit."""
    classes = tuple(dict.fromkeys(target.values.tolist())) if target.kind == "nominal" else ()
    width = len(classes) or target.values.shape[1]
    answers, constant = np.zeros((len(x), width)), np.zeros((len(x), width))
    used = 0
    for held in range(int(fold.max()) + 1):
        rows = drawn(np.flatnonzero(fold != held), target, labels, (config.seed, held))
        try:
            probe = _fit(x[rows], target, rows, [groups[i] for i in rows], classes, config)
        except ValueError:  # one class or one person only
            return []
        answers[fold == held] = probe.predict(x[fold == held])
        constant[fold == held] = _constant(target, rows, classes)
        used = max(used, len(rows))
    truth = np.array([classes.index(v) for v in target.values.tolist()]) if classes else target.values
    found = []
    for name, measure in _measures(target, classes):
        value = by_fold(measure, answers, truth, fold)
        low, high = interval(lambda a, t, f, m=measure: by_fold(m, a, t, f), answers, truth, fold, groups=groups,
                             draws=config.draws)  # fmt: skip
        trivial = by_fold(measure, constant, truth, fold)
        found.append(ProbeScore(encoder, task, name, used, value, low, high, len(x), trivial, labels == ALL))
    return found


def drawn(rows: NDArray[np.int64], target: Target, labels: int, seed: Sequence[int]) -> NDArray[np.int64]:
    """`labels` of the `rows` at random (`ALL` of them for 0), one and then a second of each class first: smaller draws
    are parts of larger ones."""
    order = np.random.default_rng(tuple(seed)).permutation(rows)
    if target.kind == "nominal":
        of_class = [order[target.values[order] == c] for c in np.unique(target.values[rows])]
        first = np.concatenate([own[k : k + 1] for k in (0, 1) for own in of_class])
        order = np.concatenate([first, order[~np.isin(order, first)]])
    return order[:labels] if labels else order


def _fit(
    x: Floats, target: Target, rows: NDArray[np.int64], groups: Sequence[str], classes: tuple[str, ...],
    config: ProbeConfig,
) -> Probe:  # fmt: skip
    values = target.values[rows]
    if config.protocol == "published":
        return fit_published_probe(x, values, target.kind, seed=config.seed, classes=classes or None)
    return fit_probe(x, values, target.kind, groups, seed=config.seed, classes=classes or None)


def _constant(target: Target, rows: NDArray[np.int64], classes: tuple[str, ...]) -> Floats:
    """The best answer without a picture: class frequencies, median of ranks, mean of other numbers."""
    if classes:
        return np.array([(target.values[rows] == c).mean() for c in classes])
    values = target.values[rows]
    return np.asarray(np.median(values, 0) if target.measure in ("error", "degrees") else values.mean(0))


def _measures(
    target: Target, classes: tuple[str, ...]
) -> list[tuple[str, Callable[[Floats, NDArray], float]]]:  # fmt: skip
    """Names and functions (answers, truth) -> value of a task's measures, the main one first."""
    if target.measure == "landmark error":
        return [("landmark error", landmark_error)]
    if target.measure == "degrees":
        every: list[tuple[str, Callable[[Floats, NDArray], float]]] = [("degrees", _mean_error)]
        return every + [(f"degrees of {name}", _column_error(k)) for k, name in enumerate(target.parts)]
    if target.measure == "correlation":
        return [("correlation", _mean_correlation)]
    if target.measure == "error":
        return [("error", _mean_error), ("correlation", _mean_correlation)]
    if not classes:
        return [("AUC", lambda a, t: area_under_curve(a[:, 0], t[:, 0] > 0))]
    if len(classes) == 2:
        yes = classes.index("yes") if "yes" in classes else 1
        ranks = ("AUC", lambda a, t: area_under_curve(a[:, yes], t == yes))
        hits = ("accuracy", _hits)
        return [hits, ranks] if target.measure == "accuracy" else [ranks, hits]
    return [("accuracy", _hits), ("AUC", lambda a, t: _mean_auc(a, t, len(classes)))]


def landmark_error(answers: Floats, truth: Floats) -> float:
    """Mean distance of points (n, 2 k) in percent of the distance between the eyes: outer corners of 68 points, centres
    of 5. Faces whose eyes are nearer than a twentieth of the crop count as that near."""
    a, t = answers.reshape(len(answers), -1, 2), truth.reshape(len(truth), -1, 2)
    left, right = (36, 45) if t.shape[1] == 68 else (0, 1)
    eyes = np.maximum(np.linalg.norm(t[:, left] - t[:, right], axis=1), 0.05)
    return float(100 * (np.linalg.norm(a - t, axis=2).mean(1) / eyes).mean())


def _hits(answers: Floats, truth: NDArray) -> float:
    return accuracy(answers.argmax(1), truth)


def _mean_auc(answers: Floats, truth: NDArray, classes: int) -> float:
    """One class against the others, mean over the classes that occur (AffectNet's measure)."""
    each = [area_under_curve(answers[:, k], truth == k) for k in range(classes)]
    known = [v for v in each if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")


def _mean_error(answers: Floats, truth: Floats) -> float:
    return float(np.abs(answers - truth).mean())


def _column_error(column: int) -> Callable[[Floats, NDArray], float]:
    return lambda answers, truth: float(np.abs(answers[:, column] - truth[:, column]).mean())


def _mean_correlation(answers: Floats, truth: Floats) -> float:
    """Mean over the columns whose labels vary."""
    varying = np.flatnonzero(truth.std(0) > 1e-6)
    if not len(varying):
        return float("nan")
    return float(np.mean([correlation(answers[:, k], truth[:, k]) for k in varying]))
