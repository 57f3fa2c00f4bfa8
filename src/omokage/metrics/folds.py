"""Measures of answers that several models gave, each about the rows that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def by_fold(
    measure: Callable[[NDArray[np.float64], NDArray], float], answers: NDArray[np.float64], truth: NDArray,
    fold: NDArray,
) -> float:  # fmt: skip
    """The mean of a measure over the folds, by their size: answers of different probes are not ranked together. Folds
    of which the measure is not a number are left out; not a number when all are."""
    total, weight = 0.0, 0
    for held in np.unique(fold):
        rows = fold == held
        value = measure(answers[rows], truth[rows])
        if np.isfinite(value):
            total, weight = total + value * int(rows.sum()), weight + int(rows.sum())
    return total / weight if weight else float("nan")
