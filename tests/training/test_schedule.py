"""Rates, budgets, averages, seeds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from omokage.errors import InputError
from omokage.training.average import WeightAverage
from omokage.training.device import Processes, join_processes, pick_device, seed_everything, share_gradients
from omokage.training.schedule import Budget, rate_at, set_rate


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1), st.integers(0, 500))
def test_rate_stays_between_nothing_and_the_peak(progress: float, step: int) -> None:
    assert 0 <= rate_at(progress, step, 0.1, 100) <= 0.1


def test_rate_warms_up_then_falls_to_nothing() -> None:
    assert rate_at(0, 0, 1.0, 10) == pytest.approx(0.1)
    assert rate_at(0, 9, 1.0, 10) == pytest.approx(1.0)
    assert rate_at(0.5, 50, 1.0, 10) == pytest.approx(0.5)
    assert rate_at(1.0, 99, 1.0, 10) == pytest.approx(0.0)


def test_rate_reaches_every_group() -> None:
    a, b = nn.Linear(1, 1), nn.Linear(1, 1)
    optimizer = torch.optim.SGD([{"params": a.parameters(), "lr": 1.0}, {"params": b.parameters(), "lr": 2.0}])
    set_rate(optimizer, 0.25)
    assert [g["lr"] for g in optimizer.param_groups] == [0.25, 0.25]


def test_budget_counts_steps_or_earlier_minutes() -> None:
    assert Budget(10).progress(5) == 0.5
    assert Budget(10, minutes=1, used_seconds=30).progress(0) == pytest.approx(0.5, abs=0.05)


def test_average_starts_short_and_copies_buffers() -> None:
    model = nn.BatchNorm1d(2)
    average = WeightAverage(model, 0.9)
    with torch.no_grad():
        model.weight.fill_(3.0)
    model.running_mean = torch.tensor([5.0, 6.0])
    average.update(model, 0)
    assert torch.allclose(
        average.model.weight, torch.full((2,), 1 + 2 * 0.9)
    )  # weight 1 - 1/10 of the way at the first step
    assert torch.equal(average.model.running_mean, torch.tensor([5.0, 6.0]))


def test_same_seed_same_numbers() -> None:
    seed_everything(1, 2)
    first = torch.rand(3)
    seed_everything(1, 2)
    assert torch.equal(first, torch.rand(3))
    seed_everything(1, 3)
    assert not torch.equal(first, torch.rand(3))


def test_devices() -> None:
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(InputError, match="not a device"):
        pick_device("abacus")
    with pytest.raises(InputError, match=r"this machine cannot compute on 'meta'"):
        pick_device("meta")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no usable CUDA"):
            pick_device("cuda")


def test_alone_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert join_processes(torch.device("cpu")) == Processes(0, 1)
    share_gradients(nn.Linear(1, 1), 1)  # nothing to do, nothing to fail
