"""Things that finders take for faces: heads of animals, coins, reliefs, vessels, dials, mugs, sockets, cars.

All are drawn, each call another one. A `lookalike` teaches the finder, the attribute network's `quality` and the check
what is *not* a face; textures alone (`clutter`) leave them with the belief that two dark spots over a bar are one.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.animals import Alpha, animal
from omokage.data.clutter import Picture, Rng, colour, noise, textured

_METALS = np.array(
    [[150, 148, 144], [176, 140, 70], [150, 92, 60], [96, 100, 88], [200, 200, 196], [60, 58, 56]], np.float64
)


def _disc(size: int, at: tuple[float, float], axes: tuple[float, float], angle: float = 0) -> NDArray[np.float32]:
    """A filled ellipse with a smooth rim, (size, size) 0..1."""
    layer = np.zeros((size, size), np.uint8)
    box = ((float(at[0]), float(at[1])), (max(1.0, 2 * float(axes[0])), max(1.0, 2 * float(axes[1]))), float(angle))
    cv2.ellipse(layer, box, 255, -1, cv2.LINE_AA)
    return np.asarray(layer / 255, np.float32)


def _embossed(rng: Rng, height: NDArray[np.float32], tone: NDArray[np.floating]) -> Picture:
    """A height field in pixels under a low light: shading, gloss and the dirt that stays in the hollows."""
    across, down = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125)
    angle, steep = rng.uniform(0, 2 * np.pi), float(rng.uniform(0.5, 1.4))
    length = np.sqrt(across**2 + down**2 + 1)
    shade = (np.cos(angle) * across + np.sin(angle) * down + steep) / length / np.sqrt(1 + steep**2)
    gloss = np.clip(shade, 0, 1) ** float(rng.uniform(8, 40)) * rng.uniform(0, 90)
    dirt = cv2.GaussianBlur(height, (0, 0), 3) - height
    values = tone * (0.25 + 0.9 * np.clip(shade, 0, 1))[..., None] + gloss[..., None]
    return np.asarray(np.clip(values - np.clip(dirt, 0, 2)[..., None] * rng.uniform(0, 25), 0, 255), np.uint8)


def relief(rng: Rng, size: int) -> tuple[Picture, Alpha]:
    """A coin, a medal or a worn stone with a head from the side, an animal, signs or nothing certain on it."""
    half = size / 2
    radius = half * float(rng.uniform(0.75, 0.98))
    disc = _disc(size, (half, half), (radius, radius * float(rng.uniform(0.88, 1))), float(rng.uniform(0, 180)))
    high = size * float(rng.uniform(0.01, 0.06))
    height = disc * high * 0.6
    rim = disc - _disc(size, (half, half), (radius * 0.9, radius * 0.9))
    height += np.clip(rim, 0, 1) * high * float(rng.uniform(0, 0.6))
    kind = rng.random()
    if kind < 0.6:
        figure = _profile(rng, size, radius)
    elif kind < 0.8:
        figure = np.zeros((size, size), np.float32)
        for _ in range(int(rng.integers(3, 9))):
            spot = half + rng.normal(0, radius * 0.3, 2)
            axes = radius * rng.uniform(0.05, 0.35, 2)
            figure = np.maximum(figure, _disc(size, (spot[0], spot[1]), (axes[0], axes[1]), float(rng.uniform(0, 180))))
    else:
        figure = np.zeros((size, size), np.float32)
        letters = "".join(chr(c) for c in rng.integers(48, 91, int(rng.integers(1, 4))))
        scale, at = radius / 25 * float(rng.uniform(0.6, 1.3)), (int(half * 0.5), int(half * 1.3))
        cv2.putText(figure, letters, at, int(rng.integers(0, 8)), scale, 1.0, max(1, int(scale * 3)), cv2.LINE_AA)
    soft = cv2.GaussianBlur(figure, (0, 0), size * float(rng.uniform(0.008, 0.05)))
    height += (0.5 * soft + 0.5 * cv2.GaussianBlur(figure, (0, 0), 1.0)) * disc * high
    if rng.random() < 0.7:
        _lettering(rng, height, half, radius, high)
    wear = noise(rng, size) * high * float(rng.uniform(0.02, 0.25)) * disc
    height = cv2.GaussianBlur(height + wear, (0, 0), size * float(rng.uniform(0.004, 0.015)))
    tone = _METALS[rng.integers(len(_METALS))] * rng.lognormal(0, 0.2) if rng.random() < 0.8 else colour(rng)
    picture = _embossed(rng, height * float(rng.uniform(1, 3)), tone * (1 + 0.08 * noise(rng, size)[..., None]))
    return picture, disc


def _profile(rng: Rng, size: int, radius: float) -> NDArray[np.float32]:
    """A head from the side as heights 0..1: skull, brow, nose, lips, chin, neck, an ear, an eye, curls or a wreath."""
    forehead, nose, lip, chin = rng.uniform([0.3, 0.5, 0.38, 0.36], [0.45, 0.7, 0.5, 0.5])
    outline = np.array(
        [[-0.05, -0.75], [0.2, -0.68], [forehead, -0.4], [forehead + 0.02, -0.2], [forehead - 0.02, -0.14],
         [nose, 0.08], [nose - 0.06, 0.14], [lip - 0.04, 0.16], [lip, 0.24], [lip - 0.06, 0.28], [lip - 0.01, 0.34],
         [chin - 0.06, 0.4], [chin, 0.5], [chin - 0.12, 0.58], [0.05, 0.5], [0.02, 0.72], [0.2, 0.9], [-0.45, 0.9],
         [-0.3, 0.6], [-0.4, 0.3], [-0.58, 0.0], [-0.55, -0.4], [-0.35, -0.66]]
    )  # fmt: skip
    outline += rng.normal(0, 0.012, outline.shape)
    side, scale = (-1 if rng.random() < 0.5 else 1), radius * float(rng.uniform(0.6, 0.95))
    points = outline * np.array([side, 1]) * scale + size / 2 + rng.normal(0, radius * 0.04, 2)
    layer = np.zeros((size, size), np.uint8)
    cv2.fillPoly(layer, [(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    head = layer.astype(np.float32) / 255

    def bump(x: float, y: float, a: float, b: float, value: float) -> None:
        at = (size / 2 + side * x * scale, size / 2 + y * scale)
        np.add(head, value * _disc(size, at, (max(0.6, a * scale), max(0.6, b * scale))), out=head)

    bump(0.22, -0.12, 0.09, 0.04, -float(rng.uniform(0.2, 0.6)))
    bump(0.22, -0.12, 0.04, 0.03, float(rng.uniform(0.2, 0.6)))
    bump(-0.12, 0.0, 0.06, 0.12, float(rng.uniform(0.1, 0.6)))
    bump(0.15, 0.15, 0.18, 0.14, 0.2)
    curls = float(rng.uniform(0.02, 0.08))
    for _ in range(int(rng.integers(15, 40))):
        angle, far = rng.uniform(-0.6, 2.6), rng.uniform(0.25, 0.72)
        x, y = -0.8 * float(np.sin(angle) * far), -float(np.cos(angle) * far)
        bump(x, y, curls, curls * 0.8, float(rng.uniform(0.1, 0.4)))
    return np.asarray(np.clip(head, 0, 1.6), np.float32)


def _lettering(rng: Rng, height: NDArray[np.float32], half: float, radius: float, high: float) -> None:
    """Signs along the rim, as strokes: they are never read, only seen."""
    start, stop = np.sort(rng.uniform(0, 2 * np.pi, 2))
    for angle in np.arange(start, stop, float(rng.uniform(0.12, 0.25))):
        at = half + radius * 0.8 * np.array([np.cos(angle), np.sin(angle)])
        for _ in range(2):
            ends = at + rng.normal(0, radius * 0.04, (2, 2))
            a, b = (tuple(int(v * 16) for v in end) for end in ends)
            cv2.line(height, a, b, high * 1.2, max(1, round(radius / 45)), cv2.LINE_AA, 4)


def vessels(rng: Rng, size: int) -> tuple[Picture, Alpha]:
    """Branches that grow out of a bright spot on a round glowing ground: an eye's inside, veins of a leaf, a root."""
    half = size / 2
    y, x = np.mgrid[:size, :size].astype(np.float32) - half
    radius = half * float(rng.uniform(0.8, 1.0))
    alpha = _disc(size, (half, half), (radius, radius))
    base = rng.uniform([120, 40, 10], [235, 130, 70]) if rng.random() < 0.7 else colour(rng)
    away = np.sqrt(x**2 + y**2) / radius
    spot = half + rng.normal(0, 0.35, 2) * radius
    far = (x + half - spot[0]) ** 2 + (y + half - spot[1]) ** 2
    glow = np.exp(-0.7 * far / (radius * rng.uniform(0.08, 0.2)) ** 2)
    picture = base * (1.1 - 0.5 * away**2 + 0.05 * noise(rng, size))[..., None] + glow[..., None] * rng.uniform(30, 130)
    dark = np.exp(-((x + half - size + spot[0]) ** 2 + (y + half - spot[1]) ** 2) / (radius * 0.2) ** 2)
    picture *= 1 - rng.uniform(0, 0.5) * dark[..., None]
    branches = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(4, 9))):
        width = radius * float(rng.uniform(0.02, 0.05))
        _branch(rng, branches, spot.copy(), float(rng.uniform(0, 2 * np.pi)), width, 0)
    strength = rng.uniform(0.2, 0.7) * (1 if rng.random() < 0.85 else -1)
    picture *= 1 - strength * cv2.GaussianBlur(branches, (0, 0), max(0.5, size / 250))[..., None]
    if rng.random() < 0.2:
        return np.asarray(np.clip(picture, 0, 255), np.uint8), np.ones((size, size), np.float32)
    return np.asarray(np.clip(picture, 0, 255), np.uint8), alpha


