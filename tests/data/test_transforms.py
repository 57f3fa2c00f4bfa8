"""Crops and what happens to points, units and pixels in them."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from omokage.data import negatives, photometry, transforms
from omokage.data.transforms import Jitter
from omokage.faces.align import crop_box, crop_landmarks, roll_of
from omokage.results import Box
from omokage.schema import UNITS


def _face(seed: int = 0) -> np.ndarray:
    """68 points that make a rough upright face in a 128 px picture."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(40, 90, (68, 2))
    points[36:42], points[42:48], points[48:68] = (50, 55), (80, 55), (65, 85)
    return points + rng.normal(0, 1, (68, 2))


def test_mirroring_twice_is_nothing() -> None:
    for order in (transforms.MIRRORED_POINTS, transforms.MIRRORED_UNITS):
        assert np.array_equal(order[order], np.arange(len(order)))


def test_mirrored_units_swap_sides_only() -> None:
    swapped = {UNITS[i]: UNITS[k] for i, k in enumerate(transforms.MIRRORED_UNITS)}
    assert swapped["mouthLeft"] == "mouthRight"
    assert swapped["eyeLookInLeft"] == "eyeLookInRight"
    assert swapped["jawOpen"] == "jawOpen"


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 50))
def test_the_neutral_crop_is_the_pipelines(seed: int) -> None:
    points = _face(seed)
    image = np.zeros((128, 128, 3), np.uint8)
    ours = transforms.crop_affine(points, 112, 1.3, roll_of(points), Jitter())
    np.testing.assert_allclose(ours, crop_landmarks(image, points, 112, 1.3).affine, atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.floats(-0.1, 0.1), st.floats(0.8, 1.3), st.floats(-40, 40), st.booleans())
def test_pixels_go_where_points_go(shift: float, scale: float, turn: float, mirror: bool) -> None:
    points = _face()
    affine = transforms.crop_affine(points, 112, 1.3, 0.0, Jitter((shift, 0.05), scale, turn, mirror))
    image = np.zeros((128, 128, 3), np.uint8)
    image[63:67, 63:67] = 255  # a spot whose middle is the corner point (65, 65)
    crop = transforms.warp(image, affine, 112)[..., 0].astype(float)
    if crop.sum() == 0:
        return
    grid = np.arange(112) + 0.5
    middle = np.array([(crop.sum(0) * grid).sum(), (crop.sum(1) * grid).sum()]) / crop.sum()
    np.testing.assert_allclose(middle, transforms.apply_affine(np.array([[65.0, 65.0]]), affine)[0], atol=0.35)


def test_far_shrunk_crops_do_not_skip_pixels() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = transforms.warp(stripes, np.array([[0.1, 0, 0], [0, 0.1, 0]]), 40)
    assert abs(crop[5:35, 5:35].astype(float) - 127.5).max() < 30


def _block_means(image: np.ndarray, factor: int) -> np.ndarray:
    """Means over whole blocks, the last pixels repeated where a block hangs over: slow and plain."""
    over = [(0, -side % factor) for side in image.shape[:2]]
    full = np.pad(image.astype(float), [*over, (0, 0)], mode="edge")
    rows, columns = full.shape[0] // factor, full.shape[1] // factor
    return full.reshape(rows, factor, columns, factor, 3).mean((1, 3))


