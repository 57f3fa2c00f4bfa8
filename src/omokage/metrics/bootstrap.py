"""Percentile bootstrap: how much a score would wander with other pictures of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray


def interval(
    score: Callable[..., float],
    *arrays: NDArray,
    groups: Sequence[str] | None = None,
    draws: int = 300,
    level: float = 0.95,
    seed: int = 0,
    fewest: int = 1,
) -> tuple[float, float]:
    """The `level` interval of ``score(*arrays)`` when rows are drawn again with replacement.

    With `groups` (one name a row) whole groups are drawn: several pictures of one person are not independent. Draws on
    which the score is not finite are left out. With fewer than `fewest` groups (or rows, without groups) both ends are
    not a number: draws from one person are all alike, and would claim a sure value. Raises ValueError without rows.
    """
    count = len(arrays[0])
    if count == 0:
        raise ValueError("no rows to draw from")
    rng = np.random.default_rng(seed)
    members = _members(groups, count)
    if len(members) < fewest:
        return float("nan"), float("nan")
    values = []
    for _ in range(draws):
        chosen = rng.integers(len(members), size=len(members))
        rows = np.concatenate([members[i] for i in chosen])
        value = score(*(a[rows] for a in arrays))
        if np.isfinite(value):
            values.append(value)
    if not values:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _members(groups: Sequence[str] | None, count: int) -> list[NDArray[np.int64]]:
    """Row numbers of each group; each row on its own without groups."""
    if groups is None:
        return [np.array([i]) for i in range(count)]
    _, inverse = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    return np.split(order, np.cumsum(np.bincount(inverse))[:-1])
