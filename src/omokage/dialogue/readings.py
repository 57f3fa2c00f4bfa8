"""What the encoder's sub-networks read off a face, each as one number in -1..1 beside a word that says what it is.

A number in words ("smiling" +0.9, "black" -0.8) is something that a language model can look up: a question's word finds
the reading by its own embedding. Readings of what training must not speak of (`held_out.UNSEEN`) are left out.

A sub-network's zero is not where a fact is as likely as not among questions that are asked evenly, so `centred` moves
it there. Colours are read off the pixels: a face's sub-networks were taught to see through them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from omokage.dialogue.facts import Truth
from omokage.results import EXPRESSIONS
from omokage.schema import UNITS

# The raw numbers of each sub-network in order: attribute and how many numbers it has.
LAYOUT: Mapping[str, tuple[tuple[str, int], ...]] = {
    "continuous-local-face": (("landmarks", 204), ("units", 52)),
    "continuous-holistic": (("pose", 9),),
    "continuous-local-eyes": (("gaze", 4),),
    "nominal-holistic": (("expression", 7), ("perceived_gender", 1), ("heavy_makeup", 1), ("occluded", 1)),
    "ordinal-holistic": (("age", 101), ("fatness", 21), ("skin_tone", 21), ("quality", 1)),
    "ordinal-local-hair": (("hair_length", 21),),
    "nominal-local-mouth": tuple(
        (name, 1)
        for name in (
            "smiling", "mouth_slightly_open", "face_mask", "wearing_lipstick", "beard", "mustache", "5_o_clock_shadow",
        )
    ),
    "nominal-local-eyes": tuple((name, 1) for name in ("eyeglasses", "sunglasses", "eyes_closed")),
    "nominal-local-hair": tuple(
        (name, 1)
        for name in (
            "wearing_hat", "bald", "bangs", "receding_hairline", "gray_hair", "black_hair", "blond_hair", "brown_hair",
        )
    ),
}  # fmt: skip
# The word of a yes/no reading, where it is not the attribute's own name.
_WORDS = {
    "mouth_slightly_open": "open", "face_mask": "mask", "wearing_lipstick": "lipstick", "5_o_clock_shadow": "stubble",
    "eyeglasses": "glasses", "eyes_closed": "closed", "heavy_makeup": "makeup", "occluded": "covered",
    "wearing_hat": "hat", "bangs": "fringe", "receding_hairline": "receding", "gray_hair": "grey",
    "black_hair": "black", "blond_hair": "blond", "brown_hair": "brown",
}  # fmt: skip
_UNSEEN = frozenset({"mustache", "quality", "skin_tone", "mouthFrownLeft", "mouthFrownRight"})
_FEELINGS = {
    "neutral": "neutral", "happiness": "happy", "sadness": "sad", "surprise": "surprised", "fear": "afraid",
    "disgust": "disgusted", "anger": "angry",
}  # fmt: skip
_AGES = (20, 30, 40, 50, 60)
_BANDS = (("child", 0, 15), ("young", 16, 35), ("middle-aged", 36, 60), ("old", 61, 100))
_SHARES = tuple(
    name for members in LAYOUT.values() for name, width in members
    if width == 1 and name not in _UNSEEN and name != "perceived_gender"
)  # fmt: skip
_MOVES = tuple(name for name in UNITS if name not in _UNSEEN)


def _spoken(unit: str) -> str:
    """``browInnerUp`` as "brow inner up"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unit).lower()


NAMES: tuple[str, ...] = (
    *(_WORDS.get(name, name.replace("_", " ")) for name in _SHARES),
    *(_FEELINGS[name] for name in EXPRESSIONS),
    "female woman", "male man",
    *(f"older {age}" for age in _AGES),
    *(word for word, _, _ in _BANDS),
    "full round", "long", "turned left", "turned right", "head up raised", "head down lowered", "look left",
    "look right", "look down", "apart",
    *map(_spoken, _MOVES),
)  # fmt: skip


