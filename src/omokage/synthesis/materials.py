"""Hair, lashes, glasses, hats and other things: the materials that are neither skin nor eye.

Hair has the two highlights of Marschner et al. (SIGGRAPH 2003), simplified to powers of the sine to the strand
(Kajiya and Kay, 1989): a white one shifted to the root and a coloured one shifted to the tip.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from numba import njit

from omokage.synthesis.reflectance import Colour, Floats, Lights, ambient, facets, smooth


class HairLook(NamedTuple):
    """Colour (2, 3) and share of grey strands (2,) of scalp hair and beard."""

    colour: Floats
    grey: Floats


@njit(cache=True, fastmath=True)
def shade_hair(
    look: HairLook, lights: Lights, which: int, crisp: float, strand: float, across: float, along: float,
    tx: float, ty: float, tz: float, nx: float, ny: float, nz: float, vx: float, vy: float, vz: float,
    sun: float, open_: float,
) -> Colour:  # fmt: skip
    """Hair of a ribbon with unit tangent t on the hair mass with unit normal n."""
    kx, ky, kz = lights.direction[0], lights.direction[1], lights.direction[2]
    hx, hy, hz = kx + vx, ky + vy, kz + vz
    s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
    fibre = 0.5 + 0.5 * math.sin(across * 19.0 + strand * 7.0) * crisp
    fine = 0.5 + 0.5 * math.sin(across * 47.0 + strand * 3.0) * crisp
    own = strand * 0.6180339
    own -= math.floor(own)
    aged = strand * 0.7548777
    aged -= math.floor(aged)
    nl = nx * kx + ny * ky + nz * kz
    tl = tx * kx + ty * ky + tz * kz
    diffuse = (math.sqrt(max(1.0 - tl * tl, 0.0)) * 0.55 + 0.1) * min(max(nl * 0.6 + 0.5, 0.0), 1.0)
    th = (tx * hx + ty * hy + tz * hz) * s + 0.1 * (fine - 0.5) + 0.08 * (own - 0.5)
    white = max(1.0 - th * th, 0.0) ** 40
    tinted = max(1.0 - (th + 0.14) * (th + 0.14), 0.0) ** 10
    facing = min(max(nl + 0.35, 0.0), 1.0) * sun
    # Light from behind passes through the strands and leaves a bright seam of their own colour.
    through = max(-(kx * vx + ky * vy + kz * vz), 0.0) ** 2 * (1.0 - tl * tl) * (0.15 + 0.85 * sun) * 0.8
    root = 0.45 + 0.55 * smooth(0.0, 0.4, along)
    out = (0.0, 0.0, 0.0)
    for c in range(3):
        base = look.colour[which, c] * (0.7 + 0.5 * own) * (0.82 + 0.3 * fibre)
        if aged < look.grey[which]:
            base = base * 0.4 + 0.28
        value = (
            base
            * root
            * (ambient(lights.harmonics, c, nx, ny, nz) * 0.85 * open_ + lights.colour[c] * diffuse * sun * 1.25)
        )
        value += lights.colour[c] * through * (base + 0.02) * root
        value += lights.colour[c] * facing * root * (white * 0.09 * (base + 0.04) + tinted * 0.32 * base)
        out = (value if c == 0 else out[0], value if c == 1 else out[1], value if c == 2 else out[2])
    return out


@njit(cache=True, fastmath=True)
def shade_part(
    lights: Lights, red: float, green: float, blue: float, roughness: float,
    nx: float, ny: float, nz: float, vx: float, vy: float, vz: float, sun: float, open_: float,
) -> Colour:  # fmt: skip
    """A plain thing of one colour: matt to glossy by roughness, with a faint mirror image of the surroundings."""
    kx, ky, kz = lights.direction[0], lights.direction[1], lights.direction[2]
    hx, hy, hz = kx + vx, ky + vy, kz + vz
    s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
    nl = max(nx * kx + ny * ky + nz * kz, 0.0) * sun
    nv = max(nx * vx + ny * vy + nz * vz, 0.0)
    gloss = (1.0 - roughness) ** 2
    shine = min(facets(max((nx * hx + ny * hy + nz * hz) * s, 0.0), max(roughness, 0.2)) * 0.04 * 0.25, 1.5) * nl
    mirror = (0.03 + 0.3 * (1.0 - nv) ** 5) * gloss
    rx, ry, rz = 2 * nv * nx - vx, 2 * nv * ny - vy, 2 * nv * nz - vz
    out = (0.0, 0.0, 0.0)
    for c in range(3):
        albedo = red if c == 0 else (green if c == 1 else blue)
        value = albedo * (ambient(lights.harmonics, c, nx, ny, nz) * open_ + lights.colour[c] * nl)
        value += lights.colour[c] * shine + ambient(lights.harmonics, c, rx, ry, rz) * mirror
        out = (value if c == 0 else out[0], value if c == 1 else out[1], value if c == 2 else out[2])
    return out


@njit(cache=True, fastmath=True)
def shade_lens(
    lights: Lights, red: float, green: float, blue: float, opacity: float,
    nx: float, ny: float, nz: float, vx: float, vy: float, vz: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    """A lens: light it sends (linear RGB) and the share of what is behind that it hides."""
    nv = nx * vx + ny * vy + nz * vz
    if nv < 0:
        nx, ny, nz, nv = -nx, -ny, -nz, -nv
    rx, ry, rz = 2 * nv * nx - vx, 2 * nv * ny - vy, 2 * nv * nz - vz
    fresnel = 0.03 + 0.6 * (1.0 - nv) ** 5
    window = smooth(0.965, 0.995, rx * lights.direction[0] + ry * lights.direction[1] + rz * lights.direction[2]) * 0.5
    out = (0.0, 0.0, 0.0)
    for c in range(3):
        tint = red if c == 0 else (green if c == 1 else blue)
        value = ambient(lights.harmonics, c, rx, ry, rz) * fresnel + lights.colour[c] * window * fresnel * 6.0
        value += tint * opacity * ambient(lights.harmonics, c, nx, ny, nz)
        out = (value if c == 0 else out[0], value if c == 1 else out[1], value if c == 2 else out[2])
    return out[0], out[1], out[2], min(opacity + fresnel, 1.0)
