"""Shot cuts by the share of changed blocks, and the sharpness that decides which faces are stored."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from omokage.faces.sharpness import sharpness
from omokage.faces.shot_cuts import ShotCuts
from omokage.results import Box


def scene(seed: int, shift: int = 0) -> NDArray[np.uint8]:
    rough = np.random.default_rng(seed).uniform(0, 255, (12, 20, 3))
    wide = np.clip(cv2.resize(rough, (480, 180), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(wide[:, shift : shift + 320])


def verdicts(frames: list[NDArray[np.uint8]]) -> list[str]:
    cuts = ShotCuts()
    return [cuts.update(frame) for frame in frames]


def test_a_cut_is_seen_once() -> None:
    assert verdicts([scene(1)] * 4 + [scene(2)] * 4) == ["same"] * 4 + ["cut"] + ["same"] * 3


def test_cuts_in_quick_succession_are_all_seen() -> None:
    assert verdicts([scene(k // 2) for k in range(8)]) == ["same", "same"] + ["cut", "same"] * 3


def test_a_slow_pan_and_a_change_of_exposure_are_no_cuts() -> None:
    assert set(verdicts([scene(1, 2 * k) for k in range(40)])) == {"same"}
    assert set(verdicts([np.rint(scene(1) * f).astype(np.uint8) for f in (1.0, 0.9, 0.75, 0.8, 1.0)])) == {"same"}


def test_a_flash_is_taken_back() -> None:
    white = np.full_like(scene(1), 250)
    assert verdicts([scene(1)] * 3 + [white] + [scene(1)] * 3) == ["same"] * 3 + ["cut", "back"] + ["same"] * 2


def patched(seed: int, columns: int) -> NDArray[np.uint8]:
    """The scene with another one over its left part: much changed, and not all of it."""
    picture = scene(1).copy()
    picture[:, :columns] = scene(seed)[:, :columns]
    return picture


def test_half_a_change_may_be_a_cut_and_repeated_it_is_motion() -> None:
    cuts = ShotCuts()
    found = [cuts.update(patched(seed, 150)) for seed in (2, 2, 2, 3, 4, 5)]
    assert found == ["same"] * 3 + ["maybe"] + ["same"] * 2
    assert cuts.shot == 1
    cuts.withdraw()
    assert cuts.shot == 0


def test_state_survives() -> None:
    first, second = ShotCuts(), ShotCuts()
    for picture in [scene(1)] * 3 + [scene(2)]:
        first.update(picture)
    second.restore(first.state())
    assert second.shot == 1
    assert first.update(scene(1)) == second.update(scene(1)) == "back"
    assert first.update(scene(1)) == second.update(scene(1)) == "same"


BOX = Box(40.0, 40.0, 120.0, 120.0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_blur_lowers_sharpness_and_contrast_does_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = np.clip(cv2.resize(rng.normal(128, 60, (54, 54, 3)), (160, 160)), 0, 255).astype(np.uint8)
    blurred = [np.asarray(cv2.GaussianBlur(picture, (0, 0), s), np.uint8) for s in (1.0, 2.0, 4.0)]
    values = [sharpness(p, BOX) for p in (picture, *blurred)]
    assert values == sorted(values, reverse=True)
    assert all(0 <= v <= 1 for v in values)
    pale = np.rint(100 + 0.4 * picture).astype(np.uint8)
    assert sharpness(pale, BOX) == pytest.approx(values[0], abs=0.03)


def test_motion_blur_in_one_direction_counts() -> None:
    rng = np.random.default_rng(0)
    picture = np.clip(cv2.resize(rng.normal(128, 60, (54, 54, 3)), (160, 160)), 0, 255).astype(np.uint8)
    moved = np.asarray(cv2.blur(picture, (13, 1)), np.uint8)
    assert sharpness(moved, BOX) < 0.7 * sharpness(picture, BOX)


def test_a_flat_face_is_not_sharp() -> None:
    assert sharpness(np.full((160, 160, 3), 120, np.uint8), BOX) == 0.0
