"""Crops as the pipeline cuts them, but jittered, and labels that follow: shift, scale, turn, mirror, background.

A rendered picture survives contact with real ones when its crop, background, border, colours and sharpness vary more
than the real ones do. This file moves pixels and the labels with them; `photometry` changes colours and sharpness and
leaves labels alone; `negatives` makes crops without a face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omokage.results import Box
from omokage.schema import UNITS

Image = NDArray[np.uint8]
Points = NDArray[np.float64]

# Which point takes the place of which when a face is mirrored (iBUG-68).
MIRRORED_POINTS = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
     41, 40, *range(54, 47, -1), *range(59, 54, -1), 64, 63, 62, 61, 60, 67, 66, 65]
)  # fmt: skip
_SHRINK_BELOW = 0.5  # bilinear sampling alone starts to skip source pixels below this scale


def _mirrored_units() -> NDArray[np.int64]:
    """The same for the expression units: every name that ends in Left or Right has its partner."""
    sides = {"Left": "Right", "Right": "Left"}
    partner = {n: n.removesuffix(s) + other for n in UNITS for s, other in sides.items() if n.endswith(s)}
    return np.array([UNITS.index(partner.get(name, name)) for name in UNITS])


MIRRORED_UNITS = _mirrored_units()


@dataclass(frozen=True, slots=True)
class Geometry:
    """How much a crop strays from the exact one. Standard deviations; of the crop's side for shifts, degrees for
    turns."""

    small_shift: float = 0.022
    small_scale: float = 0.06
    small_turn: float = 5.0
    large_share: float = 0.3  # how often the large values are drawn
    large_shift: float = 0.06
    large_scale: float = 0.15
    large_turn: float = 16.0
    mirror: float = 0.5
    border_constant: float = (
        0.3  # how often a crop over the edge is filled with one colour; else the edge is repeated, or mirrored
    )
    background: float = 0.4  # how often the background is replaced, where a segmentation is known


@dataclass(frozen=True, slots=True)
class Jitter:
    """One crop's deviation: `shift` of the side, `scale` of the side (above 1 shows more), degrees clockwise, mirrored
    or not."""

    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    turn: float = 0.0
    mirror: bool = False


def drawn(rng: Generator, geometry: Geometry) -> Jitter:
    """A deviation at random: mostly small, sometimes as large as a finder's worst box."""
    large = rng.random() < geometry.large_share
    spread = geometry.large_shift if large else geometry.small_shift
    x, y = np.clip(rng.normal(0, spread, 2), -0.14, 0.14)
    scale = math.exp(rng.normal(0, geometry.large_scale if large else geometry.small_scale))
    turn = rng.normal(0, geometry.large_turn if large else geometry.small_turn)
    return Jitter((float(x), float(y)), scale, float(turn), bool(rng.random() < geometry.mirror))


def crop_affine(points: Points, size: int, margin: float, lean: float, jitter: Jitter) -> NDArray[np.float64]:
    """Source pixels to crop pixels (2, 3) for a face with outline `points` (n, 2) that leans `lean` degrees clockwise.

    With the neutral jitter it is what `faces.align.crop_landmarks` cuts.
    """
    turn = turn_matrix(jitter.turn - lean)
    box = Box.around(points @ turn.T)
    side = margin * max(box.width, box.height) * jitter.scale
    centre = np.array(box.centre) + np.array(jitter.shift) * side
    linear = turn * (size / side)
    affine = np.column_stack([linear, size / 2 - centre * (size / side)])
    if jitter.mirror:
        affine = np.array([[-1.0, 0, size], [0, 1, 0]]) @ np.vstack([affine, [0, 0, 1]])
    return np.asarray(affine)


def turn_matrix(degrees: float) -> NDArray[np.float64]:
    """The matrix (2, 2) that turns points clockwise in the image (y points down)."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s], [s, c]])


def apply_affine(points: Points, affine: NDArray[np.float64]) -> Points:
    """Points (n, 2) through an affine (2, 3)."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2])


