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
from numpy.typing import NDArray

from omokage.errors import InputError
from omokage.synthesis.scene import BACKGROUNDS, Surroundings

Floats = NDArray[np.float32]
Draw = np.random.Generator
Colour = tuple[float, float, float]


def paint_backdrop(surroundings: Surroundings, n: int) -> Floats:
    """The backdrop (n, n, 3) float32 of this style and seed. Raises InputError on an unknown style."""
    if surroundings.style not in _STYLES:
        raise InputError(
            f"the scene's background style {surroundings.style!r} is unknown; choose one of {', '.join(BACKGROUNDS)}"
        )
    rng = np.random.default_rng((surroundings.seed, 31))
    picture = _STYLES[surroundings.style](rng, n)
    return np.maximum(picture, np.float32(0.003))


def _tone(rng: Draw, low: float = 0.04, high: float = 0.7, spread: float = 0.22) -> Colour:
    """A surface colour: mostly grey to beige and brown, as walls, wood and cloth are; now and then any colour."""
    level = rng.uniform(low**0.5, high**0.5) ** 2
    if rng.random() < min(spread, 0.4):
        shift = rng.normal(0.0, 0.3, 3)
    else:
        warm, tint = rng.normal(0.1, 0.7 * spread), rng.normal(0.0, 0.2 * spread)
        shift = np.array([warm, tint, -1.3 * warm])
    r, g, b = np.clip(level * (1.0 + np.clip(shift, -0.8, 0.8)), 0.01, 0.95)
    return float(r), float(g), float(b)


