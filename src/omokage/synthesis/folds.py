"""The table of the face's folds: where each runs, what gathers it and how it shows in age.

Which unit gathers which skin follows the appearance changes of the facial action coding system (Ekman, Friesen and
Hager, 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omokage.synthesis.canvas import Point

GROUPS = ("forehead", "glabella", "eyes", "mouth", "cheeks", "neck")
# How one person's age shows: weight per group. Drawn mixtures of these, so that not all old faces wrinkle alike.
RECIPES = (
    (1.4, 1.1, 0.7, 0.7, 0.3, 0.8),  # forehead and frown
    (0.4, 0.4, 1.4, 0.9, 0.7, 0.7),  # laughter
    (0.6, 0.9, 0.8, 1.4, 0.5, 1.1),  # mouth and jowls
    (1.0, 0.7, 1.1, 1.0, 1.5, 1.2),  # weathered, cross-hatched
    (0.35, 0.3, 0.5, 0.6, 0.1, 0.6),  # smooth for the years
)


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold. `lines` and `flanks` run at the person's left (theta > 0) as (theta,
    y) points; `*` in a unit's name
    stands for the side. `rest` is the depth that a full `wrinkles` leaves at rest, `sag` the same for `sagging`,
    `loose` how far lines wander.
    """

    name: str
    group: str
    lines: tuple[tuple[Point, ...], ...]
    width: float  # dm, standard deviation
    depth: float
    drivers: tuple[tuple[str, float], ...] = ()
    flanks: tuple[tuple[Point, ...], ...] = ()
    flank_width: float = 0.05
    flank: float = 0.0
    rest: float = 0.6
    sag: float = 0.0
    young: float = 0.0  # depth at rest at any age
    loose: float = 0.01
    middle: bool = False  # one fold across the midline instead of one on each side


def _arc(t0: float, t1: float, y: float, lift: float, n: int = 9) -> tuple[Point, ...]:
    """A line from angle t0 to t1 at height y, its middle raised by `lift`."""
    ts = np.linspace(0, 1, n)
    return tuple((float(t0 + (t1 - t0) * t), float(y + lift * np.sin(np.pi * t))) for t in ts)


def _fan(theta: float, y: float, angles: Sequence[float], lengths: Sequence[float]) -> tuple[tuple[Point, ...], ...]:
    """Lines spreading outwards from one point; angles in radians from level."""
    lines = []
    for angle, length in zip(angles, lengths, strict=True):
        start = 0.02 + 0.01 * abs(angle)
        ts = np.linspace(start, start + length, 6)
        lines.append(
            tuple((float(theta + t * np.cos(angle)), float(y + t * np.sin(angle) - 0.6 * (t - start) ** 2)) for t in ts)
        )
    return tuple(lines)


def _uprights(thetas: Sequence[float], y0: float, y1: float, spread: float = 0.05) -> tuple[tuple[Point, ...], ...]:
    """Near-vertical short lines, leaning outwards towards y1."""
    return tuple(((t, y0), (t * (1 + spread / 2), (y0 + y1) / 2), (t * (1 + spread), y1)) for t in thetas)


