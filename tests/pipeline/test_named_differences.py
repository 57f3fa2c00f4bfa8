"""What else differs between two photographs, by two analyses and the two crops."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from omokage.comparison.config import LOOKS, NUISANCE
from omokage.pipeline.named_differences import (
    ATTRIBUTES,
    DAY,
    LINES,
    STEADY,
    controlled,
    day_between,
    distances,
    looks_between,
    picture_of,
)
from omokage.results import Box, FaceAnalysis, Pose, Scalar

P = st.floats(0, 1)


def face(yaw: float = 0.0, hair: float = 0.3, **attributes: float) -> FaceAnalysis:
    return FaceAnalysis(
        "", Box(0, 0, 8, 8), 1.0, pose=Pose(yaw, 0.0, 0.0, (1.0, 1.0, 1.0)), attributes=attributes,
        scalars={"hair_length": Scalar(hair, 0.1)},
    )  # fmt: skip


def crop(seed: int = 0) -> NDArray[np.uint8]:
    """Blots of a few pixels, brown as skin is."""
    blots = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (112, 112, 1)), (0, 0), 3)[..., None]
    return np.clip(np.array([170, 125, 105]) * (1 + 2 * blots), 0, 255).astype(np.uint8)


def test_names_are_those_of_the_room() -> None:
    assert {*ATTRIBUTES, "hair"} == set(LOOKS)
    assert NUISANCE == DAY
    assert set(LINES) == {"hair", *DAY}
    assert all(slope > 0 > offset for slope, offset in LINES.values())


@settings(max_examples=30, deadline=None)
@given(P, P)
def test_a_look_differs_when_one_has_it_and_the_other_has_not(p: float, q: float) -> None:
    found = looks_between(face(eyeglasses=p), face(eyeglasses=q))
    assert found["glasses"] == pytest.approx(p * (1 - q) + q * (1 - p))
    assert found == looks_between(face(eyeglasses=q), face(eyeglasses=p))
    assert set(found) == {"glasses", "hair"}


def test_the_attribute_that_differs_most_speaks_and_a_hat_hides_the_hair() -> None:
    found = looks_between(face(beard=0.02, mustache=0.01), face(beard=0.05, mustache=0.97))
    assert found["beard"] > 0.9
    assert looks_between(face(hair=0.9), face(hair=0.1))["hair"] > 0.5 > looks_between(face(), face())["hair"]
    assert "hair" not in looks_between(face(hair=0.9, wearing_hat=0.9), face(hair=0.1))
    assert looks_between(FaceAnalysis("", Box(0, 0, 8, 8), 1.0), face()) == {}


def test_the_day_is_told_apart_by_light_pose_and_camera() -> None:
    plain = crop()
    ramp = np.linspace(0.4, 1.3, 112)[None, :, None]
    grey = np.repeat(plain.mean(2, keepdims=True), 3, 2)
    taken = cv2.GaussianBlur(np.clip(0.6 * grey * [1.2, 1.0, 0.7], 0, 255).astype(np.uint8), (0, 0), 2)
    code = cv2.imencode(".jpg", plain, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    again, lit = cv2.imdecode(code, cv2.IMREAD_COLOR), np.clip(plain * ramp, 0, 255)
    one, side, other, copy = (picture_of(np.asarray(p, np.uint8)) for p in (plain, lit, taken, again))
    assert max(day_between(face(), face(), one, one).values()) < 0.5
    assert max(day_between(face(), face(), one, copy).values()) < 0.5
    assert day_between(face(), face(), one, side)["light"] > 0.5
    assert day_between(face(), face(), one, other)["camera"] > 0.5
    assert day_between(face(), face(30.0), one, one)["pose"] > 0.5
    assert "pose" not in day_between(face(), FaceAnalysis("", Box(0, 0, 8, 8), 1.0), one, one)
    assert distances(face(), face(), one, side) == distances(face(), face(), side, one)
    assert controlled(face(), face(STEADY - 0.5), one, copy)
    assert not controlled(face(), face(STEADY + 0.5), one, copy)
    assert not controlled(face(), face(), one, side)
    assert not controlled(face(), FaceAnalysis("", Box(0, 0, 8, 8), 1.0), one, one)  # how it is held is unknown
