"""How light meets a surface: ambient light from spherical harmonics, soft shadows from a depth map, microfacet
highlights.

Everything here is compiled and works on scalars; colours are tuples of three, linear RGB.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]


class Lights(NamedTuple):
    """What the kernels know about light; see `light.Lighting`. `shadow` (s, s) is the key light's depth map."""

    direction: Floats  # (3,) towards the key light
    colour: Floats  # (3,)
    harmonics: Floats  # (9, 3)
    eye: Floats  # (3,) the camera
    shadow: Floats  # (s, s)
    to_shadow: Floats  # (4, 4)
    above: Floats  # (a, a) depth map from straight above, for the part of the sky that hair, hats and brows hide
    to_above: Floats  # (4, 4)
    softness: float


# Eight points in a disc, turned by eight angles: neighbouring pixels take different ones, so steps become fine grain.
_DISC = np.array(
    [(0.9, 0.1), (-0.3, 0.8), (-0.7, -0.5), (0.2, -0.9), (0.3, 0.3), (-0.4, 0.1), (0.6, -0.5), (-0.1, -0.3)]
)
TAPS = np.stack(
    [_DISC @ np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]) for a in np.arange(8) * math.pi / 4]
).astype(np.float32)


@njit(cache=True, fastmath=True)
def smooth(low: float, high: float, x: float) -> float:
    """0 at `low`, 1 at `high`, smooth between; `low` may be the larger one."""
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@njit(cache=True, fastmath=True)
def ambient(h: Floats, k: int, x: float, y: float, z: float) -> float:
    """Channel k of the ambient light that a white surface with normal (x, y, z) sends on."""
    low = h[0, k] + h[1, k] * y + h[2, k] * z + h[3, k] * x
    high = (
        h[4, k] * x * y + h[5, k] * y * z + h[6, k] * (3.0 * z * z - 1.0) + h[7, k] * x * z + h[8, k] * (x * x - y * y)
    )
    light: float = max(low + high, 0.15 * h[0, k])
    return light


@njit(cache=True, fastmath=True)
def facets(nh: float, roughness: float) -> float:
    """GGX distribution of facets (Walter et al., EGSR 2007); `nh` = normal . half vector."""
    a2 = roughness**4
    d = nh * nh * (a2 - 1.0) + 1.0
    return a2 / (math.pi * d * d)


@njit(cache=True, fastmath=True)
def lit(lights: Lights, x: float, y: float, z: float, column: int, row: int) -> float:
    """Share 0..1 of the key light that reaches a point: eight taps around its place in the shadow map."""
    m = lights.to_shadow
    size = lights.shadow.shape[0]
    u = (m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3] + 1.0) * 0.5 * size
    v = (1.0 - (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3])) * 0.5 * size
    depth = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3] - 0.006
    turn = (column * 7 + row * 13) & 7
    total = 0.0
    reach = lights.softness * size
    for k in range(8):
        i = int(v + TAPS[turn, k, 1] * reach)
        j = int(u + TAPS[turn, k, 0] * reach)
        if i < 0 or j < 0 or i >= size or j >= size or lights.shadow[i, j] >= depth:
            total += 0.125
    return total


@njit(cache=True, fastmath=True)
def open_above(lights: Lights, x: float, y: float, z: float, column: int, row: int) -> float:
    """Share 0..1 of the sky above that is not hidden by something near: wide taps in the map from above."""
    m = lights.to_above
    size = lights.above.shape[0]
    u = (m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3] + 1.0) * 0.5 * size
    v = (1.0 - (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3])) * 0.5 * size
    depth = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3] - 0.02
    turn = (column * 5 + row * 11) & 7
    total = 0.0
    reach = 0.09 * size
    for k in range(8):
        i = int(v + TAPS[turn, k, 1] * reach)
        j = int(u + TAPS[turn, k, 0] * reach)
        if i < 0 or j < 0 or i >= size or j >= size or lights.above[i, j] >= depth:
            total += 0.125
    return total
