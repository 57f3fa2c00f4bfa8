"""Brushes for backdrops: plausible surface colours, polygons, noise, blur and fall-off of light, linear RGB."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Draw = np.random.Generator
Colour = tuple[float, float, float]


def tone(rng: Draw, low: float = 0.04, high: float = 0.7, spread: float = 0.22) -> Colour:
    """A surface colour: mostly grey to beige and brown, as walls, wood and cloth are; now and then any colour."""
    level = rng.uniform(low**0.5, high**0.5) ** 2
    if rng.random() < min(spread, 0.4):
        shift = rng.normal(0.0, 0.3, 3)
    else:
        warm, tint = rng.normal(0.1, 0.7 * spread), rng.normal(0.0, 0.2 * spread)
        shift = np.array([warm, tint, -1.3 * warm])
    r, g, b = np.clip(level * (1.0 + np.clip(shift, -0.8, 0.8)), 0.01, 0.95)
    return float(r), float(g), float(b)


def scaled(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def polygon(picture: Floats, points: list[tuple[float, float]], colour: Colour) -> None:
    """Fill a polygon given in shares of the picture's side."""
    n = picture.shape[0]
    cv2.fillPoly(picture, [np.round(np.array(points) * n * 16).astype(np.int32)], colour, cv2.LINE_8, 4)


def box(picture: Floats, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
    n = picture.shape[0]
    corners = [round(v * n) for v in (x0, y0, x1, y1)]
    cv2.rectangle(picture, (corners[0], corners[1]), (corners[2], corners[3]), colour, -1)


def noise(rng: Draw, n: int, cells: int) -> Floats:
    """Smooth noise (n, n) with about `cells` bumps a side, standard deviation near 0.7."""
    coarse = rng.standard_normal((cells + 2, cells + 2), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (n, n), interpolation=cv2.INTER_CUBIC), np.float32)


def blurred(picture: Floats, share: float) -> Floats:
    """Out of focus by `share` of the side."""
    sigma = share * picture.shape[0]
    return cv2.GaussianBlur(picture, (0, 0), sigma) if sigma > 0.3 else picture


def shaded(picture: Floats, rng: Draw, strength: float) -> Floats:
    """A lamp somewhere: brightness falls off across the picture."""
    n = picture.shape[0]
    along = np.linspace(-1.0, 1.0, n, dtype=np.float32)
    slope = rng.normal(0.0, strength, 2)
    picture *= np.exp(np.float32(slope[0]) * along[None, :] + np.float32(slope[1]) * along[:, None])[..., None]
    return picture
