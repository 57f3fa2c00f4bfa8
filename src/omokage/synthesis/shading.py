"""Deferred shading: for every pixel of a `GBuffer`, interpolate its surface, ask the material, write colour and
class.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omokage.data.records import SEGMENTATION
from omokage.synthesis.eyes import EyeLook, shade_eye, shade_mouth
from omokage.synthesis.materials import HairLook, shade_hair, shade_lens, shade_part
from omokage.synthesis.raster import BODY, HAIR, LASH, PART, RIGHT_EYE, crispness
from omokage.synthesis.reflectance import Floats, Lights, lit, open_above, smooth
from omokage.synthesis.surfaces import CLOTH_TOP, ClothLook, SkinLook, cloth_colour, neckline, shade_cloth, shade_skin

Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]
ATTRIBUTES = 8  # floats per vertex besides position and normal; `assembly` says which

_SKIN, _EYE, _LIPS, _MOUTH, _HAIR, _CLOTH, _EAR, _NECK = (
    SEGMENTATION.index(name) for name in ("skin", "eye", "lips", "inner_mouth", "hair", "cloth", "ear", "neck")
)


@njit(cache=True, fastmath=True)
def _jaw_line(bz: float) -> float:
    """Height of the jaw's lower edge on the rest mesh at depth `bz`: below it the neck begins."""
    return 6.15 + 0.54 * (1.48 - bz) if bz > 1.12 else min(6.345 + 1.5 * (1.12 - bz), 6.8)


@njit(cache=True, fastmath=True)
def _body(
    skin: SkinLook, cloth: ClothLook, lights: Lights, at: Floats, column: int, row: int,
    px: float, py: float, pz: float, nx: float, ny: float, nz: float, vx: float, vy: float, vz: float,
) -> tuple[float, float, float, int]:  # fmt: skip
    """Skin, lips, ears, neck or cloth, by where the point lies on the rest mesh. `at` = base xyz, masks, ao."""
    bx, by, bz, lip_mask, ear, inner_mask, ao = at[0], at[1], at[2], at[3], at[4], at[6], at[7]
    theta = math.atan2(bx, bz - 0.5)
    sun = lit(lights, px + nx * 0.012, py + ny * 0.012, pz + nz * 0.012, column, row)
    roof = open_above(lights, px + nx * 0.03, py + ny * 0.03, pz + nz * 0.03, column, row)
    open_ = ao * (0.62 + 0.38 * roof)
    above = 1.0
    if by < CLOTH_TOP:
        above = neckline(cloth, theta, by)
        if above < 0.0:
            albedo = cloth_colour(cloth, theta, bx, by, -above)
            r, g, b = shade_cloth(albedo, lights, nx, ny, nz, vx, vy, vz, open_, sun)
            return r, g, b, _CLOTH
        if above < 0.12:
            open_ *= 0.5 + 0.5 * above / 0.12
    lip, inner = smooth(0.15, 0.85, lip_mask), smooth(0.3, 0.9, inner_mask)
    r, g, b, label = shade_skin(skin, lights, bx, by, bz, theta, lip, ear, inner, open_, nx, ny, nz, vx, vy, vz, sun)
    if ear > 0.5:
        label = _EAR
    elif label == _SKIN and by < _jaw_line(bz):
        label = _NECK
    if inner_mask > 0.6 and bz < 1.45:
        label = _MOUTH
    elif lip_mask > 0.5:
        label = _LIPS
    return r, g, b, label


@njit(cache=True, fastmath=True)
def _veil(bx: float, by: float, bz: float, n: int) -> float:
    """How much a lash card hides at rest coordinates b: dense at the lid, thin at the tips; lower lashes are few."""
    along = min(max((bz - 1.37) / 0.06, 0.0), 1.0)
    dense = 0.75 if by > 7.27 else 0.3
    if n < 500:
        return dense * math.pow(1.0 - along, 1.5)
    across = abs(bx) * 70.0
    gap = abs(across - math.floor(across) - 0.5) * 2.0
    share: float = smooth(0.75 - 0.7 * along, 0.45 - 0.7 * along, gap)
    return dense * share


