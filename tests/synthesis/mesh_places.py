"""Where things lie on the head's mesh, for tests that need a vertex."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.landmarks import _BETWEEN, _fixed, _jaw_rows


def _nearest_vertices() -> NDArray[np.int64]:
    corners, weights = (a.copy() for a in _fixed())
    rows, row_weights, _ = _jaw_rows()
    corners[:17], weights[:17] = rows[::_BETWEEN, 0], row_weights[::_BETWEEN, 0]
    return np.asarray(corners[np.arange(68), weights.argmax(1)])


LANDMARK_VERTICES = _nearest_vertices()  # (68,) the mesh vertex next to each landmark (jaw: the frontal contour)
