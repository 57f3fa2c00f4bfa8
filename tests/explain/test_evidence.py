"""Regions, hiding, gradients and checks on a network whose reason is known: it looks at one place only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from omokage.data.records import SEGMENTATION
from omokage.errors import InputError
from omokage.explain import faithfulness as judging
from omokage.explain.evidence import METHODS, explained, maps, region_support, warnings
from omokage.explain.gradients import integrated
from omokage.explain.occlusion import FILLS, blended, patch_map, scores
from omokage.explain.regions import REGIONS, equal_areas, region_map, region_masks
from omokage.explain.target import Target, View
from omokage.results import Box, FaceCrop, RegionEvidence
from stand_ins import face_template

SIZE = 56
POINTS = SIZE / 2 + face_template() * SIZE / 1.45


def picture(seed: int = 0) -> NDArray[np.uint8]:
    """Noise with a bright stripe over the mouth."""
    image = np.random.default_rng(seed).integers(60, 120, (SIZE, SIZE, 3)).astype(np.uint8)
    where = region_map(POINTS, SIZE) == REGIONS.index("mouth")
    image[where] = np.where(np.arange(SIZE)[:, None, None] % 4 < 2, 255, 0).astype(np.uint8).repeat(SIZE, 1)[where]
    return image


def looks_at(name: str) -> Target:
    """A network that sums what edges there are in one region."""
    torch.manual_seed(0)
    edges = nn.Conv2d(3, 2, 3, padding=1, bias=False)
    with torch.no_grad():
        edges.weight.zero_()
        edges.weight[0, :, 0, 1], edges.weight[0, :, 2, 1] = 1.0, -1.0
        edges.weight[1, :, 0, 1], edges.weight[1, :, 2, 1] = -1.0, 1.0
    readout = nn.Linear(2 * SIZE * SIZE, 1)
    place = torch.from_numpy(region_map(POINTS, SIZE) == REGIONS.index(name)).float()
    with torch.no_grad():
        readout.weight.copy_(place.repeat(2, 1, 1).reshape(1, -1) / 50)
        readout.bias.fill_(-1.0)
    return Target(
        name, nn.Sequential(edges, nn.ReLU(), nn.Flatten()).eval(), readout.requires_grad_(False),
        score=lambda raw: raw[:, 0], answer=lambda raw: torch.sigmoid(raw[:, 0]),
        prepare=lambda images: (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127.5) / 127.5,
    )  # fmt: skip


def crop(image: NDArray[np.uint8]) -> FaceCrop:
    return FaceCrop(image, np.eye(2, 3), Box(0, 0, SIZE, SIZE), 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_the_place_that_decides_comes_first(method: str) -> None:
    image = picture()
    views = [View(image, POINTS), View(np.roll(image, 1, 1), POINTS + np.array([1.0, 0.0]))]
    found = explained(looks_at("mouth"), views, crop(image), method)
    assert found.top == "mouth"
    assert found.regions[0].effect > 3 * abs(found.regions[1].effect)
    assert found.regions[0].effect_low <= found.regions[0].effect <= found.regions[0].effect_high
    assert max(found.regions, key=lambda r: r.relevance).name == "mouth"
    assert found.faithfulness.flipping > max(found.faithfulness.flipping_random)
    assert found.relevance.shape == found.region_map.shape == (SIZE, SIZE)
    assert sum(r.area for r in found.regions) == pytest.approx(1, abs=0.02)
    assert not found.warnings
    assert bool(found.notice) == (method == "lrp")
    if method == "lrp":
        assert found.faithfulness.conservation == pytest.approx(1, abs=0.01)


def test_what_lies_outside_the_face_is_warned_of() -> None:
    image = picture()
    image[:, :4] = np.where(np.arange(SIZE)[:, None, None] % 4 < 2, 255, 0)
    found = explained(looks_at("background"), [View(image, POINTS)], crop(image))
    assert "hiding the background" in found.warnings[0]


def region(name: str, effect: float, fills: dict[str, float]) -> RegionEvidence:
    return RegionEvidence(name, 0.1, 0.2, 0.1, 0.3, effect, effect, effect, fills, 0.5)


def test_warnings_spare_what_the_answer_is_about_and_name_a_fill_that_decides() -> None:
    steady = {"blur": 1.0, "mean": 1.0, "inpaint": 1.0}
    hair, mouth = region("hair", 2.0, steady), region("mouth", 1.0, steady)
    assert warnings([hair, mouth])
    assert not warnings([hair, mouth], about=("hair",))
    doubtful = region("mouth", 1.0, {"blur": 3.0, "mean": 1.0, "inpaint": -1.0})
    assert "depends on what it is filled with" in warnings([doubtful])[0]


def test_unknown_method() -> None:
    with pytest.raises(InputError, match="occlusion"):
        maps(looks_at("mouth"), [picture()], "magic")


@given(st.floats(-0.15, 0.15), st.floats(-0.15, 0.15), st.floats(0.5, 1.6))
@settings(max_examples=30, deadline=None)
def test_regions_cover_the_crop_wherever_the_face_lies(dx: float, dy: float, zoom: float) -> None:
    points = (POINTS - SIZE / 2) * zoom + SIZE / 2 + np.array([dx, dy]) * SIZE
    where = region_map(points, SIZE)
    assert where.shape == (SIZE, SIZE)
    assert where.max() < len(REGIONS)
    middle = np.clip(points[48:60].mean(0).astype(int), 0, SIZE - 1)
    assert REGIONS[where[middle[1], middle[0]]] == "mouth"


def test_segmentation_decides_outside_the_face() -> None:
    classes = np.full((SIZE, SIZE), SEGMENTATION.index("skin"), np.uint8)
    classes[:, :6], classes[:5], classes[-4:] = (SEGMENTATION.index(n) for n in ("background", "hair", "cloth"))
    classes[30:34, 8:20] = SEGMENTATION.index("glasses")
    where = region_map(POINTS, SIZE, classes)
    assert REGIONS[where[31, 10]] == "eyes"
    assert REGIONS[where[2, 28]] == "hair"
    assert REGIONS[where[30, 2]] == "background"
    assert REGIONS[where[-1, 28]] == "clothing"
    with pytest.raises(ValueError, match="68 landmarks"):
        region_map(POINTS[:5], SIZE)


def test_a_beard_belongs_to_the_face_and_long_hair_does_not() -> None:
    classes = np.full((SIZE, SIZE), SEGMENTATION.index("skin"), np.uint8)
    bare = region_map(POINTS, SIZE, classes)
    classes[bare == REGIONS.index("chin")] = SEGMENTATION.index("hair")
    classes[:, :5] = SEGMENTATION.index("hair")
    where = region_map(POINTS, SIZE, classes)
    assert (where[bare == REGIONS.index("chin")] == REGIONS.index("chin")).all()
    assert REGIONS[where[30, 2]] == "hair"


def test_hidden_regions_reach_a_little_beyond_but_leave_features_whole() -> None:
    where = region_map(POINTS, SIZE)
    masks = region_masks(where)
    for name, mask in masks.items():
        own = where == REGIONS.index(name)
        assert mask[own].all()
        assert mask.sum() > own.sum()
    for name in ("cheeks", "chin", "forehead"):
        assert not masks[name][np.isin(where, [REGIONS.index(n) for n in ("mouth", "eyes", "brows", "nose")])].any()


def test_support_is_a_share_of_what_speaks_for_the_answer() -> None:
    where = region_map(POINTS, SIZE)
    relevance = np.where(where == REGIONS.index("mouth"), 2.0, -1.0)
    found = region_support(relevance, where)
    assert sum(found.values()) == pytest.approx(1)
    assert max(found, key=lambda n: found[n]) == "mouth"
    assert found["mouth"] > 0.9


def test_equal_areas_are_equal_and_in_their_place() -> None:
    where = region_map(POINTS, SIZE)
    masks = equal_areas(where, 0.05)
    assert {int(m.sum()) for m in masks.values()} == {round(0.05 * SIZE * SIZE)}
    assert all((where[m] == REGIONS.index(n)).mean() > 0.3 for n, m in masks.items())


@pytest.mark.parametrize("fill", FILLS)
def test_hiding_changes_the_place_and_nothing_else(fill: str) -> None:
    image = picture()
    mask = np.zeros((SIZE, SIZE), bool)
    mask[20:36, 20:36] = True
    out = blended(image, FILLS[fill](image, mask), mask)
    assert (out[:15] == image[:15]).all()
    assert float(out[24:32, 24:32].std()) < float(image[24:32, 24:32].std())
    everywhere = np.ones((SIZE, SIZE), bool)
    assert blended(image, FILLS[fill](image, everywhere), everywhere).std() < image.std()


def test_patch_map_is_highest_where_the_network_looks() -> None:
    found = patch_map(looks_at("mouth"), picture())
    y, x = np.unravel_index(int(found.argmax()), found.shape)
    assert REGIONS[region_map(POINTS, SIZE)[y, x]] in ("mouth", "chin")


def test_integrated_gradients_sum_to_the_difference() -> None:
    found = integrated(looks_at("mouth"), np.stack([picture(), picture(1)]), steps=64)
    assert found.total is not None
    torch.testing.assert_close(found.relevance.sum((1, 2)), found.total, rtol=0.05, atol=0.05)


def test_batches_of_scores_are_joined() -> None:
    target = looks_at("mouth")
    several = [picture(k) for k in range(70)]
    together = scores(target, several)
    np.testing.assert_allclose(together.score[[0, 69]], scores(target, [several[0], several[69]]).score, rtol=1e-5)


def test_random_weights_keep_their_values_and_lose_the_map() -> None:
    target = looks_at("mouth")
    other = judging.randomised(target)
    ours, theirs = target.readout.weight, other.readout.weight
    torch.testing.assert_close(ours.sort().values, theirs.sort().values)
    assert not torch.equal(ours, theirs)


@pytest.mark.parametrize(("agreement", "rnd", "kept", "grade"), [
    (0.9, 0.0, 1.0, "A"), (0.1, 0.0, 1.0, "B"), (0.1, 0.9, 1.0, "C"), (0.1, 0.9, 0.5, "D"),
])  # fmt: skip
def test_grade_counts_failed_checks(agreement: float, rnd: float, kept: float, grade: str) -> None:
    flips = judging.Flipping(2.0, 1.0, (0.5, 1.5))
    assert judging.judged(flips, agreement, "occlusion", rnd, kept, 0.01).grade == grade
