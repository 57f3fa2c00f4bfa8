"""Tracks: one person, smooth motion, blinks, speech, and labels that follow the movement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.tracks import TrackSampler, drift


@pytest.fixture(scope="module")
def track():  # type: ignore[no-untyped-def]
    return TrackSampler(frames=150).draw(np.random.default_rng(2))


def test_one_person_in_one_place(track) -> None:  # type: ignore[no-untyped-def]
    assert len(track.scenes) == 150
    assert track.times()[50] == pytest.approx(2.0)
    assert len({scene.person for scene in track.scenes}) == 1
    assert len({scene.surroundings for scene in track.scenes}) == 1
    assert len({scene.camera.seed for scene in track.scenes}) == 150  # the grain differs


def test_the_head_moves_smoothly(track) -> None:  # type: ignore[no-untyped-def]
    angles = np.array([(s.pose.yaw, s.pose.pitch, s.pose.roll) for s in track.scenes])
    assert (angles.std(0) > 0.3).all()
    assert np.abs(np.diff(angles, axis=0)).max() < 5  # degrees a frame: 125 a second
    frames = np.array([s.camera.frame for s in track.scenes])
    assert np.abs(np.diff(frames)).max() < 0.05


def test_units_stay_valid_and_eyes_blink() -> None:
    sampler = replace(TrackSampler(frames=200), blinks=1.0, talking=1.0)
    scenes = sampler.draw(np.random.default_rng(0)).scenes
    values = [dict(s.expression.units) for s in scenes]
    assert all(0 < v <= 1 for units in values for v in units.values())
    assert max(units.get("eyeBlinkLeft", 0.0) for units in values) > 0.8
    mouth = np.array([units.get("jawOpen", 0.0) for units in values])
    assert mouth.std() > 0.02


def test_labels_rise_and_fall_with_the_gesture() -> None:
    sampler = replace(TrackSampler(frames=250), gestures=1.5)
    scenes = sampler.draw(np.random.default_rng(1)).scenes
    labels = [s.expression.label for s in scenes]
    strengths = np.array([s.expression.intensity for s in scenes])
    assert "neutral" in labels
    assert len(set(labels)) > 1
    assert np.abs(np.diff(strengths)).max() < 0.35


def test_a_rate_of_nothing_is_no_movement_of_that_kind() -> None:
    calm = TrackSampler(frames=60, gestures=0.0, talking=0.0, blinks=0.0, turns=0.0, sway=(0.0, 0.0, 0.0))
    track = calm.draw(np.random.default_rng(2))
    assert {s.expression.label for s in track.scenes} == {"neutral"}
    assert len({(s.pose.yaw, s.pose.pitch, s.pose.roll) for s in track.scenes}) == 1


def test_eyes_stay_within_reach_of_the_head(track) -> None:  # type: ignore[no-untyped-def]
    aside = np.array([s.pose.gaze_right - s.pose.yaw for s in track.scenes])
    assert np.abs(aside).max() <= 35


def test_draws_repeat() -> None:
    sampler = TrackSampler(frames=20, sampler=SceneSampler())
    assert sampler.draw(np.random.default_rng(3)) == sampler.draw(np.random.default_rng(3))


def test_drift_has_the_spread_and_memory_it_says() -> None:
    curve = drift(np.random.default_rng(0), 20000, 10.0, 3.0)
    assert curve.std() == pytest.approx(3.0, rel=0.1)
    assert np.corrcoef(curve[:-5], curve[5:])[0, 1] > 0.9
    assert abs(np.corrcoef(curve[:-100], curve[100:])[0, 1]) < 0.1
