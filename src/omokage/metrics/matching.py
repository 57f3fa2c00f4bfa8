"""Which of the faces that were found is the labelled one: the rule that every score on labelled photographs uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from omokage.results import Box

REACH = 0.75  # of the larger extent of the labelled points


def nearest_box(boxes: Sequence[Box], points: NDArray[np.floating]) -> int | None:
    """The index of the box whose centre is nearest to the middle of labelled points (n, 2); None when none is within
    three quarters of their larger extent.
    """
    if not boxes:
        return None
    low, high = points.min(0), points.max(0)
    centres = np.array([box.centre for box in boxes])
    away = np.linalg.norm(centres - (low + high) / 2, axis=1)
    best = int(np.argmin(away))
    return best if away[best] < REACH * float((high - low).max()) else None
