"""A person's skin as a painted map: pigment and blood in layers, marks, make-up, brows, stubble and the scalp under the
hair.

Colour is built as absorption: melanin, blood and dirt-like darkness each remove their share of the light per channel,
so that layers combine as real pigments do. Zones (cheeks, nose, lids, chin, ...) differ in redness, gloss of pores and
darkness.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from omokage.data.records import SEGMENTATION
from omokage.synthesis.brows import paint_brows
from omokage.synthesis.canvas import Floats, Size, noise
from omokage.synthesis.complexion import complexion
from omokage.synthesis.hairline import beard_zone, scalp_zone
from omokage.synthesis.scene import Expression, Person
from omokage.synthesis.wrinkles import FoldLayers, apply_folds, fold_layers

SIZE: Size = (256, 448)
_SKIN, _BROW, _HAIR = (SEGMENTATION.index(name) for name in ("skin", "brow", "hair"))

# Skin tones from light to dark, sRGB 0..255, as a diffuse colour under white light.
_TONES = (
    (224, 182, 162), (216, 168, 143), (202, 151, 122), (184, 131, 100), (155, 106, 78), (124, 83, 60), (95, 62, 46),
    (70, 46, 36), (52, 36, 30),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class PaintedSkin:
    """One person's skin, good for many pictures. Row 0 is y = 8.5, column 0 is theta = -pi (see `canvas`)."""

    albedo_height: NDArray[np.uint8]  # (h, w, 4) square root of linear RGB; height 0.5 + 0.1 * units, units about -2..2
    seg: NDArray[np.uint8]  # (h, w) `SEGMENTATION` index: skin, brow or hair
    folds: FoldLayers
    lips: tuple[float, float, float]  # what lips multiply the skin's linear colour by
    lip_gloss: float  # 0..1


def paint(person: Person, size: Size = SIZE) -> PaintedSkin:
    """Paint the skin of a person, seeded. `size` = rows and columns of the map."""
    rng = np.random.default_rng((person.seed, 20))
    folds = fold_layers(person, size)
    red, dark, height = complexion(person, size, rng)
    brow = paint_brows(person, size)
    scalp, beard = scalp_zone(person, size), _whiskers(person, size, rng)
    hair = np.clip(_aged_hair(person), 0.004, 0.8).astype(np.float32)
    base = skin_colour(person).astype(np.float32)
    coats = np.stack([hair * 0.85 + base * 0.08, hair * _scalp_tone(person), _brow_colour(person, rng)])
    texture = np.empty((*size, 4), np.uint8)
    _compose(texture, base, red, dark, height, beard, scalp, brow, coats.astype(np.float32))
    apply_folds(texture, folds.texels, folds.relief, folds.start, folds.rest)
    seg = np.full(size, _SKIN, np.uint8)
    if person.hair != "bald":
        seg[scalp > 0.5] = _HAIR
    if person.beard == "full":
        seg[beard > 0.45] = _HAIR
    seg[brow > 0.3] = _BROW
    lips, gloss = _lips(person, rng)
    return PaintedSkin(texture, seg, folds, lips, gloss)


def with_expression(painted: PaintedSkin, expression: Expression) -> NDArray[np.uint8]:
    """The texture (h, w, 4) with the folds that this expression gathers."""
    texture = painted.albedo_height.copy()
    folds = painted.folds
    apply_folds(texture, folds.texels, folds.relief, folds.start, folds.gains(expression))
    return texture


def skin_colour(person: Person) -> NDArray[np.float64]:
    """Mean diffuse colour, linear RGB, of a person's skin: a ramp over melanin, reddened by blood."""
    tones = (np.array(_TONES) / 255) ** 2.2
    place = float(np.clip(person.melanin, 0, 1)) * (len(tones) - 1)
    i = min(int(place), len(tones) - 2)
    tone = tones[i] + (tones[i + 1] - tones[i]) * (place - i)
    return np.asarray(tone * np.exp(-np.array([0, 0.42, 0.36]) * (person.blood - 0.45) * 0.9))


def _aged_hair(person: Person) -> NDArray[np.float64]:
    """Hair colour with its grey mixed in, linear RGB."""
    return np.array(person.hair_colour) * (1 - person.grey) + person.grey * np.array([0.42, 0.41, 0.40])


