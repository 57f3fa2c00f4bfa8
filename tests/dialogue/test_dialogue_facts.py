"""Facts from labels and from analyses: limits, doubt, what covers what, and agreement of the two views."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omokage.data.records import SEGMENTATION
from omokage.dialogue import facts
from omokage.dialogue.captions import SURE, UNSURE, said, told
from omokage.dialogue.checking import choice, specialist
from omokage.dialogue.facts import between, truth_of
from omokage.dialogue.held_out import UNSEEN
from omokage.dialogue.phrases import TRAIN
from omokage.results import EXPRESSIONS, AgeEstimate, Box, Categorical, FaceAnalysis, Pose, Scalar
from omokage.schema import UNITS
from stand_ins import face_template

POINTS = 60 + 70 * face_template()


def labels(**more: Any) -> dict[str, Any]:
    return {"landmarks": POINTS.reshape(-1).tolist(), "attr_smiling": 0.0, **more}


def segmentation(part: slice, name: str) -> bytes:
    image = np.ones((120, 120), np.uint8)
    low, high = POINTS[part].min(0).astype(int), POINTS[part].max(0).astype(int)
    image[low[1] - 1 : high[1] + 2, low[0] - 1 : high[0] + 2] = SEGMENTATION.index(name)
    return bytes(cv2.imencode(".png", image)[1])


@given(st.floats(0, 1), st.floats(0, 0.45), st.floats(0.55, 1))
def test_between_leaves_doubt_out_and_can_be_turned_round(value: float, low: float, high: float) -> None:
    found = between(value, low, high)
    assert found is (True if value >= high else False if value <= low else None)
    turned = between(value, high, low)
    assert turned is (None if found is None else not found)


def test_labels_become_facts_and_doubt_is_left_out() -> None:
    found = truth_of(
        0, "p", labels(attr_eyeglasses=1.0, attr_sunglasses=0.0, attr_beard=0.5, age=45.0, female=0.9)
    ).facts
    assert found["eyeglasses"]
    assert not found["smiling"]
    assert "beard" not in found
    assert (found["older_30"], found["older_60"], found["female"]) == (True, False, True)
    assert "older_40" not in found, "45 is within the years in which people differ"


def test_bins_of_age_are_facts_only_where_the_whole_bin_is_on_one_side() -> None:
    found = truth_of(0, "p", {"age_low": 30.0, "age_high": 40.0}).facts
    assert (found["older_30"], found["older_40"]) == (True, False)
    assert "older_30" not in truth_of(0, "p", {"age_low": 20.0, "age_high": 40.0}).facts


def test_angles_are_of_the_picture() -> None:
    found = truth_of(0, "p", {"pose": [30.0, -20.0, 0.0], "gaze": [-20.0, 12.0]}).facts
    assert found["turned_right"]
    assert not found["turned_left"]
    assert found["head_down"]
    assert found["looks_left"]
    assert found["looks_up"]
    assert truth_of(0, "p", {"pose": [0.0, 0.0, 0.0]}).choices == {"direction": "ahead"}


@pytest.mark.parametrize(
    ("part", "thing", "fact"),
    [(slice(48, 60), "mask", "mouth_covered"), (slice(27, 36), "occluder", "nose_covered"),
     (slice(36, 48), "hair", "eyes_covered")],
)  # fmt: skip
def test_what_lies_over_a_part_covers_it(part: slice, thing: str, fact: str) -> None:
    assert truth_of(0, "p", labels(segmentation=segmentation(part, thing))).facts[fact]
    assert not truth_of(0, "p", labels(segmentation=segmentation(part, "skin"))).facts[fact]


def test_clear_lenses_cover_nothing_and_dark_ones_do() -> None:
    seen = segmentation(slice(36, 48), "lens")
    clear = truth_of(0, "p", labels(segmentation=seen, attr_sunglasses=0.0)).facts
    dark = truth_of(0, "p", labels(segmentation=seen, attr_sunglasses=1.0)).facts
    assert (clear["eyes_covered"], dark["eyes_covered"]) == (False, True)


def test_units_and_the_open_mouth() -> None:
    units = [0.0] * len(UNITS)
    for name in ("mouthFrownLeft", "mouthFrownRight"):
        units[UNITS.index(name)] = 0.8
    found = truth_of(0, "p", labels(units=units)).facts
    assert found["mouth_corners_down"]
    assert not found["brows_raised"]
    wide = POINTS.copy()
    wide[65:68, 1] += 20
    assert truth_of(0, "p", {**labels(), "landmarks": wide.reshape(-1).tolist()}).facts["mouth_wide_open"]
    hidden = {k: v for k, v in labels().items() if k != "attr_smiling"}
    assert "mouth_open" not in truth_of(0, "p", hidden).facts


def test_published_action_units_are_facts() -> None:
    found = truth_of(0, "p", {"action_units": '{"au04": 1.0, "au09": 0.0, "au01": 1.0}'}).facts
    assert found == {"brows_lowered": True, "nose_wrinkled": False}


def test_celebas_words_are_the_same_facts() -> None:
    found = truth_of("c", "p", {"attr_no_beard": 1.0, "attr_mouth_slightly_open": 1.0, "attr_bangs": 0.0}).facts
    assert found == {"beard": False, "mouth_open": True, "bangs": False}
    faint = {"expression": "happiness", "expression_intensity": 0.1}
    assert not truth_of("r", "p", faint).facts
    assert truth_of("r", "p", {"expression": "happiness"}).facts["expression_happiness"]


def analysis(**more: Any) -> FaceAnalysis:
    p = (0.02, 0.9, 0.02, 0.02, 0.02, 0.01, 0.01)
    settings: dict[str, Any] = {
        "landmarks": POINTS.astype(np.float32), "pose": Pose(30.0, 0.0, 0.0), "age": AgeEstimate(50.0, 40.0, 60.0),
        "gender_female": 0.95, "expression": Categorical(EXPRESSIONS, p), "gaze": (Scalar(0, 2), Scalar(20, 2)),
        "attributes": {"smiling": 0.97, "eyeglasses": 0.7, "sunglasses": 0.01, "wearing_hat": 0.5, "black_hair": 0.9,
                       "brown_hair": 0.05},
        "scalars": {"hair_length": Scalar(0.9, 0.1)},
    }  # fmt: skip
    return FaceAnalysis("", Box(0, 0, 100, 100), 0.9, **{**settings, **more})


def test_the_specialist_answers_with_the_same_limits() -> None:
    face = analysis()
    assert specialist(face, "smiling") == 0.97
    for fact in ("turned_right", "looks_up", "older_30", "female", "expression_happiness", "long_hair"):
        assert (specialist(face, fact) or 0) > 0.85, fact
    for fact in ("turned_left", "looks_down", "older_60", "expression_anger"):
        assert (specialist(face, fact) or 0) < 0.15, fact
    assert specialist(face, "nose_wrinkled") is None
    assert specialist(FaceAnalysis("", Box(0, 0, 1, 1), 1.0), "smiling") is None
    density = tuple(0.5 if k in (30, 50) else 0.0 for k in range(90))
    assert specialist(analysis(age=AgeEstimate(40, 30, 50, density)), "older_40") == pytest.approx(0.5)


def test_choices_of_the_specialist_are_probabilities() -> None:
    for kind in ("expression", "gender", "hair_colour", "eyewear", "direction", "age"):
        found = choice(analysis(), kind)
        assert found is not None
        assert 0 <= sum(found.values()) <= 1 + 1e-6
    assert choice(analysis(), "shoes") is None


def test_a_description_says_what_is_unsure_and_leaves_the_rest_out() -> None:
    sentences = {s.fact: s for s in told(analysis())}
    assert sentences["smiling"].text == "The person smiles."
    assert sentences["eyeglasses"].text.startswith("It is not sure, but likely")
    assert "wearing_hat" not in sentences
    assert not set(sentences) & set(UNSEEN)
    assert [s for s in sentences if s.startswith("older")] == ["older_40"]


@given(st.sampled_from(sorted(TRAIN)), st.floats(0, 1))
def test_sentences_are_as_sure_as_their_probability(name: str, p: float) -> None:
    sentence = said(name, p)
    if sentence is not None:
        assert sentence.confidence == max(p, 1 - p) >= UNSURE
        assert ("not sure" in sentence.text) == (sentence.confidence < SURE)
        assert sentence.value == (p >= 0.5)
    assert facts.NO < 0.5 < facts.YES
