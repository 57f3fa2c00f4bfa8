"""The paint map of the head: a cylinder unrolled around the rest mesh, and the two brushes that paint it.

Column = angle ``theta = atan2(x, z - 0.5)`` from -pi to pi (0 = middle of the face, + = the person's left), row =
height ``y`` of the rest mesh from 8.5 (crown) down to 5.8 (collar), both in rest coordinates (decimetres). Painting in
rest coordinates makes every mark follow the face through all shapes and expressions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Point = tuple[float, float]
Size = tuple[int, int]

TOP, BOTTOM, AXIS_Z = 8.5, 5.8, 0.5
_BANK = 3  # differently seeded fields per noise scale


@lru_cache(maxsize=4)
def grid(size: Size) -> tuple[Floats, Floats]:
    """Angle (h, w) in radians and height (h, w) in decimetres of every texel's middle."""
    h, w = size
    theta = ((np.arange(w) + 0.5) / w * 2 - 1) * np.pi
    y = TOP - (np.arange(h) + 0.5) / h * (TOP - BOTTOM)
    return tuple(np.ascontiguousarray(a, np.float32) for a in np.meshgrid(theta, y))  # type: ignore[return-value]


def to_texels(points: NDArray[np.floating], size: Size) -> Floats:
    """(n, 2) angle, height -> (n, 2) column, row in texels, texel middles at whole numbers."""
    h, w = size
    column = (points[:, 0] / np.pi + 1) / 2 * w - 0.5
    row = (TOP - points[:, 1]) / (TOP - BOTTOM) * h - 0.5
    return np.stack([column, row], axis=1).astype(np.float32)


def texels_per_dm(size: Size) -> float:
    """Rows per decimetre; columns are about as dense at the face's radius."""
    return size[0] / (TOP - BOTTOM)


class Strokes:
    """A growing list of soft lines and dots, drawn in one go by `stamp`."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._parts: list[Floats] = []
        self._lines: list[NDArray[np.floating]] = []
        self._looks: list[tuple[float, float]] = []
        self._tapers: list[NDArray[np.floating]] = []

    def line(
        self, points: Sequence[Point] | NDArray[np.floating], width: float, value: float, taper: float = 0.6
    ) -> None:
        """One line through (theta, y) points; `width` = standard deviation in dm; ends fade by sin(pi t) ** taper."""
        self._lines.append(np.asarray(points, np.float64))
        self._looks.append((width, value))
        self._tapers.append(_taper(len(points) - 1, taper))

    def dots(self, points: NDArray[np.floating], radii: NDArray[np.floating], values: NDArray[np.floating]) -> None:
        """Soft dots: (n, 2) theta and y, (n,) standard deviations in dm, (n,) values."""
        xy = to_texels(points, self._size)
        self.segments(xy, xy + 1e-3, radii, values)

    def segments(self, a: Floats, b: Floats, width: float | NDArray[np.floating], value: NDArray[np.floating]) -> None:
        """Straight soft segments between texel positions (n, 2)."""
        sigma = np.broadcast_to(np.asarray(width, np.float64) * texels_per_dm(self._size), (len(a),))
        # A mark finer than a texel is drawn a texel wide and paler, so that its weight does not hang on the map's size.
        drawn = np.maximum(sigma, 0.55)
        part = np.concatenate([a, b, drawn[:, None], (value * np.sqrt(np.minimum(1, sigma / drawn)))[:, None]], axis=1)
        self._parts.append(part.astype(np.float32))

    def table(self) -> Floats:
        """All marks as the rows that `stamp` takes (n, 6)."""
        if self._lines:
            counts = np.array([len(line) for line in self._lines])
            xy = to_texels(np.concatenate(self._lines), self._size)
            last = np.cumsum(counts) - 1
            start = np.delete(np.arange(len(xy)), last)
            width, value = np.repeat(np.array(self._looks), counts - 1, axis=0).T
            self._lines, tapers = [], np.concatenate(self._tapers)
            self.segments(xy[start], xy[start + 1], width, value * tapers)
            self._looks, self._tapers = [], []
        return np.concatenate(self._parts) if self._parts else np.zeros((0, 6), np.float32)

    def draw(self, layer: Floats, corner: tuple[int, int] = (0, 0)) -> Floats:
        """Stamp everything on `layer`, whose first texel lies at (row, column) `corner` of the map, keeping the larger
        value where marks overlap; returns it. Only a layer as wide as the map wraps around.
        """
        table = self.table()
        if len(table):
            stamp(layer, table - np.array([corner[1], corner[0], corner[1], corner[0], 0, 0], np.float32))
        return layer


@lru_cache(maxsize=64)
def _taper(n: int, power: float) -> NDArray[np.floating]:
    """Values of n segments that fade towards both ends."""
    middles = (np.arange(n) + 0.5) / n
    return np.asarray(np.sin(np.pi * middles) ** power)


def extent(table: Floats, size: Size) -> tuple[int, int, int, int]:
    """Rows and columns (top, bottom, left, right; ends excluded) that marks reach, kept inside the map."""
    reach = 2.6 * table[:, 4]
    low = np.minimum(table[:, :2], table[:, 2:4]) - reach[:, None]
    high = np.maximum(table[:, :2], table[:, 2:4]) + reach[:, None]
    (left, top), (right, bottom) = low.min(0), high.max(0)
    ends = min(size[0], math.ceil(bottom) + 1), min(size[1], math.ceil(right) + 1)
    return max(0, math.floor(top)), ends[0], max(0, math.floor(left)), ends[1]


@njit(cache=True, fastmath=True)
def stamp(layer, strokes):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Gaussian-profiled segments (n, 6: x0 y0 x1 y1 sigma value) on (h, w), combined by maximum; wraps around in x."""
    h, w = layer.shape
    for i in range(strokes.shape[0]):
        x0, y0, x1, y1, sigma, value = strokes[i]
        reach = np.float32(2.6) * sigma
        dx = x1 - x0
        dy = y1 - y0
        inverse = np.float32(1.0) / (dx * dx + dy * dy + np.float32(1e-9))
        fall = np.float32(-0.5) / (sigma * sigma)
        for row in range(max(0, math.ceil(min(y0, y1) - reach)), min(h - 1, math.floor(max(y0, y1) + reach)) + 1):
            for col in range(math.ceil(min(x0, x1) - reach), math.floor(max(x0, x1) + reach) + 1):
                px = np.float32(col) - x0
                py = np.float32(row) - y0
                t = min(max((px * dx + py * dy) * inverse, np.float32(0.0)), np.float32(1.0))
                ex = px - t * dx
                ey = py - t * dy
                v = value * np.exp(fall * (ex * ex + ey * ey))
                c = col % w
                if v > layer[row, c]:
                    layer[row, c] = v