@settings(deadline=None, max_examples=40)
@example(0.0, 0.0, 80.0, 0.5, False)
@given(st.floats(-30, 350), st.floats(-30, 260), st.floats(40, 420), st.floats(-180, 180), st.booleans())
def test_crops_for_training_and_for_answers_are_the_same_pixels(
    x: float, y: float, side: float, turn: float, mirrored_edge: bool
) -> None:
    """`faces.align` cuts what the rule says when it is applied to the whole picture, however little of it is looked
    at."""
    rng = np.random.default_rng(int(side))
    image = cv2.resize(rng.integers(0, 256, (60, 79, 3), np.uint8), (317, 241), interpolation=cv2.INTER_CUBIC)
    size, margin = 32, 1.2
    crop = crop_box(image, Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2), size, margin, turn)
    shrunk = 1 / np.sqrt(abs(np.linalg.det(crop.affine[:, :2])))  # of the affine: 3 of `side` may be 2.999 here
    factor = int(shrunk) if shrunk > 2 else 1
    small = np.round(_block_means(image, factor)).astype(np.uint8)
    matrix = crop.affine @ np.diag([factor, factor, 1.0])
    matrix[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    border = cv2.BORDER_REFLECT if mirrored_edge else cv2.BORDER_REPLICATE
    expected = cv2.warpAffine(small, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
    seen = transforms.warp(image, crop.affine, size, border)
    assert np.abs(seen.astype(int) - expected).max() <= 4
    if not mirrored_edge:
        np.testing.assert_array_equal(crop.image, seen)


def test_overlap_and_quality_fall_with_misplacement() -> None:
    points, margin = _face(), 1.3
    placed = []
    for shift in (0.0, 0.2, 0.4, 0.8):
        affine = transforms.crop_affine(points, 112, margin, 0, Jitter((shift, 0)))
        placed.append(transforms.overlap(transforms.apply_affine(points, affine), 112, margin))
    assert placed == sorted(placed, reverse=True)
    assert negatives.quality(placed[0], 0) == 1
    assert negatives.quality(placed[3], 0) == 0
    assert negatives.quality(1, 60) == pytest.approx(0.5)
    assert negatives.quality(1, 120) == 0


@pytest.mark.parametrize("kind", negatives.FACELESS)
def test_faceless_crops_have_the_right_shape_and_repeat(kind: str) -> None:
    image = np.random.default_rng(1).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    head = np.zeros((128, 128), np.uint8)
    head[40:90, 40:90] = 255
    one, two = (negatives.faceless(np.random.default_rng(5), kind, image, head, image, 112) for _ in range(2))
    assert one.shape == (112, 112, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, two)


@pytest.mark.parametrize("shape", [(200, 100), (60, 176), (5, 40), (3, 2), (1, 1)])
def test_pictures_of_any_shape_serve_as_surroundings(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    head = np.zeros(shape, np.uint8)
    head[shape[0] // 3 :, shape[1] // 3 :] = 255
    for seed in range(12):
        assert transforms.clutter(np.random.default_rng(seed), 48, image).shape == (48, 48, 3)
        for kind in ("surroundings", "shapes"):
            crop = negatives.faceless(np.random.default_rng(seed), kind, image, head, image, 48)
            assert crop.shape == (48, 48, 3)


def test_surroundings_are_taken_from_the_whole_of_a_long_picture() -> None:
    image = np.zeros((40, 400, 3), np.uint8)
    image[..., 0] = np.arange(400) // 2
    pieces = [seed for seed in range(60) if np.random.default_rng(seed).random() < 0.45]  # the others are drawn
    tones = [transforms.clutter(np.random.default_rng(seed), 16, image)[..., 0].mean() for seed in pieces]
    assert max(tones) > 150


@pytest.mark.parametrize("kind", negatives.MISPLACED)
def test_misplaced_crops_are_poor(kind: str) -> None:
    points = _face()
    for seed in range(20):
        jitter = negatives.misplaced(np.random.default_rng(seed), kind)
        seen = transforms.apply_affine(points, transforms.crop_affine(points, 112, 1.3, 0, jitter))
        assert negatives.quality(transforms.overlap(seen, 112, 1.3), jitter.turn) < 0.75


def test_photographs_repeat_and_keep_their_shape() -> None:
    image = np.random.default_rng(2).integers(0, 256, (112, 112, 3)).astype(np.uint8)
    for seed in range(60):
        one, two = (
            photometry.photographed(image, np.random.default_rng(seed), photometry.Photometry()) for _ in range(2)
        )
        assert one.shape == image.shape
        assert one.dtype == np.uint8
        assert np.array_equal(one, two)


def test_backgrounds_leave_the_head_alone() -> None:
    image, behind = np.full((32, 32, 3), 200, np.uint8), np.zeros((32, 32, 3), np.uint8)
    head = np.zeros((32, 32), np.uint8)
    head[8:24, 8:24] = 255
    mixed = transforms.over(image, head, behind)
    assert (mixed[12:20, 12:20] >= 199).all()
    assert (mixed[:4] == 0).all()