FOLDS = (
    Fold(
        "nasolabial", "mouth", (((0.150, 6.945), (0.215, 6.885), (0.285, 6.775), (0.345, 6.660), (0.362,
        6.560)),), 0.017, 0.95,
        (("mouthSmile*", 1.0), ("noseSneer*", 0.75), ("mouthUpperUp*", 0.55), ("cheekSquint*", 0.3),
        ("mouthDimple*", 0.3)),
        (((0.225, 6.975), (0.300, 6.900), (0.375, 6.790), (0.425, 6.680)),), 0.055, 0.42, rest=0.75, sag=0.35,
        young=0.24,
    ),
    Fold(
        "cheek crease", "cheeks", (((0.455, 6.880), (0.510, 6.770), (0.520, 6.640), (0.490, 6.530)),), 0.019, 0.55,
        (("mouthSmile*", 0.75), ("mouthStretch*", 0.4), ("mouthDimple*", 0.3)), rest=0.4, sag=0.2, loose=0.02,
    ),
    Fold(
        "marionette", "mouth", (((0.305, 6.585), (0.338, 6.510), (0.345, 6.430), (0.330, 6.360)),), 0.014, 0.75,
        (("mouthFrown*", 1.0), ("mouthShrugLower", 0.25), ("mouthStretch*", 0.25)),
        (((0.395, 6.560), (0.405, 6.460), (0.390, 6.390)),), 0.045, 0.28, rest=0.6, sag=0.5,
    ),
    Fold(
        "crow's feet", "eyes",
        _fan(0.615, 7.285, (0.75, 0.40, 0.10, -0.22, -0.52, -0.80), (0.14, 0.20, 0.22, 0.22, 0.19, 0.15)),
        0.0085, 0.72,
        (("cheekSquint*", 0.6), ("mouthSmile*", 0.5), ("eyeSquint*", 0.45)), rest=0.8, loose=0.012,
    ),
    Fold(
        "under eye", "eyes", (_arc(0.22, 0.60, 7.195, -0.050), _arc(0.25, 0.56, 7.170, -0.065), _arc(0.30, 0.52,
        7.140, -0.06)),
        0.0085, 0.55, (("cheekSquint*", 0.75), ("eyeSquint*", 0.6), ("mouthSmile*", 0.3)), rest=0.6, young=0.08,
    ),
    Fold(
        "tear trough", "eyes", (((0.205, 7.215), (0.270, 7.130), (0.370, 7.075), (0.470, 7.070)),), 0.022, 0.6,
        (("cheekSquint*", 0.2),), (_arc(0.26, 0.54, 7.165, -0.02),), 0.035, 0.55, rest=0.55, sag=0.6, young=0.10,
    ),
    Fold(
        "lid crease", "eyes", (_arc(0.215, 0.60, 7.335, 0.075, 11),), 0.009, 0.6,
        (("eyeWide*", 0.25), ("browOuterUp*", 0.2)), rest=0.25, sag=0.45, young=0.22, loose=0.004,
    ),
    Fold(
        "frown",
        "glabella",
        (((0.055, 7.385), (0.046, 7.450), (0.050, 7.530), (0.064, 7.610)),),
        0.0150,
        0.95,
        (("browDown*", 1.0), ("noseSneer*", 0.2), ("eyeSquint*", 0.1)),
        (((0.115, 7.430), (0.108, 7.500), (0.115, 7.570)),),
        0.035,
        0.30,
        rest=0.6,
        loose=0.012,
    ),
    Fold(
        "frown middle",
        "glabella",
        (((0.004, 7.400), (-0.002, 7.470), (0.003, 7.550)),),
        0.013,
        0.35,
        (("browDownLeft", 0.5), ("browDownRight", 0.5)),
        rest=0.25,
        middle=True,
    ),
    Fold(
        "nose root", "glabella", (_arc(-0.10, 0.10, 7.325, 0.012), _arc(-0.085, 0.085, 7.290, 0.015)), 0.011, 0.6,
        (("browDownLeft", 0.4), ("browDownRight", 0.4), ("noseSneerLeft", 0.35), ("noseSneerRight", 0.35)),
        rest=0.35, middle=True,
    ),
    Fold(
        "forehead middle", "forehead",
        (_arc(-0.36, 0.36, 7.575, -0.012, 13), _arc(-0.40, 0.40, 7.655, -0.015, 13), _arc(-0.38, 0.38, 7.735,
        -0.01, 13),
         _arc(-0.28, 0.28, 7.815, 0.0, 11)), 0.0125, 0.8,
        (("browInnerUp", 0.95), ("browOuterUpLeft", 0.15), ("browOuterUpRight", 0.15)), rest=0.75, loose=0.014,
        middle=True,
    ),
    Fold(
        "forehead side", "forehead",
        (_arc(0.26, 0.64, 7.555, 0.035, 11), _arc(0.28, 0.66, 7.635, 0.030, 11), _arc(0.26, 0.60, 7.720, 0.02,
        11)), 0.0125, 0.75,
        (("browOuterUp*", 0.95), ("browInnerUp", 0.15)), rest=0.65, loose=0.014,
    ),
    Fold(
        "bunny", "glabella",
        (((0.040, 7.225), (0.085, 7.180), (0.125, 7.120)), ((0.035, 7.175), (0.080, 7.125), (0.125, 7.060)),
         ((0.050, 7.270), (0.100, 7.235), (0.150, 7.180))), 0.010, 0.7, (("noseSneer*", 1.0), ("cheekSquint*",
         0.1)), rest=0.2,
    ),
    Fold(
        "wing", "mouth", (((0.120, 6.965), (0.158, 6.930), (0.168, 6.880), (0.150, 6.840)),), 0.012, 0.5,
        (("noseSneer*", 0.8), ("mouthUpperUp*", 0.4), ("mouthSmile*", 0.3)), rest=0.3, young=0.20, loose=0.004,
    ),
    Fold(
        "chin crease", "mouth", (_arc(-0.19, 0.19, 6.415, 0.030, 11),), 0.016, 0.7,
        (("mouthShrugLower", 0.9), ("mouthFrownLeft", 0.25), ("mouthFrownRight", 0.25), ("mouthPressLeft", 0.15),
         ("mouthPressRight", 0.15)), rest=0.35, young=0.08, middle=True,
    ),
    Fold(
        "dimple", "mouth", (((0.438, 6.690), (0.452, 6.650), (0.440, 6.610)),), 0.020, 0.8,
        (("mouthDimple*", 0.9), ("mouthSmile*", 0.8)), rest=0.0,
    ),
    Fold(
        "mouth corner", "mouth", (((0.300, 6.640), (0.318, 6.610), (0.305, 6.580)),), 0.012, 0.6,
        (("mouthDimple*", 0.8), ("mouthPress*", 0.7), ("mouthStretch*", 0.5), ("mouthSmile*", 0.45),
        ("mouthFrown*", 0.4)),
        rest=0.35, young=0.10, loose=0.004,
    ),
    Fold(
        "lip lines", "mouth",
        (*_uprights((-0.21, -0.16, -0.11, -0.06, 0.05, 0.10, 0.15, 0.2), 6.705, 6.785),
         *_uprights((-0.17, -0.10, -0.04, 0.03, 0.09, 0.16), 6.525, 6.465)), 0.008, 0.6,
        (("mouthPucker", 0.9), ("mouthFunnel", 0.3), ("mouthRollUpper", 0.3)), rest=0.6, loose=0.006, middle=True,
    ),
    Fold(
        "jowl", "cheeks", (((0.385, 6.420), (0.420, 6.350), (0.440, 6.280)),), 0.022, 0.6, (("mouthFrown*", 0.25),),
        (((0.500, 6.420), (0.560, 6.380), (0.640, 6.380)),), 0.075, 0.55, rest=0.1, sag=0.8, loose=0.02,
    ),
    Fold(
        "neck lines", "neck", (_arc(-0.9, 0.9, 6.06, -0.05, 17), _arc(-0.8, 0.8, 5.97, -0.05, 17)), 0.014, 0.5,
        rest=0.5, sag=0.3, young=0.10, loose=0.012, middle=True,
    ),
    Fold(
        "neck bands", "neck", (((0.10, 6.22), (0.13, 6.08), (0.16, 5.92)), ((0.26, 6.20), (0.28, 6.05), (0.32,
        5.90))), 0.026, 0.5,
        (("mouthStretch*", 0.7), ("jawForward", 0.2), ("mouthFrown*", 0.15)), rest=0.2, sag=0.7, loose=0.02,
    ),
)  # fmt: skip
