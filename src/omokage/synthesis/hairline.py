"""Where hair and beard grow: the hairline and the beard's borders on the paint map, shared by the painted scalp and the
ribbons.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.canvas import Floats, Size, grid, noise
from omokage.synthesis.scene import Person

# Height of the hairline over |theta|: forehead, temple, sideburn, over the ear, nape.
_THETA = (0, 0.35, 0.62, 0.85, 1.02, 1.15, 1.35, 1.6, 2.0, 2.5, 3.15)
_HEIGHT = (7.97, 7.95, 7.86, 7.68, 7.52, 7.14, 7.20, 7.42, 6.95, 6.72, 6.68)

Array = NDArray[np.floating]


def hairline(person: Person, theta: Array) -> Array:
    """Rest height of the hairline at angles `theta`; the hairline's own height and corners differ from person to
    person.
    """
    rng = np.random.default_rng((person.seed, 23))
    lower, corner, peak = rng.normal(0, 0.035), rng.normal(0, 0.03), max(0.0, rng.normal(0, 0.03))
    a = np.abs(theta)
    round_off = 0.05 * person.female_perceived
    y = np.interp(a, _THETA, _HEIGHT) + (lower - 0.02 * person.female_perceived) * np.exp(-((a / 0.8) ** 4))
    y = y + (corner - round_off) * np.exp(-(((a - 0.6) / 0.2) ** 2)) - peak * np.exp(-((a / 0.09) ** 2))
    if person.female_perceived > 0.5 or person.age < 14:
        y = y + 0.12 * np.exp(-(((a - 1.13) / 0.12) ** 2))  # no sideburn
    retreat = person.recession
    return np.asarray(y + retreat * (0.36 * np.exp(-(((a - 0.52) / 0.26) ** 2)) + 0.13 * np.exp(-((a / 0.45) ** 2))))


def scalp_density(person: Person, theta: Array, y: Array, edge: float = 0.05) -> Array:
    """Share of full hair 0..1 at rest positions: 0 below the hairline, less on a thinning crown; a bald head keeps its
    ring.
    """
    over = np.clip((y - hairline(person, theta)) / edge + 0.5, 0, 1)
    if person.hair == "bald":
        # Shaved heads keep nothing, balding ones the ring over the ears and down to the nape.
        ring = np.clip((7.78 - y) / 0.34, 0, 1) ** 1.5 * np.clip((np.abs(theta) - 1.10) / 0.35, 0, 1)
        return np.asarray(over * ring * has_ring(person))
    crown = np.exp(-(((y - 8.5) / 0.2) ** 2)) * np.clip((person.recession - 0.45) / 0.5, 0, 1)
    return np.asarray(over * (1 - 0.85 * crown))


def has_ring(person: Person) -> bool:
    """Whether a bald person is bald by age rather than shaved."""
    return bool(person.age > 38 and np.random.default_rng((person.seed, 24)).random() < 0.75)


def scalp_zone(person: Person, size: Size) -> Floats:
    """Coverage (h, w) of the scalp by hair seen from afar: full inside, feathered and noisy at the hairline."""
    rng = np.random.default_rng((person.seed, 25))
    theta, y = grid(size)
    line = hairline(person, theta[0]).astype(np.float32)
    ragged = noise(size, 2.0, rng) * np.float32(0.022) + noise(size, 5, rng) * np.float32(0.018)
    over = y - line + ragged
    if person.hair == "bald":
        shaved = np.clip(over / 0.12, 0, 1) * np.float32(rng.uniform(0.03, 0.22) * (1 - 0.7 * person.grey))
        ring = scalp_density(person, theta, y + 0.6 * ragged, 0.14) * np.float32(0.6 - 0.25 * person.grey)
        return np.asarray(np.maximum(shaved, ring), np.float32)
    soft = 0.10 + 0.12 * person.recession + 0.10 * (person.hair == "buzz")
    cover = np.clip(over / soft + 0.35, 0, 1) * np.clip((y - line) / 0.04 + 1.6, 0, 1)
    if person.recession > 0.45:
        cover = cover * scalp_density(person, theta, y, 1e-3 + 0.3)
    grain = 0.72 + 0.14 * noise(size, 1.0, rng) if person.hair == "buzz" else np.float32(0.93)
    return np.asarray(np.clip(cover * grain, 0, 0.95), np.float32)


def beard_density(person: Person, theta: Array, y: Array) -> Array:
    """Share of full beard growth 0..1 at rest positions for the person's style (stubble and clean-shaven skin: the full
    area).
    """
    a = np.abs(theta)
    rng = np.random.default_rng((person.seed, 26))
    cheek, neck = float(rng.normal(0, 0.035)), float(rng.normal(0.0, 0.03))
    lips = 1 - np.exp(-((a / 0.285) ** 4) - ((y - 6.615) / 0.075) ** 4)
    moustache = _step(y, 6.675, 6.70) * _step(-y, -6.86, -6.80) * _step(-a, -0.36, -0.29) * (y > 6.6)
    full = _step(-y, -6.86, -6.74) * _step(-a, -1.22, -1.08) * _step(y, 5.98 + neck, 6.10 + neck)
    border = 6.60 + cheek + 0.44 * np.clip((a - 0.35) / 0.75, 0, 1)
    full = np.where(a < 0.37, full, full * _step(border - y, 0.0, 0.10))
    bare = 1 - 0.6 * np.exp(-(((a - 0.24) / 0.06) ** 2) - ((y - 6.49) / 0.045) ** 2)  # beside the soul patch
    full = full * bare
    if person.beard == "moustache":
        area = moustache
    elif person.beard == "goatee":
        chin = _step(-a, -0.36, -0.25) * _step(-y, -6.62, -6.52) * _step(y, 6.06, 6.15)
        corners = np.exp(-(((a - 0.335) / 0.05) ** 2)) * _step(-y, -6.74, -6.66) * _step(y, 6.35, 6.42)
        area = np.maximum(np.maximum(chin * bare, moustache), corners)
    else:
        area = full
    return np.asarray(area * lips)


def beard_zone(person: Person, size: Size) -> Floats:
    """Coverage (h, w) by whiskers at full strength, with a noisy border; zeros where none grow (women, children)."""
    if person.beard == "none" and (person.age < 16 or person.female_perceived > 0.5):
        return np.zeros(size, np.float32)
    rng = np.random.default_rng((person.seed, 27))
    theta, y = grid(size)
    area = np.zeros(size, np.float32)
    # Nothing grows above y = 6.95 or behind the jaw.
    lower, middle = slice(int(size[0] * 0.57), size[0]), slice(int(size[1] * 0.30), int(size[1] * 0.70))
    area[lower, middle] = beard_density(person, theta[lower, middle], y[lower, middle])
    patchy = 1 + 0.22 * noise(size, 5, rng) + 0.15 * noise(size, 12, rng)
    return np.asarray(np.clip(area * patchy, 0, 1), np.float32)


def _step(x: Array, low: float, high: float) -> Array:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def hat_line(person: Person, theta: Array) -> Array:
    """Rest height above which the person's hat covers the head at angles `theta` (all of it under a headscarf)."""
    a = np.abs(theta)
    jitter = float(np.random.default_rng((person.seed, 28)).normal(0, 0.03))
    heights = {
        "cap": (7.86, 7.84, 7.66, 7.50, 7.40, 7.36),
        "beanie": (7.80, 7.76, 7.55, 7.30, 7.22, 7.18),
        "brim": (7.84, 7.82, 7.66, 7.52, 7.44, 7.40),
        "scarf": (7.90, 7.80, 6.4, 5.0, 5.0, 5.0),
    }
    if person.hat not in heights:
        return np.full_like(np.asarray(a, np.float64), 99.0)
    return np.asarray(np.interp(a, (0, 0.5, 1.0, 1.6, 2.4, 3.15), heights[person.hat]) + jitter)
