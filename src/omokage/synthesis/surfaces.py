"""Skin and cloth, shaded per pixel from the painted map.

Skin: light that enters red leaves softer than light that enters blue, so each channel takes its own mixture of
smooth and rough normal and its own wrap around the terminator (Penner, SIGGRAPH 2011 course; Jimenez et al., 2010),
plus two GGX lobes for the oily film. Cloth begins below a collar line in rest coordinates: cuts, stripes, shirt
collars and jackets are patterns on the body.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omokage.synthesis.reflectance import Colour, Floats, Lights, ambient, facets, smooth
from omokage.synthesis.scene import Person

CLOTH_TOP = 6.18  # no cloth above this height of the rest mesh, decimetres
ROUND, VEE, SHIRT, JACKET, HIGH = range(5)


class SkinLook(NamedTuple):
    """Painted map (see `skin.PaintedSkin`) and how the film on it shines."""

    texture: NDArray[np.uint8]  # (h, w, 4) square root of linear RGB, height
    classes: NDArray[np.uint8]  # (h, w)
    axes: Floats  # (3, 3) the head's rotation
    lips: Floats  # (3,)
    gloss: float
    oil: float  # 0..1
    scatter: float  # 0..1 how far light wraps
    bump: float


class ClothLook(NamedTuple):
    """What the body wears: cut, pattern and colours."""

    colour: Floats  # (3,)
    second: Floats  # (3,) stripes, shirt under a jacket, trim
    collar: float  # height of the neckline, decimetres
    cut: int
    stripes: float  # per decimetre, 0 = plain; negative = upright
    weave: float  # strength of soft folds


def cloth_look(person: Person) -> ClothLook:
    """Clothes of a person, drawn from the seed; `person.cloth` is the main colour."""
    rng = np.random.default_rng((person.seed, 52))
    cut = int(rng.choice(5, p=[0.34, 0.16, 0.2, 0.18, 0.12]))
    stripes = float(rng.choice([0.0, rng.uniform(2.0, 8.0), -rng.uniform(3.0, 10.0)], p=[0.72, 0.16, 0.12]))
    white = np.array([0.7, 0.7, 0.7]) * rng.uniform(0.7, 1.1)
    other = white if rng.random() < 0.5 else np.clip(rng.uniform(0.02, 0.5) * (1 + rng.normal(0, 0.4, 3)), 0.01, 0.8)
    collar = rng.uniform(5.66, 5.98) if cut != HIGH else rng.uniform(6.02, 6.14)
    f4 = np.float32
    colour = np.asarray(person.cloth, f4)
    return ClothLook(colour, other.astype(f4), float(collar), cut, stripes, float(rng.uniform(0.05, 0.2)))


@njit(cache=True, fastmath=True)
def neckline(cloth: ClothLook, theta: float, height: float) -> float:
    """Height above the cloth's edge in decimetres (negative: cloth) at an angle around the neck."""
    side = abs(theta)
    edge: float = cloth.collar + 0.264 * smooth(0.2, 1.2, side)
    if cloth.cut == VEE:
        edge -= 0.5 * max(1.0 - side / 0.42, 0.0)
    elif cloth.cut == SHIRT:
        edge += 0.1 - 0.42 * max(1.0 - side / 0.3, 0.0)
    elif cloth.cut == JACKET:
        edge += 0.06 - 0.1 * max(1.0 - side / 0.25, 0.0)
    return height - min(edge, CLOTH_TOP)


@njit(cache=True, fastmath=True)
def cloth_colour(cloth: ClothLook, theta: float, bx: float, by: float, below: float) -> Colour:
    """Albedo of the cloth at `below` decimetres under its edge, rest coordinates (bx, by)."""
    c, d = cloth.colour, cloth.second
    mix = 0.0
    if cloth.stripes > 0.0:
        mix = 1.0 if math.sin(by * cloth.stripes * 6.2832) > 0.3 else 0.0
    elif cloth.stripes < 0.0:
        mix = 1.0 if math.sin(bx * cloth.stripes * 6.2832) > 0.6 else 0.0
    weave = 1.0 + cloth.weave * math.sin(bx * 3.0 + 2.0 * math.sin(by * 2.0)) * math.sin(by * 4.0 + bx)
    trim = 1.0 - 0.3 * smooth(0.05, 0.0, below) - 0.25 * smooth(0.018, 0.008, abs(below - 0.07))
    if cloth.cut == SHIRT:
        fold = 0.16 + 0.1 * smooth(0.9, 0.1, abs(theta))  # the turned-down collar ends in a shadow line
        trim = 1.0 - 0.45 * smooth(0.03, 0.0, abs(below - fold))
        if below > fold and abs(bx) < 0.035:
            trim *= 0.85 if abs(bx) < 0.028 else 0.6  # button strip
    elif cloth.cut == JACKET:
        lapel = 0.16 + 0.5 * max(cloth.collar - by, 0.0) ** 0.8
        opening = max(0.55 - 0.32 * max(cloth.collar - by, 0.0), 0.05)
        mix = mix * 0.0 + (1.0 if abs(bx) < opening and by < cloth.collar + 0.1 else 0.0)
        trim = (
            1.0
            - 0.5 * smooth(0.03, 0.0, abs(abs(bx) - opening))
            - 0.35 * smooth(0.02, 0.0, abs(abs(bx) - opening - lapel))
        )
    s = weave * trim
    return (c[0] + (d[0] - c[0]) * mix) * s, (c[1] + (d[1] - c[1]) * mix) * s, (c[2] + (d[2] - c[2]) * mix) * s


