"""Cut a face out of a picture as a square crop, and keep the affine that leads back.

The side of a crop is `margin` times the larger side of the face's box. A face that leans is turned upright on the way.
Where the crop reaches over the picture's edge, the edge pixels are repeated. Large faces are shrunk by area averaging
before they are turned, so that a crop of a 1,000 pixel face does not alias.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.results import Box, FaceCrop

_EYES = (slice(36, 42), slice(42, 48))  # the eye on the image's left, then the one on its right
_MOUTH = slice(48, 68)
_SHRINK_BELOW = 0.75  # bilinear sampling alone starts to skip source pixels below this scale


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
    return FaceCrop(_warp(image, affine, size), affine, box, score)


def crop_landmarks(
    image: NDArray[np.uint8],
    landmarks: NDArray[np.floating],
    size: int,
    margin: float,
    upright: bool = True,
    score: float = 1.0,
) -> FaceCrop:
    """The same crop from 68 landmarks (68, 2) in source pixels; with `upright` the face's own lean is taken out.

    The side is `margin` times the larger side of `Box.around` of the landmarks *after* turning, so that a leaning face
    fills its crop as an upright one does. `FaceCrop.box` is the box of the landmarks as they lie in the picture. Raises
    ValueError for other shapes.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2):
        raise ValueError(f"68 landmarks have the shape (68, 2), not {points.shape}")
    roll = roll_of(points) if upright else 0.0
    turn = _rotation(-roll)
    level = Box.around(points @ turn.T)
    centre = np.array(level.centre) @ turn  # back: the inverse of a rotation is its transpose
    affine = _affine((float(centre[0]), float(centre[1])), margin * max(level.width, level.height), size, roll)
    return FaceCrop(_warp(image, affine, size), affine, Box.around(points), score)


def _rotation(degrees: float) -> NDArray[np.float64]:
    """The matrix that turns points clockwise in the image (y points down)."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s], [s, c]])


def _affine(centre: tuple[float, float], side: float, size: int, roll_deg: float) -> NDArray[np.float64]:
    """Source pixels to crop pixels: the centre goes to the middle of the crop, `side` source pixels fill `size`."""
    linear = _rotation(-roll_deg) * (size / side)
    shift = size / 2 - linear @ np.array(centre)
    return np.column_stack([linear, shift])


def _warp(image: NDArray[np.uint8], affine: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """The crop itself. Coordinates count from pixel corners here and from pixel centres in OpenCV, hence the halves."""
    scale = math.sqrt(abs(np.linalg.det(affine[:, :2])))
    if scale < _SHRINK_BELOW:
        image, affine = _shrunk(image, affine, size, scale)
    matrix = affine.copy()
    matrix[:, 2] += affine[:, :2] @ np.array([0.5, 0.5]) - 0.5
    crop = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def _shrunk(
    image: NDArray[np.uint8], affine: NDArray[np.float64], size: int, scale: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the picture under the crop, area-averaged to the crop's own scale, and the affine from there."""
    corners = np.array([[0.0, 0.0], [size, 0], [0, size], [size, size]]) - affine[:, 2]
    corners = corners @ np.linalg.inv(affine[:, :2]).T
    height, width = image.shape[:2]
    pad = 2 / scale  # room for the interpolation that follows
    low = np.clip(np.floor(corners.min(0) - pad), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(corners.max(0) + pad), low + 1, [width, height]).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    new = np.maximum(1, np.round((high - low) * scale)).astype(int)
    small = cv2.resize(part, (int(new[0]), int(new[1])), interpolation=cv2.INTER_AREA)
    grow = (high - low) / new  # source pixels per pixel of the small picture, per axis
    linear = affine[:, :2] * grow[None, :]
    shift = affine[:, 2] + affine[:, :2] @ low
    return np.asarray(small, np.uint8), np.column_stack([linear, shift])
