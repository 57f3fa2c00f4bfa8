"""What is true of one picture, in the words that questions use: yes/no facts and choices, from a record's labels.

Facts stand apart from doubt: where people would hesitate (a ramp between 0.2 and 0.8, an angle near the limit, a part
that is hidden) the fact is absent, and nothing is asked about it. Whether a part of the face is covered is counted in
the rendered segmentation, inside the hull of its landmarks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.records import SEGMENTATION
from omokage.schema import UNITS

NO, YES = 0.2, 0.8  # a label between is a case on which people would differ
HIDDEN, FREE = 0.6, 0.08  # share of a part that things cover: from the first on "covered", up to the second "not"
OPEN, WIDE = (0.03, 0.10), (0.14, 0.28)  # gap between the inner lips over the outer-eye distance: no below, yes above
TURNED, STRAIGHT = 20.0, 8.0  # degrees of yaw
LIFTED, LEVEL = 15.0, 5.0  # degrees of pitch
GLANCE, AHEAD = 14.0, 5.0  # degrees of gaze against the camera
MOVED, STILL = 0.45, 0.08  # intensity of expression units
SHOWN = 0.4  # intensity from which on a named expression can be seen
LONG, SHORT = 0.6, 0.4  # hair length on the renderer's scale
FULL, LEAN = 0.6, 0.1  # fatness on the renderer's scale
AGES = (20, 30, 40, 50, 60)  # years asked for in "older than"
NEAR_AGE = 6.0  # years around a limit in which people differ
FEMALE = (0.25, 0.75)

# Same name, same meaning: the label column attr_<second> is the fact <first>.
_LABELS = {
    "smiling": "smiling", "eyeglasses": "eyeglasses", "sunglasses": "sunglasses", "face_mask": "face_mask",
    "wearing_hat": "wearing_hat", "beard": "beard", "stubble": "5_o_clock_shadow", "bald": "bald", "bangs": "bangs",
    "gray_hair": "gray_hair", "black_hair": "black_hair", "blond_hair": "blond_hair", "brown_hair": "brown_hair",
    "wearing_lipstick": "wearing_lipstick", "eyes_closed": "eyes_closed", "occluded": "occluded",
    "mustache": "mustache", "goatee": "goatee", "wavy_hair": "wavy_hair", "straight_hair": "straight_hair",
    "sideburns": "sideburns", "rosy_cheeks": "rosy_cheeks", "wearing_earrings": "wearing_earrings",
    "wearing_necklace": "wearing_necklace", "wearing_necktie": "wearing_necktie", "bushy_eyebrows": "bushy_eyebrows",
    "double_chin": "double_chin",
}  # fmt: skip
_MOVES = {
    "brows_raised": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "brows_lowered": ("browDownLeft", "browDownRight"),
    "eyes_wide": ("eyeWideLeft", "eyeWideRight"),
    "nose_wrinkled": ("noseSneerLeft", "noseSneerRight"),
    "mouth_corners_down": ("mouthFrownLeft", "mouthFrownRight"),
    "cheeks_raised": ("cheekSquintLeft", "cheekSquintRight"),
    "lips_raised": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "lips_lowered": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "lips_shut": ("mouthPressLeft", "mouthPressRight"),
    "lips_round": ("mouthPucker",),
}
# What a set's action units say where it publishes them: present or absent.
_ACTION_UNITS = {
    "au02": "brows_raised", "au04": "brows_lowered", "au05": "eyes_wide", "au09": "nose_wrinkled",
    "au15": "mouth_corners_down", "au12": "smiling",
}  # fmt: skip
AGE_BANDS = (("a child", 3, 12), ("a young adult", 19, 32), ("middle-aged", 40, 56), ("old", 66, 100))
HAIR_COLOURS = {"black_hair": "black", "brown_hair": "brown", "blond_hair": "blond", "gray_hair": "grey"}


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of one picture. `image`: its place or record id; `facts`: yes/no; `choices`: one class of each
    kind."""

    image: int | str
    person: str
    facts: Mapping[str, bool] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)


def truth_of(image: int | str, person: str, labels: Mapping[str, Any]) -> Truth:
    """The facts behind the label columns of `data.records` (nulls absent or None), of rendered and of real pictures."""
    known = {k: v for k, v in labels.items() if v is not None}
    facts = _labelled(known) | _numbers(known) | _moves(known) | _covered(known) | _mouth(known)
    facts |= _scene(known, facts)
    choices = _choices(known, facts)
    if "expression" in choices:
        facts |= {f"expression_{name}": name == choices["expression"] for name in _expressions()}
    return Truth(image, person, facts, choices)


