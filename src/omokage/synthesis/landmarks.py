"""The 68 iBUG landmarks on the head mesh, placed where annotators of photographs click.

Each point is a mix of the three corners of a mesh triangle. Brows lie on the upper middle of the painted brow, eye
corners and lids on the margin of the opening, point 27 between eye and brow level, outer lips on the edge of the red,
inner lips on the rims that part. The jaw (0..16) is a set of 17 rows over the cheek and round the jaw's edge: from each
row the point is taken that lies outermost in the picture, so that it stays on the visible contour when the head turns.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.geometry import Floats, HeadModel, head_model

Ints = NDArray[np.int64]

# Landmark i of a mirrored picture is landmark MIRROR[i] of the picture.
MIRROR = np.array(
    [
        *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46,
        39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
    ]
)  # fmt: skip
# Where the points with x >= 0 (the person's left, right in the picture) stand in the front view of the rest mesh: x, y
# in decimetres.
_FRONT = {
    22: (0.112, 7.455), 23: (0.215, 7.497), 24: (0.330, 7.520), 25: (0.435, 7.502), 26: (0.525, 7.425),  # brow
    27: (0.0, 7.360), 28: (0.0, 7.225), 29: (0.0, 7.085), 30: (0.0, 6.945),  # bridge to tip
    33: (0.0, 6.833), 34: (0.066, 6.845), 35: (0.132, 6.866),  # under the nose
    42: (0.168, 7.267), 43: (0.255, 7.324), 44: (0.372, 7.328),  # eye
    45: (0.440, 7.286), 46: (0.366, 7.243), 47: (0.250, 7.241),
    51: (0.0, 6.703), 52: (0.070, 6.722), 53: (0.165, 6.690), 54: (0.262, 6.612),  # outer lip
    55: (0.170, 6.520), 56: (0.068, 6.495), 57: (0.0, 6.490),
}  # fmt: skip
# The inner rims of the lips touch at rest, so they are given as vertices of the source mesh with weights.
_RIMS = {62: {474: 1.0}, 63: {7227: 1.0}, 64: {7190: 1.0}, 65: {7242: 0.57, 7236: 0.43}, 66: {493: 1.0}}
# Jaw rows, temple to chin: the contour in front view (x, y), and the angles in degrees (0 sideways, 90 towards the
# camera) between which the row runs over the surface.
_JAW = (
    (0.735, 7.300, 0, 50), (0.700, 7.113, 0, 55), (0.695, 6.930, 0, 60), (0.650, 6.765, 0, 62), (0.600, 6.590, 8, 60),
    (0.500, 6.440, 12, 58), (0.370, 6.300, 18, 55), (0.200, 6.190, 24, 52), (0.000, 6.163, 28, 50),
)  # fmt: skip
_CENTRE = np.array(
    [1e-6, 6.85, 0.75]
)  # inside the head: each row lies in the plane of this point and its contour point
_SAMPLES = 16


def _cast(
    origin: NDArray[np.float64], direction: NDArray[np.float64], nearest: bool
) -> tuple[Ints, NDArray[np.float64]]:
    """Corners (3,) and weights (3,) where a ray meets the skin without the ears: its first or its last hit."""
    model, triangles = head_model(), _skin(head_model())
    corners = model.base.astype(np.float64)[triangles]
    a, e1, e2 = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = np.cross(direction, e2)
    det = (e1 * p).sum(1)
    inverse = 1 / np.where(np.abs(det) > 1e-12, det, np.inf)
    s = origin - a
    u = (s * p).sum(1) * inverse
    q = np.cross(s, e1)
    v, along = (q @ direction) * inverse, (e2 * q).sum(1) * inverse
    hit = (np.abs(det) > 1e-12) & (u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6) & (along > 0)
    if not hit.any():
        raise ValueError(f"the ray from {origin} along {direction} misses the head")
    far = np.where(hit, -along if nearest else along, -np.inf)
    best = int(far.argmax())
    return triangles[best].astype(np.int64), np.array([1 - u[best] - v[best], u[best], v[best]])


@lru_cache(maxsize=1)
def _skin(model: HeadModel) -> NDArray[np.int32]:
    body = model.triangles[model.group == 0]
    return np.asarray(body[model.masks[:, 1][body].max(1) <= 0.3])


def _mirrored(vertex: int) -> int:
    base = head_model().base
    return int(np.linalg.norm(base - base[vertex] * np.array([-1, 1, 1], np.float32), axis=1).argmin())


@lru_cache(maxsize=1)
def _fixed() -> tuple[Ints, Floats]:
    """Corners (68, 3) and weights (68, 3) of the points that keep their place on the skin (jaw left zero)."""
    model = head_model()
    corners, weights = np.zeros((68, 3), np.int64), np.zeros((68, 3))
    back = np.array([0.0, 0.0, -1.0])
    for i, (x, y) in _FRONT.items():
        for k, side in {i: 1.0, int(MIRROR[i]): -1.0}.items():
            corners[k], weights[k] = _cast(np.array([side * x if x else 1e-6, y, 9.0]), back, nearest=True)
    for i, mix in _RIMS.items():
        for slot, (source, weight) in enumerate(mix.items()):
            vertex = model.vertex(source)
            corners[i, slot], weights[i, slot] = vertex, weight
            corners[MIRROR[i], slot], weights[MIRROR[i], slot] = _mirrored(vertex), weight
    return corners, weights.astype(np.float32)


@lru_cache(maxsize=1)
def _jaw_rows() -> tuple[Ints, Floats, Floats]:
    """Corners (17, n, 3) and weights (17, n, 3) along the 17 rows, and each row's way out (17, 2): sideways, up."""
    corners, weights = np.zeros((17, _SAMPLES, 3), np.int64), np.zeros((17, _SAMPLES, 3))
    outward = np.zeros((17, 2))
    for row, (x, y, back, front) in enumerate(_JAW):
        for i, side in {row: -1.0, 16 - row: 1.0}.items():
            way = np.array([side * x, y - _CENTRE[1], 0.0]) / np.hypot(x, y - _CENTRE[1])
            outward[i] = way[:2]
            for k, angle in enumerate(np.radians(np.linspace(back, front, _SAMPLES))):
                ray = np.cos(angle) * way + np.sin(angle) * np.array([0.0, 0.0, 1.0])
                corners[i, k], weights[i, k] = _cast(_CENTRE, ray, nearest=False)
    return corners, weights.astype(np.float32), outward.astype(np.float32)