# The fact that a reading says, or denies, as far as training knows one.
SAYS: Mapping[str, tuple[str, bool]] = {
    **{name: (name, True) for name in ("smiling", "beard", "stubble", "sunglasses", "bald")},
    "covered": ("occluded", True), "open": ("mouth_open", True), "apart": ("mouth_open", True),
    "jaw open": ("mouth_open", True), "mask": ("face_mask", True), "lipstick": ("wearing_lipstick", True),
    "glasses": ("eyeglasses", True), "closed": ("eyes_closed", True), "hat": ("wearing_hat", True),
    "fringe": ("bangs", True), "female woman": ("female", True), "male man": ("female", False),
    "full round": ("full_face", True), "long": ("long_hair", True), "head up raised": ("head_up", True),
    "head down lowered": ("head_down", True), "brow inner up": ("brows_raised", True),
    **{word: (f"{'gray' if word == 'grey' else word}_hair", True) for word in ("grey", "black", "blond", "brown")},
    **{word: (f"expression_{name}", True) for name, word in _FEELINGS.items()},
    **{f"older {age}": (f"older_{age}", True) for age in _AGES},
    **{f"turned {side}": (f"turned_{side}", True) for side in ("left", "right")},
    **{f"look {way}": (f"looks_{way}", True) for way in ("left", "right", "down")},
    **{
        f"{move} {side}": (fact, True)
        for move, fact in (
            ("brow down", "brows_lowered"), ("brow outer up", "brows_raised"), ("eye wide", "eyes_wide"),
            ("nose sneer", "nose_wrinkled"), ("eye blink", "eyes_closed"), ("mouth smile", "smiling"),
        )
        for side in ("left", "right")
    },
}  # fmt: skip
_FEWEST = 8  # pictures with and without a fact that are enough to move a reading

# Hues in degrees: from, to.
HUES: Mapping[str, tuple[float, float]] = {
    "red": (-15, 15), "orange": (15, 40), "yellow": (40, 66), "green": (80, 170), "blue": (190, 250),
    "purple": (255, 320),
}  # fmt: skip


def readings(raw: Mapping[str, Tensor]) -> Tensor:
    """Raw numbers of the sub-networks (b, width) by category as readings (b, len(NAMES)) before the tanh."""
    of: dict[str, Tensor] = {}
    for category, members in LAYOUT.items():
        parts = torch.split(raw[category].float(), [width for _, width in members], 1)
        of.update({name: part for (name, _), part in zip(members, parts, strict=True)})
    columns = [of[name] / 2 for name in _SHARES]
    columns.append(_half_logit(torch.softmax(of["expression"], 1)))
    female = of["perceived_gender"] / 2
    columns += [female, -female, *_age(of["age"])]
    columns += [(_mean(of["fatness"], -1.0, 1.5) - 0.35) / 0.25, (_mean(of["hair_length"], 0, 1) - 0.5) / 0.1]
    columns += _directions(of["pose"], of["gaze"])
    columns.append((_gap(of["landmarks"]) - 0.065) / 0.035)
    moves = of["units"][:, [UNITS.index(name) for name in _MOVES]]
    return torch.cat([*columns, (moves - 0.25) / 0.2], 1).clamp(-6, 6)


def centred(values: Tensor, truths: Sequence[Truth]) -> tuple[Tensor, Tensor]:
    """Slope and shift (names,) such that ``tanh(slope * value + shift)`` is twice the probability of the reading's fact
    less one, were it there in half of the pictures; 1 and 0 for readings that say no known fact. `values` (n, names)
    are those of the pictures of `truths`."""
    slope, shift = torch.ones(values.shape[1]), torch.zeros(values.shape[1])
    for column, name in enumerate(NAMES):
        fact, holds = SAYS.get(name, ("", True))
        known = [k for k, truth in enumerate(truths) if fact in truth.facts]
        there = torch.tensor([truths[k].facts[fact] == holds for k in known], dtype=torch.float64)
        if min(int(there.sum()), len(known) - int(there.sum())) >= _FEWEST:
            slope[column], shift[column] = _fitted(values[known, column].double(), there)
    return slope, shift