def _branch(
    rng: Rng, layer: NDArray[np.float32], at: NDArray[np.float64], angle: float, width: float, depth: int
) -> None:
    """One winding vessel, thinner as it goes, that splits up to three times."""
    size, bend = layer.shape[0], float(rng.normal(0, 0.12))
    for _ in range(int(rng.integers(8, 22))):
        angle += bend + float(rng.normal(0, 0.15))
        step = at + size * 0.035 * np.array([np.cos(angle), np.sin(angle)])
        a, b = (tuple(int(v * 16) for v in end) for end in (at, step))
        cv2.line(layer, a, b, 1.0, max(1, round(width)), cv2.LINE_AA, 4)
        at, width = step, width * 0.97
        if not (0 <= at[0] < size and 0 <= at[1] < size):
            return
        if depth < 3 and rng.random() < 0.12:
            aside = float(rng.choice([-1, 1]) * rng.uniform(0.4, 1))
            _branch(rng, layer, at.copy(), angle + aside, width * 0.7, depth + 1)


def front(rng: Rng, size: int) -> tuple[Picture, Alpha]:
    """A body with two equal parts and one below: sockets, fronts of cars and houses, masks, smileys, boxes, buttons."""
    half = size / 2
    picture, alpha = textured(rng, size, colour(rng), 0.1).astype(np.float32), np.zeros((size, size), np.uint8)
    wide, tall = half * rng.uniform(0.6, 0.95), half * rng.uniform(0.5, 0.95)
    if rng.random() < 0.5:
        cv2.ellipse(alpha, ((half, half), (2 * wide, 2 * tall), 0.0), 255, -1, cv2.LINE_AA)
    else:
        low, high = (int(half - wide), int(half - tall)), (int(half + wide), int(half + tall))
        cv2.rectangle(alpha, low, high, 255, -1)
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), max(0.6, size / float(rng.uniform(15, 200)))), np.uint8)
        alpha = np.clip((alpha.astype(np.float32) - 127) * 4 + 127, 0, 255).astype(np.uint8)
    inside = alpha.astype(np.float32) / 255
    dome = cv2.GaussianBlur(inside, (0, 0), size * 0.12) * size * float(rng.uniform(0.05, 0.4))
    tone = picture.mean((0, 1))
    shaded = _embossed(rng, dome, picture) if rng.random() < 0.7 else np.clip(picture, 0, 255).astype(np.uint8)
    holder = shaded.astype(np.float32)
    part = np.clip(tone * 0.3 if rng.random() < 0.6 else colour(rng), 0, 255)
    apart, up, big = wide * rng.uniform(0.3, 0.65), tall * rng.uniform(-0.1, 0.45), half * rng.uniform(0.06, 0.25)
    flat, square, inner = rng.uniform(0.4, 1.4), rng.random() < 0.35, colour(rng)
    for side in (-1, 1):
        _part(holder, (half + side * apart, half - up), (big, big * flat), square, part)
        if rng.random() < 0.6:
            _part(holder, (half + side * apart, half - up), (big * 0.5, big * 0.5 * flat), square, inner)
    below = half + tall * rng.uniform(0.2, 0.6)
    kind = rng.random()
    if kind < 0.35:
        _part(
            holder,
            (half, below),
            (wide * rng.uniform(0.1, 0.6), tall * rng.uniform(0.03, 0.2)),
            rng.random() < 0.6,
            part,
        )
    elif kind < 0.7:
        axes = (max(2, int(wide * rng.uniform(0.2, 0.6))), max(1, int(tall * rng.uniform(0.05, 0.3))))
        bow = (0, 180) if rng.random() < 0.7 else (180, 360)
        cv2.ellipse(holder, (int(half), int(below)), axes, 0, *bow, part.tolist(), max(1, size // 40), cv2.LINE_AA)
    if rng.random() < 0.4:
        _part(
            holder, (half, half + tall * 0.05), (big * rng.uniform(0.2, 0.8), big * rng.uniform(0.3, 1)), square, part
        )
    for _ in range(int(rng.integers(0, 5))):
        y = int(half + rng.uniform(-0.9, 0.9) * tall)
        cv2.line(holder, (int(half - wide), y), (int(half + wide), y), (tone * 0.6).tolist(), 1, cv2.LINE_AA)
    return np.asarray(np.clip(holder, 0, 255), np.uint8), np.asarray(inside, np.float32)


def _part(
    picture: NDArray[np.float32], at: tuple[float, float], axes: tuple[float, float], square: bool, tone: NDArray
) -> None:
    a, b = max(0.7, float(axes[0])), max(0.7, float(axes[1]))
    if square:
        low, high = (int(at[0] - a), int(at[1] - b)), (int(at[0] + a), int(at[1] + b))
        cv2.rectangle(picture, low, high, tone.tolist(), -1)
        return
    cv2.ellipse(picture, ((float(at[0]), float(at[1])), (2 * a, 2 * b), 0.0), tone.tolist(), -1, cv2.LINE_AA)


def rings(rng: Rng, size: int) -> tuple[Picture, Alpha]:
    """Dials, cups from above, wheels, plates and flowers: rings, ticks or petals around a middle, hands, a handle."""
    half = size / 2
    radius, squash = half * float(rng.uniform(0.6, 0.92)), float(rng.uniform(0.55, 1))
    picture = textured(rng, size, colour(rng), 0.08).astype(np.float32)
    alpha = _disc(size, (half, half), (radius, radius * squash))
    if rng.random() < 0.35:
        side = rng.choice([-1, 1]) * radius * 0.95
        handle = _disc(size, (half + side, half), (radius * 0.3, radius * 0.3))
        handle -= _disc(size, (half + side, half), (radius * 0.18, radius * 0.2))
        alpha = np.maximum(alpha, np.clip(handle, 0, 1))
    for share in np.sort(rng.uniform(0.1, 0.97, int(rng.integers(1, 5))))[::-1]:
        reach = (radius * float(share), radius * squash * float(share))
        _part(picture, (half, half + rng.normal(0, radius * 0.02)), reach, False, colour(rng))
    count, tone, long = int(rng.integers(0, 25)), colour(rng), float(rng.uniform(0.05, 0.4))
    for k in range(count if rng.random() < 0.7 else 0):
        way = np.array([np.cos(2 * np.pi * k / count), np.sin(2 * np.pi * k / count) * squash])
        a, b = (tuple(int(v) for v in half + way * radius * far) for far in (0.9, 0.9 - long))
        cv2.line(picture, a, b, tone.tolist(), max(1, int(size * rng.uniform(0.005, 0.04))), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 4))):
        angle, far = rng.uniform(0, 2 * np.pi), radius * rng.uniform(0.3, 0.85)
        end = (int(half + np.cos(angle) * far), int(half + np.sin(angle) * far * squash))
        cv2.line(picture, (int(half), int(half)), end, [20.0] * 3, max(1, size // 40), cv2.LINE_AA)
    dome = cv2.GaussianBlur(alpha, (0, 0), size * 0.08) * size * float(rng.uniform(0, 0.3))
    return _embossed(rng, dome, np.asarray(picture, np.float64)), np.asarray(alpha, np.float32)


KINDS: tuple[tuple[Callable[[Rng, int], tuple[Picture, Alpha]], float], ...] = (
    (animal, 0.42), (relief, 0.2), (vessels, 0.1), (front, 0.18), (rings, 0.1),
)  # fmt: skip


def lookalike(rng: Rng, size: int) -> tuple[Picture, Alpha]:
    """One thing of a random kind, upright and filling most of the square: picture (size, size, 3), alpha 0..1."""
    draw, _ = KINDS[int(rng.choice(len(KINDS), p=[share for _, share in KINDS]))]
    return draw(rng, size)


def placed(rng: Rng, size: int, behind: Picture, around: float = 0.35) -> Picture:
    """A lookalike before a background (size, size, 3), turned, shifted and up to `around` (in logs) larger or smaller,
    as a finder's box would cut it.
    """
    picture, alpha = lookalike(rng, size)
    scale = float(np.exp(rng.uniform(-around, around)))
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), float(rng.normal(0, 15)), scale)
    matrix[:, 2] += rng.normal(0, size * 0.07, 2)
    moved = np.asarray(cv2.warpAffine(picture, matrix, (size, size), borderMode=cv2.BORDER_REFLECT_101), np.float32)
    share = cv2.warpAffine(alpha, matrix, (size, size))[..., None]
    return np.asarray(np.clip(behind + (moved - behind) * share, 0, 255), np.uint8)
