"""Crops that show no face, or a face so badly placed that nothing should be read from it: what `quality` learns to
refuse.

A finder's false alarms are hair, hands, patterns, half faces, animals, coins and far too large or small boxes; these
are imitated here from the pictures at hand or drawn (`data.lookalikes`, `data.clutter`). `quality` is 1 for a
well-placed face, 0 for none, and falls with the overlap of the crop and with the turn.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omokage.data import clutter as scenery
from omokage.data import lookalikes
from omokage.data.transforms import Image, Jitter, clutter

MISPLACED = ("shifted", "zoomed", "tiny", "turned")
FACELESS = ("surroundings", "shuffled", "texture", "shapes", "scenery", "lookalike")
_SHARES = (0.09, 0.09, 0.09, 0.09, 0.08, 0.09, 0.05, 0.07, 0.07, 0.28)  # of these kinds, in this order


def drawn(rng: Generator) -> str:
    """A kind at random; lookalikes most often, because nothing else about them is wrong than what they show."""
    return (MISPLACED + FACELESS)[int(rng.choice(len(_SHARES), p=_SHARES))]


def quality(overlap: float, turn: float) -> float:
    """0..1 from the crop's overlap with the exact one (1 from 0.55, 0 from 0.2) and its turn (1 to 40 degrees, 0 from
    80)."""
    placed = min(max((overlap - 0.2) / 0.35, 0.0), 1.0)
    upright = min(max((80 - abs(turn)) / 40, 0.0), 1.0)
    return placed * upright


def misplaced(rng: Generator, kind: str) -> Jitter:
    """A crop that misses: beside the face, far inside it, far outside it, or turned by 60 to 180 degrees."""
    mirror = bool(rng.random() < 0.5)
    if kind == "shifted":
        angle, far = rng.uniform(0, 2 * math.pi), rng.uniform(0.35, 0.75)
        return Jitter((far * math.cos(angle), far * math.sin(angle)), rng.uniform(0.7, 1.4), rng.normal(0, 12), mirror)
    if kind == "zoomed":
        x, y = rng.uniform(-0.5, 0.5, 2)
        return Jitter((float(x), float(y)), rng.uniform(0.2, 0.5), rng.normal(0, 20), mirror)
    if kind == "tiny":
        x, y = rng.uniform(-0.3, 0.3, 2)
        return Jitter((float(x), float(y)), rng.uniform(2.0, 3.5), rng.normal(0, 12), mirror)
    if kind == "turned":
        return Jitter((0.0, 0.0), rng.uniform(0.85, 1.2), rng.choice([-1, 1]) * rng.uniform(60, 180), mirror)
    raise ValueError(f"no such misplaced crop: {kind!r}")


def faceless(rng: Generator, kind: str, image: Image, head: NDArray[np.uint8] | None, other: Image, size: int) -> Image:
    """A crop (size, size, 3) without a face, made from two pictures at hand; `head` is nonzero on the person where
    known."""
    if kind == "surroundings" and head is not None:
        return _outside(rng, image, head, size)
    if kind == "shuffled":
        return _shuffled(rng, image, size)
    if kind == "shapes":
        return _shapes(rng, size, other)
    if kind == "scenery":
        return scenery.clutter(rng, size)
    if kind == "lookalike":
        return lookalikes.placed(rng, size, clutter(rng, size, other))
    return _texture(rng, size)


def _outside(rng: Generator, image: Image, head: NDArray[np.uint8], size: int) -> Image:
    """A square of the surroundings, whatever is left of the head painted over by them."""
    height, width = image.shape[:2]
    side = max(int(rng.uniform(0.25, 0.9) * min(height, width)), 1)
    x, y = (int(rng.integers(0, max(length - side, 1))) for length in (width, height))
    covered = (cv2.dilate(head, np.ones((5, 5), np.uint8)) > 0)[..., None]
    shift = int(rng.integers(width // 3, width))
    filled = np.where(covered, np.roll(image[:, ::-1], shift, 1), image)
    still = covered & np.roll(covered[:, ::-1], shift, 1)
    top = cv2.resize(image[:8], (3, 3), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(top, (width, height), interpolation=cv2.INTER_CUBIC)
    filled = np.where(still, soft, filled)
    return np.asarray(cv2.resize(filled[y : y + side, x : x + side], (size, size)), np.uint8)


def _shuffled(rng: Generator, image: Image, size: int) -> Image:
    """A face cut into 9 to 25 tiles that change places: all of its textures, none of its layout."""
    tiles = int(rng.integers(3, 6))
    side = size // tiles + 1
    whole = np.asarray(cv2.resize(image, (side * tiles, side * tiles)), np.uint8)
    parts = whole.reshape(tiles, side, tiles, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
    order = rng.permutation(len(parts))
    mixed = parts[order].reshape(tiles, tiles, side, side, 3).swapaxes(1, 2).reshape(side * tiles, side * tiles, 3)
    return np.ascontiguousarray(mixed[:size, :size])


def _texture(rng: Generator, size: int) -> Image:
    """Noise of several scales, stripes or a grid."""
    total = np.zeros((size, size, 3), np.float32)
    for scale in (2, 5, 12, 30, 70):
        cells = rng.standard_normal((scale, scale, 3 if rng.random() < 0.5 else 1), np.float32)
        grown = cv2.resize(cells, (size, size), interpolation=cv2.INTER_CUBIC).reshape(size, size, -1)
        total += grown * rng.uniform(0, 1)
    if rng.random() < 0.4:
        axis = np.arange(size, dtype=np.float32)
        waves = np.sin(axis[:, None] * rng.normal(0, 0.5) + axis[None, :] * rng.normal(0, 0.5))
        total += waves[..., None] * rng.uniform(0.3, 1.5)
    return np.asarray(np.clip(total * rng.uniform(15, 60) + rng.uniform(30, 220, 3), 0, 255), np.uint8)


def _shapes(rng: Generator, size: int, other: Image) -> Image:
    """Round and straight things on a background, two dark spots and a bar among them: what looks like a face to a
    finder."""
    corner = other[: max(other.shape[0] // 4, 1), : max(other.shape[1] // 4, 1)]
    image = np.ascontiguousarray(clutter(rng, size, corner))
    for _ in range(int(rng.integers(2, 9))):
        colour = [int(v) for v in rng.integers(0, 256, 3)]
        x, y = (int(v) for v in rng.integers(0, size, 2))
        w, h = (int(v) for v in rng.integers(3, size // 2, 2))
        if rng.random() < 0.6:
            cv2.ellipse(image, (x, y), (w, h), float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1 if rng.random() < 0.7 else 2)
    return image
