"""An ordinary face under the crop's landmarks: where it lies, and in whose colours."""

from __future__ import annotations

import numpy as np
import pytest
from test_evidence import looks_at, picture

from omokage.data.transforms import MIRRORED_POINTS
from omokage.explain.occlusion import FILLS, fills_for, hide_each
from omokage.explain.ordinary import MeanFace, mean_face, ordinary, shipped
from omokage.explain.regions import REGIONS, region_map, region_masks
from omokage.explain.target import View
from stand_ins import face_template

SIZE = 56
POINTS = SIZE / 2 + face_template() * SIZE / 1.45


def test_the_shipped_face_has_features_where_its_landmarks_are() -> None:
    face = shipped()
    grey = face.image.astype(float).mean(2)
    where = region_map(face.points, grey.shape[0])
    assert face.image.dtype == np.uint8
    assert grey[where == REGIONS.index("eyes")].min() < grey[where == REGIONS.index("cheeks")].mean() - 40
    np.testing.assert_allclose(grey, grey[:, ::-1], atol=1.5)


def test_it_follows_the_landmarks_and_takes_the_colours_around_the_mask() -> None:
    face = shipped()
    n = face.image.shape[0]
    nothing = np.zeros((n, n), bool)
    same = ordinary(face.image, face.points, nothing)
    assert np.abs(same.astype(float) - face.image).mean() < 4
    moved = ordinary(np.roll(face.image, 9, 1), face.points + np.array([9.0, 0.0]), nothing)
    assert np.abs(moved[:, 20:90].astype(float) - same[:, 11:81]).mean() < 4
    mask = region_masks(region_map(face.points, n))["mouth"]
    dark = face.image // 3
    dark[mask] = 255  # what is hidden has no say
    filled = ordinary(dark, face.points, mask)
    assert abs(filled[mask].astype(float).mean() - (face.image[mask] / 3.0).mean()) < 8


def test_a_mean_of_like_faces_is_that_face() -> None:
    face = shipped()
    n = face.image.shape[0]
    shifts = [np.array([dx, 0.0]) for dx in (-3.0, 3.0)]
    crops = [np.roll(face.image, int(s[0]), 1) for s in shifts]
    found = mean_face(crops, [face.points + s for s in shifts], MIRRORED_POINTS)
    np.testing.assert_allclose(found.points, (face.points + _mirrored(face, n)) / 2, atol=1e-6)
    middle = slice(n // 4, 3 * n // 4)
    assert np.abs(found.image.astype(float) - face.image)[middle, middle].mean() < 4


def _mirrored(face: MeanFace, n: int) -> np.ndarray:
    return (np.array([n, 0.0]) + face.points * [-1, 1])[list(MIRRORED_POINTS)]


def test_the_first_fill_counts() -> None:
    image = picture()
    view = View(image, POINTS)
    fills = fills_for(view)
    assert list(fills) == ["ordinary", *FILLS]
    target = looks_at("mouth")
    score, _, shown = hide_each(target, image, region_masks(region_map(POINTS, SIZE)), fills)
    assert min(score, key=lambda name: score[name]["ordinary"]) == "mouth"
    mask = region_map(POINTS, SIZE) == REGIONS.index("mouth")
    assert float(shown["mouth"][mask].std()) < float(image[mask].std())
    before = View(image, POINTS, before=picture(1))
    assert list(fills_for(before)) == ["before"]
    assert fills_for(before)["before"](image, mask) == pytest.approx(picture(1))
