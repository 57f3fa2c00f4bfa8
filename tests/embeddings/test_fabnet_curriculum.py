"""The window over ranks of difficulty: how it moves, what it lets through, what it remembers."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.embeddings.config import CurriculumConfig
from omokage.embeddings.curriculum import Curriculum, in_window, pair_keys, ranks_among, ranks_within

RUNNING = CurriculumConfig(memory=512, recent=128)
PUBLISHED = CurriculumConfig(difficulty="batch", pace="plateau", patience=15)
FRAMES = torch.tensor([[2 * k, 2 * k + 1] for k in range(8)])


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40), st.floats(0, 0.6), st.floats(0.1, 0.4))
def test_something_always_takes_part_and_ranks_stay_in_the_window(
    values: list[float], low: float, width: float
) -> None:
    ranks = ranks_within(torch.tensor(values))
    assert sorted(ranks.tolist()) == pytest.approx([(k + 0.5) / len(values) for k in range(len(values))])
    inside = in_window(ranks, (low, low + width))
    assert inside.any()
    if inside.sum() > 1:
        assert ((ranks[inside] >= low) & (ranks[inside] < low + width)).all()


def test_the_easiest_half_of_a_batch_takes_part_first() -> None:
    losses = torch.tensor([0.4, 0.1, 0.3, 0.2])
    assert Curriculum(PUBLISHED).choose(losses, FRAMES[:4], 0.0).tolist() == [False, True, False, True]
    off = Curriculum(replace(PUBLISHED, difficulty="off"))
    assert off.choose(losses, FRAMES[:4], 0.0).all()
    assert off.window(0.3) == (0.0, 1.0)


def test_a_steady_window_arrives_and_stays() -> None:
    curriculum = Curriculum(replace(RUNNING, first=(0.0, 0.5), last=(0.2, 1.0), until=0.5))
    assert curriculum.window(0.0) == (0.0, 0.5)
    assert curriculum.window(0.25) == pytest.approx((0.1, 0.75))
    assert curriculum.window(0.5) == curriculum.window(1.0) == pytest.approx((0.2, 1.0))


def test_the_published_window_moves_at_stalls_and_ends_at_forty_to_ninety() -> None:
    curriculum = Curriculum(PUBLISHED, drop="paper")
    windows = []
    for look in range(5 * 17):
        curriculum.look(1.0 if look % 17 else 0.5)  # 16 looks without improvement after each best one
        windows.append(curriculum.window(0.0))
    assert list(dict.fromkeys(windows)) == [(0.0, 0.5), (0.1, 0.6), (0.2, 0.7), (0.3, 0.8), (0.4, 0.9)]
    assert curriculum.finished
    assert curriculum.drops == 1  # the fifth stall is past the last window


def test_an_improving_run_does_not_stall() -> None:
    curriculum = Curriculum(PUBLISHED)
    for look in range(60):
        curriculum.look(1.0 - look / 100)
    assert int(curriculum.stage) == 0
    assert curriculum.drops == 0


@pytest.mark.parametrize(("drop", "looks"), [("paper", 16), ("released", 11 * 16)])
def test_the_released_code_hardly_ever_lowers_its_rate(drop: str, looks: int) -> None:
    curriculum = Curriculum(PUBLISHED, drop)
    curriculum.stage.fill_(4)
    curriculum.look(0.5)
    for _ in range(looks - 1):
        curriculum.look(1.0)
    assert curriculum.drops == 0
    curriculum.look(1.0)
    assert curriculum.drops == 1


def test_a_running_difficulty_outweighs_one_lucky_loss() -> None:
    curriculum = Curriculum(replace(RUNNING, first=(0.0, 0.5), last=(0.0, 0.5)))
    hard = torch.tensor([0.1] * 4 + [0.9] * 4)
    for _ in range(12):
        curriculum.choose(hard, FRAMES, 0.0)
    lucky = hard.clone()
    lucky[7] = 0.01
    kept = curriculum.choose(lucky, FRAMES, 0.0)
    assert not kept[7]
    assert kept[:4].all()
    assert Curriculum(PUBLISHED).choose(lucky, FRAMES, 0.0)[7]  # the batch alone would have taken it


def test_difficulty_is_against_the_mean_of_its_time() -> None:
    """A pair last seen when everything was harder is not hard for that."""
    curriculum = Curriculum(RUNNING)
    for scale in (1.0, 0.5, 0.25):
        for _ in range(120):
            curriculum.choose(torch.full((8,), scale), FRAMES, 0.0)
    known = curriculum.memory[~curriculum.memory.isnan()]
    assert torch.allclose(known, torch.ones(8), atol=0.15)  # 0.25 by the first losses, 1 by their own time's


def test_state_is_in_the_buffers() -> None:
    one, two = Curriculum(RUNNING), Curriculum(RUNNING)
    generator = torch.Generator().manual_seed(0)
    for _ in range(9):
        one.choose(torch.rand(8, generator=generator), FRAMES, 0.1)
    two.load_state_dict(one.state_dict())
    for _ in range(9):
        losses = torch.rand(8, generator=generator)
        assert torch.equal(one.choose(losses, FRAMES, 0.1), two.choose(losses, FRAMES, 0.1))


def test_pairs_have_slots_of_their_own_and_direction() -> None:
    frames = torch.tensor([[t, s] for t in range(60) for s in range(60) if s != t])
    keys = pair_keys(frames, 1 << 18)
    assert keys.min() >= 0
    assert keys.max() < 1 << 18
    assert len(keys.unique()) > 0.97 * len(keys)
    assert pair_keys(torch.tensor([[3, 5]]), 1 << 18) != pair_keys(torch.tensor([[5, 3]]), 1 << 18)
    huge = pair_keys(torch.tensor([[3_000_000_000, 2_999_999_999]]), 1 << 18)
    assert 0 <= int(huge) < 1 << 18


def test_ranks_among_others() -> None:
    assert ranks_among(torch.tensor([0.0, 0.25, 9.0]), torch.tensor([0.4, 0.1, 0.2, 0.3])).tolist() == [0.0, 0.5, 1.0]
