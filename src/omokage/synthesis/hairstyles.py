"""The hair styles as rules: from where a root lies on the head to how its strand flows, how long it is and where it is
cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.envelope import Envelope
from omokage.synthesis.scene import Person

Floats = NDArray[np.floating]


@dataclass(slots=True, eq=False)
class Roots:
    """Where strands start: `rest` = rest coordinates, `root` and `normal` in head units; with helpers that styles
    share.
    """

    rest: NDArray[np.float32]
    root: NDArray[np.float32]
    normal: NDArray[np.float32]
    person: Person
    envelope: Envelope
    brow_y: float  # height of the brows, head units
    chin_y: float
    rng: np.random.Generator
    top: Floats = field(init=False)  # 0 sides .. 1 top of the head
    front: Floats = field(init=False)  # 0 back .. 1 front hairline
    away: Floats = field(init=False)  # level direction away from the head's axis

    def __post_init__(self) -> None:
        self.top = _smooth(self.rest[:, 1], 7.55, 8.15)
        self.front = _smooth(self.rest[:, 2], 0.75, 1.40)
        level = self.rest * [1, 0, 1] - [0, 0, 0.45]
        self.away = (level / (np.linalg.norm(level, axis=1, keepdims=True) + 1e-6)).astype(np.float32)

    def __len__(self) -> int:
        return len(self.rest)


@dataclass(slots=True, eq=False)
class Style:
    """What a style says about every strand; scalars hold for all. See `strands.Strands` for the meaning of each."""

    flow: Floats
    length: Floats
    lift: Floats | float = 0.15
    gravity: Floats | float = 1.0
    offset: Floats | float = 0.03
    limit: Floats | float = 0.0
    cut: Floats | float = -9.0
    curl: Floats | float = 0.0
    turns: Floats | float = 1.0
    pull: Floats | float = 0.0
    width: Floats | float = 0.024
    steps: int = 6
    clumping: float = 0.45
    clumps: int = 70
    unruly: float = 0.10  # spread of flow directions


def _smooth(x: NDArray[np.floating], low: float, high: float) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _mix(a: NDArray[np.floating], b: NDArray[np.floating], share: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(a * (1 - share[:, None]) + b * share[:, None])


def _parting(roots: Roots, side: float, back: float = 0.4) -> NDArray[np.floating]:
    """Flow away from a parting at rest x = `side`, drawn back a little."""
    sign = np.where(roots.rest[:, 0] > side, 1.0, -1.0)
    return np.stack([sign, np.full(len(roots), -0.15), np.full(len(roots), -back)], axis=1)


def _buzz(roots: Roots) -> Style:
    flow = roots.away * 0.5 + [0, -0.25, 0.25]
    length = roots.rng.uniform(0.03, 0.06, len(roots)) * (0.6 + 0.6 * roots.top)
    return Style(flow, length, 0.55, 0.0, 0.0, width=0.016, steps=2, clumping=0, unruly=0.25)


def _short(roots: Roots) -> Style:
    """Short hair in four ways: parted, combed forward, swept up, tousled; softer and longer at the sides on women."""
    rng, n = roots.rng, len(roots)
    way = rng.choice(4, p=(0.35, 0.3, 0.2, 0.15))
    size = 0.75 + 0.9 * roots.person.hair_length
    female = roots.person.female_perceived
    sides = roots.away * 0.25 + [0, -1.0, -0.15]
    lift = 0.12 + 0.25 * roots.top
    if way == 0:
        crown = _parting(roots, float(rng.choice([-0.27, 0.27])), 0.35)
        lift = 0.12 + 0.4 * roots.top * roots.front
    elif way == 1:
        crown = np.stack([np.full(n, rng.uniform(-0.5, 0.5)), np.full(n, -0.15), np.ones(n)], axis=1)
        lift = 0.10 + 0.25 * roots.top
    elif way == 2:
        crown = roots.away * 0.2 + [float(rng.uniform(-0.3, 0.3)), 0.2, -0.8]
        lift = 0.12 + 0.45 * roots.top * roots.front
    else:
        crown = roots.away * 0.6 + rng.normal(0, 0.45, (n, 3)) + [0, 0, 0.2]
        lift = 0.15 + 0.35 * roots.top
    length = size * (0.13 + 0.10 * female + (0.17 + 0.05 * female) * roots.top) * rng.uniform(0.75, 1.15, n)
    curl = float(rng.random() < 0.3) * float(rng.uniform(0.004, 0.014))
    return Style(
        _mix(sides, crown, roots.top),
        length,
        lift,
        1.5,
        0.02,
        curl=curl,
        turns=2.0,
        width=0.015,
        steps=4,
        clumping=float(rng.uniform(0.15, 0.4)),
        clumps=130,
        unruly=0.12,
    )


def _side(roots: Roots) -> Style:
    """Medium hair with a side parting that reaches the ears or the nape."""
    rng, n = roots.rng, len(roots)
    crown = _parting(roots, float(rng.choice([-0.28, 0.28])), float(rng.uniform(0.2, 0.6)))
    sides = roots.away * 0.2 + [0, -1.0, -0.3]
    length = (0.30 + 0.5 * roots.top) * (0.7 + roots.person.hair_length) * rng.uniform(0.8, 1.1, n)
    lift = 0.12 + 0.4 * roots.top * roots.front
    return Style(
        _mix(sides, crown, roots.top),
        length,
        lift,
        1.6,
        0.035,
        limit=1.0,
        width=0.026,
        steps=6,
        clumping=0.45,
        unruly=0.10,
    )


def _hanging(roots: Roots, length: float, cut: float, ragged: float) -> Style:
    """Long hair from a parting, over or behind the ears; `cut` = height where it ends."""
    rng, n = roots.rng, len(roots)
    part = float(rng.choice([0.0, 0.0, -0.22, 0.22])) + 0.02 * rng.normal(0, 1, n)
    flow = _parting(roots, 0.0, 0.25)  # the sign below follows the wavering parting
    flow[:, 0] = np.where(roots.rest[:, 0] > part, 1.1, -1.1)
    # The front goes up and back first, or it would hang over the forehead.
    flow = flow + roots.away * 0.3 + roots.front[:, None] * np.array([0.0, 0.25, -0.65])
    wave = float(rng.random() < 0.45) * float(rng.uniform(0.015, 0.04))
    volume = float(rng.uniform(0.03, 0.10))
    limit = float(rng.choice([0.85, 1.0, 1.3])) + 0.07 * np.abs(rng.normal(0, 1, n))
    return Style(
        flow,
        np.full(n, length),
        0.22,
        3.0,
        volume * rng.uniform(0.35, 1.1, n),
        limit=limit,
        cut=cut + ragged * rng.normal(0, 1, n),
        curl=wave,
        turns=float(rng.uniform(1.0, 2.5)),
        width=0.027,
        steps=9,
        clumping=float(rng.uniform(0.25, 0.5)),
        clumps=110,
        unruly=0.07,
    )


def _long(roots: Roots) -> Style:
    drop = 1.75 * roots.person.hair_length - 0.05
    return _hanging(roots, 2.0 + drop, roots.chin_y + 0.25 - drop, 0.10)


def _bob(roots: Roots) -> Style:
    style = _hanging(roots, 2.4, roots.chin_y + float(roots.rng.uniform(-0.08, 0.35)), 0.015)
    return _bangs(roots, style) if roots.rng.random() < 0.4 else style


def _fringe(roots: Roots) -> Style:
    return _bangs(roots, _long(roots))


def _bangs(roots: Roots, style: Style) -> Style:
    """Front strands combed down over the forehead and cut above the eyes."""
    rng, n = roots.rng, len(roots)
    front = (roots.rest[:, 2] > 1.02) & (np.abs(roots.rest[:, 0]) < 0.50)
    ends = roots.brow_y + float(rng.uniform(-0.05, 0.16)) + 0.015 * rng.normal(0, 1, n)
    sweep = float(rng.uniform(-0.35, 0.35))
    style.flow = np.where(front[:, None], roots.away * 0.5 + [sweep, -0.2, 0.9], style.flow)
    style.length = np.where(front, 1.0, style.length)
    style.limit = np.where(front, 0.0, style.limit)
    style.offset = np.where(front, 0.015 + 0.03 * rng.random(n), style.offset)
    style.cut = np.where(front, ends, style.cut)
    style.width = np.where(front, 1.35 * np.asarray(style.width), style.width)
    style.clumping *= 0.5
    return style


def _curly(roots: Roots) -> Style:
    rng, n = roots.rng, len(roots)
    length = (0.30 + 1.1 * roots.person.hair_length) * rng.uniform(0.75, 1.15, n)
    flow = roots.away * 0.7 + _parting(roots, 0.0, 0.1) * 0.4 + rng.normal(0, 0.25, (n, 3))
    curl = float(rng.uniform(0.025, 0.05))
    return Style(
        flow,
        length,
        0.6,
        2.0,
        0.06 * rng.uniform(0.2, 1.3, n),
        limit=0.9,
        curl=curl,
        turns=length * float(rng.uniform(2.2, 3.5)),
        width=0.030,
        steps=9,
        clumping=0.55,
        clumps=90,
        unruly=0.2,
    )


def _afro(roots: Roots) -> Style:
    """A ball of fine curls: short strands standing anywhere in a shell over the scalp (see `lifted`)."""
    rng, n = roots.rng, len(roots)
    flow = roots.away * 0.2 + rng.normal(0, 0.8, (n, 3))
    return Style(
        flow,
        0.20 * rng.uniform(0.7, 1.4, n),
        0.3,
        0.0,
        0.0,
        curl=0.03,
        turns=1.6,
        width=0.042,
        steps=5,
        clumping=0,
        unruly=0.3,
    )


def _tied(roots: Roots) -> Style:
    """Hair drawn back to a knot (see `knot`), sleek at the sides."""
    aim = knot(roots) - roots.root
    length = np.linalg.norm(aim, axis=1) * 1.3
    flow = aim * [1, 0.4, 1] + [0, 0.3, 0]
    style = Style(flow, length, 0.05, 0.0, 0.02, pull=1.2, width=0.024, steps=7, clumping=0.0, unruly=0.03)
    if roots.rng.random() < 0.3:
        style.pull, style.gravity = np.full(len(roots), 1.2), np.zeros(len(roots))
        style = _bangs(roots, style)
        combed = style.cut > -9  # the strands of the fringe
        style.pull, style.gravity = np.where(combed, 0.0, style.pull), np.where(combed, 3.0, 0.0)
    return style


def knot(roots: Roots) -> NDArray[np.float32]:
    """Where tied hair is gathered (3,), head units: high or low at the back of the head."""
    high = np.random.default_rng((roots.person.seed, 31)).random() < 0.4
    row = 8.0 if high else 15.0
    return np.asarray(roots.envelope.points(np.array([np.pi]), np.array([row]), 0.05)[0], np.float32)


STYLES: dict[str, Callable[[Roots], Style]] = {
    "buzz": _buzz, "short": _short, "side": _side, "long": _long, "fringe": _fringe, "curly": _curly, "tied": _tied,
    "afro": _afro, "bob": _bob, "bald": _buzz,
}  # fmt: skip
