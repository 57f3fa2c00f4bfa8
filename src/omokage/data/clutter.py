"""Procedural pictures without a face: the backgrounds and the stand-ins for everything that is not a head.

Dead leaves (overlapping shapes of power-law sizes, textured) have edge statistics close to photographs (Lee, Mumford
and Huang 2001); stripes, grids, bricks, foliage, wood and text cover what regular scenes add. All pictures are RGB
uint8.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Rng = np.random.Generator
_SKIN = np.array([[232, 190, 172], [205, 150, 120], [160, 105, 75], [110, 70, 50], [70, 45, 35]], np.float64)


def _bytes(values: NDArray[Any]) -> Picture:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def skin_colour(rng: Rng) -> NDArray[np.float64]:
    """A skin colour between the palette's neighbours, jittered; RGB 0..255."""
    i = int(rng.integers(len(_SKIN) - 1))
    share = rng.random()
    mixed = (_SKIN[i] * share + _SKIN[i + 1] * (1 - share)) * rng.normal(1, 0.08, 3)
    return np.asarray(np.clip(mixed, 5, 250))


def colour(rng: Rng) -> NDArray[np.float64]:
    """Any colour, dull ones more often than bright ones; RGB 0..255."""
    base = rng.beta(1.2, 1.2) * 255
    return np.clip(base + rng.normal(0, rng.choice([8, 25, 70]), 3), 0, 255)


def noise(rng: Rng, size: int) -> NDArray[np.float32]:
    """Octaves of value noise with a random slope, (size, size), zero mean and unit spread."""
    total = np.zeros((size, size), np.float32)
    slope = rng.uniform(0.4, 1.0)
    stretch = rng.choice([1, 1, 1, 4, 12])
    for octave in range(1, 8):
        cells = 2**octave
        grid = rng.standard_normal((max(2, min(size, cells * stretch)), max(2, min(size, cells)))).astype(np.float32)
        total += slope**octave * cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        total = np.ascontiguousarray(total.T)
    return np.asarray((total - total.mean()) / (total.std() + 1e-6), np.float32)


def textured(rng: Rng, size: int, base: NDArray[np.float64] | None = None, strength: float | None = None) -> Picture:
    """A patch of one colour with noise of a second one."""
    first = colour(rng) if base is None else base
    second = colour(rng) - first if base is None else rng.normal(0, 30, 3) + rng.normal(0, 25)
    amount = rng.uniform(0.05, 0.5) if strength is None else strength
    return _bytes(first + noise(rng, size)[..., None] * second * amount)


def gradient(rng: Rng, size: int) -> Picture:
    """A smooth passage between four corner colours."""
    corners = np.array([colour(rng) for _ in range(4)], np.float32).reshape(2, 2, 3)
    smooth = cv2.resize(corners, (size, size), interpolation=cv2.INTER_LINEAR)
    return _bytes(smooth + rng.normal(0, 3, (size, size, 1)))


