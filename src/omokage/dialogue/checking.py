"""What a specialist network says about a fact: the second opinion that an answer in words is compared with.

`specialist` turns a `FaceAnalysis` into the probability that a fact of `facts` holds, with the same limits. Facts that
no specialist reads have none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from omokage.dialogue import facts
from omokage.results import EXPRESSIONS, FaceAnalysis, Scalar

_SAME = {
    "smiling": "smiling", "eyes_closed": "eyes_closed", "eyeglasses": "eyeglasses",
    "sunglasses": "sunglasses", "face_mask": "face_mask", "wearing_hat": "wearing_hat", "beard": "beard",
    "stubble": "5_o_clock_shadow", "bald": "bald", "bangs": "bangs", "gray_hair": "gray_hair",
    "black_hair": "black_hair", "blond_hair": "blond_hair", "brown_hair": "brown_hair",
    "wearing_lipstick": "wearing_lipstick", "occluded": "occluded", "mustache": "mustache",
}  # fmt: skip
_SCALES = {"long_hair": ("hair_length", facts.SHORT, facts.LONG), "full_face": ("fatness", facts.LEAN, facts.FULL)}
_LEAST_SIGMA = 3.0  # degrees: what a network that states none is taken to err by


def specialist(face: FaceAnalysis, fact: str) -> float | None:
    """Probability (0..1) that `fact` is true of the face, or None when the analysis does not say."""
    if fact in _SAME:
        return face.attributes.get(_SAME[fact])
    if fact in ("mouth_open", "mouth_wide_open"):
        return _gap(face, facts.OPEN if fact == "mouth_open" else facts.WIDE)
    if fact == "female":
        return face.gender_female
    if fact.startswith("expression_"):
        name = fact.removeprefix("expression_")
        return None if face.expression is None or name not in EXPRESSIONS else face.expression[name]
    if fact.startswith("older_"):
        return _older(face, int(fact.removeprefix("older_")))
    if fact in _SCALES:
        name, low, high = _SCALES[fact]
        return _above(face.scalars.get(name), (low + high) / 2)
    return _angle(face, fact)


def choice(face: FaceAnalysis, kind: str) -> Mapping[str, float] | None:
    """Probabilities over the classes of a choice (`templates.OPTION_WORDS`) as far as the analysis tells; they sum to
    at most 1. None when it does not say."""
    if kind == "expression" and face.expression is not None:
        return dict(zip(face.expression.labels, face.expression.probabilities, strict=True))
    if kind == "gender" and face.gender_female is not None:
        return {"female": face.gender_female, "male": 1 - face.gender_female}
    if kind == "hair_colour":
        shares = {w: face.attributes[n] for n, w in facts.HAIR_COLOURS.items() if n in face.attributes}
        total = sum(shares.values())
        return {word: share / max(total, 1.0) for word, share in shares.items()} or None
    if kind == "eyewear" and {"eyeglasses", "sunglasses"} <= set(face.attributes):
        dark = face.attributes["sunglasses"]
        any_ = max(face.attributes["eyeglasses"], dark)
        return {"none": 1 - any_, "glasses": any_ - dark, "sunglasses": dark}
    if kind == "direction" and face.pose is not None:
        left, right = specialist(face, "turned_left") or 0.0, specialist(face, "turned_right") or 0.0
        return {"left": left, "right": right, "ahead": max(0.0, 1 - left - right)}
    if kind == "age" and face.age is not None:
        return _bands(face)
    return None


def _gap(face: FaceAnalysis, limits: tuple[float, float]) -> float | None:
    """How open the mouth is, by the inner lips' landmarks; the fact's own limits lie about two sigmas apart."""
    if face.landmarks is None:
        return None
    gap = Scalar(facts.lip_gap(face.landmarks), (limits[1] - limits[0]) / 2)
    return _above(gap, sum(limits) / 2)


def _bands(face: FaceAnalysis) -> dict[str, float]:
    """Age bands with the gaps between them divided in the middle."""
    edges = [0.0]
    for (_, _, end), (_, start, _) in zip(facts.AGE_BANDS, facts.AGE_BANDS[1:], strict=False):
        edges.append((end + start) / 2)
    over = [1.0, *(_older(face, e) or 0.0 for e in edges[1:]), 0.0]
    return {band[0]: over[k] - over[k + 1] for k, band in enumerate(facts.AGE_BANDS)}


def _older(face: FaceAnalysis, years: float) -> float | None:
    """Probability of being older: from the density where there is one, else from a normal with the interval's width."""
    if face.age is None:
        return None
    if face.age.density:
        whole = int(years)
        inside = face.age.density[whole] * (1 - (years - whole)) if whole < len(face.age.density) else 0.0
        return min(1.0, max(0.0, float(sum(face.age.density[whole + 1 :]) + inside)))
    sigma = max((face.age.q95 - face.age.q05) / 3.29, 0.5)  # 5 to 95 percent of a normal are 3.29 sigmas
    return _above(Scalar(face.age.years, sigma), years)


def _above(value: Scalar | None, limit: float) -> float | None:
    if value is None:
        return None
    return 0.5 * (1 + math.erf((value.value - limit) / (max(value.sigma, 1e-3) * math.sqrt(2))))


def _angle(face: FaceAnalysis, fact: str) -> float | None:
    """Facts about where the head points and the eyes look: beyond the middle between `facts`' limits."""
    turn, tilt = (facts.TURNED + facts.STRAIGHT) / 2, (facts.LIFTED + facts.LEVEL) / 2
    glance = (facts.GLANCE + facts.AHEAD) / 2
    if face.pose is not None:
        yaw, pitch = (Scalar(v, max(s, _LEAST_SIGMA)) for v, s in
                      ((face.pose.yaw, face.pose.sigma[0]), (face.pose.pitch, face.pose.sigma[1])))  # fmt: skip
        found = {"turned_left": (yaw, -turn), "turned_right": (yaw, turn), "head_up": (pitch, tilt),
                 "head_down": (pitch, -tilt)}  # fmt: skip
        if fact in found:
            return _beyond(*found[fact])
    if face.gaze is not None:
        right, up = (Scalar(g.value, max(g.sigma, _LEAST_SIGMA)) for g in face.gaze)
        looks = {"looks_left": (right, -glance), "looks_right": (right, glance), "looks_up": (up, glance * 0.8),
                 "looks_down": (up, -glance)}  # fmt: skip
        if fact in looks:
            return _beyond(*looks[fact])
    return None


def _beyond(value: Scalar, limit: float) -> float | None:
    """Probability of lying beyond a limit, on the side of its sign."""
    if limit >= 0:
        return _above(value, limit)
    return _above(Scalar(-value.value, value.sigma), -limit)