@lru_cache(maxsize=32)
def _noise_field(size: Size, scale: float, which: int) -> Floats:
    h, w = size
    coarse = max(2, round(h / scale)), max(2, round(w / scale))
    rng = np.random.default_rng((round(scale * 100), which))
    # Padded by its own opposite edge, so that the field can be shifted around without a seam.
    padded = np.pad(rng.standard_normal(coarse).astype(np.float32), 2, mode="wrap")
    tall, wide = round(h * padded.shape[0] / coarse[0]), round(w * padded.shape[1] / coarse[1])
    top, left = (tall - h) // 2, (wide - w) // 2
    field = cv2.resize(padded, (wide, tall), interpolation=cv2.INTER_CUBIC)[top : top + h, left : left + w]
    return np.ascontiguousarray(field / max(float(field.std()), 1e-6), np.float32)


def noise(size: Size, scale: float, rng: np.random.Generator) -> Floats:
    """Smooth noise (h, w) of unit variance, `scale` = size of its grains in texels of a 256-row map.

    Taken from a small cached bank, shifted and flipped at random: drawing it afresh would cost more than all other
    painting.
    """
    h, w = size
    field = _noise_field(size, max(1.0, scale * h / 256), int(rng.integers(_BANK)))
    field = np.roll(field, (int(rng.integers(h)), int(rng.integers(w))), axis=(0, 1))
    return field[:, ::-1] if rng.random() < 0.5 else field


def spots(size: Size, marks: Iterable[tuple[float, float, float, float]]) -> Strokes:
    """Strokes holding dots given as (theta, y, radius, value)."""
    strokes = Strokes(size)
    table = np.asarray(list(marks), np.float64).reshape(-1, 4)
    if len(table):
        strokes.dots(table[:, :2], table[:, 2], table[:, 3])
    return strokes