def stripes(rng: Rng, size: int) -> Picture:
    """Waves in one or two directions, sharp or soft: blinds, fences, cloth, tiles."""
    angle, period = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(4), np.log(70)))
    y, x = np.mgrid[:size, :size].astype(np.float32) + 2 * rng.standard_normal() * noise(rng, size)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    if rng.random() < 0.5:
        second = np.sin((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / (period * rng.uniform(0.5, 2)))
        wave = wave * second if rng.random() < 0.5 else np.maximum(wave, second)
    share = np.clip(wave * rng.choice([1.0, 3.0, 20.0]) + rng.uniform(-0.5, 0.5), 0, 1)[..., None]
    return _bytes(textured(rng, size) * share + textured(rng, size) * (1 - share))


def bricks(rng: Rng, size: int) -> Picture:
    """Courses of blocks with joints: walls, shelves of books, windows of a building."""
    picture = textured(rng, size, strength=0.1)
    height, width = int(rng.integers(6, 50)), int(rng.integers(6, 80))
    base, spread = colour(rng), rng.uniform(2, 50)
    gap = int(rng.integers(1, max(2, min(height, width) // 4)))
    for row, y in enumerate(range(0, size, int(height))):
        for x in range(-int(width) * (row % 2) // 2, size, int(width)):
            shade = np.clip(base + rng.normal(0, spread) + rng.normal(0, spread / 3, 3), 0, 255)
            cv2.rectangle(picture, (x, y), (x + int(width) - gap, y + int(height) - gap), shade.tolist(), -1)
    grain = noise(rng, size)[..., None] * rng.uniform(0, 18)
    return _bytes(picture + grain)


def foliage(rng: Rng, size: int) -> Picture:
    """Many small leaves of related colours."""
    picture = textured(rng, size)
    base = (
        colour(rng)
        if rng.random() < 0.4
        else np.array([rng.uniform(20, 110), rng.uniform(60, 160), rng.uniform(10, 70)])
    )
    length = np.exp(rng.uniform(np.log(3), np.log(25)))
    for _ in range(int(min(2500, 1.5 * (size / length) ** 2))):
        centre = tuple(int(v) for v in rng.integers(0, size, 2))
        axes = (int(length * rng.uniform(0.5, 1)), max(1, int(length * rng.uniform(0.1, 0.5))))
        shade = np.clip(base * rng.lognormal(0, 0.35) + rng.normal(0, 10, 3), 0, 255)
        cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 360)), 0, 360, shade.tolist(), -1, cv2.LINE_AA)
    return picture


def text(rng: Rng, size: int) -> Picture:
    """Lines of letters and signs in several faces and sizes."""
    picture = gradient(rng, size) if rng.random() < 0.5 else textured(rng, size, strength=0.05)
    y = 0
    while y < size:
        scale = float(np.exp(rng.uniform(np.log(0.3), np.log(3))))
        y += int(30 * scale)
        letters = "".join(chr(c) for c in rng.integers(33, 122, 40))
        cv2.putText(picture, letters, (int(rng.integers(-60, 60)), y), int(rng.integers(0, 8)), scale,
                    colour(rng).tolist(), max(1, int(scale * 2)), cv2.LINE_AA)  # fmt: skip
    return picture


def random_polygon(rng: Rng, centre: NDArray[np.float64], radius: float) -> NDArray[np.int32]:
    """A closed outline around a centre: smooth blob or few-cornered, (n, 2) pixels."""
    corners = int(rng.choice([3, 4, 4, 5, 6, 24]))
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners)) if corners < 10 else np.linspace(0, 2 * np.pi, corners)
    reach = radius * (
        rng.uniform(0.6, 1.2, corners) if corners < 10 else 1 + 0.25 * np.sin(angle * rng.integers(1, 5) + rng.random())
    )
    across = rng.uniform(0.3, 1.0)
    points = np.stack([np.cos(angle) * reach, np.sin(angle) * reach * across], 1)
    turn = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(turn), np.sin(turn)
    return np.asarray(points @ np.array([[c, s], [-s, c]]) + centre, np.int32)


