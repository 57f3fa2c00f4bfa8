"""Scores of answers that the user's own labels taught: a label column of the same name as the answer.

An answer is in a faces table as ``attr_<name>_p`` (yes/no), as ``<name>`` with ``<name>_sigma`` (a number), or as
``<name>`` with ``<name>_<class>_p`` (classes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from omokage.metrics.classification import area_under_curve, balanced_accuracy
from omokage.metrics.labels import NO, YES, Face, Label, adapted_kind, is_number

Pair = tuple[Label, Face | None]
Score = Callable[..., Any]  # (name, function, label rows, *arrays, trivial=) -> a score with its interval
_OTHERS = {"expression", "file", "person", "smiling", "eyeglasses"}  # judged by measures of their own


def adapted_scores(pairs: Sequence[Pair], score: Score, whole: Sequence[Label]) -> list[Any]:
    """The measures of every label column that names such an answer; a face that was not found counts as wrong, its
    number as the median of the `whole` labels."""
    known = {name for _, face in pairs if face is not None for name in face}
    found: list[Any] = []
    for column in dict.fromkeys(name for row, _ in pairs for name in row):
        use = [(row, face, row[column].strip()) for row, face in pairs if row.get(column, "").strip()]
        if column in _OTHERS or not use:
            continue
        kind = adapted_kind(column, known)
        if kind == "number":
            found += _number(column, use, score, whole)
        elif kind:
            found += {"yes/no": _yes_no, "classes": _classes}[kind](column, use, score)
    return found


def _yes_no(name: str, use: Sequence[tuple[Label, Face | None, str]], score: Score) -> list[Any]:
    use = [one for one in use if one[2].lower() in YES | NO]
    rows, true = [row for row, _, _ in use], np.array([text.lower() in YES for _, _, text in use], bool)
    if not len(use) or true.all() or not true.any():
        return []
    said = [None if face is None else face.get(f"attr_{name}_p") for _, face, _ in use]
    p = np.array([0.5 if s is None else float(s) for s in said])
    right = np.array([s is not None and (float(s) > 0.5) == t for s, t in zip(said, true, strict=True)], float)
    share = float(max(true.mean(), 1 - true.mean()))
    curve = lambda s, t: float("nan") if t.all() or not t.any() else area_under_curve(s, t)  # noqa: E731
    return [
        score(f"{name}, area under the curve", curve, rows, p, true, trivial=0.5),
        score(f"{name}, accuracy", np.mean, rows, right, trivial=share),
    ]


def _number(
    name: str, use: Sequence[tuple[Label, Face | None, str]], score: Score, whole: Sequence[Label]
) -> list[Any]:
    use = [one for one in use if is_number(one[2])]
    true = np.array([float(text) for _, _, text in use])
    if not len(use):
        return []
    guess = float(np.median([float(text) for row in whole if is_number(text := row.get(name, "").strip())]))
    said = [None if face is None else face.get(name) for _, face, _ in use]
    error = np.abs(np.array([guess if s is None else float(s) for s in said]) - true)
    trivial = float(np.abs(true - np.median(true)).mean())
    return [score(f"{name}, mean absolute error", np.mean, [row for row, _, _ in use], error, trivial=trivial)]


def _classes(name: str, use: Sequence[tuple[Label, Face | None, str]], score: Score) -> list[Any]:
    true = np.array([text.lower() for _, _, text in use])
    said = np.array([str((face or {}).get(name) or "") for _, face, _ in use])
    trivial = 1 / len(set(true.tolist()))
    rows = [row for row, _, _ in use]
    return [score(f"{name}, mean over the classes", balanced_accuracy, rows, said, true, trivial=trivial)]
