"""How far the head reaches in every direction: a radius map around a capsule, for everything that lies on or falls over
it.

Above the capsule's centre directions are spherical (elevation), below it cylindrical (drop below the centre), so that
one map covers crown, face, neck and shoulders and hair can slide from one to the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omokage.synthesis.geometry import Mesh, head_model

Floats = NDArray[np.float32]

COLUMNS, ABOVE, BELOW = 56, 14, 34
DROP = 2.4  # head units that the map reaches below the centre


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """`radius` (ABOVE + BELOW, COLUMNS) about `centre` (3,); column = atan2(x, z) from -pi, row 0 = straight up."""

    centre: Floats
    radius: Floats

    def points(
        self, angle: NDArray[np.floating], row: NDArray[np.floating], offset: NDArray[np.floating] | float
    ) -> Floats:
        """Surface points (..., 3), pushed out by `offset`, at angles (radians) and rows (0 .. ABOVE + BELOW - 1)."""
        angle, row = np.broadcast_arrays(np.asarray(angle, np.float32), np.asarray(row, np.float32))
        r = _sample(self.radius, angle.ravel(), row.ravel()).reshape(angle.shape) + offset
        elevation = np.clip((ABOVE - row) / ABOVE, 0, 1) * (np.pi / 2)
        level = r * np.cos(elevation)
        y = np.where(row < ABOVE, r * np.sin(elevation), -(row - ABOVE) * (DROP / BELOW))
        return np.stack([level * np.sin(angle), y, level * np.cos(angle)], axis=-1).astype(np.float32) + self.centre

    def row_of(self, height: NDArray[np.floating] | float) -> NDArray[np.floating]:
        """Row below the centre of a height in head units (only for heights under the centre)."""
        return np.asarray(ABOVE + (self.centre[1] - np.asarray(height)) * (BELOW / DROP))


def head_envelope(mesh: Mesh) -> Envelope:
    """Envelope of the unposed head, neck and shoulders of a mesh in head units."""
    skull = mesh.vertices[_skull()]
    low, high = skull.min(0), skull.max(0)
    # The centre sits at the widest height of the skull, so that the upper part is nearly a half ball.
    centre = np.array([0.0, high[1] - 0.5 * (high[0] - low[0]) - 0.05, 0.5 * (low[2] + high[2])], np.float32)
    radius = _splat(mesh.vertices, _samples(), centre)
    _fill(radius)
    return Envelope(centre, radius)


def _skull() -> NDArray[np.int64]:
    base = head_model().base
    return np.flatnonzero((base[:, 1] > 7.5) & (base[:, 2] < 1.5))


@lru_cache(maxsize=1)
def _samples() -> NDArray[np.int32]:
    """Pairs of vertices (n, 2) whose middles cover the skin: each vertex with itself, and the ends of long edges."""
    model = head_model()
    skin = model.triangles[model.group == 0]
    edges = np.unique(np.sort(np.concatenate([skin[:, (0, 1)], skin[:, (1, 2)], skin[:, (2, 0)]]), axis=1), axis=0)
    long = np.linalg.norm(model.base[edges[:, 0]] - model.base[edges[:, 1]], axis=1) > 0.05
    return np.concatenate([np.repeat(np.unique(skin)[:, None], 2, axis=1), edges[long]]).astype(np.int32)


@njit(cache=True, fastmath=True)
def _splat(points, samples, centre):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Largest radius per cell over the middles of pairs of vertices; 0 where nothing lies."""
    radius = np.zeros((ABOVE + BELOW, COLUMNS), np.float32)
    for t in range(len(samples)):
        i, j = samples[t, 0], samples[t, 1]
        x = np.float32(0.5) * (points[i, 0] + points[j, 0]) - centre[0]
        y = np.float32(0.5) * (points[i, 1] + points[j, 1]) - centre[1]
        z = np.float32(0.5) * (points[i, 2] + points[j, 2]) - centre[2]
        level = math.sqrt(x * x + z * z)
        if y > 0:
            r = math.sqrt(level * level + y * y)
            row = int(ABOVE * (1 - math.atan2(y, level) / (0.5 * math.pi)))
        else:
            r = level
            row = ABOVE + int(-y * (BELOW / DROP))
        if row >= ABOVE + BELOW:
            continue
        column = int((math.atan2(x, z) / (2 * math.pi) + 0.5) * COLUMNS) % COLUMNS
        if r > radius[row, column]:
            radius[row, column] = r
    return radius


@njit(cache=True)
def _fill(radius):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Empty cells take the largest neighbour in their row, then the row above."""
    h, w = radius.shape
    for y in range(h):
        for _ in range(w // 2):
            empty = 0
            row = radius[y].copy()
            for x in range(w):
                if row[x] <= 0:
                    radius[y, x] = max(row[(x + 1) % w], row[x - 1])
                    if radius[y, x] <= 0:
                        empty += 1
            if empty == 0:
                break
        for x in range(w):
            if radius[y, x] <= 0 and y > 0:
                radius[y, x] = radius[y - 1, x]


@njit(cache=True, fastmath=True)
def radius_at(radius, angle, row):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Bilinear radius at one angle and fractional row."""
    h, w = radius.shape
    u = (angle * np.float32(0.15915494) + np.float32(0.5)) * w - np.float32(0.5)
    v = min(max(row - np.float32(0.5), np.float32(0.0)), np.float32(h - 1.001))
    i = math.floor(u)
    j = int(v)
    fu = u - i
    fv = v - j
    a, b = int(i) % w, int(i + 1) % w
    top = radius[j, a] * (1 - fu) + radius[j, b] * fu
    low = radius[j + 1, a] * (1 - fu) + radius[j + 1, b] * fu
    return top * (1 - fv) + low * fv


@njit(cache=True, fastmath=True)
def _sample(radius, angle, row):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    out = np.empty(len(angle), np.float32)
    for i in range(len(angle)):
        out[i] = radius_at(radius, angle[i], row[i])
    return out
