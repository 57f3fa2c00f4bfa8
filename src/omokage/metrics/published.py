"""The measures that published work on CelebA, LFWA, MORPH II, LFW+ and ChaLearn LAP 2015 reports.

Every function takes plain arrays and counts only entries whose truth is known: NaN in `truth` is an unknown label,
never an error and never a hit. Raises ValueError when shapes differ or when nothing is left to count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omokage.metrics.classification import balanced_accuracy


def _pair(predicted: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as float64, known entries only, flattened."""
    p, t = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if p.shape != t.shape:
        raise ValueError(f"predictions {p.shape} and truth {t.shape} differ in shape")
    known = ~np.isnan(t)
    if not known.any():
        raise ValueError("no label is known: nothing to measure")
    return p[known], t[known]


def age_mae(predicted: ArrayLike, truth: ArrayLike) -> float:
    """Mean absolute error of age in years."""
    p, t = _pair(predicted, truth)
    return float(np.abs(p - t).mean())


def cumulative_score(predicted: ArrayLike, truth: ArrayLike, within: float = 5.0) -> float:
    """CS(5): share 0..1 of ages that are at most `within` years off."""
    p, t = _pair(predicted, truth)
    return float((np.abs(p - t) <= within).mean())


def eps_error(predicted: ArrayLike, mean: ArrayLike, std: ArrayLike) -> float:
    """The error of ChaLearn LAP 2015, 0..1: mean of 1 - exp(-(predicted - mean)^2 / (2 std^2)) over pictures.

    `mean` and `std` are those of the raters in years. A picture whose raters all agree (std 0) counts 0 when hit
    exactly, else 1. Raises ValueError for a negative spread.
    """
    p, t = _pair(predicted, mean)
    s = np.broadcast_to(np.asarray(std, np.float64), np.shape(mean))[~np.isnan(np.asarray(mean, np.float64))]
    if not (s >= 0).all():
        raise ValueError("standard deviations must be known and not negative")
    gap = (p - t) ** 2
    safe = np.where(s > 0, s, 1.0)
    return float(np.where(s > 0, 1 - np.exp(-gap / (2 * safe**2)), gap > 0).mean())


@dataclass(frozen=True, slots=True)
class AttributeScore:
    """One yes/no attribute: plain and balanced accuracy 0..1, how many labels, and the share of "yes" among them.

    `balanced` is the mean of the accuracies on "yes" and on "no"; None when only one of the two occurs. `majority`
    is what always giving the commoner answer would reach: the baseline that a plain accuracy must be read against.
    """

    name: str
    accuracy: float
    balanced: float | None
    count: int
    positive: float

    @property
    def majority(self) -> float:
        return max(self.positive, 1 - self.positive)


def attribute_scores(names: tuple[str, ...], probability: ArrayLike, truth: ArrayLike) -> list[AttributeScore]:
    """Score each column of `probability` (n, k) in 0..1 against `truth` (n, k) of 0, 1 or NaN; yes is at least 0.5.

    Columns without any known label are left out of the list.
    """
    p, t = np.asarray(probability, np.float64), np.asarray(truth, np.float64)
    if p.shape != t.shape or p.ndim != 2 or p.shape[1] != len(names):
        raise ValueError(f"{len(names)} names, probabilities {p.shape} and truth {t.shape} do not fit together")
    return [_score(name, p[:, k], t[:, k]) for k, name in enumerate(names) if not np.isnan(t[:, k]).all()]


def _score(name: str, probability: NDArray[np.float64], truth: NDArray[np.float64]) -> AttributeScore:
    p, t = _pair(probability, truth)
    said, yes = p >= 0.5, t >= 0.5
    right = said == yes
    both = yes.any() and not yes.all()
    balanced = balanced_accuracy(said, yes) if both else None
    return AttributeScore(name, float(right.mean()), balanced, len(t), float(yes.mean()))


def mean_accuracy(scores: list[AttributeScore]) -> float:
    """Mean of the attributes' plain accuracies: the "mean of 40" of CelebA and LFWA."""
    if not scores:
        raise ValueError("no attribute was scored")
    return float(np.mean([score.accuracy for score in scores]))


def mean_balanced_accuracy(scores: list[AttributeScore]) -> float:
    """Mean of the balanced accuracies, over the attributes that have both answers."""
    balanced = [score.balanced for score in scores if score.balanced is not None]
    if not balanced:
        raise ValueError("no attribute has both answers")
    return float(np.mean(balanced))
