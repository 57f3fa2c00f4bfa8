"""Logistic regression by Newton steps: small, exact, and the same wherever a score is turned into a probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def probability(odds: ArrayLike) -> Floats:
    """1 / (1 + exp(-odds)), with odds kept within 30 of 0 so that nothing overflows."""
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


def fit_logistic(
    inputs: Floats, right: NDArray[np.bool_], start: ArrayLike, pull: ArrayLike, steps: int, stride: float
) -> Floats:
    """The weights (k,) for `inputs` (n, k) and labels `right` (n,), pulled towards `start` (k,) by `pull` (k,) each.

    The pull keeps separable data finite; no weight moves by more than `stride` in one of the `steps`.
    """
    aim, ridge = np.array(start, np.float64), np.diag(np.asarray(pull, np.float64))
    weights = aim.copy()
    for _ in range(steps):
        p = probability(inputs @ weights)
        slope = inputs.T @ (p - right) + ridge @ (weights - aim)
        curve = (inputs * (p * (1 - p))[:, None]).T @ inputs + ridge
        weights = weights - np.clip(np.linalg.solve(curve, slope), -stride, stride)
    return weights
