"""The living part of the skin: where it is red, dark or rough, its freckles, moles and age spots, and its make-up.

Redness (blood) and darkness (melanin, shade, paint) are absorptions that `skin` turns into colour; roughness scales the
relief of the pores.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omokage.synthesis.canvas import Floats, Size, Strokes, grid, noise, spots
from omokage.synthesis.scene import Person

_SCALES = (36, 14, 6, 3, 1.6, 45, 9, 3.2, 1.4, 2.4)  # grain sizes in texels of a 256-row map: blood, pigment, relief
_VARIANTS = 2

# Zones of the face: name -> (theta, y, spread in theta, spread in y, mirrored).
_ZONES = {
    "cheek": (0.45, 6.92, 0.23, 0.17, True),
    "apple": (0.42, 7.00, 0.19, 0.11, True),
    "nose": (0.0, 6.94, 0.15, 0.12, False),
    "chin": (0.0, 6.28, 0.24, 0.12, False),
    "brow bone": (0.0, 7.66, 0.65, 0.22, False),
    "bag": (0.37, 7.16, 0.15, 0.05, True),
    "inner eye": (0.21, 7.22, 0.06, 0.08, True),
    "lid": (0.39, 7.375, 0.20, 0.045, True),
    "lash": (0.385, 7.315, 0.22, 0.022, True),
    "ear": (1.50, 7.10, 0.28, 0.30, True),
    "mouth": (0.0, 6.60, 0.36, 0.17, False),
    "jaw": (0.72, 6.42, 0.32, 0.12, True),
    "temple": (0.85, 7.40, 0.22, 0.20, True),
    "throat": (0.0, 6.0, 0.9, 0.14, False),
    "lids around": (0.39, 7.28, 0.25, 0.13, True),
}
ZONES = tuple(_ZONES)


@lru_cache(maxsize=2)
def _noise_bank(size: Size) -> Floats:
    """(len(_SCALES) * _VARIANTS, h, w) noise fields, coarse to fine as in `_SCALES`."""
    rng = np.random.default_rng(0)
    return np.ascontiguousarray(np.stack([noise(size, s, rng) for s in _SCALES for _ in range(_VARIANTS)]))


@lru_cache(maxsize=2)
def _zone_maps(size: Size) -> tuple[Floats, NDArray[np.bool_]]:
    """(len(ZONES), h, w) soft masks 0..1, and the rows (len(ZONES), h) that each reaches."""
    theta, y = grid(size)
    maps = []
    for t0, y0, st, sy, mirrored in _ZONES.values():
        angle = np.abs(theta) if mirrored else theta
        maps.append(np.exp(-(((angle - t0) / st) ** 2) - ((y - y0) / sy) ** 2))
    stacked = np.ascontiguousarray(np.stack(maps), np.float32)
    return stacked, stacked.max(2) > 0.004


def complexion(person: Person, size: Size, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Redness, darkness and height (h, w) before hair."""
    red_zones, dark_zones, rough_zones = _zone_weights(person, rng)
    maps, reached = _zone_maps(size)
    old, child = person.wrinkles, float(np.clip((18 - person.age) / 12, 0, 1))
    adult = 1 - 0.7 * child
    bank = _noise_bank(size)
    # Each person takes one field of every scale, shifted at random.
    kinds = len(_SCALES)
    which = np.arange(kinds) * _VARIANTS + rng.integers(_VARIANTS, size=kinds)
    picks = np.stack([which, rng.integers(size[0], size=kinds), rng.integers(size[1], size=kinds)], axis=1)
    uneven = 1 + 0.5 * old + 0.5 * person.spots
    mix = np.array(
        [
            [0.030, 0.032, 0.032, 0.026, 0.018, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0.012, 0.014, 0.016, 0.020, 0.014, 0],
            [0, 0, 0, 0, 0.05, 0, 0.015, 0.05, 0.06, 0.05],
        ]
    ) * np.array([[uneven], [uneven], [adult * (0.7 + 0.9 * old)]])  # fmt: skip
    red, dark, height = (np.empty(size, np.float32) for _ in range(3))
    weights = np.stack([red_zones, dark_zones, rough_zones]).astype(np.float32)
    _blend(red, dark, height, maps, reached, weights, bank, picks.astype(np.int64), mix.astype(np.float32))
    dark += _marks(person, size, rng)
    dark += _makeup_lines(person, size, rng)
    return red, dark, height