def locate(projected: Floats) -> tuple[Ints, Floats]:
    """Corners (68, 3) and weights (68, 3) of the landmarks in a picture of the vertices `projected` (V, 2), pixels."""
    fixed_corners, fixed_weights = _fixed()
    corners, weights = fixed_corners.copy(), fixed_weights.copy()
    row_corners, row_weights, outward = _jaw_rows()
    bridge, chin = _mix(projected, corners[27:28], weights[27:28])[0], projected[row_corners[8, 0]].mean(0)
    down = (chin - bridge) / max(float(np.linalg.norm(chin - bridge)), 1e-6)
    right = np.array([down[1], -down[0]], np.float32)
    pixels = _mix(projected, row_corners, row_weights)  # (17, n, 2)
    way = outward[:, :1] * right - outward[:, 1:] * down
    best = (pixels * way[:, None]).sum(2).argmax(1)
    corners[:17], weights[:17] = row_corners[np.arange(17), best], row_weights[np.arange(17), best]
    return corners, weights


def landmarks(projected: Floats, posed: Floats) -> Floats:
    """The 68 points (68, 2) in the pixels of `projected` (V, 2), the picture of the posed vertices `posed` (V, 3)."""
    return _mix(projected, *locate(projected))


def landmark_points(projected: Floats, posed: Floats) -> Floats:
    """The same 68 points in space (68, 3), in the units of `posed` (V, 3)."""
    return _mix(posed, *locate(projected))


def _mix(values: Floats, corners: Ints, weights: Floats) -> Floats:
    return np.asarray((values[corners] * weights[..., None]).sum(-2), np.float32)


def _nearest_vertices() -> Ints:
    corners, weights = _fixed()
    rows, row_weights, _ = _jaw_rows()
    corners, weights = corners.copy(), weights.copy()
    corners[:17], weights[:17] = rows[:, 0], row_weights[:, 0]
    return np.asarray(corners[np.arange(68), weights.argmax(1)])


LANDMARK_VERTICES = _nearest_vertices()  # (68,) the mesh vertex next to each landmark (jaw: the frontal contour)
