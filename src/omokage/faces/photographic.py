"""What cameras, networks and archives do to a picture: applied to composed scenes so that pasting leaves no trace of
its own.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def photographic(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture (h, w, 3) RGB after random low resolution, blur, light, colour, noise and JPEG; nothing moves."""
    if rng.random() < 0.25:
        picture = _low_resolution(picture, float(rng.uniform(1.2, 3.2)))
    if rng.random() < 0.25:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.8))), np.uint8)
    if rng.random() < 0.05:
        picture = _moved(picture, rng)
    picture = _light(picture, rng)
    if rng.random() < 0.3:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        picture = np.repeat(np.asarray(grey, np.uint8)[..., None], 3, 2)
    if rng.random() < 0.35:
        picture = _noisy(picture, rng)
    if rng.random() < 0.5:
        quality = int(rng.integers(18, 96))
        coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)  # red and blue swap twice: no change
    return picture


def _low_resolution(picture: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    h, w = picture.shape[:2]
    small = cv2.resize(picture, (max(8, int(w / factor)), max(8, int(h / factor))), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC), np.uint8)


def _moved(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    end = tuple(int(v) for v in rng.integers(0, length, 2))
    cv2.line(kernel, (length // 2, length // 2), end, 1.0)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)


def _light(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Exposure, gamma, contrast and colour cast as one lookup table; one picture in twelve is taken in the dark."""
    ramp = np.linspace(0, 1, 256)[:, None] ** float(np.exp(rng.normal(0, 0.25)))
    contrast = float(np.exp(rng.normal(0, 0.2)))
    dark = float(rng.uniform(0.12, 0.5)) if rng.random() < 0.08 else 1.0
    gain = dark * np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.06, 3))
    table = np.clip(((ramp - 0.45) * contrast + 0.45) * gain * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, np.ascontiguousarray(table)[None]), np.uint8)


def _noisy(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Grain of random strength and size, the same or different in the three channels."""
    h, w = picture.shape[:2]
    grain = np.zeros((h, w, 3) if rng.random() < 0.5 else (h, w), np.int16)
    cv2.setRNGSeed(int(rng.integers(2**31 - 1)))
    cv2.randn(grain, 0, float(rng.uniform(2, 16)))
    if grain.ndim == 2:
        grain = np.repeat(grain[..., None], 3, 2)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)