COLUMNS = (
    "landmarks", "pose", "gaze", "units", "expression", "expression_intensity", "age", "age_low", "age_high", "female",
    "fatness", "hair_length", "segmentation", "scene", "action_units", *(f"attr_{name}" for name in _LABELS.values()),
    "attr_no_beard", "attr_mouth_slightly_open",
)  # fmt: skip


def between(value: float, no: float, yes: float) -> bool | None:
    """True from `yes` on, False up to `no`, None between (`yes` may be the smaller: then the other way round)."""
    if yes < no:
        return between(-value, -no, -yes)
    return True if value >= yes else False if value <= no else None


def _kept(facts: Mapping[str, bool | None]) -> dict[str, bool]:
    return {name: value for name, value in facts.items() if value is not None}


def _labelled(labels: Mapping[str, Any]) -> dict[str, bool]:
    facts = {
        fact: between(labels[f"attr_{name}"], NO, YES) for fact, name in _LABELS.items() if f"attr_{name}" in labels
    }
    if "beard" not in facts and "attr_no_beard" in labels:
        facts["beard"] = between(labels["attr_no_beard"], YES, NO)
    # A moustache alone, or stubble, is hair on the face to some and none to others.
    facts["facial_hair"] = facts.get("beard") or (
        False if all(facts.get(name) is False for name in ("beard", "mustache", "stubble")) else None
    )
    return _kept(facts)


def _numbers(labels: Mapping[str, Any]) -> dict[str, bool]:
    """Facts behind angles and scales. Left and right are the picture's."""
    facts: dict[str, bool | None] = {}
    if "female" in labels:
        facts["female"] = between(labels["female"], *FEMALE)
    if "age" in labels:
        facts |= {f"older_{a}": between(labels["age"], a - NEAR_AGE, a + NEAR_AGE) for a in AGES}
    elif "age_low" in labels and "age_high" in labels:
        facts |= {
            f"older_{a}": True if labels["age_low"] >= a else False if labels["age_high"] <= a else None for a in AGES
        }
    if "hair_length" in labels:
        facts["long_hair"] = between(labels["hair_length"], SHORT, LONG)
    if "fatness" in labels:
        facts["full_face"] = between(labels["fatness"], LEAN, FULL)
    if "pose" in labels:
        yaw, pitch, _ = labels["pose"]
        facts |= {"turned_left": between(yaw, -STRAIGHT, -TURNED), "turned_right": between(yaw, STRAIGHT, TURNED)}
        facts |= {"head_up": between(pitch, LEVEL, LIFTED), "head_down": between(pitch, -LEVEL, -LIFTED)}
    if "gaze" in labels:
        right, up = labels["gaze"]
        facts |= {"looks_left": between(right, -AHEAD, -GLANCE), "looks_right": between(right, AHEAD, GLANCE)}
        facts |= {"looks_up": between(up, AHEAD, GLANCE * 0.7), "looks_down": between(up, -AHEAD, -GLANCE)}
    return _kept(facts)


def _moves(labels: Mapping[str, Any]) -> dict[str, bool]:
    if "action_units" in labels:
        said = json.loads(labels["action_units"])
        return _kept({fact: between(float(said[au]), 0.0, 1.0) for au, fact in _ACTION_UNITS.items() if au in said})
    if "units" not in labels:
        return {}
    units = dict(zip(UNITS, labels["units"], strict=True))
    mean = {fact: sum(units[u] for u in parts) / len(parts) for fact, parts in _MOVES.items()}
    return _kept({fact: between(value, STILL, MOVED) for fact, value in mean.items()})


def _mouth(labels: Mapping[str, Any]) -> dict[str, bool]:
    """Whether the mouth is open, by the lips' inner landmarks; the yes/no label of photographs otherwise."""
    if "landmarks" not in labels:
        open_ = labels.get("attr_mouth_slightly_open")
        return {} if open_ is None else _kept({"mouth_open": between(open_, NO, YES)})
    if labels.get("attr_smiling") is None:  # the mouth is hidden
        return {}
    gap = lip_gap(np.asarray(labels["landmarks"], np.float64).reshape(68, 2))
    return _kept({"mouth_open": between(gap, *OPEN), "mouth_wide_open": between(gap, *WIDE)})


def lip_gap(points: NDArray[np.floating]) -> float:
    """The gap between the inner lips over the distance of the outer eye corners, of 68 landmarks (68, 2)."""
    gap = float(np.linalg.norm(points[[61, 62, 63]] - points[[67, 66, 65]], axis=1).mean())
    return gap / max(float(np.linalg.norm(points[36] - points[45])), 1e-6)


