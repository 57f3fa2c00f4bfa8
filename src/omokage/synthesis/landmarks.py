"""The 68 iBUG landmarks on the head mesh, placed where annotators of photographs click.

Each point is a mix of corners of mesh triangles. Brows stand at rest as high over the eyes as on the mean face of
300-W (inner ends 0.26, arch 0.37, outer ends 0.21 of the distance between the eyes' centres) and run from the start
of the painted hair above its middle to the tip of the tail; eye corners and lids lie on the edge of the visible
opening (the white, not the tip of the tear duct), lids a third of the way in; point 27 is level with the upper lids,
30 on the middle of the ball of the nose, 33 where the septum meets the lip; outer lips lie on the edge of the red,
inner lips on the rims that part.

The jaw (0..16) follows what the picture shows: rows run over the cheek and round the jaw's edge, from each the point is
taken that lies outermost in the picture, and this outline is cut into equal lengths on either side of the chin, from
the level of the eye corners (0, 16) to where the line from the bridge of the nose over the front of the chin meets it
(8). Rows end at the edge of the jaw, so that no point slides under the chin towards the throat when the head turns.
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
    22: (0.125, 7.425), 23: (0.240, 7.465), 24: (0.362, 7.482), 25: (0.475, 7.452), 26: (0.560, 7.406),  # brow
    27: (0.0, 7.332), 28: (0.0, 7.210), 29: (0.0, 7.088), 30: (0.0, 6.965),  # bridge to tip
    33: (0.0, 6.806), 34: (0.062, 6.826), 35: (0.132, 6.850),  # under the nose
    42: (0.197, 7.272), 43: (0.272, 7.3235), 44: (0.358, 7.3295),  # eye
    45: (0.435, 7.286), 46: (0.358, 7.2435), 47: (0.274, 7.244),
    51: (0.0, 6.694), 52: (0.070, 6.708), 53: (0.165, 6.683), 54: (0.262, 6.612),  # outer lip
    55: (0.172, 6.524), 56: (0.074, 6.498), 57: (0.0, 6.491),
}  # fmt: skip
# Brows of different people begin at different distances from the middle; how much of that the brow's points follow.
_FOLLOW = {22: 1.0, 23: 0.5}
BROW_GAP = 0.07  # dm, the furthest that a brow begins nearer to the middle or further from it
# The inner rims of the lips touch at rest, so they are given as vertices of the source mesh with weights.
_RIMS = {62: {474: 1.0}, 63: {7227: 1.0}, 64: {7190: 1.0}, 65: {7242: 0.57, 7236: 0.43}, 66: {493: 1.0}}
# Jaw rows, temple to chin: the contour in front view (x, y), and the angles in degrees (0 sideways, 90 towards the
# camera) between which the row runs over the surface. The lower rows begin where the jaw's edge turns under.
_JAW = (
    (0.735, 7.275, 0, 50), (0.700, 7.113, 0, 55), (0.695, 6.930, 0, 60), (0.650, 6.765, 3, 62), (0.600, 6.590, 11, 60),
    (0.500, 6.440, 21, 58), (0.370, 6.300, 29, 55), (0.200, 6.190, 39, 53), (0.000, 6.163, 41, 52),
)  # fmt: skip
_CHIN = 6.250  # height of the front of the chin
_BETWEEN = 2  # rows laid for each of the table's, so that the outline between its points is round
_CENTRE = np.array(
    [1e-6, 6.85, 0.75]
)  # inside the head: each row lies in the plane of this point and its contour point
_SAMPLES = 16
_ROWS = 16 * _BETWEEN + 1


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


@lru_cache(maxsize=3)
def _fixed(gap: float = 0.0) -> tuple[Ints, Floats]:
    """Corners (68, 3) and weights (68, 3) of the points that keep their place on the skin (jaw left zero), of brows
    that begin `gap` dm further out than usual."""
    model = head_model()
    corners, weights = np.zeros((68, 3), np.int64), np.zeros((68, 3))
    back = np.array([0.0, 0.0, -1.0])
    for i, (x, y) in _FRONT.items():
        for k, side in {i: 1.0, int(MIRROR[i]): -1.0}.items():
            across = side * (x + gap * _FOLLOW.get(i, 0.0)) if x else 1e-6
            corners[k], weights[k] = _cast(np.array([across, y, 9.0]), back, nearest=True)
    for i, mix in _RIMS.items():
        for slot, (source, weight) in enumerate(mix.items()):
            vertex = model.vertex(source)
            corners[i, slot], weights[i, slot] = vertex, weight
            corners[MIRROR[i], slot], weights[MIRROR[i], slot] = _mirrored(vertex), weight
    return corners, weights.astype(np.float32)


def _between(brow_gap: float) -> tuple[Ints, Floats]:
    """As `_fixed`, corners (68, 6) and weights (68, 6): a mix of the narrowest and the widest brows."""
    (near, near_weights), (far, far_weights) = _fixed(-BROW_GAP), _fixed(BROW_GAP)
    share = np.float32((brow_gap + BROW_GAP) / (2 * BROW_GAP))
    return np.concatenate([near, far], 1), np.concatenate([near_weights * (1 - share), far_weights * share], 1)


@lru_cache(maxsize=1)
def _chin() -> tuple[Ints, Floats]:
    """Corners (3,) and weights (3,) of the front of the chin."""
    corners, weights = _cast(np.array([1e-6, _CHIN, 9.0]), np.array([0.0, 0.0, -1.0]), nearest=True)
    return corners, weights.astype(np.float32)


@lru_cache(maxsize=1)
def _jaw_rows() -> tuple[Ints, Floats, Floats]:
    """Corners (r, n, 3) and weights (r, n, 3) along the rows, and each row's way out (r, 2): sideways, up."""
    corners, weights = np.zeros((_ROWS, _SAMPLES, 3), np.int64), np.zeros((_ROWS, _SAMPLES, 3))
    outward = np.zeros((_ROWS, 2))
    table, steps = np.array(_JAW), np.arange(_ROWS // 2 + 1) / _BETWEEN
    for row, place in enumerate(steps):
        x, y, back, front = (float(np.interp(place, np.arange(len(table)), column)) for column in table.T)
        for i, side in {row: -1.0, _ROWS - 1 - row: 1.0}.items():
            way = np.array([side * x, y - _CENTRE[1], 0.0]) / np.hypot(x, y - _CENTRE[1])
            outward[i] = way[:2]
            for k, angle in enumerate(np.radians(np.linspace(back, front, _SAMPLES))):
                ray = np.cos(angle) * way + np.sin(angle) * np.array([0.0, 0.0, 1.0])
                corners[i, k], weights[i, k] = _cast(_CENTRE, ray, nearest=False)
    return corners, weights.astype(np.float32), outward.astype(np.float32)


def locate(projected: Floats, brow_gap: float = 0.0) -> tuple[Ints, Floats]:
    """Corners (68, 6) and weights (68, 6) of the landmarks in a picture of the vertices `projected` (V, 2), pixels.

    `brow_gap`, -`BROW_GAP`..`BROW_GAP` dm, tells how much further out than usual the person's brows begin.
    """
    fixed_corners, fixed_weights = _fixed()
    corners, weights = _between(brow_gap)
    row_corners, row_weights, outward = _jaw_rows()
    middle = _ROWS // 2
    bridge, chin = _mix(projected, fixed_corners[27], fixed_weights[27]), projected[row_corners[middle, 0]].mean(0)
    down = (chin - bridge) / max(float(np.linalg.norm(chin - bridge)), 1e-6)
    right = np.array([down[1], -down[0]], np.float32)
    pixels = _mix(projected, row_corners, row_weights)  # (r, n, 2)
    way = outward[:, :1] * right - outward[:, 1:] * down
    best = (pixels * way[:, None]).sum(2).argmax(1)
    every = np.arange(_ROWS)
    outline, edge_corners, edge_weights = pixels[every, best], row_corners[every, best], row_weights[every, best]
    place = _evenly(outline, _crossing(outline, bridge, _mix(projected, *_chin())))
    low = np.minimum(place.astype(np.int64), _ROWS - 2)
    share = (place - low).astype(np.float32)[:, None]
    corners[:17] = np.concatenate([edge_corners[low], edge_corners[low + 1]], 1)
    weights[:17] = np.concatenate([edge_weights[low] * (1 - share), edge_weights[low + 1] * share], 1)
    return corners, weights


def _crossing(outline: Floats, start: Floats, through: Floats) -> float:
    """Where, counted in points of `outline` (n, 2), the line from `start` to `through` meets its middle half."""
    way, middle = through - start, len(outline) // 2
    side = (outline - start) @ np.array([-way[1], way[0]], np.float32)
    near = range(middle // 2, len(outline) - 1 - middle // 2)
    turns = [k for k in near if (side[k] > 0) != (side[k + 1] > 0)]
    if not turns:
        return float(middle)
    k = min(turns, key=lambda turn: abs(turn + 0.5 - middle))
    return k + float(side[k] / (side[k] - side[k + 1]))


def _evenly(outline: Floats, chin: float) -> NDArray[np.float64]:
    """17 places, counted in points of `outline` (n, 2): equal lengths before `chin` (the ninth) and after it."""
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(outline, axis=0), axis=1).cumsum()])
    counted = np.arange(len(outline))
    middle = float(np.interp(chin, counted, along))
    marks = np.concatenate([np.linspace(0, middle, 9), np.linspace(middle, along[-1], 9)[1:]])
    return np.asarray(np.interp(marks, along, counted))


def landmarks(projected: Floats, brow_gap: float = 0.0) -> Floats:
    """The 68 points (68, 2) in the pixels of `projected` (V, 2), the picture of the posed vertices."""
    return _mix(projected, *locate(projected, brow_gap))


def landmark_points(projected: Floats, posed: Floats, brow_gap: float = 0.0) -> Floats:
    """The same 68 points in space (68, 3), in the units of the posed vertices `posed` (V, 3)."""
    return _mix(posed, *locate(projected, brow_gap))


def _mix(values: Floats, corners: Ints, weights: Floats) -> Floats:
    return np.asarray((values[corners] * weights[..., None]).sum(-2), np.float32)
