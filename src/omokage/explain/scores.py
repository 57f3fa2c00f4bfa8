"""Scores of answers about held-out people: beside the trivial one, with intervals over people, and group by group.

Each fold of people is answered by a model of its own. What only compares answers with each other is measured within
folds: across them even a constant answer is lower where the people held out are higher.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from omokage.explain.adapt import Learnt, codes_of
from omokage.explain.labels import Label
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import area_under_curve, balanced_accuracy
from omokage.metrics.folds import by_fold
from omokage.metrics.ranks import rank_correlation
from omokage.metrics.regression import correlation, mean_absolute_error

Floats = NDArray[np.float64]
Measure = Callable[[Floats, NDArray], float]  # answers (n, k) and the truth (n,)
SMALLEST_GROUP = 20  # pictures below which a group's score says too little to be shown
MEAN_ACCURACY, CURVE = "accuracy, mean over the classes", "area under the curve"
ERROR, RANKS, CORRELATION = "mean absolute error", "rank correlation", "correlation"
LESS_IS_BETTER = {ERROR}
_COMPARING = {CURVE, RANKS, CORRELATION}  # measures of how answers stand to each other


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of one method: value, 95 percent interval over people, how many labels it had, pictures judged."""

    method: str
    measure: str
    value: float
    low: float
    high: float
    labels: int
    pictures: int


@dataclass(frozen=True, slots=True)
class GroupScore:
    """The same of one group of a column; `value` is None where the group has fewer than `SMALLEST_GROUP` pictures."""

    column: str
    group: str
    measure: str
    value: float | None
    low: float
    high: float
    pictures: int


def measures_of(label: Label) -> dict[str, Measure]:
    """The measures of a label by name, the first one the main one; each takes answers (n, k) and the truth (n,)."""
    if label.kind == "ordinal":
        return {
            ERROR: lambda said, true: mean_absolute_error(said[:, 0], true),
            CORRELATION: lambda said, true: correlation(said[:, 0], true),
            RANKS: lambda said, true: rank_correlation(said[:, 0], true),
        }
    found: dict[str, Measure] = {MEAN_ACCURACY: lambda said, true: balanced_accuracy(said.argmax(1), true)}
    if len(label.classes) == 2:
        found[CURVE] = lambda said, true: area_under_curve(said[:, 1], true == 1)
    return found


def truth(label: Label) -> NDArray:
    """Class numbers or values (m,)."""
    return codes_of(label) if label.kind == "nominal" else label.values.astype(np.float64)


def scores(learnt: Learnt, draws: int = 200) -> list[Score]:
    """Every measure of every method, in the order in which the methods were tried."""
    true, found = truth(learnt.label), []
    for method, said in learnt.held_out.items():
        for measure, function in measures_of(learnt.label).items():
            whole = partial(_within_folds if measure in _COMPARING else _together, function)
            ends = interval(whole, said, true, learnt.fold, groups=learnt.people, draws=draws)
            value = whole(said, true, learnt.fold)
            found.append(Score(method, measure, value, *ends, round(learnt.sizes[method]), len(true)))
    return found


def _together(function: Measure, said: Floats, true: NDArray, fold: NDArray) -> float:
    return function(said, true)


def _within_folds(function: Measure, said: Floats, true: NDArray, fold: NDArray) -> float:
    """The mean over the folds in which the truth varies: in the others no answer could be told from another."""
    return by_fold(lambda s, t: function(s, t) if len(np.unique(t)) > 1 else float("nan"), said, true, fold)


def group_scores(learnt: Learnt, groups: Mapping[str, Sequence[str]], draws: int = 200) -> list[GroupScore]:
    """The main measure of the chosen answers in each group of each column; `groups` (n,) are by picture."""
    true, said = truth(learnt.label), learnt.held_out["chosen"]
    measure, function = next(iter(measures_of(learnt.label).items()))
    whose = np.asarray(learnt.people)
    found = []
    for column, values in groups.items():
        own = np.array([values[k] for k in learnt.label.rows])
        for group in sorted(set(own.tolist()) - {""}):
            here = own == group
            count = int(here.sum())
            if count < SMALLEST_GROUP:
                found.append(GroupScore(column, group, measure, None, float("nan"), float("nan"), count))
                continue
            ends = interval(function, said[here], true[here], groups=whose[here].tolist(), draws=draws)
            found.append(GroupScore(column, group, measure, function(said[here], true[here]), *ends, count))
    return found


def widest_gap(found: Sequence[GroupScore]) -> tuple[str, str, float] | None:
    """The best and the worst of the groups that are large enough, and the difference; None with fewer than two."""
    known = [g for g in found if g.value is not None]
    if len(known) < 2:
        return None
    order = sorted(known, key=lambda g: g.value or 0.0, reverse=known[0].measure not in LESS_IS_BETTER)
    best, worst = order[0], order[-1]
    assert best.value is not None
    assert worst.value is not None
    return f"{best.column} {best.group}", f"{worst.column} {worst.group}", abs(best.value - worst.value)