def warp(
    image: Image, affine: NDArray[np.float64], size: int, border: int = cv2.BORDER_REPLICATE, fill: int = 0
) -> Image:
    """The crop (size, size[, 3]) under `affine` (2, 3), source pixels to crop pixels.

    Coordinates count from pixel corners here and from pixel centres in OpenCV, hence the halves. Bilinear sampling
    alone skips pixels below half size, so blocks of whole pixels are averaged first. Training and answering crops are
    both cut here, and look alike.
    """
    scale = math.sqrt(abs(np.linalg.det(affine[:, :2])))
    if scale < _SHRINK_BELOW:
        image, affine = _shrunk(image, affine, size, int(1 / scale), border)
    matrix = affine.copy()
    matrix[:, 2] += affine[:, :2] @ np.array([0.5, 0.5]) - 0.5
    value = (fill,) * 3 if isinstance(fill, int) else fill
    flags = cv2.INTER_LINEAR
    return np.asarray(
        cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=border, borderValue=value), np.uint8
    )


def _shrunk(
    image: Image, affine: NDArray[np.float64], size: int, factor: int, border: int
) -> tuple[Image, NDArray[np.float64]]:
    """The picture by a whole factor smaller, as means over blocks that count from its corner, and the affine from
    there.

    Only the blocks under the crop are looked at, unless what lies beyond the edge is a mirror image. A block that hangs
    over the edge repeats the last pixels.
    """
    height, width = image.shape[:2]
    low, high = np.zeros(2, int), -(-np.array([width, height]) // factor)
    if border in (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT):
        corners = np.array([[0.0, 0.0], [size, 0], [0, size], [size, size]]) - affine[:, 2]
        corners = corners @ np.linalg.inv(affine[:, :2]).T / factor
        first, last = corners.min(0) - 2, corners.max(0) + 2  # blocks of room for the interpolation that follows
        low = np.clip(np.floor(first).astype(int), low, high - 1)
        high = np.clip(np.ceil(last).astype(int), low + 1, high)
    (x0, y0), (x1, y1) = low * factor, np.minimum(high * factor, [width, height])
    part, blocks = image[y0:y1, x0:x1], high - low
    over = blocks * factor - [x1 - x0, y1 - y0]
    if over.any():
        part = cv2.copyMakeBorder(part, 0, int(over[1]), 0, int(over[0]), cv2.BORDER_REPLICATE)
    small = cv2.resize(part, (int(blocks[0]), int(blocks[1])), interpolation=cv2.INTER_AREA)
    shift = affine[:, 2] + affine[:, :2] @ (low * factor)
    return np.asarray(small, np.uint8), np.column_stack([affine[:, :2] * factor, shift])


def overlap(points: Points, size: int, margin: float) -> float:
    """Intersection over union (0..1) of a face's box with the box that a perfect crop would have: how well the crop is
    placed."""
    half = size / margin / 2
    return Box.around(points).iou(Box(size / 2 - half, size / 2 - half, size / 2 + half, size / 2 + half))


def clutter(rng: Generator, size: int, other: Image) -> Image:
    """A background (size, size, 3): a magnified or rolled piece of another picture, or soft blobs of colour."""
    kind = rng.random()
    height, width = other.shape[:2]
    if kind < 0.45:
        short = min(height, width)
        side = max(int(rng.integers(short // 6, max(short // 2, 1))), 1)
        x, y = (int(rng.integers(0, max(length - side, 1))) for length in (width, height))
        return np.asarray(cv2.resize(other[y : y + side, x : x + side], (size, size)), np.uint8)
    if kind < 0.65:
        turned = other[:: -1 if rng.random() < 0.5 else 1]
        rolled = np.roll(turned, tuple(int(rng.integers(0, length)) for length in (height, width)), (0, 1))
        return np.asarray(cv2.resize(rolled, (size, size)), np.uint8)
    cells = rng.integers(0, 256, (*rng.integers(1, 24, 2), 3)).astype(np.uint8)
    how = cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(cells, (size, size), interpolation=how), np.uint8)


def over(image: Image, head: NDArray[np.uint8], background: Image) -> Image:
    """`image` where `head` (h, w; 0..255, softened here) covers it, `background` elsewhere."""
    soft = cv2.GaussianBlur(head, (0, 0), 0.8)[..., None].astype(np.uint16)
    mixed = (image * soft + background * (255 - soft) + 127) // 255
    return np.asarray(mixed, np.uint8)
