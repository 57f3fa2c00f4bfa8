"""Lookalikes: repeatable, varied, with a usable outline, in what the networks see as negatives."""

import cv2
import numpy as np
import pytest

from omokage.data import lookalikes, negatives
from omokage.data.clutter import clutter


@pytest.mark.parametrize("draw", [draw for draw, _ in lookalikes.KINDS])
@pytest.mark.parametrize("size", [48, 128])
def test_things_are_pictures_with_an_outline(draw, size):
    for seed in range(8):
        picture, alpha = draw(np.random.default_rng(seed), size)
        assert picture.shape == (size, size, 3)
        assert picture.dtype == np.uint8
        assert alpha.shape == (size, size)
        assert alpha.dtype == np.float32
        assert 0 <= alpha.min() <= alpha.max() <= 1
        assert 0.08 < alpha.mean() <= 1
        assert alpha[size // 2 - 2 : size // 2 + 2, size // 2 - 2 : size // 2 + 2].mean() > 0.5


def test_shares_add_up_and_every_kind_is_drawn():
    assert sum(share for _, share in lookalikes.KINDS) == pytest.approx(1)
    kinds = {negatives.drawn(np.random.default_rng(k)) for k in range(300)}
    assert kinds == set(negatives.MISPLACED + negatives.FACELESS)


def test_the_same_seed_gives_the_same_thing_and_another_seed_another():
    small = []
    for seed in range(12):
        first, second = (lookalikes.lookalike(np.random.default_rng(seed), 64) for _ in range(2))
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
        small.append(cv2.resize(first[0], (8, 8), interpolation=cv2.INTER_AREA).astype(float))
    apart = [np.abs(a - b).mean() for i, a in enumerate(small) for b in small[:i]]
    assert min(apart) > 3


@pytest.mark.parametrize("kind", ["lookalike", "scenery"])
def test_negatives_show_them(kind):
    other = clutter(np.random.default_rng(1), 96)
    crops = [negatives.faceless(np.random.default_rng(k), kind, other, None, other, 56) for k in range(6)]
    assert all(c.shape == (56, 56, 3) and c.dtype == np.uint8 for c in crops)
    assert len({c.tobytes() for c in crops}) == 6
