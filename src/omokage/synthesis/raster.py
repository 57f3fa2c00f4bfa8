"""Triangles to pixels: a z-buffer rasteriser in numba that leaves triangle, barycentric weights and depth at every
pixel.

Pixel centres lie at (x + 0.5, y + 0.5), origin top-left. A screen vertex is (x, y, depth, 1/w); depth is linear on
the screen. Shading comes later and once per pixel ("deferred", Deering et al., SIGGRAPH 1988), because heads are
made of triangles only two to four pixels wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

FAR = np.float32(9.0)  # beyond every depth in -1..1
BODY, LEFT_EYE, RIGHT_EYE, UPPER_TEETH, LOWER_TEETH, TONGUE, LASH, HAIR, PART = range(9)  # what a triangle is made of

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class GBuffer:
    """Per pixel of an (n, n) picture: `triangle` (-1 = none), `weights` of its 2nd and 3rd corner, `depth`."""

    triangle: Ints
    weights: Floats
    depth: Floats

    @classmethod
    def empty(cls, n: int) -> GBuffer:
        """Nothing drawn yet on n x n pixels."""
        shape = (n, n)
        return cls(np.full(shape, -1, np.int32), np.empty((n, n, 2), np.float32), np.full(shape, FAR, np.float32))


@njit(cache=True, fastmath=True)
def project(points: Floats, matrix: Floats, n: int) -> Floats:
    """Points (V, 3) through a 4 x 4 clip matrix to screen vertices (V, 4): x, y in pixels, depth, 1/w (0 behind the
    camera).
    """
    out = np.empty((len(points), 4), np.float32)
    half = np.float32(0.5) * np.float32(n)
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        w = matrix[3, 0] * x + matrix[3, 1] * y + matrix[3, 2] * z + matrix[3, 3]
        inverse = np.float32(1.0) / w if w > np.float32(1e-3) else np.float32(0.0)
        right = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]
        up = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]
        deep = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]
        out[i, 0] = (right * inverse + np.float32(1.0)) * half
        out[i, 1] = (np.float32(1.0) - up * inverse) * half
        out[i, 2] = deep * inverse
        out[i, 3] = inverse
    return out


@njit(cache=True, fastmath=True)
def crispness(n: int) -> float:
    """How much of the pattern in a ribbon a picture of n pixels a side can show, 0..1; the rest would be noise."""
    return min(max((n - 160) / 400.0, 0.0), 1.0)


@njit(cache=True, fastmath=True)
def strand_alpha(across: float, along: float, strand: float, crisp: float) -> float:
    """Coverage 0..1 of a hair ribbon, by how `crisp` it can be seen.

    Near: several fibres side by side that thin out towards the tip, different on each ribbon. Far: a tapering lock.
    """
    fibre = 0.5 + 0.5 * math.sin(across * 19.0 + strand * 7.0) * crisp
    fine = 0.5 + 0.5 * math.sin(across * 47.0 + strand * 3.0) * crisp
    k = min(max((1.02 - along * (1.0 + 0.3 * fine)) / 0.52, 0.0), 1.0)
    k = crisp * k * k * (3.0 - 2.0 * k) + 1.0 - crisp
    taper = (1.0 - crisp) * 0.5 * max(along - 0.25, 0.0) / 0.62
    edge = min(1.0, max(min(across, 1.0 - across) + 0.03 - taper, 0.0) / 0.12)
    return (0.55 + 0.45 * fibre) * (0.7 + 0.3 * fine) * k * edge


@njit(cache=True, fastmath=True)
def _covered(crisp: float, detail: Floats, a: int, b: int, c: int, w0: float, w1: float, w2: float) -> bool:
    """Whether a ribbon has material at this point. `detail` (V, 2): strand + across, along."""
    along = w0 * detail[a, 1] + w1 * detail[b, 1] + w2 * detail[c, 1]
    value = w0 * detail[a, 0] + w1 * detail[b, 0] + w2 * detail[c, 0]
    # The strand number is the same at all corners; taking it from the smallest keeps `across` = 1 on its own strand.
    strand = math.floor(min(detail[a, 0], detail[b, 0], detail[c, 0]))
    solid: bool = strand_alpha(value - strand, along, strand, crisp) >= 0.22
    return solid


@njit(cache=True, fastmath=True)
def fill(
    screen: Floats, triangles: Ints, kinds: NDArray[np.uint8], detail: Floats, ids: Ints, weights: Floats, depth: Floats
) -> None:
    """Draw triangles (T, 3) over screen vertices (V, 4) into the three arrays of a `GBuffer`; nearer surfaces win.

    Closed surfaces (kinds below `LASH`) drop triangles that turn their back; the open ones are seen from both sides.
    """
    n = ids.shape[0]
    half = np.float32(0.5)
    one = np.float32(1.0)
    crisp = crispness(n)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if screen[a, 3] <= 0 or screen[b, 3] <= 0 or screen[c, 3] <= 0:
            continue
        x0, y0 = screen[a, 0], screen[a, 1]
        ux, uy = screen[b, 0] - x0, screen[b, 1] - y0
        vx, vy = screen[c, 0] - x0, screen[c, 1] - y0
        area = ux * vy - vx * uy
        if area == 0 or (area > 0 and kinds[t] < LASH):
            continue
        left = max(math.ceil(x0 + min(ux, vx, np.float32(0.0)) - half), 0)
        right = min(math.floor(x0 + max(ux, vx, np.float32(0.0)) - half), n - 1)
        top = max(math.ceil(y0 + min(uy, vy, np.float32(0.0)) - half), 0)
        bottom = min(math.floor(y0 + max(uy, vy, np.float32(0.0)) - half), n - 1)
        if left > right or top > bottom:
            continue
        inverse = one / area
        tested = kinds[t] == HAIR
        for y in range(top, bottom + 1):
            dy = np.float32(y) + half - y0
            for x in range(left, right + 1):
                dx = np.float32(x) + half - x0
                w1 = (dx * vy - vx * dy) * inverse
                w2 = (ux * dy - dx * uy) * inverse
                w0 = one - w1 - w2
                if w1 < 0 or w2 < 0 or w0 < 0:
                    continue
                z = w0 * screen[a, 2] + w1 * screen[b, 2] + w2 * screen[c, 2]
                if z >= depth[y, x]:
                    continue
                if tested and not _covered(crisp, detail, a, b, c, w0, w1, w2):
                    continue
                depth[y, x] = z
                ids[y, x] = t
                weights[y, x, 0] = w1
                weights[y, x, 1] = w2


@njit(cache=True, fastmath=True)
def fill_depth(screen: Floats, triangles: Ints, depth: Floats) -> None:
    """Depth only, both sides, for shadow maps: `depth` (n, n) keeps the nearest of the triangles (T, 3)."""
    n = depth.shape[0]
    half = np.float32(0.5)
    one = np.float32(1.0)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0 = screen[a, 0], screen[a, 1]
        ux, uy = screen[b, 0] - x0, screen[b, 1] - y0
        vx, vy = screen[c, 0] - x0, screen[c, 1] - y0
        area = ux * vy - vx * uy
        left = max(math.ceil(x0 + min(ux, vx, np.float32(0.0)) - half), 0)
        right = min(math.floor(x0 + max(ux, vx, np.float32(0.0)) - half), n - 1)
        top = max(math.ceil(y0 + min(uy, vy, np.float32(0.0)) - half), 0)
        bottom = min(math.floor(y0 + max(uy, vy, np.float32(0.0)) - half), n - 1)
        if area == 0 or left > right or top > bottom:
            continue
        inverse = one / area
        for y in range(top, bottom + 1):
            dy = np.float32(y) + half - y0
            for x in range(left, right + 1):
                dx = np.float32(x) + half - x0
                w1 = (dx * vy - vx * dy) * inverse
                w2 = (ux * dy - dx * uy) * inverse
                if w1 < 0 or w2 < 0 or w1 + w2 > one:
                    continue
                z = (one - w1 - w2) * screen[a, 2] + w1 * screen[b, 2] + w2 * screen[c, 2]
                if z < depth[y, x]:
                    depth[y, x] = z
