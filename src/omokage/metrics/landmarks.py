"""Distances between landmark sets, over a size of the face."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

OUTER_EYES = (36, 45)


def normalised_error(predicted: ArrayLike, true: ArrayLike, by: str = "box") -> np.ndarray:
    """Mean point distance of each face (n,), from points (n, k, 2), divided by a size of the true face.

    `by`: ``box`` = square root of the area around the true points (safe for turned heads), ``outer_eyes`` = distance of
    points 36 and 45 (needs 68 points). Raises ValueError for anything else.
    """
    a, b = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if a.shape != b.shape or a.ndim != 3:
        raise ValueError(f"two arrays (n, points, 2) of one shape are needed, not {a.shape} and {b.shape}")
    if by == "box":
        size = np.sqrt((b.max(1) - b.min(1)).prod(1))
    elif by == "outer_eyes":
        size = np.linalg.norm(b[:, OUTER_EYES[0]] - b[:, OUTER_EYES[1]], axis=1)
    else:
        raise ValueError(f"no such size: {by!r}")
    return np.asarray(np.linalg.norm(a - b, axis=2).mean(1) / np.maximum(size, 1e-9))