@njit(cache=True, fastmath=True)
def shade_cloth(
    albedo: Colour,
    lights: Lights,
    nx: float,
    ny: float,
    nz: float,
    vx: float,
    vy: float,
    vz: float,
    open_: float,
    sun: float,
) -> Colour:
    """Cloth: rough, with the velvet rim of its fibres."""
    nl = nx * lights.direction[0] + ny * lights.direction[1] + nz * lights.direction[2]
    rim = (1.0 - max(nx * vx + ny * vy + nz * vz, 0.0)) ** 3 * 0.12
    diffuse = max((nl + 0.1) / 1.1, 0.0) * sun
    r = albedo[0] * (ambient(lights.harmonics, 0, nx, ny, nz) * open_ * (1 + rim) + lights.colour[0] * diffuse)
    g = albedo[1] * (ambient(lights.harmonics, 1, nx, ny, nz) * open_ * (1 + rim) + lights.colour[1] * diffuse)
    b = albedo[2] * (ambient(lights.harmonics, 2, nx, ny, nz) * open_ * (1 + rim) + lights.colour[2] * diffuse)
    return r, g, b


@njit(cache=True, fastmath=True)
def _texel(texture: NDArray[np.uint8], k: int, row: int, a: int, b: int, fu: float, fv: float) -> float:
    """Channel k, bilinear, 0..1."""
    top = float(texture[row, a, k]) * (1.0 - fu) + float(texture[row, b, k]) * fu
    low = float(texture[row + 1, a, k]) * (1.0 - fu) + float(texture[row + 1, b, k]) * fu
    return (top + (low - top) * fv) * 0.003921569


@njit(cache=True, fastmath=True)
def _slope(skin: SkinLook, bx: float, bz: float, row: int, a: int, fu: float, fv: float) -> Colour:
    """Gradient of the painted height in world axes: the direction in which the skin rises."""
    t = skin.texture
    h, w = t.shape[0], t.shape[1]
    b = (a + 1) % w
    across = (float(t[row, b, 3]) - float(t[row, a - 1, 3])) * (1.0 - fu) + (
        float(t[row, (a + 2) % w, 3]) - float(t[row, a, 3])
    ) * fu
    up = (float(t[row - 1, a, 3]) - float(t[row + 1, a, 3])) * (1.0 - fv) + (
        float(t[row, a, 3]) - float(t[row + 2, a, 3])
    ) * fv
    radius = max(math.sqrt(bx * bx + (bz - 0.5) ** 2), 0.3)
    across *= 0.003921569 * w / (12.5664 * radius)
    up *= 0.003921569 * h / 5.4
    ct, st = (bz - 0.5) / radius, bx / radius
    m = skin.axes
    return (
        across * (m[0, 0] * ct - m[0, 2] * st) + up * m[0, 1],
        across * (m[1, 0] * ct - m[1, 2] * st) + up * m[1, 1],
        across * (m[2, 0] * ct - m[2, 2] * st) + up * m[2, 1],
    )


