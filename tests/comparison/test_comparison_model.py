"""What holds whatever the weights are: antisymmetry, symmetric parts, labels of pairs, mirrored factors, the loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from comparison_runs import TINY, person, scene, tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.comparison.album import day_differs, look_differs, read_album
from omokage.comparison.config import COMPARED_UNITS, FACTORS, LOOKS, NUISANCE, LossConfig
from omokage.comparison.data import MIRRORED_FACTORS, Batch, Crops, Steps, all_pairs, in_order, labels_of, strangers
from omokage.comparison.loss import ComparisonLoss
from omokage.comparison.model import Changes, ComparisonNetwork
from omokage.nn.pictures import normalise


def network(seed: int = 0, **changes: object) -> ComparisonNetwork:
    torch.manual_seed(seed)
    model = ComparisonNetwork(replace(TINY, **changes))  # type: ignore[arg-type]
    torch.nn.init.normal_(model.heads.weight)
    return model.eval()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31))
def test_swapping_the_photographs_flips_every_sign(seed: int) -> None:
    model = network(seed % 7)
    states = torch.randn(2, 5, model.squeeze.conv.out_channels * model.cells + 4, generator=torch.manual_seed(seed))
    with torch.inference_mode():
        there, back = model.compare(states[0], states[1]), model.compare(states[1], states[0])
        same = model.compare(states[0], states[0])
    # Equal to rounding, not to the bit: a matrix product may sum a row in another order when the row lies elsewhere.
    assert torch.allclose(there.value, -back.value, atol=1e-5)
    assert torch.allclose(there.log_sigma, back.log_sigma, atol=1e-5)
    assert torch.allclose(same.value, torch.zeros_like(same.value), atol=1e-5)


def test_the_concatenated_form_has_no_such_law() -> None:
    model = network(intra="concatenated")
    states = torch.randn(2, 3, model.squeeze.conv.out_channels * model.cells + 4)
    with torch.inference_mode():
        total = model.compare(states[0], states[1]).value + model.compare(states[1], states[0]).value
    assert total.abs().max() > 0.01
    with pytest.raises(ValueError, match="no such comparison"):
        network(intra="other")


def test_codes_have_length_one() -> None:
    seen = network().see(normalise(torch.randint(0, 256, (3, 32, 32, 3), dtype=torch.uint8)))
    assert torch.allclose(seen.code.norm(dim=1), torch.ones(3), atol=1e-5)


def test_mirroring_twice_changes_nothing_and_keeps_what_has_no_side() -> None:
    assert (MIRRORED_FACTORS[MIRRORED_FACTORS] == np.arange(len(FACTORS))).all()
    assert FACTORS[MIRRORED_FACTORS[FACTORS.index("mouthSmileLeft")]] == "mouthSmileRight"
    assert FACTORS[MIRRORED_FACTORS[FACTORS.index("jawOpen")]] == "jawOpen"
    assert MIRRORED_FACTORS[-1] == len(FACTORS) - 1


def test_labels_of_a_pair_are_differences_of_two_states(visits: Path, still: Path) -> None:
    album = read_album(visits)
    pairs = all_pairs(album)
    assert len(pairs) == 10 * 6
    change, looks, nuisance = labels_of(album, pairs)
    back = labels_of(album, pairs[:, ::-1])
    assert np.allclose(change, -back[0])
    assert np.array_equal(looks, back[1], equal_nan=True)
    assert np.array_equal(nuisance, back[2], equal_nan=True)
    for (a, b), row in zip(pairs, change, strict=True):
        assert album.people[a] == album.people[b]
        assert row[-1] == pytest.approx(album.factors[b, -1] - album.factors[a, -1])
    assert not labels_of(read_album(still), all_pairs(read_album(still)))[0].any()
    others = strangers(album, 50)
    assert len(others) == 50
    assert all(album.people[a] != album.people[b] for a, b in others)
    hard = strangers(album, 20, hard=1.0)
    assert len(hard) == 20
    assert (np.abs(album.factors[hard[:, 0], -1] - album.factors[hard[:, 1], -1]) <= 8).all()


def test_people_in_order_stand_beside_those_that_look_alike(visits: Path) -> None:
    album = read_album(visits)
    rng = np.random.default_rng(0)
    traits = np.repeat(np.stack([rng.integers(0, 2, 10), rng.uniform(0, 1, 10)], 1), 4, 0).astype(np.float32)
    album = replace(album, traits=traits)
    groups = in_order(album)
    assert sorted(int(g[0]) for g in groups) == sorted(int(g[0]) for g in album.groups())
    sexes = [float(traits[g[0], 0]) for g in groups]
    assert sexes == sorted(sexes)


def test_what_differs_is_told_apart_from_what_does_not(visits: Path) -> None:
    album = read_album(visits)
    glasses = LOOKS.index("glasses")
    worn = album.looks[:, glasses]
    a, b = int(np.argmax(worn)), int(np.argmin(worn))
    assert worn[a] != worn[b]
    assert look_differs(album.looks[[a]], album.looks[[b]])[0, glasses] == 1
    assert look_differs(album.looks[[a]], album.looks[[a]])[0, glasses] == 0
    assert not day_differs(album.days[[a]], album.days[[a]]).any()
    turned = album.days[[a]].copy()
    turned[0, 8] += 30
    assert day_differs(album.days[[a]], turned)[0, NUISANCE.index("pose")] == 1
    unknown = np.full_like(turned, np.nan)
    assert np.isnan(day_differs(album.days[[a]], unknown)).all()


def test_batches_depend_on_seed_and_step_alone(visits: Path, tmp_path: Path) -> None:
    config = tiny(tmp_path, visits)
    steps = Steps([Crops(read_album(visits), config.network, config.data)], config)
    one, two, other = steps[5], steps[5], steps[6]
    for name in Batch.__slots__:
        first, second = getattr(one, name), getattr(two, name)
        assert torch.equal(torch.nan_to_num(first, 9.0) if first.is_floating_point() else first,
                           torch.nan_to_num(second, 9.0) if second.is_floating_point() else second)  # fmt: skip
    assert not torch.equal(one.images, other.images)
    assert len(one.images) == 3 * 3
    assert one.pairs.shape == (3 * 3 + 9, 2)
    own = one.people[one.pairs[:, 0]] == one.people[one.pairs[:, 1]]
    assert own.tolist() == [True] * 9 + [False] * 9


def test_the_curriculum_holds_small_changes_back_at_first(visits: Path, tmp_path: Path) -> None:
    config = tiny(tmp_path, visits, curriculum=100)
    steps = Steps([Crops(read_album(visits), config.network, config.data)], config)
    assert min(float(steps[k].weight[:9].min()) for k in range(6)) < 0.9
    assert set(steps[100].weight.tolist()) == {1.0, config.data.across}


def batch(change: torch.Tensor, people: list[int]) -> Batch:
    count = len(change)
    pairs = torch.tensor([[0, 1]] * count)
    return Batch(torch.zeros(len(people), 4, 4, 3), torch.tensor(people), pairs, change, torch.ones(count))


@pytest.mark.parametrize("form", ["relative", "absolute"])
def test_the_loss_wants_the_sign_the_size_and_nothing_of_the_unknown(form: Any) -> None:
    loss = ComparisonLoss(LossConfig(form, inter=0.0, queue=0), 4)
    truth = torch.full((1, len(FACTORS)), torch.nan)
    truth[0, COMPARED_UNITS.index("jawOpen")] = 0.5

    def cost(value: float, elsewhere: float = 0.0) -> float:
        values = torch.full((1, len(FACTORS)), elsewhere)
        values[0, COMPARED_UNITS.index("jawOpen")] = value
        return float(loss._intra(Changes(values, torch.zeros_like(values)), batch(truth, [1, 1]))["units"])

    assert cost(0.5) == 0
    assert cost(-0.5) > cost(0.0) > cost(0.4) > 0
    assert cost(0.5, elsewhere=3.0) == 0


def test_weak_evidence_is_answered_in_proportion_by_the_relative_loss_alone() -> None:
    """A unit that moves by 0.5 in one of eight pairs with the same evidence: the best constant answer is its mean by a
    squared error and nothing by an absolute one."""
    truth = torch.zeros(8, len(FACTORS))
    truth[0] = 0.5
    best = {}
    for form in ("relative", "absolute"):
        loss = ComparisonLoss(LossConfig(form, inter=0.0, queue=0), 4)  # type: ignore[arg-type]
        answers = torch.linspace(0, 0.5, 101)
        costs = [
            float(loss._intra(Changes(torch.full_like(truth, float(v)), torch.zeros_like(truth)),
                              batch(truth, [1, 1]))["units"])
            for v in answers
        ]  # fmt: skip
        best[form] = float(answers[int(np.argmin(costs))])
    assert best["relative"] > 0.04
    assert best["absolute"] < 0.02
    with pytest.raises(ValueError, match="no such loss"):
        ComparisonLoss(LossConfig("other"), 4)  # type: ignore[arg-type]


def test_contrast_pulls_one_person_together_and_remembers_others() -> None:
    loss = ComparisonLoss(LossConfig(queue=4), 2)
    people = torch.tensor([1, 1, 2, 2])
    near = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]), dim=1)
    mixed = near[[0, 2, 1, 3]]
    assert float(loss._inter(near, people)) < float(ComparisonLoss(LossConfig(queue=4), 2)._inter(mixed, people))
    assert torch.equal(loss.owners, people)
    assert torch.equal(loss.queue, near)
    assert {"queue", "owners", "at"} <= set(loss.state_dict())


def test_nameless_people_take_no_part_in_the_contrast() -> None:
    near = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]), dim=1)
    known, all_ = ComparisonLoss(LossConfig(queue=4), 2), ComparisonLoss(LossConfig(queue=4), 2)
    people = torch.tensor([1, 1, 2, 2])
    more = torch.nn.functional.normalize(torch.tensor([[0.9, 0.2], [0.5, 0.5]]), dim=1)
    alone = known._inter(near, people)
    both = all_._inter(torch.cat([near, more]), torch.cat([people, torch.tensor([-2, -7])]))
    assert float(both) == pytest.approx(float(alone))
    assert torch.equal(all_.owners, people)
    assert float(ComparisonLoss(LossConfig(queue=4), 2)._inter(more, torch.tensor([-2, -7]))) == 0


def test_scenes_of_the_stand_ins_are_real_scenes() -> None:
    state = scene(person(1), np.random.default_rng(0), {"jawOpen": 0.5})
    assert type(state).from_json(state.to_json()) == state