def dead_leaves(rng: Rng, size: int) -> Picture:
    """Overlapping textured shapes from large to small."""
    picture = textured(rng, size)
    patches = [textured(rng, size) for _ in range(3)] + [stripes(rng, size)]
    many = int(rng.integers(15, 90))
    for radius in np.sort(size * 0.6 * rng.uniform(0.02, 1, many) ** 1.7)[::-1]:
        mask = np.zeros((size, size), np.uint8)
        centre = rng.uniform(0, size, 2)
        if rng.random() < 0.5:
            cv2.fillPoly(mask, [random_polygon(rng, centre, float(radius))], 255, cv2.LINE_AA)
        else:
            axes = (max(1, int(radius)), max(1, int(radius * rng.uniform(0.3, 1))))
            at = (int(centre[0]), int(centre[1]))
            cv2.ellipse(mask, at, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
        x, y, w, h = cv2.boundingRect(mask)
        if not w:
            continue
        part, share = picture[y : y + h, x : x + w], mask[y : y + h, x : x + w, None].astype(np.float32) / 255
        patch = patches[rng.integers(len(patches))][y : y + h, x : x + w] * rng.uniform(0.4, 1.3)
        shade = np.linspace(rng.uniform(0.6, 1.3), rng.uniform(0.6, 1.3), w, dtype=np.float32)[None, :, None]
        tint = skin_colour(rng) if rng.random() < 0.15 else colour(rng)
        filled = (0.35 * patch + 0.65 * tint) * shade
        part[:] = _bytes(part * (1 - share) + filled * share)
    return picture


def hand(rng: Rng, size: int) -> tuple[Picture, NDArray[np.float32]]:
    """A skin-coloured open hand, fist or arm, shaded: picture and alpha (size, size) 0..1."""
    kind = rng.random()
    mask, creases = _fist(rng, size) if kind < 0.4 else ((_palm if kind < 0.7 else _arm)(rng, size), None)
    alpha = cv2.GaussianBlur(mask, (0, 0), max(0.6, size / 120)).astype(np.float32) / 255
    depth = cv2.GaussianBlur(mask, (0, 0), size / 18).astype(np.float32) / 255
    lit = 0.5 + 0.6 * depth + 0.05 * noise(rng, size)
    if creases is not None:
        lit = lit * (1 - rng.uniform(0.3, 0.75) * creases) + rng.uniform(0.1, 0.35) * _slope(rng, size)
    return _bytes(skin_colour(rng) * lit[..., None]), alpha


def _palm(rng: Rng, size: int) -> NDArray[np.uint8]:
    """The outline of a palm with two to five fingers."""
    mask = np.zeros((size, size), np.uint8)
    middle = size / 2
    axes = (int(size * rng.uniform(0.12, 0.2)), int(size * rng.uniform(0.15, 0.25)))
    cv2.ellipse(mask, (int(middle), int(size * 0.62)), axes, 0, 0, 360, 255, -1, cv2.LINE_AA)
    for k in range(int(rng.integers(2, 6))):
        angle = -np.pi / 2 + (k - 2) * rng.uniform(0.1, 0.4)
        start = (int(middle + (k - 2) * size * 0.07), int(size * 0.55))
        reach = size * rng.uniform(0.2, 0.4)
        end = (int(start[0] + np.cos(angle) * reach), int(start[1] + np.sin(angle) * reach))
        cv2.line(mask, start, end, 255, max(1, int(size * rng.uniform(0.05, 0.09))), cv2.LINE_AA)
    return mask


def _arm(rng: Rng, size: int) -> NDArray[np.uint8]:
    """The outline of a bent limb."""
    mask = np.zeros((size, size), np.uint8)
    ends = rng.uniform(0.05, 0.95, (3, 2)) * size
    cv2.polylines(mask, [ends.astype(np.int32)], False, 255, max(2, int(size * rng.uniform(0.08, 0.3))), cv2.LINE_AA)
    return mask


def _fist(rng: Rng, size: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The outline of a closed hand as large as a head, and how deep its creases are (size, size) 0..1: folds between
    the bent fingers, their joints, a thumb across. Dark spots on a rounded patch of skin are what a face is taken from.
    """
    mask, lines = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8)
    wide, high = size * rng.uniform(0.26, 0.36), size * rng.uniform(0.2, 0.34)
    middle, thick = size / 2, max(1, int(size * rng.uniform(0.012, 0.03)))
    bend = float(rng.uniform(-0.3, 0.3))
    edges = np.linspace(-wide, wide, 5)

    def at(x: float, y: float) -> tuple[int, int]:
        return int(middle + x), int(middle + y + bend * x)

    for left, right in itertools.pairwise(edges):
        reach = high * float(rng.uniform(0.85, 1.1))
        axes = (max(1, int((right - left) * 0.62)), max(1, int(reach)))
        cv2.ellipse(mask, at((left + right) / 2, 0), axes, np.degrees(np.arctan(bend)), 0, 360, 255, -1, cv2.LINE_AA)
        for joint in rng.uniform(-0.7, 0.7, int(rng.integers(1, 3))) * reach:
            cv2.line(lines, at(left + 0.2 * (right - left), joint), at(right - 0.2 * (right - left), joint), 255, thick)
    for x in edges[1:-1]:
        cv2.line(lines, at(x, -high * rng.uniform(0.5, 0.95)), at(x, high * rng.uniform(0.3, 0.9)), 255, 2 * thick)
    if rng.random() < 0.7:
        start, end = at(-wide * 0.9, high * rng.uniform(0.1, 0.8)), at(wide * rng.uniform(-0.1, 0.7), high * 0.4)
        width = max(2, int(high * rng.uniform(0.3, 0.5)))
        cv2.line(lines, start, end, 255, width + 3 * thick, cv2.LINE_AA)
        cv2.line(lines, start, end, 0, width, cv2.LINE_AA)
        cv2.line(mask, start, end, 255, width, cv2.LINE_AA)
    if rng.random() < 0.6:  # the wrist
        cv2.line(mask, at(0, high * 0.3), at(wide * rng.uniform(-0.6, 0.6), size * 0.6), 255, int(wide * 1.3))
    soft = cv2.GaussianBlur(lines, (0, 0), max(0.8, size * float(rng.uniform(0.008, 0.02))))
    return mask, (np.asarray(soft) / np.float32(255)).astype(np.float32)


def _slope(rng: Rng, size: int) -> NDArray[np.float32]:
    """Light from one side (size, size), -1..1."""
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.linspace(-0.7, 0.7, size, dtype=np.float32)
    return np.asarray(ramp[None] * np.cos(angle) + ramp[:, None] * np.sin(angle), np.float32)


_KINDS: tuple[tuple[Callable[[Rng, int], Picture], float], ...] = (
    (dead_leaves, 0.42), (textured, 0.12), (gradient, 0.08), (stripes, 0.1), (bricks, 0.1), (foliage, 0.1),
    (text, 0.08),
)  # fmt: skip


def clutter(rng: Rng, size: int) -> Picture:
    """One picture without a face, of a random kind; sometimes out of focus, sometimes two kinds side by side."""
    kinds, shares = zip(*_KINDS, strict=True)
    picture = kinds[rng.choice(len(kinds), p=shares)](rng, size)
    if rng.random() < 0.25:
        other = kinds[rng.choice(len(kinds), p=shares)](rng, size)
        at = int(rng.uniform(0.2, 0.8) * size)
        picture = (
            np.concatenate([picture[:at], other[at:]])
            if rng.random() < 0.5
            else np.hstack([picture[:, :at], other[:, at:]])
        )
    if rng.random() < 0.4:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(np.exp(rng.uniform(-0.5, 2.2)))), np.uint8)
    return np.ascontiguousarray(picture)
