"""How well classes and probabilities fit: accuracy, balanced accuracy, area under the curve, calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from omokage.metrics.ranks import ranks


def accuracy(predicted: ArrayLike, true: ArrayLike) -> float:
    """Share (0..1) of equal labels. Raises ValueError for different shapes or no labels."""
    a, b = np.asarray(predicted), np.asarray(true)
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"two non-empty arrays of one shape are needed, not {a.shape} and {b.shape}")
    return float((a == b).mean())


def balanced_accuracy(predicted: ArrayLike, true: ArrayLike) -> float:
    """Mean recall over the classes that occur, so that a frequent class does not decide."""
    a, b = np.asarray(predicted), np.asarray(true)
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"two non-empty arrays of one shape are needed, not {a.shape} and {b.shape}")
    return float(np.mean([(a[b == c] == c).mean() for c in np.unique(b)]))


def area_under_curve(score: ArrayLike, positive: ArrayLike) -> float:
    """Probability (0..1) that a positive scores above a negative, ties counting half; NaN when either kind is
    missing."""
    s, p = np.asarray(score, np.float64), np.asarray(positive, bool)
    wins = int(p.sum()), int((~p).sum())
    if not all(wins):
        return float("nan")
    return float((ranks(s)[p].sum() - wins[0] * (wins[0] + 1) / 2) / (wins[0] * wins[1]))


def calibration_error(probability: ArrayLike, positive: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error: mean gap between stated and observed frequency over equal-width bins, weighted by
    their size."""
    p, y = np.asarray(probability, np.float64), np.asarray(positive, np.float64)
    where = np.clip((p * bins).astype(int), 0, bins - 1)
    gaps = [abs(p[where == k].mean() - y[where == k].mean()) * (where == k).mean() for k in np.unique(where)]
    return float(np.sum(gaps))
