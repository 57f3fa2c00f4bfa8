"""How well a score tells pairs of one person from pairs of two, where both kinds of error are equally frequent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def equal_error(alike: Floats, apart: Floats) -> float:
    """The rate (0..1) at which as many of one person are refused as of two are let through. `alike` (n,) and `apart`
    (m,) are the scores of pairs of one and of two people."""
    _, refused, passed = _crossing(alike, apart)
    return (refused + passed) / 2


def even_limit(alike: Floats, apart: Floats) -> float:
    """The score from which on as large a share of `apart` (m,) is let through as of `alike` (n,) is refused below
    it."""
    return _crossing(alike, apart)[0]


def _crossing(alike: Floats, apart: Floats) -> tuple[float, float, float]:
    """The score where the two rates come closest, the share of `alike` below it and of `apart` from it on."""
    marks = np.sort(np.concatenate([alike, apart]))
    refused = np.searchsorted(np.sort(alike), marks, side="left") / len(alike)
    passed = 1 - np.searchsorted(np.sort(apart), marks, side="left") / len(apart)
    k = int(np.argmin(np.abs(refused - passed)))
    return float(marks[k]), float(refused[k]), float(passed[k])