def _zone_weights(person: Person, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Redness, darkness and roughness per zone."""
    old = float(np.clip((person.age - 30) / 50, 0, 1))
    worn = 0.5 * person.wrinkles + 0.5 * person.sagging
    flush = float(rng.gamma(2.0, 0.35))
    makeup = person.makeup
    foundation = 1 - 0.5 * makeup
    red = dict.fromkeys(ZONES, 0.0)
    dark = dict.fromkeys(ZONES, 0.0)
    rough = dict.fromkeys(ZONES, 0.0)
    red |= {
        "cheek": 0.42 * flush * foundation + 0.10 * old,
        "nose": (0.22 + 0.45 * float(rng.random()) * (0.5 + old)) * foundation,
        "chin": 0.12 * float(rng.uniform(0, 2)),
        "ear": 0.28,
        "apple": makeup * float(rng.uniform(0, 0.75)),
        "inner eye": 0.18 + 0.12 * worn,
        "lids around": 0.08 + 0.12 * worn,
        "throat": 0.12 * old,
        "brow bone": 0.04,
        "lid": 0.10,
    }
    circles = float(rng.gamma(2.0, 0.5)) * foundation
    shadow = makeup * float(rng.choice([0.0, 0.5, 1.0])) * float(rng.uniform(0.2, 0.9))
    dark |= {
        "bag": (0.055 + 0.06 * worn) * circles,
        "inner eye": 0.05 * circles + 0.04 * worn,
        "lids around": 0.03 + 0.03 * person.melanin,
        "lid": 0.05 + shadow * 0.5,
        "mouth": 0.05 * person.melanin * float(rng.uniform(0, 1.6)),
        "jaw": 0.07 * person.sagging,
        "brow bone": -0.03 * float(rng.uniform(0, 1)),
        "temple": 0.04 * person.sagging,
        "cheek": -0.02,
        "throat": 0.05 + 0.05 * person.sagging,
    }
    rough |= {
        "nose": 0.5,
        "cheek": 0.4 * float(rng.uniform(0.2, 1.2)),
        "chin": 0.3,
        "lids around": -0.4,
        "brow bone": 0.1,
    }
    return tuple(np.array([d[z] for z in ZONES], np.float32) for d in (red, dark, rough))  # type: ignore[return-value]


def _marks(person: Person, size: Size, rng: np.random.Generator) -> Floats:
    """Darkness (h, w) of freckles, age spots, moles and blemishes."""
    light = float(np.clip((0.45 - person.melanin) / 0.4, 0, 1))
    old = float(np.clip((person.age - 45) / 40, 0, 1))
    young = 1 - old
    n_freckle = int(person.spots * 260 * light * young)
    n_age = int(person.spots * 38 * old + 4 * old)
    n_mole = int(rng.poisson(1.6 * (0.4 + 0.6 * min(1.0, person.age / 25))))
    n_acne = int(rng.poisson(5) * (rng.random() < 0.4)) if 12 < person.age < 26 else 0
    marks: list[tuple[float, float, float, float]] = []
    marks += [
        (float(rng.normal(0, 0.5)), float(rng.normal(7.05, 0.2)), *_pair(rng, 0.005, 0.012, 0.06, 0.30))
        for _ in range(n_freckle)
    ]
    marks += [
        (float(rng.normal(0, 0.9)), float(rng.normal(7.2, 0.45)), *_pair(rng, 0.012, 0.04, 0.06, 0.26))
        for _ in range(n_age)
    ]
    marks += [
        (float(rng.uniform(-1.2, 1.2)), float(rng.uniform(6.0, 7.85)), *_pair(rng, 0.008, 0.016, 0.5, 1.3))
        for _ in range(n_mole)
    ]
    marks += [
        (float(rng.normal(0, 0.6)), float(rng.normal(6.9, 0.4)), *_pair(rng, 0.010, 0.022, 0.05, 0.2))
        for _ in range(n_acne)
    ]
    return spots(size, marks).draw(np.zeros(size, np.float32))


def _pair(rng: np.random.Generator, r0: float, r1: float, v0: float, v1: float) -> tuple[float, float]:
    return float(rng.uniform(r0, r1)), float(rng.uniform(v0, v1))


def _makeup_lines(person: Person, size: Size, rng: np.random.Generator) -> Floats:
    """Darkness of eyeliner along the lids."""
    lines = Strokes(size)
    strength = person.makeup * float(rng.uniform(0, 1.3))
    if strength > 0.15:
        wing = float(rng.uniform(0, 0.06))
        for side in (1, -1):
            upper = [(0.21, 7.270), (0.29, 7.330), (0.38, 7.352), (0.48, 7.335), (0.575 + wing, 7.285 + 0.6 * wing)]
            lines.line([(side * t, y) for t, y in upper], 0.0115, 1.8 * strength, taper=0.3)
            if strength > 0.7:
                lines.line(
                    [(side * t, y) for t, y in ((0.26, 7.225), (0.38, 7.205), (0.54, 7.255))], 0.007, 0.7 * strength
                )
    return lines.draw(np.zeros(size, np.float32))


@njit(cache=True, fastmath=True)
def _blend(red, dark, height, maps, reached, weights, bank, picks, mix):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Weighted sums of zones and shifted noise fields; roughness scales the height's noise by zone."""
    k, h, w = maps.shape
    for y in range(h):
        red[y] = np.float32(0.0)
        dark[y] = np.float32(0.0)
        height[y] = np.float32(0.0)
        rough = np.ones(w, np.float32)
        for z in range(k):
            a, b, c = weights[0, z], weights[1, z], weights[2, z]
            if not reached[z, y] or (a == 0 and b == 0 and c == 0):
                continue
            for x in range(w):
                m = maps[z, y, x]
                red[y, x] += a * m
                dark[y, x] += b * m
                rough[x] += c * m
        for f in range(picks.shape[0]):
            a, b, c = mix[0, f], mix[1, f], mix[2, f]
            row = bank[picks[f, 0], (y + picks[f, 1]) % h]
            shift = picks[f, 2]
            for x in range(w):
                v = row[x + shift] if x + shift < w else row[x + shift - w]
                red[y, x] += a * v
                dark[y, x] += b * v
                height[y, x] += c * v
        for x in range(w):
            height[y, x] *= rough[x]
