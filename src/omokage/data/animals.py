"""Heads of animals, drawn: fur, two eyes, ears, a muzzle and whiskers, but nobody's face.

A network that has only ever seen people takes two eyes over a nose for one of them. These heads vary in everything that
tells cats, dogs, bears, owls or rabbits apart, and share what they have in common with people.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.clutter import Picture, Rng, colour, noise

Alpha = NDArray[np.float32]
_COATS = np.array(
    [[30, 26, 24], [235, 228, 216], [196, 132, 72], [120, 84, 56], [128, 124, 120], [214, 184, 142], [84, 66, 52]],
    np.float64,
)
_IRISES = np.array(
    [[196, 178, 60], [120, 168, 72], [96, 160, 196], [150, 96, 40], [30, 22, 18], [214, 120, 30]], np.float64
)


def animal(rng: Rng, size: int) -> tuple[Picture, Alpha]:
    """The head of an animal that does not exist: picture (size, size, 3) and alpha (size, size) 0..1."""
    half = size / 2
    reach = half * float(rng.uniform(0.55, 0.95))  # half width of the head
    tall = reach * float(rng.uniform(0.75, 1.25))
    turn = float(rng.normal(0, 0.22))  # looks aside: features move, and shrink on the far side
    centre = (half, half * float(rng.uniform(0.95, 1.15)))
    alpha = np.zeros((size, size), np.float32)
    coat = _coat(rng, size)
    picture = coat.copy()
    _ears(rng, picture, alpha, centre, reach, tall)
    _blob(alpha, centre, (reach, tall), 0, 1.0)
    ragged = cv2.GaussianBlur(alpha, (0, 0), max(0.6, size / 60)) + 0.12 * noise(rng, size)
    alpha = np.clip((ragged - 0.5) * float(rng.uniform(2, 7)) + 0.5, 0, 1).astype(np.float32)
    _mask(rng, picture, centre, reach, tall, turn)
    _muzzle(rng, picture, centre, reach, tall, turn)
    _eyes(rng, picture, centre, reach, tall, turn)
    if rng.random() < 0.6:
        _whiskers(rng, picture, centre, reach, tall, turn)
    return np.asarray(np.clip(_lit(rng, picture, centre, reach), 0, 255), np.uint8), alpha


def _coat(rng: Rng, size: int) -> NDArray[np.float32]:
    """Hair that grows away from the middle, in one colour, with stripes or with patches; float RGB."""
    base = _COATS[rng.integers(len(_COATS))] * rng.lognormal(0, 0.15) + rng.normal(0, 8, 3)
    other = _COATS[rng.integers(len(_COATS))]
    strands = rng.standard_normal((max(48, size), max(6, size // 8))).astype(np.float32)  # angle x radius
    polar = cv2.resize(strands, (size, 2 * size), interpolation=cv2.INTER_LINEAR)
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS
    at = (size / 2, size * float(rng.uniform(0.4, 0.6)))
    hair = cv2.warpPolar(polar, (size, size), at, size * 0.8, flags)
    kind = rng.random()
    share = np.zeros((size, size), np.float32)
    if kind < 0.35:  # a tabby's stripes: along the hair on the forehead, across it on the cheeks
        y, x = np.mgrid[:size, :size].astype(np.float32) / size - 0.5
        wave = np.abs(x) * rng.uniform(20, 60) + np.abs(y) * rng.uniform(0, 40) + noise(rng, size) * 0.8
        share = np.clip(np.sin(wave) * rng.uniform(0.5, 3), 0, 1) * float(rng.uniform(0.3, 0.9))
    elif kind < 0.7:
        share = np.clip(noise(rng, size) * rng.uniform(1, 6) - rng.uniform(-0.5, 1), 0, 1)
    mixed = base + share[..., None] * (other - base)
    return np.asarray(mixed * (1 + hair[..., None] * rng.uniform(0.03, 0.25)), np.float32)


def _blob(
    layer: NDArray[np.float32], at: tuple[float, float], axes: tuple[float, float], angle: float, value: object
) -> None:
    """A filled ellipse with a smooth rim; an axis below half a pixel draws a point."""
    centre, reach = (round(at[0] * 16), round(at[1] * 16)), (max(8, round(axes[0] * 16)), max(8, round(axes[1] * 16)))
    box = ((centre[0] / 16, centre[1] / 16), (reach[0] / 8, reach[1] / 8), angle)
    cv2.ellipse(layer, box, value, -1, cv2.LINE_AA)


def _soft(
    picture: NDArray[np.float32], at: tuple[float, float], axes: tuple[float, float], tone: NDArray, strength: float
) -> None:
    """Blend a tone in, fading towards the rim of an ellipse."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    away = ((x - at[0]) / max(axes[0], 1)) ** 2 + ((y - at[1]) / max(axes[1], 1)) ** 2
    share = (np.exp(-1.5 * away**2) * strength)[..., None].astype(np.float32)
    picture += share * (tone.astype(np.float32) - picture)