@njit(cache=True, fastmath=True)
def shade(
    ids: Ints, weights: Floats, screen: Floats, vertices: Floats, normals: Floats, attributes: Floats, triangles: Ints,
    kinds: Bytes, lights: Lights, skin: SkinLook, cloth: ClothLook, eyes: EyeLook, hair: HairLook, out: Floats,
    classes: Bytes,
) -> None:  # fmt: skip
    """Fill `out` (n, n, 4), linear RGB times coverage and coverage, and `classes` (n, n), where `ids` says that
    something is.
    """
    n = ids.shape[0]
    at = np.empty(ATTRIBUTES, np.float32)
    one = np.float32(1.0)
    crisp = crispness(n)
    for y in range(n):
        for x in range(n):
            t = ids[y, x]
            if t < 0:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            w1, w2 = weights[y, x, 0], weights[y, x, 1]
            w0 = (one - w1 - w2) * screen[a, 3]
            w1, w2 = w1 * screen[b, 3], w2 * screen[c, 3]
            s = one / (w0 + w1 + w2)
            w0, w1, w2 = w0 * s, w1 * s, w2 * s
            px = w0 * vertices[a, 0] + w1 * vertices[b, 0] + w2 * vertices[c, 0]
            py = w0 * vertices[a, 1] + w1 * vertices[b, 1] + w2 * vertices[c, 1]
            pz = w0 * vertices[a, 2] + w1 * vertices[b, 2] + w2 * vertices[c, 2]
            nx = w0 * normals[a, 0] + w1 * normals[b, 0] + w2 * normals[c, 0]
            ny = w0 * normals[a, 1] + w1 * normals[b, 1] + w2 * normals[c, 1]
            nz = w0 * normals[a, 2] + w1 * normals[b, 2] + w2 * normals[c, 2]
            s = one / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
            nx, ny, nz = nx * s, ny * s, nz * s
            for k in range(ATTRIBUTES):
                at[k] = w0 * attributes[a, k] + w1 * attributes[b, k] + w2 * attributes[c, k]
            vx, vy, vz = lights.eye[0] - px, lights.eye[1] - py, lights.eye[2] - pz
            s = one / math.sqrt(vx * vx + vy * vy + vz * vz)
            vx, vy, vz = vx * s, vy * s, vz * s
            kind = kinds[t]
            r, g, bl, label = 0.0, 0.0, 0.0, 0
            if kind == BODY:
                r, g, bl, label = _body(skin, cloth, lights, at, x, y, px, py, pz, nx, ny, nz, vx, vy, vz)
            elif kind == LASH:
                # Cards of lashes are thin veils, not fences: at these sizes a single lash is far below a pixel.
                veil = _veil(at[0], at[1], at[2], n)
                dark = (0.2 * lights.harmonics[0, 1] + 0.05 * lights.colour[1]) * veil
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = (
                    hair.colour[0, 0] * dark,
                    hair.colour[0, 1] * dark,
                    hair.colour[0, 2] * dark,
                )
                out[y, x, 3] = veil
                continue
            elif kind == HAIR:
                strand = math.floor(min(attributes[a, 3], attributes[b, 3], attributes[c, 3]))
                s = one / math.sqrt(at[0] * at[0] + at[1] * at[1] + at[2] * at[2] + 1e-9)
                sun = lit(lights, px + nx * 0.025, py + ny * 0.025, pz + nz * 0.025, x, y)
                roof = 0.45 + 0.55 * open_above(lights, px + nx * 0.05, py + ny * 0.05, pz + nz * 0.05, x, y)
                r, g, bl = shade_hair(
                    hair, lights, int(at[5] + 0.5), crisp, strand, at[3] - strand, at[4],
                    at[0] * s, at[1] * s, at[2] * s, nx, ny, nz, vx, vy, vz, sun, roof,
                )  # fmt: skip
                label = _HAIR
            elif kind == PART:
                if nx * vx + ny * vy + nz * vz < 0:
                    nx, ny, nz = -nx, -ny, -nz
                label = int(attributes[a, 4])
                if attributes[a, 5] < 1.0:
                    r, g, bl, out[y, x, 3] = shade_lens(lights, at[0], at[1], at[2], at[5], nx, ny, nz, vx, vy, vz)
                    out[y, x, 0], out[y, x, 1], out[y, x, 2] = r, g, bl
                    classes[y, x] = label
                    continue
                sun = lit(lights, px + nx * 0.02, py + ny * 0.02, pz + nz * 0.02, x, y)
                roof = 0.6 + 0.4 * open_above(lights, px + nx * 0.04, py + ny * 0.04, pz + nz * 0.04, x, y)
                r, g, bl = shade_part(lights, at[0], at[1], at[2], at[3], nx, ny, nz, vx, vy, vz, sun, roof)
            elif kind <= RIGHT_EYE:
                # Too coarse for lids, which the eye shades itself: the map adds brows, nose and hats.
                sun = 0.3 + 0.7 * lit(lights, px + vx * 0.07, py + vy * 0.07, pz + vz * 0.07, x, y)
                sky = 0.35 + 0.45 * open_above(lights, px + vx * 0.05, py + vy * 0.05, pz + vz * 0.05, x, y)
                r, g, bl = shade_eye(eyes, lights, kind - 1, px, py, pz, vx, vy, vz, sun, sky)
                label = _EYE
            else:
                sun = lit(lights, px + nx * 0.012, py + ny * 0.012, pz + nz * 0.012, x, y)
                hx, hy, hz = lights.direction[0] + vx, lights.direction[1] + vy, lights.direction[2] + vz
                s = one / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
                nh = max((nx * hx + ny * hy + nz * hz) * s, 0.0)
                r, g, bl = shade_mouth(eyes, lights, int(kind), at[0], at[1], at[2], nx, ny, nz, nh, sun)
                label = _MOUTH
            out[y, x, 0], out[y, x, 1], out[y, x, 2], out[y, x, 3] = r, g, bl, 1.0
            classes[y, x] = label
