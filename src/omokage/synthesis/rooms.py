"""Rooms as backdrops: walls in perspective and what hangs on them, stands before them or shines into them."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from omokage.synthesis.brush import Draw, Floats, blurred, box, polygon, scaled, shaded, tone


def room(rng: Draw, n: int) -> Floats:
    """Walls in perspective with a corner, floor and ceiling, then windows, doors, shelves, frames, curtains and
    furniture.
    """
    picture = np.empty((n, n, 3), np.float32)
    wall = tone(rng, 0.15, 0.75, 0.12)
    left, right = sorted((rng.uniform(-0.6, 0.45), rng.uniform(0.55, 1.6)))
    top, bottom = rng.uniform(-0.5, 0.18), rng.uniform(0.75, 1.6)
    picture[:] = wall
    far = 1.2
    polygon(picture, [(left, top), (right, top), (right + far, top - far), (left - far, top - far)], scaled(wall, 1.25))
    floor = tone(rng, 0.05, 0.4)
    polygon(picture, [(left, bottom), (right, bottom), (right + far, bottom + far), (left - far, bottom + far)], floor)
    sides = rng.uniform(0.55, 1.1, 2)
    polygon(
        picture,
        [(left, top), (left, bottom), (left - far, bottom + far), (left - far, top - far)],
        scaled(wall, sides[0]),
    )
    polygon(
        picture,
        [(right, top), (right, bottom), (right + far, bottom + far), (right + far, top - far)],
        scaled(wall, sides[1]),
    )
    things: tuple[Callable[[Draw, Floats], None], ...] = (_window, _shelf, _frame, _door, _curtain, _furniture, _lamp)
    share = np.array([0.24, 0.2, 0.18, 0.1, 0.08, 0.14, 0.06])
    for i in rng.choice(len(things), rng.integers(1, 6), p=share):
        things[int(i)](rng, picture)
    return blurred(shaded(picture, rng, 0.3), float(rng.choice([0.004, 0.012, 0.03, 0.05])))


def _window(rng: Draw, picture: Floats) -> None:
    x, y = rng.uniform(-0.2, 0.9), rng.uniform(-0.1, 0.3)
    w, h = rng.uniform(0.2, 0.5), rng.uniform(0.3, 0.7)
    frame = tone(rng, 0.1, 0.8, 0.05)
    box(picture, x - 0.02, y - 0.02, x + w + 0.02, y + h + 0.02, frame)
    bright = rng.uniform(0.8, 2.6)
    box(picture, x, y, x + w, y + h, (bright * 0.88, bright * 0.96, bright * 1.08))
    if rng.random() < 0.6:  # something outside
        box(
            picture,
            x,
            y + h * rng.uniform(0.4, 0.8),
            x + w,
            y + h,
            scaled((0.22, 0.3, 0.18), bright * rng.uniform(0.5, 1.2)),
        )
    if rng.random() < 0.35:  # blinds
        for k in range(9):
            box(picture, x, y + h * k / 9, x + w, y + h * (k + 0.4) / 9, frame)
    else:
        box(picture, x + w / 2 - 0.008, y, x + w / 2 + 0.008, y + h, frame)


def _shelf(rng: Draw, picture: Floats) -> None:
    x, y = rng.uniform(-0.2, 0.7), rng.uniform(-0.1, 0.5)
    w, board = rng.uniform(0.25, 0.7), tone(rng, 0.03, 0.5)
    height = rng.uniform(0.1, 0.2)
    for row in range(rng.integers(1, 5)):
        base = y + row * height
        box(picture, x, base - height * 0.92, x + w, base, scaled(board, 0.5))
        at = x
        while at < x + w:
            thick = rng.uniform(0.012, 0.045)
            if rng.random() < 0.85:
                box(
                    picture,
                    at,
                    base - height * rng.uniform(0.45, 0.85),
                    min(at + thick, x + w),
                    base,
                    tone(rng, 0.02, 0.6, 0.3),
                )
            at += thick + 0.002
        box(picture, x, base, x + w, base + 0.014, board)


def _frame(rng: Draw, picture: Floats) -> None:
    x, y, w, h = rng.uniform(-0.1, 0.9), rng.uniform(0.0, 0.5), rng.uniform(0.1, 0.35), rng.uniform(0.1, 0.35)
    box(picture, x, y, x + w, y + h, tone(rng, 0.01, 0.6))
    box(picture, x + 0.015, y + 0.015, x + w - 0.015, y + h - 0.015, tone(rng, 0.05, 0.8, 0.3))
    for _ in range(rng.integers(0, 4)):
        cx, cy, r = x + w * rng.uniform(0.2, 0.8), y + h * rng.uniform(0.2, 0.8), min(w, h) * rng.uniform(0.08, 0.3)
        n = picture.shape[0]
        cv2.circle(picture, (int(cx * n), int(cy * n)), max(int(r * n), 1), tone(rng, 0.02, 0.8, 0.5), -1)


def _door(rng: Draw, picture: Floats) -> None:
    x, w, y = rng.uniform(-0.2, 0.9), rng.uniform(0.22, 0.4), rng.uniform(-0.1, 0.3)
    colour = tone(rng, 0.05, 0.7)
    box(picture, x - 0.02, y - 0.02, x + w + 0.02, 1.0, scaled(colour, 1.3))
    box(picture, x, y, x + w, 1.0, colour)
    for top in (0.08, 0.5):
        box(picture, x + w * 0.18, y + top, x + w * 0.82, y + top + 0.3, scaled(colour, 0.85))


def _curtain(rng: Draw, picture: Floats) -> None:
    x, w = rng.uniform(-0.2, 0.9), rng.uniform(0.15, 0.5)
    colour = tone(rng, 0.08, 0.7, 0.35)
    folds = rng.integers(5, 16)
    for k in range(folds):
        box(
            picture,
            x + w * k / folds,
            0.0,
            x + w * (k + 1) / folds,
            1.0,
            scaled(colour, 0.75 + 0.35 * math.sin(k * 2.1)),
        )


def _furniture(rng: Draw, picture: Floats) -> None:
    x, y, w = rng.uniform(-0.3, 0.8), rng.uniform(0.55, 0.95), rng.uniform(0.2, 0.8)
    colour = tone(rng, 0.02, 0.5, 0.3)
    box(picture, x, y, x + w, 1.0, colour)
    box(picture, x, y, x + w, y + 0.04, scaled(colour, 1.35))


def _lamp(rng: Draw, picture: Floats) -> None:
    n = picture.shape[0]
    centre = (int(rng.uniform(0.0, 1.0) * n), int(rng.uniform(0.0, 0.5) * n))
    glow = np.zeros((n, n), np.float32)
    cv2.circle(glow, centre, max(int(rng.uniform(0.02, 0.07) * n), 1), 1.0, -1)
    halo = cv2.GaussianBlur(glow, (0, 0), 0.08 * n)
    warm = np.array([1.0, 0.82, 0.58], np.float32)
    picture += (glow * np.float32(2.5) + halo * np.float32(1.5))[..., None] * warm