def _brow_colour(person: Person, rng: np.random.Generator) -> NDArray[np.float64]:
    """Brows are darker than hair, grey later and stay warmer; lightest brows still show against the skin."""
    grey = float(np.clip(person.grey - rng.uniform(0.1, 0.5), 0, 1))
    own = np.minimum(np.array(person.hair_colour) * 0.7, 0.55 * skin_colour(person))
    return np.asarray(own * (1 - grey) + grey * np.array([0.34, 0.31, 0.28]))


def _scalp_tone(person: Person) -> float:
    """How dark the painted scalp is against the hair: roots in shade under long hair, lighter where skin shines
    through.
    """
    return 0.75 if person.hair in ("buzz", "bald") else 0.45


def _lips(person: Person, rng: np.random.Generator) -> tuple[tuple[float, float, float], float]:
    """Lip tint as a multiplier of the skin's colour, and gloss; lipstick with make-up, paler and browner with age."""
    old = float(np.clip((person.age - 50) / 40, 0, 1))
    natural = np.array([1.0, 0.66, 0.66]) * (1 - 0.12 * person.melanin) * rng.uniform(0.93, 1.05, 3)
    natural = natural + (np.array([0.97, 0.84, 0.82]) - natural) * old * 0.65
    sticks = np.array(
        [(0.85, 0.16, 0.20), (0.80, 0.33, 0.36), (0.55, 0.12, 0.20), (0.95, 0.45, 0.38), (0.75, 0.22, 0.38)]
    )
    stick = sticks[rng.integers(len(sticks))] * rng.uniform(0.75, 1.15)
    worn = person.makeup * float(rng.uniform(0.4, 1.0))
    tint = natural * (1 - worn) + stick * worn
    return (float(tint[0]), float(tint[1]), float(tint[2])), float(
        np.clip(0.25 + 0.5 * worn * rng.uniform(0, 1.3), 0, 1)
    )


def _whiskers(person: Person, size: Size, rng: np.random.Generator) -> Floats:
    """Coverage (h, w) of shaved, stubbly or shaded beard skin."""
    zone = beard_zone(person, size)
    if not zone.any():
        return zone
    shadow = float(rng.beta(1.3, 4)) * 0.35 * (1 - 0.6 * person.grey)
    strength = {
        "none": shadow,
        "stubble": float(rng.uniform(0.3, 0.75)),
        "moustache": 0.7,
        "goatee": 0.7,
        "full": 0.75,
    }[person.beard]
    grain = cv2.GaussianBlur((noise(size, 1.0, rng) > 0.5).astype(np.float32), (0, 0), 0.6 * size[0] / 256)
    return np.asarray(np.minimum(zone * strength * (0.40 + 0.95 * grain), np.float32(0.92)), np.float32)


@njit(cache=True, fastmath=True)
def _compose(texture, base, red, dark, height, beard, scalp, brow, coats):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Absorption, then whiskers, scalp and brows as coats of hair colour; stored as square roots with the height."""
    h, w = red.shape
    red_k = (np.float32(0.05), np.float32(0.55), np.float32(0.42))
    dark_k = (np.float32(0.80), np.float32(1.10), np.float32(1.30))
    for y in range(h):
        for x in range(w):
            for c in range(3):
                v = base[c] * np.exp(-red[y, x] * red_k[c] - dark[y, x] * dark_k[c])
                v += (coats[0, c] - v) * beard[y, x]
                v += (coats[1, c] - v) * scalp[y, x]
                v += (coats[2, c] - v) * brow[y, x]
                texture[y, x, c] = np.uint8(
                    min(
                        max(np.sqrt(max(v, np.float32(0.0))) * np.float32(255.0) + np.float32(0.5), np.float32(0.0)),
                        np.float32(255.0),
                    )
                )
            bump = np.float32(127.5) + np.float32(25.5) * height[y, x] + np.float32(6.0) * (brow[y, x] + scalp[y, x])
            texture[y, x, 3] = np.uint8(min(max(bump, np.float32(0.0)), np.float32(255.0)))
