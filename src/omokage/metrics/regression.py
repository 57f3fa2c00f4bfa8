"""Errors of numbers: absolute error, correlation, coverage of intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def mean_absolute_error(predicted: ArrayLike, true: ArrayLike) -> float:
    """Mean of |predicted - true|, in their unit. Raises ValueError for different shapes or no numbers."""
    a, b = _pair(predicted, true)
    return float(np.abs(a - b).mean())


def correlation(predicted: ArrayLike, true: ArrayLike) -> float:
    """Pearson's correlation, -1..1; 0 when either is constant. Raises ValueError as above."""
    a, b = _pair(predicted, true)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale > 0 else 0.0


def coverage(low: ArrayLike, high: ArrayLike, true: ArrayLike) -> float:
    """Share (0..1) of true values inside their interval, bounds included."""
    a, t = _pair(low, true)
    b, _ = _pair(high, true)
    return float(((a <= t) & (t <= b)).mean())


def angle_error(predicted: ArrayLike, true: ArrayLike) -> np.ndarray:
    """Absolute difference of angles in degrees, 0..180, elementwise."""
    difference = np.abs(np.asarray(predicted, np.float64) - np.asarray(true, np.float64)) % 360
    return np.asarray(np.minimum(difference, 360 - difference))


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if x.shape != y.shape or x.size == 0:
        raise ValueError(f"two non-empty arrays of one shape are needed, not {x.shape} and {y.shape}")
    return x, y
