"""Drawn expressions: shares, ranges, opposed muscles, neutral threshold, and lids that follow the gaze."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omokage.results import EXPRESSIONS
from omokage.schema import UNITS, action_units
from omokage.synthesis.expressions import NEUTRAL_BELOW, WAYS, ExpressionSampler, settle, with_gaze
from omokage.synthesis.scene import Expression, Pose


def test_shares_and_ranges() -> None:
    rng, sampler = np.random.default_rng(0), ExpressionSampler()
    drawn = [sampler.draw(rng) for _ in range(3000)]
    found = Counter(e.label for e in drawn)
    total = sum(share for _, share in sampler.shares) + sampler.unnamed
    for name, share in sampler.shares:
        assert found[name] / 3000 == pytest.approx(share / total, abs=0.03)
    for expression in drawn:
        assert all(name in UNITS and 0 < value <= 1 for name, value in expression.units)
        assert 0 <= expression.intensity <= 1
        assert (expression.intensity == 0) == (expression.label == "neutral")


def test_the_same_generator_gives_the_same_expression() -> None:
    sampler = ExpressionSampler()
    assert sampler.draw(np.random.default_rng(5)) == sampler.draw(np.random.default_rng(5))


def test_too_weak_to_see_is_neutral() -> None:
    expression = ExpressionSampler().draw_class(np.random.default_rng(1), "anger", NEUTRAL_BELOW / 2)
    assert (expression.label, expression.intensity) == ("neutral", 0.0)
    assert ExpressionSampler().draw_class(np.random.default_rng(1), "anger", 0.5).label == "anger"


def test_classes_show_their_action_units() -> None:
    rng, sampler = np.random.default_rng(2), replace(ExpressionSampler(), blended=0.0)
    signs = {
        "happiness": "au12",
        "sadness": "au01",
        "surprise": "au26",
        "fear": "au05",
        "disgust": "au09",
        "anger": "au04",
    }
    for name, unit in signs.items():
        drawn = [action_units(dict(sampler.draw_class(rng, name, 1.0).units))[unit] for _ in range(60)]
        resting = [action_units(dict(sampler.draw_class(rng, "neutral").units))[unit] for _ in range(60)]
        assert np.mean(drawn) > np.mean(resting) + 1, name


def test_every_way_names_units_that_exist() -> None:
    assert set(WAYS) == set(EXPRESSIONS) - {"neutral"}
    for ways in WAYS.values():
        for _, way in ways:
            for name, low, high, chance in way:
                assert name in UNITS or f"{name}Left" in UNITS, name
                assert 0 <= low <= high <= 1
                assert 0 < chance <= 1


@given(st.dictionaries(st.sampled_from(UNITS), st.floats(-1, 3), max_size=12))
def test_settled_units_are_valid_and_ordered(units: dict[str, float]) -> None:
    settled = settle(units)
    names = [name for name, _ in settled]
    assert names == [u for u in UNITS if u in names]
    assert all(0 < value <= 1 for _, value in settled)
    values = dict(settled)
    assert not (values.get("mouthSmileLeft", 0) > 0.9 and values.get("mouthFrownLeft", 0) > 0.1)


def test_lids_follow_the_gaze() -> None:
    looking = with_gaze(Expression(), Pose(gaze_right=20, gaze_up=-15))
    assert looking.unit("eyeLookOutLeft") == looking.unit("eyeLookInRight") > 0.5
    assert looking.unit("eyeLookDownLeft") == 0.5
    assert looking.unit("eyeLookUpLeft") == 0
    assert with_gaze(Expression(), Pose(yaw=30, gaze_right=30)).units == ()


def test_unknown_class_is_refused() -> None:
    with pytest.raises(ValueError, match="bored"):
        ExpressionSampler().draw_class(np.random.default_rng(0), "bored")