def _scaled(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _polygon(picture: Floats, points: list[tuple[float, float]], colour: Colour) -> None:
    """Fill a polygon given in shares of the picture's side."""
    n = picture.shape[0]
    cv2.fillPoly(picture, [np.round(np.array(points) * n * 16).astype(np.int32)], colour, cv2.LINE_8, 4)


def _box(picture: Floats, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
    n = picture.shape[0]
    corners = [round(v * n) for v in (x0, y0, x1, y1)]
    cv2.rectangle(picture, (corners[0], corners[1]), (corners[2], corners[3]), colour, -1)


def _noise(rng: Draw, n: int, cells: int) -> Floats:
    """Smooth noise (n, n) with about `cells` bumps a side, standard deviation near 0.7."""
    coarse = rng.standard_normal((cells + 2, cells + 2), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (n, n), interpolation=cv2.INTER_CUBIC), np.float32)


def _blurred(picture: Floats, share: float) -> Floats:
    """Out of focus by `share` of the side."""
    sigma = share * picture.shape[0]
    return cv2.GaussianBlur(picture, (0, 0), sigma) if sigma > 0.3 else picture


def _shaded(picture: Floats, rng: Draw, strength: float) -> Floats:
    """A lamp somewhere: brightness falls off across the picture."""
    n = picture.shape[0]
    along = np.linspace(-1.0, 1.0, n, dtype=np.float32)
    slope = rng.normal(0.0, strength, 2)
    picture *= np.exp(np.float32(slope[0]) * along[None, :] + np.float32(slope[1]) * along[:, None])[..., None]
    return picture


def room(rng: Draw, n: int) -> Floats:
    """Walls in perspective with a corner, floor and ceiling, then windows, doors, shelves, frames, curtains and
    furniture.
    """
    picture = np.empty((n, n, 3), np.float32)
    wall = _tone(rng, 0.15, 0.75, 0.12)
    left, right = sorted((rng.uniform(-0.6, 0.45), rng.uniform(0.55, 1.6)))
    top, bottom = rng.uniform(-0.5, 0.18), rng.uniform(0.75, 1.6)
    picture[:] = wall
    far = 1.2
    _polygon(
        picture, [(left, top), (right, top), (right + far, top - far), (left - far, top - far)], _scaled(wall, 1.25)
    )
    floor = _tone(rng, 0.05, 0.4)
    _polygon(picture, [(left, bottom), (right, bottom), (right + far, bottom + far), (left - far, bottom + far)], floor)
    sides = rng.uniform(0.55, 1.1, 2)
    _polygon(
        picture,
        [(left, top), (left, bottom), (left - far, bottom + far), (left - far, top - far)],
        _scaled(wall, sides[0]),
    )
    _polygon(
        picture,
        [(right, top), (right, bottom), (right + far, bottom + far), (right + far, top - far)],
        _scaled(wall, sides[1]),
    )
    things: tuple[Callable[[Draw, Floats], None], ...] = (_window, _shelf, _frame, _door, _curtain, _furniture, _lamp)
    share = np.array([0.24, 0.2, 0.18, 0.1, 0.08, 0.14, 0.06])
    for i in rng.choice(len(things), rng.integers(1, 6), p=share):
        things[int(i)](rng, picture)
    return _blurred(_shaded(picture, rng, 0.3), float(rng.choice([0.004, 0.012, 0.03, 0.05])))


def _window(rng: Draw, picture: Floats) -> None:
    x, y = rng.uniform(-0.2, 0.9), rng.uniform(-0.1, 0.3)
    w, h = rng.uniform(0.2, 0.5), rng.uniform(0.3, 0.7)
    frame = _tone(rng, 0.1, 0.8, 0.05)
    _box(picture, x - 0.02, y - 0.02, x + w + 0.02, y + h + 0.02, frame)
    bright = rng.uniform(0.8, 2.6)
    _box(picture, x, y, x + w, y + h, (bright * 0.88, bright * 0.96, bright * 1.08))
    if rng.random() < 0.6:  # something outside
        _box(
            picture,
            x,
            y + h * rng.uniform(0.4, 0.8),
            x + w,
            y + h,
            _scaled((0.22, 0.3, 0.18), bright * rng.uniform(0.5, 1.2)),
        )
    if rng.random() < 0.35:  # blinds
        for k in range(9):
            _box(picture, x, y + h * k / 9, x + w, y + h * (k + 0.4) / 9, frame)
    else:
        _box(picture, x + w / 2 - 0.008, y, x + w / 2 + 0.008, y + h, frame)


def _shelf(rng: Draw, picture: Floats) -> None:
    x, y = rng.uniform(-0.2, 0.7), rng.uniform(-0.1, 0.5)
    w, board = rng.uniform(0.25, 0.7), _tone(rng, 0.03, 0.5)
    height = rng.uniform(0.1, 0.2)
    for row in range(rng.integers(1, 5)):
        base = y + row * height
        _box(picture, x, base - height * 0.92, x + w, base, _scaled(board, 0.5))
        at = x
        while at < x + w:
            thick = rng.uniform(0.012, 0.045)
            if rng.random() < 0.85:
                _box(
                    picture,
                    at,
                    base - height * rng.uniform(0.45, 0.85),
                    min(at + thick, x + w),
                    base,
                    _tone(rng, 0.02, 0.6, 0.3),
                )
            at += thick + 0.002
        _box(picture, x, base, x + w, base + 0.014, board)


def _frame(rng: Draw, picture: Floats) -> None:
    x, y, w, h = rng.uniform(-0.1, 0.9), rng.uniform(0.0, 0.5), rng.uniform(0.1, 0.35), rng.uniform(0.1, 0.35)
    _box(picture, x, y, x + w, y + h, _tone(rng, 0.01, 0.6))
    _box(picture, x + 0.015, y + 0.015, x + w - 0.015, y + h - 0.015, _tone(rng, 0.05, 0.8, 0.3))
    for _ in range(rng.integers(0, 4)):
        cx, cy, r = x + w * rng.uniform(0.2, 0.8), y + h * rng.uniform(0.2, 0.8), min(w, h) * rng.uniform(0.08, 0.3)
        n = picture.shape[0]
        cv2.circle(picture, (int(cx * n), int(cy * n)), max(int(r * n), 1), _tone(rng, 0.02, 0.8, 0.5), -1)


def _door(rng: Draw, picture: Floats) -> None:
    x, w, y = rng.uniform(-0.2, 0.9), rng.uniform(0.22, 0.4), rng.uniform(-0.1, 0.3)
    colour = _tone(rng, 0.05, 0.7)
    _box(picture, x - 0.02, y - 0.02, x + w + 0.02, 1.0, _scaled(colour, 1.3))
    _box(picture, x, y, x + w, 1.0, colour)
    for top in (0.08, 0.5):
        _box(picture, x + w * 0.18, y + top, x + w * 0.82, y + top + 0.3, _scaled(colour, 0.85))


def _curtain(rng: Draw, picture: Floats) -> None:
    x, w = rng.uniform(-0.2, 0.9), rng.uniform(0.15, 0.5)
    colour = _tone(rng, 0.08, 0.7, 0.35)
    folds = rng.integers(5, 16)
    for k in range(folds):
        _box(
            picture,
            x + w * k / folds,
            0.0,
            x + w * (k + 1) / folds,
            1.0,
            _scaled(colour, 0.75 + 0.35 * math.sin(k * 2.1)),
        )


def _furniture(rng: Draw, picture: Floats) -> None:
    x, y, w = rng.uniform(-0.3, 0.8), rng.uniform(0.55, 0.95), rng.uniform(0.2, 0.8)
    colour = _tone(rng, 0.02, 0.5, 0.3)
    _box(picture, x, y, x + w, 1.0, colour)
    _box(picture, x, y, x + w, y + 0.04, _scaled(colour, 1.35))


def _lamp(rng: Draw, picture: Floats) -> None:
    n = picture.shape[0]
    centre = (int(rng.uniform(0.0, 1.0) * n), int(rng.uniform(0.0, 0.5) * n))
    glow = np.zeros((n, n), np.float32)
    cv2.circle(glow, centre, max(int(rng.uniform(0.02, 0.07) * n), 1), 1.0, -1)
    halo = cv2.GaussianBlur(glow, (0, 0), 0.08 * n)
    warm = np.array([1.0, 0.82, 0.58], np.float32)
    picture += (glow * np.float32(2.5) + halo * np.float32(1.5))[..., None] * warm


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
    picture += np.clip(_noise(rng, n, 5), 0, 1)[..., None] * np.float32(rng.uniform(0, 0.25) * bright)
    ground = np.array(
        [(0.1, 0.16, 0.05), (0.3, 0.26, 0.2), (0.17, 0.17, 0.18), (0.4, 0.34, 0.24)][rng.integers(4)], np.float32
    )
    ground = ground * np.float32(bright * rng.uniform(0.5, 1.0))
    below = rows[:, 0] > horizon
    grain = 0.08 * _noise(rng, n, max(n // 3, 4)) + 0.1 * _noise(rng, n, 9)
    picture[below[:, 0]] = ground * (1 + grain[below[:, 0], :, None])
    kind = rng.integers(4)
    if kind == 0:
        _houses(rng, picture, horizon, bright)
    elif kind < 3:
        _foliage(rng, picture, horizon, bright)
    else:
        _hills(rng, picture, horizon, bright)
    return _blurred(picture, float(rng.choice([0.004, 0.012, 0.025, 0.05])))


def _houses(rng: Draw, picture: Floats, horizon: float, bright: float) -> None:
    at = rng.uniform(-0.3, 0.0)
    while at < 1.0:
        w, h = rng.uniform(0.12, 0.4), rng.uniform(0.15, 0.8)
        colour = _scaled(_tone(rng, 0.08, 0.6, 0.15), bright)
        _box(picture, at, horizon - h, at + w, horizon + 0.05, colour)
        step = rng.uniform(0.04, 0.08)
        glass = _scaled(colour, rng.choice([0.35, 0.5, 1.5]))
        for y in np.arange(horizon - h + step / 2, horizon - step / 2, step):
            for x in np.arange(at + step / 2, at + w - step / 2, step):
                _box(picture, float(x), float(y), float(x) + step * 0.45, float(y) + step * 0.55, glass)
        at += w + rng.uniform(-0.02, 0.1)


def _foliage(rng: Draw, picture: Floats, horizon: float, bright: float) -> None:
    """Leaves: noise of two sizes, dark and light green, with sky in the gaps."""
    n = picture.shape[0]
    mass = _noise(rng, n, 4) + 0.5 * _noise(rng, n, 18)
    rows = np.linspace(0.0, 1.0, n, dtype=np.float32)[:, None]
    reach = np.float32(horizon - rng.uniform(0.2, 0.9))
    cover = np.clip((mass * 0.35 + (rows - reach) * 4.0) * 4.0, 0, 1) * np.clip((horizon + 0.06 - rows) * 30, 0, 1)
    clumps, twigs = _noise(rng, n, 14), _noise(rng, n, max(n // 4, 8))
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
        _box(picture, x, 0.0, x + w, horizon + 0.1, _scaled((0.06, 0.045, 0.03), bright))


def _hills(rng: Draw, picture: Floats, horizon: float, bright: float) -> None:
    for k in range(3):
        xs = np.linspace(-0.1, 1.1, 30)
        height = horizon - (0.3 - 0.1 * k) * (0.4 + 0.3 * np.sin(xs * rng.uniform(2, 9) + rng.uniform(0, 6)))
        haze = (0.35 + 0.1 * (1 - k), 0.42 + 0.06 * (1 - k), 0.38 + 0.14 * (1 - k))
        colour = _scaled(haze, bright * (0.9 - 0.25 * k))
        _polygon(
            picture,
            [*zip(xs.tolist(), height.tolist(), strict=True), (1.1, horizon + 0.03), (-0.1, horizon + 0.03)],
            colour,
        )


def studio(rng: Draw, n: int) -> Floats:
    """Paper of one colour, lit from a corner or with a halo behind the head."""
    colour = np.array(_tone(rng, 0.02, 0.85, 0.15), np.float32)
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / np.float32(n) - np.float32(0.5)
    cx, cy = rng.normal(0, 0.3, 2)
    spread = rng.uniform(0.25, 1.2)
    halo = np.exp(-((x - np.float32(cx)) ** 2 + (y - np.float32(cy)) ** 2) / np.float32(spread**2))
    low = rng.uniform(0.2, 0.9)
    cloudy = 1.0 + rng.choice([0.0, 0.06, 0.15]) * _noise(rng, n, 6)
    lit = np.asarray((low + (1.1 - low) * halo) * cloudy, np.float32)
    return lit[..., None] * colour


def bokeh(rng: Draw, n: int) -> Floats:
    """City lights far out of focus: discs of light over a dark blur."""
    base = np.array(_tone(rng, 0.008, 0.09, 0.25), np.float32)
    picture = np.clip(1 + 0.6 * _noise(rng, n, 4), 0.1, 3)[..., None].astype(np.float32) * base
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
    return _blurred(picture, 0.006)


def clutter(rng: Draw, n: int) -> Floats:
    """Things of no particular kind, sharp or soft: boxes, discs, lines, letters, textures."""
    picture = np.full((n, n, 3), _tone(rng), np.float32)
    picture *= np.clip(1 + 0.3 * _noise(rng, n, int(rng.integers(3, 40))), 0.2, 2)[..., None]
    for _ in range(rng.integers(8, 45)):
        x, y = rng.uniform(-0.1, 1.1, 2)
        colour, pick = _tone(rng, 0.01, 0.9, 0.4), rng.random()
        centre = (int(x * n), int(y * n))
        if pick < 0.4:
            a, (w, h) = rng.choice([0.0, rng.uniform(0, 3.1)]), rng.uniform(0.03, 0.4, 2)
            turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
            corners = np.array([(-w, -h), (w, -h), (w, h), (-w, h)]) / 2 @ turn.T + (x, y)
            _polygon(picture, [(float(p), float(q)) for p, q in corners], colour)
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
    return _blurred(_shaded(picture, rng, 0.25), float(rng.choice([0.0, 0.004, 0.012, 0.03])))


def crowd(rng: Draw, n: int) -> Floats:
    """Other people far out of focus: heads with hair over shoulders, nearer ones lower and larger."""
    picture = outdoor(rng, n) if rng.random() < 0.5 else room(rng, n)
    level = float(picture.mean())
    for y in np.sort(rng.uniform(0.2, 0.95, rng.integers(3, 12))):
        x, r = rng.uniform(0, 1), 0.035 + 0.07 * float(y)
        skin = np.array([0.5, 0.31, 0.22]) * rng.uniform(0.15, 1.1) * (0.4 + level)
        cloth, hair = _scaled(_tone(rng, 0.02, 0.7, 0.4), 0.4 + level), _scaled(_tone(rng, 0.01, 0.15), 0.4 + level)
        c = (int(x * n), int(float(y) * n))
        cv2.ellipse(
            picture, (c[0], int((float(y) + 3.0 * r) * n)), (int(2.0 * r * n), int(1.8 * r * n)), 0, 0, 360, cloth, -1
        )
        cv2.ellipse(
            picture, (c[0], int((float(y) - 0.25 * r) * n)), (int(0.9 * r * n), int(1.05 * r * n)), 0, 0, 360, hair, -1
        )
        cv2.ellipse(picture, c, (int(0.72 * r * n), int(r * n)), 0, 0, 360, tuple(skin.tolist()), -1)
    return _blurred(picture, float(rng.uniform(0.022, 0.06)))


def plain(rng: Draw, n: int) -> Floats:
    """A bare wall, slightly uneven, as behind a passport photograph."""
    colour = np.array(_tone(rng, 0.1, 0.85, 0.08), np.float32)
    picture = np.ones((n, n, 1), np.float32) * colour
    if rng.random() < 0.5:
        picture *= (1 + 0.03 * _noise(rng, n, max(n // 3, 2)))[..., None]
    return _shaded(picture, rng, 0.15)


_STYLES: dict[str, Callable[[Draw, int], Floats]] = {
    "room": room, "outdoor": outdoor, "studio": studio, "bokeh": bokeh, "clutter": clutter, "crowd": crowd,
    "plain": plain,
}  # fmt: skip
