"""Exact scores of closed answers: balanced accuracy, F1, parse failures, abstentions, calibration. No judge model.

An answer that cannot be read as one of the options is a parse failure, one that was withheld an abstention; both count
as wrong in `accuracy` and in the balanced accuracy, and are stated beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from omokage.dialogue.matching import NO, YES, plain
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import balanced_accuracy, calibration_error

NONE = "(none)"  # stands for an answer that is none of the classes


@dataclass(frozen=True, slots=True)
class Given:
    """One answer: what is right, what was said (None: nothing that can be read), how likely that was held (0..1), and
    whether it was withheld."""

    attribute: str
    true: str
    said: str | None
    probability: float = float("nan")
    abstained: bool = False
    task: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """Scores over `count` questions. `balanced`: mean recall over the classes that occur, per attribute, then over
    attributes; `low`, `high`: its 95 % interval over people (or questions); `f1`: macro, over the same; `chance`: the
    mean of one over the number of classes."""

    count: int
    accuracy: float
    balanced: float
    low: float
    high: float
    f1: float
    parse_failures: float
    abstentions: float
    calibration_error: float
    chance: float
    each: Mapping[str, float]


def meaning(answer: str) -> str:
    """An option as the class that it stands for: all ways of saying yes are one."""
    told = plain(answer)
    return "yes" if told in YES else "no" if told in NO else told


def score(given: Sequence[Given], draws: int = 200) -> Score:
    """Score answers. Raises ValueError without any."""
    if not given:
        raise ValueError("there are no answers to score")
    names = np.array([g.attribute for g in given])
    true = np.array([meaning(g.true) for g in given])
    said = np.array([NONE if g.said is None or g.abstained else meaning(g.said) for g in given])
    people = [g.person or str(k) for k, g in enumerate(given)]
    low, high = interval(_balanced, names, true, said, groups=people, draws=draws)
    each = {str(n): balanced_accuracy(said[names == n], true[names == n]) for n in dict.fromkeys(names.tolist())}
    sure = [k for k, g in enumerate(given) if g.said is not None and np.isfinite(g.probability)]
    right = true == said
    told = [(given[k].probability, meaning(given[k].said or "") == true[k]) for k in sure]
    return Score(
        len(given), float(right.mean()), _balanced(names, true, said), low, high, _macro_f1(names, true, said),
        float(np.mean([g.said is None and not g.abstained for g in given])),
        float(np.mean([g.abstained for g in given])),
        calibration_error([p for p, _ in told], [r for _, r in told]) if told else float("nan"),
        float(np.mean([1 / max(len(set(true[names == n])), 1) for n in each])), each,
    )  # fmt: skip


def by_task(given: Iterable[Given]) -> dict[str, Score]:
    """One score per task, in order of appearance."""
    groups: dict[str, list[Given]] = {}
    for one in given:
        groups.setdefault(one.task, []).append(one)
    return {task: score(members) for task, members in groups.items()}


def _balanced(names: np.ndarray, true: np.ndarray, said: np.ndarray) -> float:
    return float(np.mean([balanced_accuracy(said[names == n], true[names == n]) for n in np.unique(names)]))


def _macro_f1(names: np.ndarray, true: np.ndarray, said: np.ndarray) -> float:
    """Mean over attributes of the mean over classes of F1."""
    found = []
    for name in np.unique(names):
        t, s = true[names == name], said[names == name]
        scores = []
        for c in np.unique(t):
            hits = int(((t == c) & (s == c)).sum())
            scores.append(2 * hits / max(int((t == c).sum() + (s == c).sum()), 1))
        found.append(float(np.mean(scores)))
    return float(np.mean(found))