def _covered(labels: Mapping[str, Any]) -> dict[str, bool]:
    if "segmentation" not in labels or "landmarks" not in labels:
        return {}
    seen = np.asarray(cv2.imdecode(np.frombuffer(labels["segmentation"], np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)
    points = np.asarray(labels["landmarks"], np.float64).reshape(68, 2)
    things = ("hat", "mask", "occluder")
    # Clear lenses have the class of dark ones, and cover nothing.
    dark = ("lens",) if (labels.get("attr_sunglasses") or 0.0) >= YES else ()
    parts = {
        "eyes": ((points[36:42], points[42:48]), (*things, *dark, "hair")),
        "nose": ((points[27:36],), things),
        "mouth": ((points[48:60],), things),
        "chin": ((np.concatenate([points[6:11], points[56:59]]),), things),
        "forehead": ((_forehead(points),), (*things, "hair")),
        "cheeks": ((points[[2, 3, 4, 48, 31]], points[[14, 13, 12, 54, 35]]), things),
        "brows": ((points[17:22], points[22:27]), (*things, "hair")),
    }
    shares = {part: covered_share(seen, hulls, classes) for part, (hulls, classes) in parts.items()}
    covered = {f"{part}_covered": between(s, FREE, HIDDEN) for part, s in shares.items() if s is not None}
    if (labels.get("attr_eyeglasses") or 0.0) > NO and not dark and covered.get("eyes_covered") is False:
        del covered["eyes_covered"]  # clear lenses are in front of the eyes and do not hide them
    return _kept(covered)


def _forehead(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A band above the brows, a fifth of the way from chin to the bridge of the nose high."""
    up = (points[27] - points[8]) * 0.2
    return np.concatenate([points[18:26] + up * 0.4, points[18:26] + up])


def covered_share(
    seen: NDArray[np.uint8], hulls: tuple[NDArray[np.float64], ...], classes: tuple[str, ...]
) -> float | None:
    """Share (0..1) of these hulls of points (n, 2) that pixels of `classes` fill in a segmentation (h, w); None when a
    fifth of them lies outside the picture."""
    inside = np.zeros(seen.shape, np.uint8)
    area = 0.0
    for hull in hulls:
        outline = cv2.convexHull(hull.astype(np.float32))
        area += float(cv2.contourArea(outline))
        cv2.fillConvexPoly(inside, np.floor(outline).astype(np.int32), 1)
    corners = np.concatenate(hulls)
    shown = ((corners >= 0) & (corners < np.array(seen.shape[::-1]))).all(1).mean()
    if shown < 0.8 or area < 1 or not inside.any():
        return None
    return float(np.isin(seen[inside > 0], [SEGMENTATION.index(c) for c in classes]).mean())


def _scene(labels: Mapping[str, Any], facts: Mapping[str, bool]) -> dict[str, bool]:
    """What only the rendered scene tells: whether a beard reaches the cheeks."""
    if "scene" not in labels or "beard" not in facts:
        return {}
    return {"hair_on_cheeks": json.loads(labels["scene"])["person"]["beard"] == "full"}


def _expressions() -> tuple[str, ...]:
    from omokage.results import EXPRESSIONS

    return EXPRESSIONS


def _choices(labels: Mapping[str, Any], facts: Mapping[str, bool]) -> dict[str, str]:
    found: dict[str, str] = {}
    expression = labels.get("expression")
    if expression is not None and (expression == "neutral" or labels.get("expression_intensity", 1.0) >= SHOWN):
        found["expression"] = expression
    colours = [word for fact, word in HAIR_COLOURS.items() if facts.get(fact)]
    if len(colours) == 1:
        found["hair_colour"] = colours[0]
    if "female" in facts:
        found["gender"] = "female" if facts["female"] else "male"
    low, high = (labels.get("age", labels.get(k)) for k in ("age_low", "age_high"))
    if low is not None and high is not None:
        found.update([("age", word) for word, start, end in AGE_BANDS if start <= low and high <= end])
    if "eyeglasses" in facts and "sunglasses" in facts:
        found["eyewear"] = "sunglasses" if facts["sunglasses"] else "glasses" if facts["eyeglasses"] else "none"
    if facts.get("turned_left") or facts.get("turned_right"):
        found["direction"] = "left" if facts.get("turned_left") else "right"
    elif facts.get("turned_left") is False and facts.get("turned_right") is False:
        found["direction"] = "ahead"
    return found
