"""Places in the order of a sample, and the correlation of two orders."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omokage.metrics.regression import correlation


def ranks(values: ArrayLike) -> NDArray[np.float64]:
    """The place of each value (any shape) in the rising order of all, from 1; ties share their mean place."""
    given = np.asarray(values, np.float64)
    _, inverse, counts = np.unique(given, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse], np.float64).reshape(given.shape)


def rank_correlation(one: ArrayLike, two: ArrayLike) -> float:
    """Spearman's rank correlation, -1..1; 0 where one side does not vary. Raises ValueError for different numbers of
    values or none."""
    return correlation(ranks(one).ravel(), ranks(two).ravel())