@njit(cache=True, fastmath=True)
def shade_skin(
    skin: SkinLook, lights: Lights, bx: float, by: float, bz: float, theta: float, lip: float, ear: float, inner: float,
    open_: float, nx: float, ny: float, nz: float, vx: float, vy: float, vz: float, sun: float,
) -> tuple[float, float, float, int]:  # fmt: skip
    """Skin at rest coordinates b with unit normal n, seen along v: linear RGB and the painted class."""
    h, w = skin.texture.shape[0], skin.texture.shape[1]
    fu, fv = (theta / 6.2831853 + 0.5) * w - 0.5, (8.5 - by) / 2.7 * h - 0.5
    a, row = math.floor(fu), math.floor(fv)
    fu, fv = fu - a, min(max(fv - row, 0.0), 1.0)
    row = min(max(row, 1), h - 3)
    a, b = a % w, (a + 1) % w
    lines = 0.0
    if lip > 0.05:
        lines = (math.sin(theta * 95.0 + 3.0 * math.sin(by * 40.0)) * 0.5 + 0.5) * lip
    sx, sy, sz = _slope(skin, bx, bz, row, a, fu, fv)
    along = sx * nx + sy * ny + sz * nz
    k = skin.bump * (1.0 - inner)
    limit = 3.0
    mx = nx - k * min(max(sx - along * nx, -limit), limit) + 0.08 * (lines - 0.5 * lip)
    my = ny - k * min(max(sy - along * ny, -limit), limit)
    mz = nz - k * min(max(sz - along * nz, -limit), limit)
    s = 1.0 / math.sqrt(mx * mx + my * my + mz * mz + 1e-12)
    mx, my, mz = mx * s, my * s, mz * s
    kx, ky, kz = lights.direction[0], lights.direction[1], lights.direction[2]
    hx, hy, hz = kx + vx, ky + vy, kz + vz
    s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
    hx, hy, hz = hx * s, hy * s, hz * s
    smooth_nl, rough_nl = nx * kx + ny * ky + nz * kz, mx * kx + my * ky + mz * kz
    nv = max(mx * vx + my * vy + mz * vz, 0.03)
    nh = max(mx * hx + my * hy + mz * hz, 0.0)
    vh = max(vx * hx + vy * hy + vz * hz, 0.0)
    # Forehead, nose and chin carry more of the oily film than cheeks do.
    film = skin.oil * (0.45 + 0.55 * smooth(0.55, 0.1, abs(theta)))
    wet = lip * skin.gloss
    rough = (0.56 - 0.16 * film) * (1.0 - wet) + 0.27 * wet
    fresnel = 0.028 + 0.972 * (1.0 - vh) ** 5
    lobes = facets(nh, rough) * 0.7 + facets(nh, rough * 0.62) * 0.3
    cavity = open_ * (1.0 - inner)
    shine = (
        lobes
        * fresnel
        * 0.25
        / max(max(rough_nl, 0.12) * nv, 0.15)
        * max(rough_nl, 0.0)
        * sun
        * cavity
        * (0.55 + 0.45 * film)
    )
    rim = (0.009 + 0.06 * (1.0 - nv) ** 5) * cavity * (0.5 + 0.7 * film) * (0.3 + 0.7 * smooth(-0.8, 0.1, my))
    rx, ry, rz = 2 * nv * mx - vx, 2 * nv * my - vy, 2 * nv * mz - vz
    behind = max(-(vx * kx + vy * ky + vz * kz), 0.0) ** 2 * ear * 0.6
    deep = inner * smooth(1.53, 1.40, bz)
    out = (0.0, 0.0, 0.0)
    for c in range(3):
        q = _texel(skin.texture, c, row, a, b, fu, fv)
        albedo = q * q * (1.0 + lip * (skin.lips[c] - 1.0)) * (1.0 - 0.12 * lines)
        albedo = albedo * (1.0 - deep) + (0.13, 0.032, 0.028)[c] * deep
        albedo *= 1.0 - ear * (0.0, 0.09, 0.1)[c]
        own = (0.35, 0.6, 0.72)[c]  # share of the rough normal: red light forgets pores, blue light keeps them
        dx, dy, dz = nx + (mx - nx) * own, ny + (my - ny) * own, nz + (mz - nz) * own
        wrap = skin.scatter * (0.3, 0.13, 0.08)[c]
        nl = smooth_nl + (rough_nl - smooth_nl) * own
        diffuse = max((nl + wrap) / ((1.0 + wrap) * (1.0 + wrap)), 0.0)
        soft = sun + 0.25 * sun * (1.0 - sun) * skin.scatter if c == 0 else sun
        sky = open_ * (1.0 + (0.25, 0.0, -0.08)[c] * (1.0 - open_))  # light that bounces in a hollow of skin turns red
        value = albedo * (
            ambient(lights.harmonics, c, dx, dy, dz) * sky + lights.colour[c] * diffuse * soft * (0.6 + 0.4 * open_)
        )
        value += albedo * (0.5, 0.09, 0.05)[c] * lights.colour[c] * behind * sun
        value += lights.colour[c] * shine + ambient(lights.harmonics, c, rx, ry, rz) * rim
        out = (value if c == 0 else out[0], value if c == 1 else out[1], value if c == 2 else out[2])
    return out[0], out[1], out[2], int(skin.classes[row, a])
