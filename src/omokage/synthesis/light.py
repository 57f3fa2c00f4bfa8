"""From a `Light` and the backdrop to what the shader needs: key light, ambient light, and how bright the backdrop
itself is.

Ambient light is irradiance in nine spherical harmonics (Ramamoorthi and Hanrahan, SIGGRAPH 2001), gathered from the
backdrop around the head; the half of the world behind the camera is taken to look like the half that is seen,
mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.camera import LUMA, direction
from omokage.synthesis.scene import Light

Floats = NDArray[np.float32]
DIRECTIONS = 96
_CELLS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Lighting:
    """Key `direction` (3,) towards the light, key `colour` (3,), ambient `harmonics` (9, 3), shadow `softness`,
    `backdrop` gain.

    `harmonics` are coefficients of 1, y, z, x, xy, yz, 3zz-1, xz, xx-yy; their sum at a normal is the light that a
    white surface sends on (irradiance over pi).
    """

    direction: Floats
    colour: Floats
    harmonics: Floats
    softness: float
    backdrop: float


def lighting(light: Light, backdrop: Floats) -> Lighting:
    """Set up the light of a scene in front of `backdrop` (n, n, 3) of relative radiance."""
    rng = np.random.default_rng((light.seed, 41))
    world = _around(backdrop, rng)
    gain = light.ambient / max(float((world @ LUMA).mean()), 1e-3)
    tint = np.asarray(light.ambient_colour, np.float32)
    harmonics = _gather()[1] @ (world * np.float32(gain) * tint)
    colour = np.asarray(light.key_colour, np.float32) * np.float32(light.key)
    # The backdrop gets the ambient light and, by chance, more or less of the key light than the head does.
    level = light.ambient * rng.uniform(0.9, 1.5) + light.key * rng.uniform(0.05, 0.5)
    brightness = level * 0.4 / max(float((backdrop @ LUMA).mean()), 0.12)
    return Lighting(
        direction(light.azimuth, light.elevation),
        colour,
        harmonics.astype(np.float32),
        light.softness,
        float(brightness),
    )


def _basis(d: Floats) -> Floats:
    """Polynomials (k, 9) of directions (k, 3), in the order that `Lighting` states."""
    x, y, z = d[:, 0], d[:, 1], d[:, 2]
    return np.stack([np.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)


@lru_cache(maxsize=1)
def _gather() -> tuple[Floats, Floats]:
    """Directions (96, 3) spread over the sphere, and the matrix (9, 96) from their radiance to irradiance over pi."""
    k = np.arange(DIRECTIONS) + 0.5
    y = 1.0 - 2.0 * k / DIRECTIONS
    turn = np.pi * (1.0 + 5.0**0.5) * k
    d = np.stack([np.sqrt(1 - y * y) * np.sin(turn), y, np.sqrt(1 - y * y) * np.cos(turn)], axis=1).astype(np.float32)
    squared = np.array(
        [1.0, 3.0, 3.0, 3.0, 15.0, 15.0, 5.0 / 4.0, 15.0, 15.0 / 4.0]
    )  # 4 pi x (constant of each harmonic)^2
    clamped = np.array([1.0, *[2.0 / 3.0] * 3, *[0.25] * 5])  # cosine lobe over pi
    return d, ((squared * clamped)[:, None] * _basis(d).T / DIRECTIONS).astype(np.float32)


def _around(backdrop: Floats, rng: np.random.Generator) -> Floats:
    """Radiance (96, 3) from all around: the backdrop behind, its mirror image behind the camera, light ceiling, dark
    floor.
    """
    small = cv2.resize(np.minimum(backdrop, 3.0), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    mean = small.mean(axis=(0, 1))
    d = _gather()[0]
    across = np.where(d[:, 2] < 0, d[:, 0], -d[:, 0]) * 0.5 + 0.5
    column = np.clip((across * _CELLS).astype(int), 0, _CELLS - 1)
    row = np.clip(((0.5 - 0.5 * d[:, 1]) * _CELLS).astype(int), 0, _CELLS - 1)
    seen = small[row, column]
    front = np.clip(d[:, 2:3] + 0.5, 0, 1)
    world = seen * (1 - 0.6 * front) + mean * 0.6 * front
    grey = (world @ LUMA)[:, None]
    world = grey + (world - grey) * 0.4  # light that has bounced a few times has lost most of its colour
    world = world * np.exp(rng.uniform(0.2, 1.0) * d[:, 1:2])  # ceilings and skies are brighter than floors
    for _ in range(2):  # large soft sources out of view: a window to the side, a white wall
        source = rng.normal(0, 1, 3) + np.array([0, 0.3, 0.6])
        lobe = np.clip(d @ (source / np.linalg.norm(source)), 0, 1) ** 4
        world = world + grey.mean() * rng.uniform(0, 2.5) * lobe[:, None] * np.array(
            [1.0, rng.uniform(0.9, 1.0), rng.uniform(0.75, 1.1)]
        )
    return np.asarray(world, np.float32)
