"""What happens to a photograph between the face and the file: light, colour, blur, low resolution, noise, compression,
things in front.

Pixels change, places and labels do not. All functions take and give RGB uint8 (n, n, 3) and draw from the generator
they get.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_GRID = np.arange(256, dtype=np.float32) / 255


@dataclass(frozen=True, slots=True)
class Photometry:
    """How often each change is made (0..1) and how strong it gets."""

    share: float = 0.88  # of crops that are changed at all
    grey: float = 0.25
    tint: float = 0.10  # standard deviation of the log gain of each colour
    gamma: float = 0.30  # of the log exponent
    contrast: float = 0.25
    brightness: float = 0.10
    ramp: float = 0.25
    low_resolution: float = 0.38
    lowest: int = 20  # pixels that a crop is shrunk to at worst
    blur: float = 0.18
    motion: float = 0.08
    sharpen: float = 0.12
    smoothing: float = 0.15  # noise reduction of phones and beauty filters: fine relief goes, edges stay
    noise: float = 0.5
    jpeg: float = 0.5
    occlusion: float = 0.20


def photographed(image: Image, rng: Generator, settings: Photometry) -> Image:
    """The crop with a random chain of changes. About 1 ms for 112 px on one core."""
    if rng.random() >= settings.share:
        return image
    if rng.random() < settings.occlusion:
        image = occluded(image, rng)
    if rng.random() < settings.smoothing:
        image = smoothed(image, rng)
    image = toned(image, rng, settings)
    if rng.random() < settings.ramp:
        image = ramped(image, rng)
    image = softened(image, rng, settings)
    if rng.random() < settings.noise:
        image = noisy(image, rng)
    if rng.random() < settings.jpeg:
        image = compressed(image, int(rng.uniform(15, 90)))
    return image


def toned(image: Image, rng: Generator, settings: Photometry) -> Image:
    """Grey or another saturation, then one curve per colour: gain, gamma, contrast, brightness."""
    grey = rng.random() < settings.grey
    saturation = 0.0 if grey else rng.uniform(0.3, 1.4)
    mix = np.eye(3, dtype=np.float32) * saturation + (1 - saturation) * _LUMA[None, :]
    if grey or rng.random() < 0.6:
        image = np.asarray(cv2.transform(image, mix), np.uint8)
    gain = np.exp(rng.normal(0, 0.0 if grey else settings.tint, 3)).astype(np.float32)
    gamma = math.exp(rng.normal(0, settings.gamma)) if rng.random() < 0.8 else 1.0
    curve = np.clip(_GRID[:, None] * gain, 0, 1) ** gamma
    if rng.random() < 0.8:
        middle = float(image.mean()) / 255
        curve = (
            (curve - middle) * math.exp(rng.normal(0, settings.contrast)) + middle + rng.normal(0, settings.brightness)
        )
    table = np.clip(curve * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[:, None, :]), np.uint8)


def smoothed(image: Image, rng: Generator) -> Image:
    """Fine relief wiped off and edges kept, as noise reduction and beauty filters do."""
    reach = image.shape[0] / 112
    colour, space = float(rng.uniform(12, 45)), float(rng.uniform(1.5, 3.5)) * reach
    return np.asarray(cv2.bilateralFilter(image, 7, colour, space), np.uint8)


def ramped(image: Image, rng: Generator) -> Image:
    """Light that falls off across the picture."""
    n = image.shape[0]
    steps = np.linspace(-0.5, 0.5, n, dtype=np.float32)
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.9)
    ramp = 1 + strength * (steps[:, None] * math.sin(angle) + steps[None, :] * math.cos(angle))
    return np.asarray(np.clip(image * ramp[..., None], 0, 255), np.uint8)


def softened(image: Image, rng: Generator, settings: Photometry) -> Image:
    """At most one of: low resolution, blur, motion blur, sharpening."""
    n, chance = image.shape[0], rng.random()
    if chance < (edge := settings.low_resolution):
        side = int(settings.lowest * (90 / settings.lowest) ** rng.random())
        small = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        # Small photographs were noisy and compressed while small; what enlarges them smears both.
        if rng.random() < 0.5 * settings.noise:
            small = noisy(small, rng)
        if rng.random() < settings.jpeg:
            small = compressed(small, int(rng.uniform(35, 95)))
        how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)]
        return np.asarray(cv2.resize(small, (n, n), interpolation=how), np.uint8)
    if chance < (edge := edge + settings.blur):
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 2.0)), np.uint8)
    if chance < (edge := edge + settings.motion):
        return np.asarray(cv2.filter2D(image, -1, _streak(int(rng.integers(3, 9)), rng.uniform(0, 180))), np.uint8)
    if chance < edge + settings.sharpen:
        amount = rng.uniform(0.2, 1.5)
        return np.asarray(
            cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), 1.2), -amount, 0), np.uint8
        )
    return image


def _streak(length: int, degrees: float) -> NDArray[np.float32]:
    """The kernel of a straight movement."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), degrees, 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    return np.asarray(kernel / max(float(kernel.sum()), 0.1))


def noisy(image: Image, rng: Generator) -> Image:
    """Sensor noise: coloured or grey, fine or grainy."""
    n, strength = image.shape[0], rng.uniform(1.5, 18)
    noise = rng.standard_normal((n, n, 3 if rng.random() < 0.6 else 1), np.float32) * strength
    if rng.random() < 0.4:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.9).reshape(n, n, -1) * 1.8
    return np.asarray(np.clip(image + noise, 0, 255), np.uint8)


def compressed(image: Image, quality: int) -> Image:
    """Through JPEG and back."""
    _, code = cv2.imencode(".jpg", np.ascontiguousarray(image), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)


def occluded(image: Image, rng: Generator) -> Image:
    """One to three flat or speckled rectangles, ellipses and bars before the face."""
    image = np.ascontiguousarray(image).copy()
    n = image.shape[0]
    for _ in range(int(rng.integers(1, 4))):
        x, y = (int(v) for v in rng.integers(0, n, 2))
        w, h = (int(v) for v in rng.integers(n // 14, int(n * 0.4), 2))
        colour = [int(v) for v in rng.integers(0, 256, 3)]
        kind = rng.random()
        if kind < 0.35:
            patch = image[max(y - h // 2, 0) : y + h // 2, max(x - w // 2, 0) : x + w // 2]
            speckle = rng.integers(-40, 41, patch.shape) if rng.random() < 0.5 else 0
            patch[:] = np.clip(np.array(colour) + speckle, 0, 255)
        elif kind < 0.75:
            cv2.ellipse(image, (x, y), (w // 2, h // 2), float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        else:
            end = (int(x + rng.normal(0, n / 3)), int(y + rng.normal(0, n / 3)))
            cv2.line(image, (x, y), end, colour, int(rng.integers(2, n // 9)), cv2.LINE_AA)
    return image
