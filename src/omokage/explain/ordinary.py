"""An ordinary face to put where something is hidden: the mean of rendered people at rest, without glasses or beards.

A blur leaves what is hidden half visible, and a flat colour is a thing that faces do not have: a network reacts to both
as if something lay on the face. The mean face says "as faces mostly are here", so that what goes is what makes this
face special. It is laid onto the crop by the points that expressions leave alone, in the colours of what stays visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Points = NDArray[np.floating]
Mask = NDArray[np.bool_]
FILE = "ordinary_face.npz"  # of recipes/ordinary_face.py: rendered heads only
_STEADY = (
    *range(3),
    *range(14, 17),
    *range(27, 36),
    36,
    39,
    42,
    45,
)  # ears' side of the jaw, nose, corners of the eyes
_REACH = 1 / 14  # of the crop's side: how far the colour of what stays visible counts


@dataclass(frozen=True, slots=True, eq=False)
class MeanFace:
    """Pixels (n, n, 3) and the 68 landmarks (68, 2) in them."""

    image: Image
    points: NDArray[np.float64]


@cache
def shipped() -> MeanFace:
    """The mean face that comes with the package."""
    with files("omokage.explain").joinpath(FILE).open("rb") as file, np.load(file, allow_pickle=False) as found:
        return MeanFace(found["image"], found["points"].astype(np.float64))


def mean_face(images: Sequence[Image], points: Sequence[Points], mirrored: Sequence[int]) -> MeanFace:
    """The mean of upright crops (n, n, 3) with landmarks (68, 2), each bent onto the mean landmarks, and of their
    mirror images; `mirrored` (68,) is each point's number in the mirror."""
    n = images[0].shape[0]
    shape = np.mean(np.asarray(points, np.float64), 0)
    shape = (shape + (np.array([n, 0.0]) + shape * [-1, 1])[np.asarray(mirrored)]) / 2
    mean = np.mean([_bent(one, own, shape) for one, own in zip(images, points, strict=True)], 0)
    return MeanFace(np.asarray(np.round((mean + mean[:, ::-1]) / 2), np.uint8), shape)


def ordinary(image: Image, points: Points, mask: Mask, face: MeanFace | None = None) -> Image:
    """The crop (n, n, 3) as an ordinary face: the mean face under the crop's landmarks (68, 2), as light and as
    coloured as what is left of the crop around `mask` (n, n)."""
    n, mean = image.shape[0], face or shipped()
    laid = _laid(mean, np.asarray(points, np.float64), n)
    seen = (~mask).astype(np.float32)[..., None] * np.ones(3, np.float32)

    def around(values: Floats) -> Floats:
        # Where nothing near is visible, what is farther away counts.
        near, far = (cv2.GaussianBlur(values * seen, (0, 0), n * _REACH * k) for k in (1, 3))
        return np.asarray(near + 0.02 * far + 1e-5 * (values * seen).mean((0, 1)), np.float32)

    gain = around(image.astype(np.float32)) / np.maximum(around(laid), 8 * around(np.ones_like(laid)) + 1e-12)
    return np.asarray(np.clip(laid * gain, 0, 255), np.uint8)


def _laid(face: MeanFace, points: NDArray[np.float64], size: int) -> Floats:
    """The mean face under 68 landmarks, by the affine map that fits its steady points best."""
    steady = list(_STEADY)
    known = np.concatenate([face.points[steady], np.ones((len(steady), 1))], 1)
    affine = np.linalg.lstsq(known, points[steady], rcond=None)[0].T
    affine[:, 2] += affine[:, :2] @ np.array([0.5, 0.5]) - 0.5  # landmarks count from the corner of the first pixel
    return np.asarray(
        cv2.warpAffine(face.image.astype(np.float32), affine, (size, size), borderMode=cv2.BORDER_REFLECT_101),
        np.float32,
    )


def _bent(image: Image, own: Points, shape: NDArray[np.float64]) -> Floats:
    """The crop with its landmarks moved to `shape` by a thin-plate spline (Bookstein, 1989); edges stay."""
    n = image.shape[0]
    edge = np.array([[x, y] for x in (0, n / 2, n) for y in (0, n / 2, n) if (x, y) != (n / 2, n / 2)], np.float64)
    to, start = np.concatenate([shape, edge]), np.concatenate([np.asarray(own, np.float64), edge])
    k = len(to)
    system = np.zeros((k + 3, k + 3))
    system[:k, :k] = _plate(to, to) + np.eye(k)  # a little stiff: neighbours must not cross
    system[:k, k:] = np.concatenate([np.ones((k, 1)), to], 1)
    system[k:, :k] = system[:k, k:].T
    weights = np.linalg.solve(system, np.concatenate([start, np.zeros((3, 2))]))
    y, x = np.mgrid[:n, :n] + 0.5
    grid = np.stack([x.ravel(), y.ravel()], 1)
    at = _plate(grid, to) @ weights[:k] + np.concatenate([np.ones((len(grid), 1)), grid], 1) @ weights[k:] - 0.5
    mx, my = (at[:, i].reshape(n, n).astype(np.float32) for i in (0, 1))
    return np.asarray(
        cv2.remap(image.astype(np.float32), mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32
    )


def _plate(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    square = ((one[:, None] - two[None]) ** 2).sum(2)
    return np.asarray(square * np.log(np.maximum(square, 1e-9)))
