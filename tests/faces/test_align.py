"""Crops: the affine is exact, faces come out upright, borders repeat, large faces do not alias."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.faces.align import crop_box, crop_landmarks, roll_of
from omokage.results import Box


def face_points(centre=(100.0, 90.0), scale=40.0, roll_deg=0.0):
    """68 points laid out like a face: jaw arc, brows, nose, eyes, mouth; turned clockwise by `roll_deg`."""
    t = np.linspace(0.15, np.pi - 0.15, 17)
    jaw = np.stack([-np.cos(t), np.sin(t) * 1.2], 1)
    brows = np.stack([np.r_[np.linspace(-0.8, -0.2, 5), np.linspace(0.2, 0.8, 5)], np.full(10, -0.35)], 1)
    nose = np.stack(
        [np.r_[np.zeros(4), np.linspace(-0.2, 0.2, 5)], np.r_[np.linspace(-0.1, 0.35, 4), np.full(5, 0.4)]], 1
    )
    ring = np.linspace(0, 2 * np.pi, 7)[:-1]
    eyes = [np.stack([x + 0.15 * np.cos(ring), -0.1 + 0.06 * np.sin(ring)], 1) for x in (-0.45, 0.45)]
    around = np.linspace(0, 2 * np.pi, 21)[:-1]
    mouth = np.stack([0.35 * np.cos(around), 0.75 + 0.12 * np.sin(around)], 1)
    points = np.concatenate([jaw, brows, nose, *eyes, mouth]) * scale
    c, s = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    return points @ np.array([[c, -s], [s, c]]).T + centre


def gradient(width, height):
    """A picture whose red and green tell the position of each pixel's centre."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x, y, np.full_like(x, 77)], -1).astype(np.uint8)


@pytest.mark.parametrize("roll", [-170.0, -45.0, 0.0, 30.0, 90.0])
def test_roll_of_a_turned_face_is_its_turn(roll):
    assert roll_of(face_points(roll_deg=roll)) == pytest.approx(roll, abs=1e-9)


@given(roll=st.floats(-60, 60), x=st.floats(60, 140), y=st.floats(60, 140), margin=st.floats(1.0, 2.5))
@settings(max_examples=40, deadline=None)
def test_pixels_agree_with_the_affine(roll, x, y, margin):
    picture = gradient(200, 200)
    crop = crop_box(picture, Box(x - 15, y - 20, x + 15, y + 20), 48, margin, roll)
    rows, columns = np.mgrid[8:40:8, 8:40:8]
    source = crop.to_source(np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], 1))
    inside = ((source > 1) & (source < 199)).all(1)
    seen = crop.image[rows.ravel(), columns.ravel(), :2][inside]
    assert np.abs(seen - (source[inside] - 0.5)).max(initial=0) < 1.6


@given(roll=st.floats(-80, 80), scale=st.floats(10, 60))
@settings(max_examples=40, deadline=None)
def test_landmark_crop_is_upright_and_fills_the_same_share(roll, scale):
    points = face_points(scale=scale, roll_deg=roll)
    crop = crop_landmarks(np.zeros((200, 220, 3), np.uint8), points, 96, 1.3)
    inside = points @ crop.affine[:, :2].T + crop.affine[:, 2]
    assert abs(roll_of(inside)) < 1e-6
    assert max(np.ptp(inside, axis=0)) * 1.1 * 1.3 == pytest.approx(96)
    assert crop.box == Box.around(points)


def test_box_and_landmark_crops_of_an_upright_face_are_the_same():
    picture = gradient(220, 200)
    points = face_points()
    by_box = crop_box(picture, Box.around(points), 64, 1.4)
    by_points = crop_landmarks(picture, points, 64, 1.4)
    np.testing.assert_allclose(by_box.affine, by_points.affine, atol=1e-9)


def test_a_leaning_face_stands_upright_with_its_roll_given():
    points = face_points(roll_deg=35)
    crop = crop_box(np.zeros((200, 200, 3), np.uint8), Box.around(points), 96, 1.5, roll_deg=35)
    assert roll_of(points @ crop.affine[:, :2].T + crop.affine[:, 2]) == pytest.approx(0, abs=1e-9)


def test_edges_repeat_beyond_the_picture():
    picture = gradient(40, 40)
    crop = crop_box(picture, Box(-30, -30, 10, 10), 80, 1.0)
    assert (crop.image[:30, :30, :2] == 0).all()
    assert (crop.image[..., 2] == 77).all()


def test_a_large_face_is_averaged_not_sampled():
    checker = np.repeat(((np.indices((800, 800)).sum(0) % 2) * 255).astype(np.uint8)[..., None], 3, 2)
    crop = crop_box(checker, Box(50, 50, 750, 750), 64, 1.0, roll_deg=20)
    assert np.abs(crop.image.astype(int) - 127).max() < 12


def test_shrinking_keeps_positions():
    x, y = np.meshgrid(np.arange(1000), np.arange(900))
    picture = np.stack([x / 4, y / 4, x * 0], -1).astype(np.uint8)
    crop = crop_box(picture, Box(210, 130, 910, 830), 100, 1.1, roll_deg=10)
    source = crop.to_source(np.array([[50.5, 50.5], [20.5, 70.5]])) / 4
    assert np.abs(crop.image[[50, 70], [50, 20], :2] - source).max() < 1.5


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="positive"):
        crop_box(np.zeros((9, 9, 3), np.uint8), Box(0, 0, 4, 4), 0, 1.0)
    with pytest.raises(ValueError, match="68"):
        crop_landmarks(np.zeros((9, 9, 3), np.uint8), np.zeros((5, 2)), 8, 1.0)
