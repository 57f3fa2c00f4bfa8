"""Cut a face out of a picture as a square crop, and keep the affine that leads back.

The side of a crop is `margin` times the larger side of the face's box. A face that leans is turned upright on the way.
Where the crop reaches over the picture's edge, the edge pixels are repeated. `data.transforms.warp` moves the pixels,
here as in training.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.transforms import Jitter, crop_affine, turn_matrix, warp
from omokage.results import Box, FaceCrop

_EYES = (slice(36, 42), slice(42, 48))  # the eye on the image's left, then the one on its right
_MOUTH = slice(48, 68)
STRAIGHT = Jitter()


def roll_of(landmarks: NDArray[np.floating]) -> float:
    """How far 68 landmarks (68, 2) lean, in degrees, + clockwise in the image.

    The eye line and the line from mouth to eyes vote with their lengths: the eye line alone is noise in profile.
    """
    left, right = (np.asarray(landmarks[eye], np.float64).mean(0) for eye in _EYES)
    up = (left + right) / 2 - np.asarray(landmarks[_MOUTH], np.float64).mean(0)
    across = (right - left) + np.array([-up[1], up[0]])  # `up` turned a quarter clockwise points along the eye line
    return math.degrees(math.atan2(across[1], across[0]))


def crop_box(
    image: NDArray[np.uint8], box: Box, size: int, margin: float, roll_deg: float = 0.0, score: float = 1.0
) -> FaceCrop:
    """The square (size, size, 3) crop around the box's centre, turned so that a face leaning by `roll_deg` is upright.

    `image` is RGB uint8 (h, w, 3); the crop shows `margin` times the larger side of `box` (source pixels). Raises
    ValueError for a size or a margin that is not positive.
    """
    if size <= 0 or margin <= 0:
        raise ValueError(f"size and margin must be positive, not {size} and {margin}")
    affine = _affine(box.centre, margin * max(box.width, box.height), size, roll_deg)
    return FaceCrop(warp(image, affine, size), affine, box, score)


def crop_landmarks(
    image: NDArray[np.uint8],
    landmarks: NDArray[np.floating],
    size: int,
    margin: float,
    upright: bool = True,
    score: float = 1.0,
    jitter: Jitter = STRAIGHT,
    roll: float | None = None,
) -> FaceCrop:
    """The same crop from 68 landmarks (68, 2) in source pixels; with `upright` the face's own lean is taken out, or
    `roll` degrees where that is given. `jitter` cuts beside the usual place.

    The side is `margin` times the larger side of `Box.around` of the landmarks *after* turning, so that a leaning face
    fills its crop as an upright one does. `FaceCrop.box` is the box of the landmarks as they lie in the picture. Raises
    ValueError for other shapes.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2):
        raise ValueError(f"68 landmarks have the shape (68, 2), not {points.shape}")
    if roll is None:
        roll = roll_of(points) if upright else 0.0
    affine = crop_affine(points, size, margin, roll, jitter)
    return FaceCrop(warp(image, affine, size), affine, Box.around(points), score)


def stacked(crops: Iterable[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    """Square crops as one array (n, size, size, 3); those of another size are resized."""
    return np.stack([crop if crop.shape[0] == size else _resized(crop, size) for crop in crops])


def _resized(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if crop.shape[0] > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (size, size), interpolation=how), np.uint8)


def _affine(centre: tuple[float, float], side: float, size: int, roll_deg: float) -> NDArray[np.float64]:
    """Source pixels to crop pixels: the centre goes to the middle of the crop, `side` source pixels fill `size`."""
    linear = turn_matrix(-roll_deg) * (size / side)
    shift = size / 2 - linear @ np.array(centre)
    return np.column_stack([linear, shift])
