"""Eyebrows as painted hairs along the brow bone, placed so that the brow landmarks lie in their upper middle, from the
start of the hair to the tip of the tail.

Hairs stand up at the inner end, lie outwards along the arch and point down along the tail; upper and lower rows meet on
the arch. Thickness, arch, density and unruliness differ from person to person; plucking makes them thin and sharp, age
makes them sparse or bushy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.canvas import AXIS_Z, Floats, Size, Strokes, texels_per_dm, to_texels
from omokage.synthesis.geometry import head_model
from omokage.synthesis.landmarks import landmark_points
from omokage.synthesis.scene import Person

_INNER, _OUTER = 22, 26  # the brow's landmarks at the person's left (iBUG-68)


@dataclass(frozen=True, slots=True)
class BrowShape:
    """One person's brows. Lengths in dm of the rest head."""

    half: float  # half thickness at the thickest place
    arch: float  # extra lift of the arch
    inner: float  # how much further out the brow begins than usual, radians
    tail: float  # how far past the outer landmark the tail goes (or falls short of it), radians
    hairs: int  # per side
    unruly: float  # spread of hair directions, radians
    strength: float  # 0..1 how dark one hair is
    underlay: float  # soft shade beneath the hairs


def brow_shape(person: Person, rng: np.random.Generator) -> BrowShape:
    """The person's brows from thickness, age, make-up and perceived gender, jittered."""
    adult = float(np.clip((person.age - 3) / 15, 0, 1))
    old = float(np.clip((person.age - 50) / 35, 0, 1))
    plucked = person.makeup * person.female_perceived
    half = (
        (0.020 + 0.019 * person.brow)
        * (0.70 + 0.30 * adult)
        * (1 - 0.28 * plucked)
        * (1 - 0.15 * person.female_perceived)
    )
    bushy = old * float(rng.random() < 0.35) * (1 - person.female_perceived)
    density = (0.45 + 0.5 * person.brow) * (0.55 + 0.45 * adult) * (1 - 0.35 * old * (1 - bushy))
    return BrowShape(
        half=half * float(rng.uniform(0.9, 1.1)) * (1 + 0.3 * bushy),
        arch=float(rng.normal(-0.004, 0.006)) + 0.006 * person.female_perceived,
        inner=person.brow_gap / brow_radius(),
        tail=float(rng.uniform(-0.02, 0.035)),
        hairs=int(230 * density),
        unruly=float(rng.uniform(0.08, 0.22)) * (1 - 0.5 * plucked) + 0.25 * bushy,
        strength=float(rng.uniform(0.65, 0.95)) * (0.55 + 0.45 * adult) * (1 - 0.25 * old),
        underlay=(float(rng.uniform(0.2, 0.45)) * density + 0.25 * plucked) * (1 - 0.6 * old),
    )


@lru_cache(maxsize=1)
def brow_line() -> tuple[NDArray[np.float64], float, float]:
    """Where the brow landmarks lie on the paint map: polynomial y(theta) at the person's left, its two ends."""
    base = head_model().base
    x, y, z = (
        landmark_points(base[:, :2] * np.array([1, -1], np.float32), base)[_INNER : _OUTER + 1].astype(np.float64).T
    )
    theta = np.arctan2(x, z - AXIS_Z)
    return np.polyfit(theta, y, 3), float(theta[0]), float(theta[-1])


@lru_cache(maxsize=1)
def brow_radius() -> float:
    """How many dm to the side one radian of the paint map is at the inner end of the brows."""
    x = landmark_points(head_model().base[:, :2] * np.array([1, -1], np.float32), head_model().base)[_INNER, 0]
    return float(x) / brow_line()[1]


def paint_brows(person: Person, size: Size) -> Floats:
    """Coverage of the brow hairs (h, w), 0..1. Seeded."""
    rng = np.random.default_rng((person.seed, 22))
    shape = brow_shape(person, rng)
    strokes, shade = Strokes(size), Strokes(size)
    for side in (1.0, -1.0):
        _hairs(strokes, shape, side, size, rng)
        _underlay(shade, shape, side)
    hairs = strokes.draw(np.zeros(size, np.float32))
    soft = shade.draw(np.zeros(size, np.float32))
    blurred = cv2.GaussianBlur(hairs, (0, 0), max(0.4, 0.010 * texels_per_dm(size)))
    # Hairs are finer than texels: their blurred sum is what a camera sees, the sharp ones only give it grain.
    ink = 0.70 * hairs + 0.62 * blurred + shape.underlay * soft * (0.3 + 0.7 * blurred)
    return np.asarray(np.minimum(ink, 0.93), np.float32)


def _centre(
    u: NDArray[np.float64], shape: BrowShape
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Theta, y of the middle of the brow and its half thickness at u in 0 (inner end) .. 1 (tip of the tail)."""
    line, inner, outer = brow_line()
    start = inner + shape.inner - 0.015
    theta = start + (outer + shape.tail - start) * u
    half = shape.half * np.interp(u, (0, 0.12, 0.45, 0.75, 1), (0.60, 0.95, 1.0, 0.66, 0.22))
    lift = shape.arch * np.exp(-(((u - 0.62) / 0.22) ** 2)) - 0.25 * np.maximum(u - 0.85, 0) ** 2
    # The landmarks are to lie a little above the middle.
    inside = np.clip(theta, inner, outer)
    slope = np.polyval(np.polyder(line), inside)
    return theta, np.polyval(line, inside) + slope * (theta - inside) * 0.8 + lift - 0.45 * half, half


def _hairs(strokes: Strokes, shape: BrowShape, side: float, size: Size, rng: np.random.Generator) -> None:
    n = shape.hairs
    u = rng.beta(1.05, 1.25, n)
    theta, y, half = _centre(u, shape)
    across = np.clip(rng.normal(0, 0.5, n), -1, 1)
    y = y + across * half
    # Up at the inner end, along the brow in the middle; rows above and below the middle lean towards it.
    angle = np.interp(u, (0, 0.18, 0.4, 0.7, 1), (1.15, 0.75, 0.35, -0.12, -0.5)) - 0.35 * across * (u > 0.15)
    angle = angle + rng.normal(0, shape.unruly, n)
    length = rng.uniform(0.028, 0.052, n) * (1 - 0.3 * u)
    start = np.stack([side * theta, y - 0.5 * length * np.sin(angle)], axis=1)
    end = start + np.stack([side * length * np.cos(angle), length * np.sin(angle)], axis=1)
    strokes.segments(to_texels(start, size), to_texels(end, size), 0.0042, shape.strength * rng.uniform(0.5, 1.0, n))


def _underlay(shade: Strokes, shape: BrowShape, side: float) -> None:
    theta, y, half = _centre(np.linspace(0.04, 0.95, 12), shape)
    for i in range(11):
        points = [(side * float(theta[k]), float(y[k])) for k in (i, i + 1)]
        shade.line(points, float(half[i]) * 0.62, 1.0, taper=0)
