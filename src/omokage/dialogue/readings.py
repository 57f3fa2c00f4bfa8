"""What the encoder's sub-networks read off a face, each as one number in -1..1 beside a word that says what it is.

A number in words ("smiling" +0.9, "black" -0.8) is something that a language model can look up: a question's word finds
the reading by its own embedding. Readings of what training must not speak of (`phrases.UNSEEN`) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

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


def readings(raw: Mapping[str, Tensor]) -> Tensor:
    """Raw numbers of the sub-networks (b, width) by category as readings (b, len(NAMES)) in -1..1."""
    of: dict[str, Tensor] = {}
    for category, members in LAYOUT.items():
        parts = torch.split(raw[category].float(), [width for _, width in members], 1)
        of.update({name: part for (name, _), part in zip(members, parts, strict=True)})
    columns = [torch.tanh(of[name] / 2) for name in _SHARES]
    columns.append(2 * torch.softmax(of["expression"], 1) - 1)
    female = torch.tanh(of["perceived_gender"] / 2)
    columns += [female, -female, *_age(of["age"])]
    columns += [_above(_mean(of["fatness"], -1.0, 1.5), 0.35, 0.25), _above(_mean(of["hair_length"], 0, 1), 0.5, 0.1)]
    columns += _directions(of["pose"], of["gaze"])
    columns.append(_above(_gap(of["landmarks"]), 0.065, 0.035))
    moves = of["units"][:, [UNITS.index(name) for name in _MOVES]]
    return torch.cat([*columns, _above(moves, 0.25, 0.2)], 1)


def _above(value: Tensor, limit: float, width: float) -> Tensor:
    return torch.tanh((value - limit) / width)


def _mean(bins: Tensor, low: float, high: float) -> Tensor:
    """The expected value (b, 1) of a distribution's logits (b, bins) over equal steps."""
    steps = torch.linspace(low, high, bins.shape[1], device=bins.device)
    return (torch.softmax(bins, 1) * steps).sum(1, keepdim=True)


def _age(bins: Tensor) -> list[Tensor]:
    """How likely a person is older than each of `_AGES`, and in each of the bands."""
    p = torch.softmax(bins, 1)
    older = [2 * p[:, age:].sum(1, keepdim=True) - 1 for age in _AGES]
    return older + [2 * p[:, low : high + 1].sum(1, keepdim=True) - 1 for _, low, high in _BANDS]


def _directions(pose: Tensor, gaze: Tensor) -> list[Tensor]:
    """Where head and eyes point, from the rotation's two columns and the gaze's angles over 30 degrees."""
    first = torch.nn.functional.normalize(pose[:, :3], dim=1)
    second = pose[:, 3:6] - (first * pose[:, 3:6]).sum(1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=1)
    third = torch.linalg.cross(first, second)
    yaw = torch.rad2deg(torch.atan2(third[:, 0], third[:, 2]))[:, None]
    pitch = torch.rad2deg(torch.asin(third[:, 1].clamp(-0.999, 0.999)))[:, None]
    right, up = gaze[:, :1] * 30, gaze[:, 1:2] * 30
    turned = [_above(-yaw, 14, 5), _above(yaw, 14, 5), _above(pitch, 10, 4), _above(-pitch, 10, 4)]
    return [*turned, _above(-right, 9, 4), _above(right, 9, 4), _above(-up, 9, 4)]


def _gap(points: Tensor) -> Tensor:
    """The opening of the inner lips over the distance of the outer eye corners (b, 1)."""
    at = points[:, :136].reshape(-1, 68, 2)
    gap = (at[:, [61, 62, 63]] - at[:, [67, 66, 65]]).norm(dim=2).mean(1)
    share: Tensor = gap / (at[:, 36] - at[:, 45]).norm(dim=1).clamp(min=1e-4)
    return share[:, None]
