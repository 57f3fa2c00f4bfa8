"""What stands behind the head: rooms, open air, studio paper, city lights, clutter, crowds and plain walls, all
drawn from a seed.

A backdrop holds relative radiance, linear RGB: about 0.02..0.8 for surfaces, above 1 for windows, sky and lamps.
`light.py` takes the ambient light from the same picture, so that the face and what is behind it agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from omokage.errors import InputError
from omokage.synthesis.brush import Draw, Floats, blurred, box, noise, polygon, scaled, shaded, tone
from omokage.synthesis.rooms import room
from omokage.synthesis.scene import BACKGROUNDS, Surroundings


def paint_backdrop(surroundings: Surroundings, n: int) -> Floats:
    """The backdrop (n, n, 3) float32 of this style and seed. Raises InputError on an unknown style."""
    if surroundings.style not in _STYLES:
        raise InputError(
            f"the scene's background style {surroundings.style!r} is unknown; choose one of {', '.join(BACKGROUNDS)}"
        )
    rng = np.random.default_rng((surroundings.seed, 31))
    picture = _STYLES[surroundings.style](rng, n)
    return np.maximum(picture, np.float32(0.003))


def outdoor(rng: Draw, n: int) -> Floats:
    """Sky, then hills, houses or trees on the horizon, then grass, sand or street."""
    horizon = rng.uniform(0.2, 0.85)
    rows = np.linspace(0.0, 1.0, n, dtype=np.float32)[:, None, None]
    bright = rng.uniform(0.5, 1.6)
    high = np.array(
        [(0.32, 0.5, 0.85), (0.62, 0.68, 0.76), (0.75, 0.78, 0.8)][rng.integers(3)], np.float32
    ) * np.float32(bright)
    low = np.array([0.8, 0.86, 0.92], np.float32) * np.float32(bright)
    picture = np.repeat(high + (low - high) * np.clip(rows / np.float32(horizon), 0, 1), n, axis=1)
    picture += np.clip(noise(rng, n, 5), 0, 1)[..., None] * np.float32(rng.uniform(0, 0.25) * bright)
    ground = np.array(
        [(0.1, 0.16, 0.05), (0.3, 0.26, 0.2), (0.17, 0.17, 0.18), (0.4, 0.34, 0.24)][rng.integers(4)], np.float32
    )
    ground = ground * np.float32(bright * rng.uniform(0.5, 1.0))
    below = rows[:, 0] > horizon
    grain = 0.08 * noise(rng, n, max(n // 3, 4)) + 0.1 * noise(rng, n, 9)
    picture[below[:, 0]] = ground * (1 + grain[below[:, 0], :, None])
    kind = rng.integers(4)
    if kind == 0:
        _houses(rng, picture, horizon, bright)
    elif kind < 3:
        _foliage(rng, picture, horizon, bright)
    else:
        _hills(rng, picture, horizon, bright)
    return blurred(picture, float(rng.choice([0.004, 0.012, 0.025, 0.05])))


def _houses(rng: Draw, picture: Floats, horizon: float, bright: float) -> None:
    at = rng.uniform(-0.3, 0.0)
    while at < 1.0:
        w, h = rng.uniform(0.12, 0.4), rng.uniform(0.15, 0.8)
        colour = scaled(tone(rng, 0.08, 0.6, 0.15), bright)
        box(picture, at, horizon - h, at + w, horizon + 0.05, colour)
        step = rng.uniform(0.04, 0.08)
        glass = scaled(colour, rng.choice([0.35, 0.5, 1.5]))
        for y in np.arange(horizon - h + step / 2, horizon - step / 2, step):
            for x in np.arange(at + step / 2, at + w - step / 2, step):
                box(picture, float(x), float(y), float(x) + step * 0.45, float(y) + step * 0.55, glass)
        at += w + rng.uniform(-0.02, 0.1)


def _foliage(rng: Draw, picture: Floats, horizon: float, bright: float) -> None:
    """Leaves: noise of two sizes, dark and light green, with sky in the gaps."""
    n = picture.shape[0]
    mass = noise(rng, n, 4) + 0.5 * noise(rng, n, 18)
    rows = np.linspace(0.0, 1.0, n, dtype=np.float32)[:, None]
    reach = np.float32(horizon - rng.uniform(0.2, 0.9))
    cover = np.clip((mass * 0.35 + (rows - reach) * 4.0) * 4.0, 0, 1) * np.clip((horizon + 0.06 - rows) * 30, 0, 1)
    clumps, twigs = noise(rng, n, 14), noise(rng, n, max(n // 4, 8))
    lit = np.clip(
        0.45 + 0.3 * clumps + 0.3 * (clumps - np.roll(clumps, -max(n // 40, 1), axis=0)) + 0.25 * twigs, 0.05, 1.5
    )
    leaf = np.array([(0.09, 0.16, 0.045), (0.13, 0.17, 0.07), (0.07, 0.11, 0.05), (0.2, 0.15, 0.06)], np.float32)
    leaf = leaf[rng.choice(4, p=[0.35, 0.3, 0.25, 0.1])]
    sunny = np.array([0.1, 0.09, 0.0], np.float32) * np.clip(lit - 0.8, 0, 1)[..., None]
    leaves = (lit[..., None] * leaf + sunny).astype(np.float32) * np.float32(bright)
    picture += (leaves - picture) * cover[..., None].astype(np.float32)
    for _ in range(rng.integers(0, 4)):
        x, w = rng.uniform(0, 1), rng.uniform(0.01, 0.05)
        box(picture, x, 0.0, x + w, horizon + 0.1, scaled((0.06, 0.045, 0.03), bright))


def _hills(rng: Draw, picture: Floats, horizon: float, bright: float) -> None:
    for k in range(3):
        xs = np.linspace(-0.1, 1.1, 30)
        height = horizon - (0.3 - 0.1 * k) * (0.4 + 0.3 * np.sin(xs * rng.uniform(2, 9) + rng.uniform(0, 6)))
        haze = (0.35 + 0.1 * (1 - k), 0.42 + 0.06 * (1 - k), 0.38 + 0.14 * (1 - k))
        colour = scaled(haze, bright * (0.9 - 0.25 * k))
        polygon(
            picture,
            [*zip(xs.tolist(), height.tolist(), strict=True), (1.1, horizon + 0.03), (-0.1, horizon + 0.03)],
            colour,
        )


def studio(rng: Draw, n: int) -> Floats:
    """Paper of one colour, lit from a corner or with a halo behind the head."""
    colour = np.array(tone(rng, 0.02, 0.85, 0.15), np.float32)
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / np.float32(n) - np.float32(0.5)
    cx, cy = rng.normal(0, 0.3, 2)
    spread = rng.uniform(0.25, 1.2)
    halo = np.exp(-((x - np.float32(cx)) ** 2 + (y - np.float32(cy)) ** 2) / np.float32(spread**2))
    low = rng.uniform(0.2, 0.9)
    cloudy = 1.0 + rng.choice([0.0, 0.06, 0.15]) * noise(rng, n, 6)
    lit = np.asarray((low + (1.1 - low) * halo) * cloudy, np.float32)
    return lit[..., None] * colour


def bokeh(rng: Draw, n: int) -> Floats:
    """City lights far out of focus: discs of light over a dark blur."""
    base = np.array(tone(rng, 0.008, 0.09, 0.25), np.float32)
    picture = np.clip(1 + 0.6 * noise(rng, n, 4), 0.1, 3)[..., None].astype(np.float32) * base
    radius = rng.uniform(0.015, 0.07)
    for _ in range(rng.integers(8, 50)):
        disc = rng.uniform(0.1, 1.2) * np.clip(np.array([1.0, 0.8, 0.55]) + rng.normal(0, 0.35, 3), 0.05, 1.6)
        x, y, r = int(rng.uniform(0, n)), int(rng.uniform(0, n)), max(int(radius * n * rng.uniform(0.7, 1.2)), 1)
        layer = picture[max(y - r, 0) : y + r + 1, max(x - r, 0) : x + r + 1]
        rows, cols = np.ogrid[
            max(y - r, 0) - y : layer.shape[0] + max(y - r, 0) - y,
            max(x - r, 0) - x : layer.shape[1] + max(x - r, 0) - x,
        ]
        inside = np.clip(r + 0.5 - np.sqrt(rows**2 + cols**2), 0, 1)
        layer += (inside[..., None] * disc).astype(np.float32)
    return blurred(picture, 0.006)


def clutter(rng: Draw, n: int) -> Floats:
    """Things of no particular kind, sharp or soft: boxes, discs, lines, letters, textures."""
    picture = np.full((n, n, 3), tone(rng), np.float32)
    picture *= np.clip(1 + 0.3 * noise(rng, n, int(rng.integers(3, 40))), 0.2, 2)[..., None]
    for _ in range(rng.integers(8, 45)):
        x, y = rng.uniform(-0.1, 1.1, 2)
        colour, pick = tone(rng, 0.01, 0.9, 0.4), rng.random()
        centre = (int(x * n), int(y * n))
        if pick < 0.4:
            a, (w, h) = rng.choice([0.0, rng.uniform(0, 3.1)]), rng.uniform(0.03, 0.4, 2)
            turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
            corners = np.array([(-w, -h), (w, -h), (w, h), (-w, h)]) / 2 @ turn.T + (x, y)
            polygon(picture, [(float(p), float(q)) for p, q in corners], colour)
        elif pick < 0.65:
            axes = tuple(int(v * n) + 1 for v in rng.uniform(0.01, 0.18, 2))
            cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
        elif pick < 0.85:
            end = (int(rng.uniform(0, n)), int(rng.uniform(0, n)))
            cv2.line(picture, centre, end, colour, max(1, int(rng.uniform(0.003, 0.03) * n)))
        else:
            word = "".join(chr(int(c)) for c in rng.integers(65, 91, rng.integers(1, 6)))
            cv2.putText(
                picture,
                word,
                centre,
                cv2.FONT_HERSHEY_SIMPLEX,
                n / 128 * rng.uniform(0.3, 1.5),
                colour,
                max(1, n // 100),
            )
    return blurred(shaded(picture, rng, 0.25), float(rng.choice([0.0, 0.004, 0.012, 0.03])))


def crowd(rng: Draw, n: int) -> Floats:
    """Other people far out of focus: heads with hair over shoulders, nearer ones lower and larger."""
    picture = outdoor(rng, n) if rng.random() < 0.5 else room(rng, n)
    level = float(picture.mean())
    for y in np.sort(rng.uniform(0.2, 0.95, rng.integers(3, 12))):
        x, r = rng.uniform(0, 1), 0.035 + 0.07 * float(y)
        skin = np.array([0.5, 0.31, 0.22]) * rng.uniform(0.15, 1.1) * (0.4 + level)
        cloth, hair = scaled(tone(rng, 0.02, 0.7, 0.4), 0.4 + level), scaled(tone(rng, 0.01, 0.15), 0.4 + level)
        c = (int(x * n), int(float(y) * n))
        cv2.ellipse(
            picture, (c[0], int((float(y) + 3.0 * r) * n)), (int(2.0 * r * n), int(1.8 * r * n)), 0, 0, 360, cloth, -1
        )
        cv2.ellipse(
            picture, (c[0], int((float(y) - 0.25 * r) * n)), (int(0.9 * r * n), int(1.05 * r * n)), 0, 0, 360, hair, -1
        )
        cv2.ellipse(picture, c, (int(0.72 * r * n), int(r * n)), 0, 0, 360, tuple(skin.tolist()), -1)
    return blurred(picture, float(rng.uniform(0.022, 0.06)))


def plain(rng: Draw, n: int) -> Floats:
    """A bare wall, slightly uneven, as behind a passport photograph."""
    colour = np.array(tone(rng, 0.1, 0.85, 0.08), np.float32)
    picture = np.ones((n, n, 1), np.float32) * colour
    if rng.random() < 0.5:
        picture *= (1 + 0.03 * noise(rng, n, max(n // 3, 2)))[..., None]
    return shaded(picture, rng, 0.15)


_STYLES: dict[str, Callable[[Draw, int], Floats]] = {
    "room": room, "outdoor": outdoor, "studio": studio, "bokeh": bokeh, "clutter": clutter, "crowd": crowd,
    "plain": plain,
}  # fmt: skip