def _fitted(value: Tensor, there: Tensor, rounds: int = 25, hold: float = 1e-3) -> tuple[float, float]:
    """A logistic regression on one number with both classes weighing the same, by Newton's steps: halves of slope and
    intercept."""
    inputs = torch.stack([value, torch.ones_like(value)], 1)
    weight = torch.where(there > 0, 0.5 / there.sum(), 0.5 / (1 - there).sum())
    found = torch.tensor([1.0, 0.0], dtype=torch.float64)
    for _ in range(rounds):
        p = torch.sigmoid(inputs @ found)
        slope = inputs.T @ (weight * (p - there)) + hold * found
        bend = (inputs * (weight * p * (1 - p))[:, None]).T @ inputs + hold * torch.eye(2, dtype=torch.float64)
        found = found - torch.linalg.solve(bend, slope).clamp(-2, 2)
    return float(found[0]) / 2, float(found[1]) / 2


def coloured(images: Tensor) -> Tensor:
    """How much of a picture (b, 3, s, s), values -1..1, has each of `HUES` (b, hues), in -1..1: 0 is a hundredth."""
    small = torch.nn.functional.avg_pool2d(images, 4).clamp(-1, 1) / 2 + 0.5
    most, least = small.amax(1), small.amin(1)
    spread = (most - least).clamp(min=1e-6)
    red, green, blue = small.unbind(1)
    hue = torch.where(most == red, (green - blue) / spread,
                      torch.where(most == green, 2 + (blue - red) / spread, 4 + (red - green) / spread))  # fmt: skip
    angle = (hue * 60 + 15) % 360 - 15  # -15..345: red is not cut in two
    vivid = (spread / most.clamp(min=1e-6) > 0.5) & (most > 0.3)
    shares = [(vivid & (angle >= low) & (angle < high)).float().mean((1, 2)) for low, high in HUES.values()]
    return torch.tanh((torch.stack(shares, 1) - 0.01) / 0.01)


def _half_logit(p: Tensor) -> Tensor:
    """The number whose tanh is ``2 p - 1``."""
    return torch.logit(p.clamp(1e-5, 1 - 1e-5)) / 2


def _mean(bins: Tensor, low: float, high: float) -> Tensor:
    """The expected value (b, 1) of a distribution's logits (b, bins) over equal steps."""
    steps = torch.linspace(low, high, bins.shape[1], device=bins.device)
    return (torch.softmax(bins, 1) * steps).sum(1, keepdim=True)


def _age(bins: Tensor) -> list[Tensor]:
    """How likely a person is older than each of `_AGES`, and in each of the bands."""
    p = torch.softmax(bins, 1)
    older = [_half_logit(p[:, age:].sum(1, keepdim=True)) for age in _AGES]
    return older + [_half_logit(p[:, low : high + 1].sum(1, keepdim=True)) for _, low, high in _BANDS]


def _directions(pose: Tensor, gaze: Tensor) -> list[Tensor]:
    """Where head and eyes point, from the rotation's two columns and the gaze's angles over 30 degrees."""
    first = torch.nn.functional.normalize(pose[:, :3], dim=1)
    second = pose[:, 3:6] - (first * pose[:, 3:6]).sum(1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=1)
    third = torch.linalg.cross(first, second)
    yaw = torch.rad2deg(torch.atan2(third[:, 0], third[:, 2]))[:, None]
    pitch = torch.rad2deg(torch.asin(third[:, 1].clamp(-0.999, 0.999)))[:, None]
    right, up = gaze[:, :1] * 30, gaze[:, 1:2] * 30
    turned = [(-yaw - 14) / 5, (yaw - 14) / 5, (pitch - 10) / 4, (-pitch - 10) / 4]
    return [*turned, (-right - 9) / 4, (right - 9) / 4, (-up - 9) / 4]


def _gap(points: Tensor) -> Tensor:
    """The opening of the inner lips over the distance of the outer eye corners (b, 1)."""
    at = points[:, :136].reshape(-1, 68, 2)
    gap = (at[:, [61, 62, 63]] - at[:, [67, 66, 65]]).norm(dim=2).mean(1)
    share: Tensor = gap / (at[:, 36] - at[:, 45]).norm(dim=1).clamp(min=1e-4)
    return share[:, None]