def _ears(
    rng: Rng, picture: NDArray[np.float32], alpha: Alpha, at: tuple[float, float], reach: float, tall: float
) -> None:
    """Pointed, round, long or hanging ears, or none, the inside in another colour."""
    kind = rng.choice(["pointed", "round", "long", "hanging", "none"], p=[0.36, 0.22, 0.12, 0.2, 0.1])
    inner = np.array([196, 140, 130]) * rng.lognormal(0, 0.3) if rng.random() < 0.6 else _COATS[rng.integers(7)]
    width, spread = reach * float(rng.uniform(0.25, 0.5)), float(rng.uniform(0.5, 0.85))
    for side in (-1, 1):
        x, y = at[0] + side * reach * spread, at[1] - tall * float(rng.uniform(0.55, 0.8))
        if kind == "pointed":
            high = tall * float(rng.uniform(0.35, 0.7))
            ear = np.array(
                [[x - width, y + high * 0.4], [x + side * width * 0.4, y - high], [x + width, y + high * 0.4]]
            )
            for scale, layer, value in ((1.0, alpha, 1.0), (0.6, picture, inner.tolist())):
                points = ((ear - ear.mean(0)) * scale + ear.mean(0)) * 16
                cv2.fillPoly(layer, [points.astype(np.int32)], value, cv2.LINE_AA, 4)
        elif kind != "none":
            axes = {"round": (width, width), "long": (width * 0.6, tall * 0.8), "hanging": (width * 0.7, tall * 0.7)}[
                kind
            ]
            drop = {"round": 0.0, "long": -tall * 0.5, "hanging": tall * 0.6}[kind]
            lean = side * float(rng.uniform(0, 30)) * (-1 if kind == "hanging" else 1)
            where = (x + (side * width * 0.6 if kind == "hanging" else 0), y + drop)
            _blob(alpha, where, axes, lean, 1.0)
            if kind != "hanging":
                _blob(picture, where, (axes[0] * 0.6, axes[1] * 0.7), lean, inner.tolist())
            else:
                _blob(picture, where, axes, lean, (_COATS[rng.integers(7)] * 0.7).tolist())


def _mask(
    rng: Rng, picture: NDArray[np.float32], at: tuple[float, float], reach: float, tall: float, turn: float
) -> None:
    """Patches around the eyes and a blaze between them, as pandas, badgers and owls have."""
    if rng.random() < 0.35:
        tone, size = _COATS[rng.integers(7)], reach * float(rng.uniform(0.2, 0.5))
        for side in (-1, 1):
            _soft(picture, (at[0] + (side * 0.42 + turn) * reach, at[1] - tall * 0.1), (size, size * 1.1), tone, 0.9)
    if rng.random() < 0.35:
        _soft(
            picture,
            (at[0] + turn * reach, at[1] - tall * 0.4),
            (reach * 0.15, tall * 0.7),
            _COATS[rng.integers(7)],
            0.9,
        )


def _eyes(
    rng: Rng, picture: NDArray[np.float32], at: tuple[float, float], reach: float, tall: float, turn: float
) -> None:
    """Two big eyes: rim, iris, a round or slit pupil, a light in it."""
    apart, size = reach * float(rng.uniform(0.3, 0.6)), reach * float(rng.uniform(0.08, 0.24))
    y = at[1] - tall * float(rng.uniform(-0.05, 0.3))
    iris, flat = _IRISES[rng.integers(len(_IRISES))] * rng.lognormal(0, 0.15), float(rng.uniform(0.6, 1.05))
    slit, closed = float(rng.choice([0.15, 0.4, 0.7, 0.9])), rng.random() < 0.08
    lean, dark = float(rng.normal(8, 10)), [25.0 + float(rng.uniform(0, 30))] * 3
    for side in (-1, 1):
        near = 1 - 0.35 * abs(turn) * (side * turn > 0)
        x = at[0] + side * apart * near + turn * reach * 0.5
        if closed:
            cv2.ellipse(picture, (int(x), int(y)), (int(size * near) + 1, int(size * 0.4) + 1), 0, 0, 180, dark, 2)
            continue
        _blob(picture, (x, y), (size * 1.2 * near, size * 1.2 * flat), side * lean, dark)
        _blob(picture, (x, y), (size * near, size * flat), side * lean, iris.tolist())
        _blob(picture, (x, y), (size * slit * near * flat, size * max(slit, 0.85) * flat), 0, [12.0] * 3)
        if rng.random() < 0.8:
            spot = size * float(rng.uniform(0.12, 0.3))
            _blob(picture, (x - size * 0.25, y - size * 0.3), (spot, spot), 0, [245.0] * 3)


