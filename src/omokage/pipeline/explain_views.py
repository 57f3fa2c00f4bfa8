"""A face as the network reads it, and cut a little off: what explanations are averaged and given intervals over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.transforms import Jitter, apply_affine, crop_affine, warp
from omokage.explain.target import View
from omokage.faces.align import roll_of
from omokage.results import FaceCrop

Image = NDArray[np.uint8]
# The same face cut a little off: as far as two finders would differ.
SHIFTS = (
    Jitter((0.03, 0.0), 1.0, 2.0), Jitter((-0.03, 0.0), 1.0, -2.0), Jitter((0.0, 0.03), 1.05),
    Jitter((0.0, -0.03), 0.95),
)  # fmt: skip


def views_of(
    crop: FaceCrop,
    image: Image,
    landmarks: NDArray[np.floating],
    margin: float,
    segmentation: Image | None = None,
    shifts: Sequence[Jitter] = SHIFTS,
) -> Iterator[View]:
    """The crop itself, then the same face cut a little off, each with the landmarks in its pixels."""
    points, size = np.asarray(landmarks, np.float64), crop.image.shape[0]
    lean = roll_of(points)
    for k, affine in enumerate([crop.affine, *(crop_affine(points, size, margin, lean, j) for j in shifts)]):
        pixels = crop.image if k == 0 else warp(image, affine, size)
        classes = None
        if segmentation is not None:
            at = affine.copy()
            at[:, 2] += affine[:, :2] @ np.array([0.5, 0.5]) - 0.5
            classes = np.asarray(cv2.warpAffine(segmentation, at, (size, size), flags=cv2.INTER_NEAREST), np.uint8)
        yield View(pixels, apply_affine(points, affine), classes)
