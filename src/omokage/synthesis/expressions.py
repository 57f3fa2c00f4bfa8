"""What faces do: resting faces, several ways to show each of the seven classes, talking mouths, and unnamed mixtures.

A way is a list of expression units (both sides unless a side is named) with the range that each takes at full
strength and the chance that it takes part. The ways follow FACS descriptions of the prototypes and their common
variants (Ekman and Friesen, 1978; Du, Tao and Martinez, PNAS 2014, for blends); the numbers are this project's choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omokage.results import EXPRESSIONS
from omokage.schema import UNITS
from omokage.synthesis.scene import Expression, Pose

Unit = tuple[str, float, float, float]  # name without a side, low, high, chance
Draw = np.random.Generator
NEUTRAL_BELOW = 0.12  # strength under which nobody would name an expression

WAYS: dict[str, tuple[tuple[float, tuple[Unit, ...]], ...]] = {
    "happiness": (
        (0.30, (("mouthSmile", 0.7, 1.0, 1), ("cheekSquint", 0.2, 0.7, 1), ("mouthDimple", 0.1, 0.5, 0.4),
                ("eyeSquint", 0.05, 0.4, 0.7))),
        (0.34, (("mouthSmile", 0.8, 1.0, 1), ("mouthUpperUp", 0.2, 0.6, 1), ("cheekSquint", 0.4, 1.0, 1),
                ("eyeSquint", 0.1, 0.5, 0.8), ("jawOpen", 0.05, 0.22, 1), ("mouthLowerDown", 0.1, 0.4, 0.5))),
        (0.18, (("mouthSmile", 0.7, 1.0, 1), ("jawOpen", 0.35, 0.9, 1), ("mouthUpperUp", 0.3, 0.7, 1),
                ("mouthLowerDown", 0.2, 0.6, 0.8), ("cheekSquint", 0.5, 1.0, 1), ("eyeSquint", 0.3, 0.9, 1),
                ("eyeBlink", 0.1, 0.6, 0.4), ("mouthStretch", 0.05, 0.3, 0.5), ("browOuterUp", 0.1, 0.5, 0.3))),
        (0.18, (("mouthSmile", 0.9, 1.0, 1), ("mouthStretch", 0.2, 0.5, 1), ("jawOpen", 0.1, 0.3, 1),
                ("mouthLowerDown", 0.3, 0.7, 1), ("mouthUpperUp", 0.3, 0.6, 1), ("eyeSquint", 0.2, 0.6, 1),
                ("cheekSquint", 0.3, 0.8, 1), ("browInnerUp", 0.1, 0.4, 0.25))),
    ),
    "sadness": (
        (0.33, (("browInnerUp", 0.6, 1.0, 1), ("mouthFrown", 0.5, 1.0, 1), ("mouthShrugLower", 0.1, 0.6, 0.7),
                ("eyeSquint", 0.05, 0.3, 0.6), ("eyeBlink", 0.1, 0.35, 0.7))),
        (0.28, (("browInnerUp", 0.3, 0.7, 1), ("mouthFrown", 0.4, 0.8, 1), ("eyeBlink", 0.2, 0.5, 1),
                ("mouthPress", 0.1, 0.4, 0.4), ("browDown", 0.1, 0.3, 0.3), ("eyeSquint", 0.05, 0.2, 0.4))),
        (0.24, (("browInnerUp", 0.5, 1.0, 1), ("browDown", 0.3, 0.6, 1), ("eyeSquint", 0.5, 1.0, 1),
                ("mouthStretch", 0.3, 0.7, 1), ("mouthLowerDown", 0.2, 0.6, 0.8), ("mouthUpperUp", 0.2, 0.5, 0.7),
                ("jawOpen", 0.1, 0.4, 0.7), ("cheekSquint", 0.3, 0.7, 1), ("mouthFrown", 0.3, 0.8, 1))),
        (0.15, (("mouthShrugLower", 0.6, 1.0, 1), ("mouthPucker", 0.1, 0.3, 0.6), ("mouthFrown", 0.4, 0.9, 1),
                ("browInnerUp", 0.3, 0.7, 0.8))),
    ),
    "surprise": (
        (0.30, (("jawOpen", 0.3, 0.85, 1), ("browInnerUp", 0.7, 1.0, 1), ("browOuterUp", 0.7, 1.0, 1),
                ("eyeWide", 0.5, 1.0, 1))),
        (0.16, (("browInnerUp", 0.6, 1.0, 1), ("browOuterUp", 0.6, 1.0, 1), ("eyeWide", 0.4, 1.0, 1),
                ("jawOpen", 0.05, 0.15, 0.7))),
        (0.20, (("jawOpen", 0.4, 0.95, 1), ("mouthFunnel", 0.2, 0.6, 1), ("browInnerUp", 0.4, 1.0, 1),
                ("browOuterUp", 0.4, 1.0, 1), ("eyeWide", 0.3, 0.9, 1))),
        (0.24, (("jawOpen", 0.4, 0.9, 1), ("browInnerUp", 0.15, 0.7, 1), ("browOuterUp", 0.1, 0.6, 0.8),
                ("eyeWide", 0.05, 0.5, 0.6), ("mouthFunnel", 0.1, 0.4, 0.4))),
        (0.10, (("jawOpen", 0.5, 1.0, 1), ("browInnerUp", 0.5, 1.0, 1), ("browOuterUp", 0.5, 1.0, 1),
                ("eyeWide", 0.3, 0.8, 1), ("mouthSmile", 0.1, 0.3, 1))),
    ),
    "fear": (
        (0.50, (("browInnerUp", 0.6, 1.0, 1), ("browDown", 0.2, 0.5, 0.8), ("browOuterUp", 0.2, 0.6, 0.6),
                ("eyeWide", 0.6, 1.0, 1), ("mouthStretch", 0.4, 0.9, 1), ("jawOpen", 0.1, 0.5, 1),
                ("mouthLowerDown", 0.1, 0.5, 0.6))),
        (0.25, (("browInnerUp", 0.5, 0.9, 1), ("browDown", 0.2, 0.5, 1), ("eyeWide", 0.5, 1.0, 1),
                ("mouthStretch", 0.3, 0.7, 1), ("mouthPress", 0.1, 0.4, 0.5))),
        (0.25, (("jawOpen", 0.6, 1.0, 1), ("eyeWide", 0.5, 1.0, 1), ("mouthStretch", 0.4, 0.8, 1),
                ("browInnerUp", 0.6, 1.0, 1), ("mouthLowerDown", 0.3, 0.6, 1), ("mouthUpperUp", 0.2, 0.5, 0.7),
                ("browDown", 0.1, 0.4, 0.6))),
    ),
    "disgust": (
        (0.45, (("noseSneer", 0.6, 1.0, 1), ("mouthUpperUp", 0.3, 0.8, 1), ("browDown", 0.3, 0.7, 1),
                ("eyeSquint", 0.3, 0.8, 1), ("cheekSquint", 0.3, 0.8, 1), ("mouthFrown", 0.1, 0.6, 0.6))),
        (0.25, (("mouthFrown", 0.5, 0.9, 1), ("mouthShrugLower", 0.3, 0.7, 1), ("noseSneer", 0.3, 0.8, 1),
                ("browDown", 0.1, 0.5, 0.8), ("mouthLowerDown", 0.1, 0.3, 0.4))),
        (0.15, (("noseSneer", 0.5, 0.9, 1), ("jawOpen", 0.2, 0.45, 1), ("tongueOut", 0.3, 0.9, 0.7),
                ("eyeSquint", 0.4, 0.9, 1), ("mouthLowerDown", 0.2, 0.6, 0.7), ("browDown", 0.2, 0.6, 1))),
        (0.15, (("mouthUpperUp", 0.5, 1.0, 1), ("noseSneer", 0.5, 1.0, 1), ("browDown", 0.1, 0.5, 0.7),
                ("jawOpen", 0.05, 0.2, 0.5))),
    ),
    "anger": (
        (0.26, (("browDown", 0.7, 1.0, 1), ("eyeSquint", 0.2, 0.6, 0.8), ("mouthPress", 0.3, 0.9, 1),
                ("noseSneer", 0.1, 0.4, 0.5), ("mouthFrown", 0.1, 0.5, 0.5))),
        (0.20, (("browDown", 0.7, 1.0, 1), ("noseSneer", 0.3, 0.8, 1), ("mouthUpperUp", 0.3, 0.7, 1),
                ("mouthLowerDown", 0.3, 0.7, 1), ("jawOpen", 0.08, 0.3, 1), ("mouthStretch", 0.1, 0.4, 0.7),
                ("eyeSquint", 0.2, 0.6, 0.8))),
        (0.20, (("browDown", 0.6, 1.0, 1), ("jawOpen", 0.4, 1.0, 1), ("mouthUpperUp", 0.3, 0.6, 1),
                ("mouthLowerDown", 0.3, 0.7, 1), ("noseSneer", 0.2, 0.6, 1), ("eyeWide", 0.1, 0.4, 0.4))),
        (0.14, (("browDown", 0.6, 1.0, 1), ("eyeSquint", 0.4, 1.0, 1), ("cheekSquint", 0.3, 0.8, 1),
                ("jawOpen", 0.25, 0.9, 1), ("mouthStretch", 0.2, 0.7, 1), ("mouthUpperUp", 0.4, 0.9, 1),
                ("mouthLowerDown", 0.3, 0.8, 1), ("eyeBlink", 0.2, 0.7, 0.3))),
        (0.11, (("browDown", 0.5, 0.9, 1), ("mouthFrown", 0.2, 0.6, 1), ("mouthShrugLower", 0.1, 0.4, 0.7),
                ("mouthPress", 0.1, 0.5, 0.6))),
        (0.09, (("browDown", 0.6, 1.0, 1), ("eyeWide", 0.3, 0.8, 1), ("mouthPress", 0.1, 0.5, 0.6))),
    ),
}  # fmt: skip
# What a relaxed face shows by chance; small, because a label says 0..1 of what people see as movement.
_REST: tuple[Unit, ...] = (
    ("browInnerUp", 0.0, 0.12, 0.4), ("browOuterUp", 0.0, 0.12, 0.4), ("browDown", 0.0, 0.3, 0.4),
    ("mouthSmile", 0.0, 0.14, 0.4), ("mouthFrown", 0.0, 0.25, 0.3), ("noseSneer", 0.0, 0.15, 0.2),
    ("mouthUpperUp", 0.0, 0.15, 0.2), ("cheekSquint", 0.0, 0.2, 0.25), ("jawOpen", 0.0, 0.06, 0.3),
    ("eyeSquint", 0.0, 0.4, 0.35), ("eyeWide", 0.0, 0.15, 0.2), ("eyeBlink", 0.0, 0.22, 0.3),
    ("mouthPress", 0.0, 0.25, 0.2), ("mouthPucker", 0.0, 0.15, 0.1), ("mouthRollLower", 0.0, 0.2, 0.1),
    ("mouthShrugLower", 0.0, 0.15, 0.12), ("mouthLeft", 0.0, 0.15, 0.06), ("mouthRight", 0.0, 0.15, 0.06),
)  # fmt: skip
# Mouth shapes of speech (visemes), one drawn at a time.
SPEECH: tuple[tuple[Unit, ...], ...] = (
    (("jawOpen", 0.15, 0.45, 1), ("mouthLowerDown", 0.05, 0.3, 0.7), ("mouthUpperUp", 0.0, 0.2, 0.5)),  # a
    (("jawOpen", 0.05, 0.2, 1), ("mouthStretch", 0.1, 0.4, 1), ("mouthLowerDown", 0.1, 0.4, 0.8)),  # e, i
    (("jawOpen", 0.1, 0.3, 1), ("mouthFunnel", 0.3, 0.7, 1)),  # o
    (("mouthPucker", 0.3, 0.8, 1), ("jawOpen", 0.0, 0.1, 1)),  # u
    (("mouthPress", 0.2, 0.5, 1), ("mouthRollLower", 0.1, 0.3, 0.6), ("mouthRollUpper", 0.1, 0.3, 0.6)),  # m, p
    (("jawOpen", 0.03, 0.12, 1), ("mouthRollLower", 0.2, 0.5, 1), ("mouthUpperUp", 0.1, 0.3, 1)),  # f
)
_OPPOSED = (
    ("eyeBlink", "eyeWide"), ("mouthSmile", "mouthFrown"), ("mouthLeft", "mouthRight"), ("jawLeft", "jawRight"),
    ("mouthPress", "jawOpen"), ("mouthClose", "jawOpen"), ("mouthPucker", "mouthStretch"),
)  # fmt: skip
_BARE = tuple(dict.fromkeys(u.removesuffix("Left").removesuffix("Right") for u in UNITS if not u.startswith("eyeLook")))


@dataclass(frozen=True, slots=True)
class ExpressionSampler:
    """Draws expressions. Shares need not sum to 1; the unnamed share has no label (None).

    Strength is drawn from the three ranges of `strengths` (share, low, high): weak ones dominate real life, strong
    ones teach the range. `skew` is the usual left-right difference, `one_sided` the share that is clearly lopsided,
    `blended` the share that carries a weaker second class.
    """

    shares: tuple[tuple[str, float], ...] = (
        ("neutral", 0.20), ("happiness", 0.20), ("sadness", 0.13), ("surprise", 0.13), ("fear", 0.06),
        ("disgust", 0.08), ("anger", 0.13),
    )  # fmt: skip
    unnamed: float = 0.08
    strengths: tuple[tuple[float, float, float], ...] = ((0.35, 0.15, 0.4), (0.42, 0.4, 0.8), (0.23, 0.8, 1.0))
    skew: float = 0.12
    one_sided: float = 0.14
    blended: float = 0.12
    talking: float = 0.25
    closed_eyes: float = 0.04

    def draw(self, rng: Draw) -> Expression:
        """One expression; its label is what it was drawn for, or neutral when it came out too weak to see."""
        names: list[str | None] = [*(name for name, _ in self.shares), None]
        weights = np.array([*(share for _, share in self.shares), self.unnamed])
        label = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        return self.draw_class(rng, label)

    def draw_class(self, rng: Draw, label: str | None, strength: float | None = None) -> Expression:
        """An expression of this class (None: an unnamed mixture). Raises ValueError on a name outside `EXPRESSIONS`."""
        if label is not None and label not in EXPRESSIONS:
            raise ValueError(f"{label!r} is not one of {', '.join(EXPRESSIONS)}")
        amount = 0.0 if label == "neutral" else self._strength(rng) if strength is None else float(strength)
        units = self.rest(rng)
        if label in WAYS:
            units = {name: value * (1 - 0.8 * amount) for name, value in units.items()}
            self._apply(rng, units, _choose(rng, WAYS[label]), amount)
            if rng.random() < self.blended:
                other = WAYS[str(rng.choice(list(WAYS)))]
                self._apply(rng, units, _choose(rng, other), amount * float(rng.uniform(0.1, 0.35)))
        elif label is None:
            self._mix(rng, units, amount)
        if label in ("neutral", None) and rng.random() < self.talking:
            self._apply(rng, units, SPEECH[int(rng.integers(len(SPEECH)))], float(rng.uniform(0.5, 1.0)))
        if rng.random() < self.closed_eyes:
            _pair(units, "eyeBlink", *(float(v) for v in np.repeat(rng.uniform(0.85, 1.0), 2)))
        named = "neutral" if label is not None and amount < NEUTRAL_BELOW else label
        return Expression(settle(units), named, 0.0 if named == "neutral" else round(amount, 4))

    def rest(self, rng: Draw) -> dict[str, float]:
        """Units of a relaxed face."""
        units: dict[str, float] = {}
        self._apply(rng, units, _REST, 1.0)
        return units

    def _strength(self, rng: Draw) -> float:
        shares = np.array([s for s, _, _ in self.strengths])
        _, low, high = self.strengths[int(rng.choice(len(shares), p=shares / shares.sum()))]
        return float(rng.uniform(low, high))

    def _apply(self, rng: Draw, units: dict[str, float], way: tuple[Unit, ...], strength: float) -> None:
        """Add a way at a strength to `units`, more or less lopsided."""
        tilt = float(rng.uniform(0.35, 0.9)) if rng.random() < self.one_sided else 0.0
        weak = int(rng.integers(2))
        for name, low, high, chance in way:
            if rng.random() >= chance:
                continue
            value = float(rng.uniform(low, high)) * strength
            sides = value * (1 + rng.normal(0, self.skew, 2))
            if name.startswith(("mouth", "nose", "brow")):
                sides[weak] *= 1 - tilt
            _pair(units, name, float(sides[0]), float(sides[1]))

    def _mix(self, rng: Draw, units: dict[str, float], strength: float) -> None:
        """Two to six units that need not belong together: winks, pouts, chewing, faces that nobody names."""
        for name in rng.choice(len(_BARE), int(rng.integers(2, 7)), replace=False):
            left, right = rng.uniform(0.2, 1.0, 2) * max(strength, 0.3)
            if rng.random() < 0.7:
                right = left * (1 + float(rng.normal(0, self.skew)))
            _pair(units, _BARE[int(name)], float(left), float(right))


def _choose(rng: Draw, ways: tuple[tuple[float, tuple[Unit, ...]], ...]) -> tuple[Unit, ...]:
    shares = np.array([share for share, _ in ways])
    return ways[int(rng.choice(len(ways), p=shares / shares.sum()))][1]


def _pair(units: dict[str, float], name: str, left: float, right: float) -> None:
    """Add to a unit, or to its left and right half when it has two."""
    if name in UNITS:
        units[name] = units.get(name, 0.0) + (left + right) / 2
        return
    for side, value in (("Left", left), ("Right", right)):
        if name + side in UNITS:
            units[name + side] = units.get(name + side, 0.0) + value


def settle(units: dict[str, float]) -> tuple[tuple[str, float], ...]:
    """Units of a drawn face, clipped to 0..1, with opposed muscles no longer both pulling: the weaker one yields."""
    values = {name: float(np.clip(value, 0.0, 1.0)) for name, value in units.items()}
    for strong, weak in _OPPOSED:
        for side in ("Left", "Right", ""):
            first = strong + side if strong + side in UNITS else strong
            second = weak + side if weak + side in UNITS else weak
            a, b = values.get(first, 0.0), values.get(second, 0.0)
            if a > 0 and b > 0:
                loser, winner = (second, a) if a >= b else (first, b)
                values[loser] *= max(0.0, 1 - 1.5 * winner)
    return tidy(values)


def tidy(units: dict[str, float]) -> tuple[tuple[str, float], ...]:
    """Units as an `Expression` holds them: in the order of `UNITS`, 0..1, rounded, invisible ones left out."""
    values = {name: round(float(np.clip(value, 0.0, 1.0)), 4) for name, value in units.items()}
    return tuple((name, values[name]) for name in UNITS if values.get(name, 0.0) >= 0.005)


# Furthest that eyes turn in the head (degrees) where the look units reach 1.
LOOK_ASIDE, LOOK_UP, LOOK_DOWN = 35.0, 25.0, 30.0


def with_gaze(expression: Expression, pose: Pose) -> Expression:
    """The expression with its eye-look units set from pose and gaze, so that lids follow the eyes.

    Gaze is measured against the camera, so what the eyes do in the head is gaze minus head; roll is neglected.
    """
    aside, up = pose.gaze_right - pose.yaw, pose.gaze_up - pose.pitch
    units = {name: value for name, value in expression.units if not name.startswith("eyeLook")}
    left, right = ("Out", "In") if aside > 0 else ("In", "Out")
    vertical, reach = ("Up", LOOK_UP) if up > 0 else ("Down", LOOK_DOWN)
    units[f"eyeLook{left}Left"] = units[f"eyeLook{right}Right"] = abs(aside) / LOOK_ASIDE
    for side in ("Left", "Right"):
        units[f"eyeLook{vertical}{side}"] = abs(up) / reach
    return Expression(tidy(units), expression.label, expression.intensity)