def _muzzle(
    rng: Rng, picture: NDArray[np.float32], at: tuple[float, float], reach: float, tall: float, turn: float
) -> None:
    """Lighter or darker cheeks, a nose or a beak, the line of the mouth, sometimes a tongue."""
    x, y = at[0] + turn * reach * 1.2, at[1] + tall * float(rng.uniform(0.2, 0.5))
    wide = reach * float(rng.uniform(0.25, 0.55))
    _soft(picture, (x, y + wide * 0.2), (wide * 1.2, wide), _COATS[rng.integers(7)], float(rng.uniform(0.3, 1)))
    nose = np.array([40, 32, 32]) if rng.random() < 0.6 else np.array([190, 120, 110]) * rng.lognormal(0, 0.2)
    half, line = wide * float(rng.uniform(0.2, 0.6)), max(1, round(reach * 0.03))
    top = y - wide * float(rng.uniform(0.2, 0.6))
    kind = rng.random()
    if kind < 0.5:
        points = np.array([[x - half, top], [x + half, top], [x, top + half * 1.1]])
        cv2.fillPoly(picture, [(points * 16).astype(np.int32)], nose.tolist(), cv2.LINE_AA, 4)
    elif kind < 0.88:
        _blob(picture, (x, top + half * 0.4), (half, half * float(rng.uniform(0.6, 1))), 0, nose.tolist())
        _blob(picture, (x - half * 0.3, top + half * 0.2), (half * 0.25, half * 0.15), 0, (nose + 70).tolist())
    else:
        long = wide * float(rng.uniform(0.8, 1.8))
        points = np.array([[x - half, top], [x + half, top], [x, top + long]])
        cv2.fillPoly(picture, [(points * 16).astype(np.int32)], [210.0, 150.0, 40.0], cv2.LINE_AA, 4)
        return
    lip = (int(x), int(top + half * 1.1 + wide * 0.35))
    cv2.line(picture, (int(x), int(top + half)), lip, [45.0, 34.0, 32.0], line, cv2.LINE_AA)
    bend = float(rng.uniform(0.1, 0.5))
    for side in (-1, 1):
        middle = (lip[0] + int(side * wide * 0.4), lip[1])
        axes = (max(1, int(wide * 0.4)), max(1, int(wide * bend)))
        cv2.ellipse(picture, middle, axes, 0, 0, 180, [45.0, 34.0, 32.0], line, cv2.LINE_AA)
    if rng.random() < 0.15:
        _blob(picture, (lip[0], lip[1] + wide * 0.4), (wide * 0.25, wide * 0.45), 0, [214.0, 110.0, 110.0])


def _whiskers(
    rng: Rng, picture: NDArray[np.float32], at: tuple[float, float], reach: float, tall: float, turn: float
) -> None:
    """Thin light or dark lines to both sides."""
    tone = [235.0] * 3 if rng.random() < 0.7 else [40.0] * 3
    for side in (-1, 1):
        for k in range(int(rng.integers(2, 5))):
            start = np.array([at[0] + (turn + side * 0.2) * reach, at[1] + tall * (0.35 + 0.06 * k)])
            end = start + np.array([side * reach * rng.uniform(0.5, 1.1), tall * rng.uniform(-0.25, 0.2)])
            ends = [(int(p[0] * 16), int(p[1] * 16)) for p in (start, end)]
            cv2.line(picture, ends[0], ends[1], tone, 1, cv2.LINE_AA, 4)


def _lit(rng: Rng, picture: NDArray[np.float32], at: tuple[float, float], reach: float) -> NDArray[np.float32]:
    """Light from one side, darker towards the rim, and a little of the light's colour."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    u, v = (x - at[0]) / reach, (y - at[1]) / reach
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.35) * (u * np.cos(angle) + v * np.sin(angle)) - rng.uniform(0, 0.3) * (u * u + v * v)
    tint = 1 + 0.1 * (colour(rng) / 255 - 0.5)
    return np.asarray(picture * np.clip(light, 0.2, 1.6)[..., None] * tint, np.float32)
