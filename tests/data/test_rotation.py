"""Pose angles, matrices and what turning a picture does to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.data.rotation import matrix_of_pose, pose_of_matrix, turned, turned_gaze

_angles = st.tuples(st.floats(-170, 170), st.floats(-85, 85), st.floats(-170, 170))


@settings(deadline=None, max_examples=40)
@given(_angles)
def test_angles_survive_the_matrix(pose: tuple[float, float, float]) -> None:
    matrix = matrix_of_pose(pose)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(matrix) == pytest.approx(1)
    np.testing.assert_allclose(pose_of_matrix(matrix), pose, atol=1e-6)


def test_signs() -> None:
    looks = {name: matrix_of_pose(p) @ [0, 0, 1] for name, p in {"right": (30, 0, 0), "up": (0, 30, 0)}.items()}
    assert looks["right"][0] == pytest.approx(0.5)
    assert looks["up"][1] == pytest.approx(0.5)
    crown = matrix_of_pose((0, 0, 90)) @ [
        0,
        1,
        0,
    ]  # rolled clockwise by a quarter, the crown points to the image's right
    np.testing.assert_allclose(crown, [1, 0, 0], atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.floats(-80, 80), st.floats(-80, 80))
def test_turning_a_frontal_picture_adds_to_the_roll(roll: float, turn: float) -> None:
    np.testing.assert_allclose(
        pose_of_matrix(turned(turn) @ matrix_of_pose((0, 0, roll))), [0, 0, roll + turn], atol=1e-6
    )


@settings(deadline=None, max_examples=40)
@given(st.floats(-40, 40), st.floats(-40, 40), st.floats(-180, 180))
def test_gaze_turns_there_and_back(right: float, up: float, turn: float) -> None:
    np.testing.assert_allclose(turned_gaze(turned_gaze((right, up), turn), -turn), (right, up), atol=1e-6)


def test_a_quarter_turn_clockwise_makes_up_right() -> None:
    np.testing.assert_allclose(turned_gaze((0, 20), 90), (20, 0), atol=1e-6)
