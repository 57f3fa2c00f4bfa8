"""The loop that the rooms' trainings share: exact resume, who writes and when, gradients of several batches."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from omokage.errors import TrainingError
from omokage.training.average import WeightAverage
from omokage.training.device import Processes
from omokage.training.loop import Course, Learner, add_slope, descend, move, run
from omokage.training.meter import Meter
from omokage.training.run import RunFolder
from omokage.training.stop import Stopped, as_interrupt
from omokage.training.stream import batches


class Pace:
    """A run of eight steps."""

    seed, steps, minutes, rate, warmup, log_every, save_every = 3, 8, 0.0, 0.1, 2, 1, 3


class Numbers(Dataset[Tensor]):
    """Item k is a batch (4, 2) that depends on k alone."""

    def __getitem__(self, step: int) -> Tensor:
        return torch.rand(4, 2, generator=torch.Generator().manual_seed(step))


def learner_of() -> Learner[nn.Linear]:
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    return Learner(model, WeightAverage(model, 0.5), torch.optim.AdamW(model.parameters()))


def trained(out: Path, resume: bool = False, stop: int = -1, **more: object) -> list[tuple[int, float]]:
    """Losses by step; the loss draws numbers, as dropout does. Broken off before step `stop`."""
    learner, done = learner_of(), iter(range(100))

    def step_once(batch: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        if next(done) == stop:
            raise KeyboardInterrupt
        total = (learner.model(batch) * torch.rand(4, 1) - 1).square().mean()
        descend(learner.model, learner.optimizer, total, 1.0)
        return total.detach(), {"half": total.detach() / 2}

    folder = RunFolder(out)
    run(Pace(), learner, Numbers(), 0, step_once, folder, resume, **more)  # type: ignore[arg-type]
    return [(row["step"], row["last_loss"]) for row in folder.rows()]


def test_a_run_broken_off_goes_on_with_the_losses_of_an_unbroken_one(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "parts", stop=6)
    assert trained(tmp_path / "parts", resume=True) == whole
    assert [step for step, _ in whole] == list(range(1, 9))


def test_a_room_looks_after_every_step_at_the_average_that_holds_it(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []
    before: list[Tensor] = []

    def look(course: Course[nn.Linear]) -> None:
        weight = course.learner.average.model.weight.clone()
        seen.append((course.step, not before or not torch.equal(weight, before[-1])))
        before.append(weight)

    trained(tmp_path, look=look)
    assert seen == [(step, True) for step in range(1, 9)]


def test_other_processes_draw_other_numbers_and_write_nothing(tmp_path: Path) -> None:
    first, second = (
        Course(Pace(), learner_of(), RunFolder(tmp_path / str(rank)), False, Processes(rank, 2)) for rank in (0, 1)
    )
    drawn = []
    for course in (first, second, first):
        course.seed(3)
        drawn.append(float(torch.rand(())))
    assert drawn[0] == drawn[2] != drawn[1]
    for course in (first, second):
        course.stepped()
        course.save()
    assert [course.due(1) for course in (first, second)] == [True, False]
    assert [course.folder.checkpoint.exists() for course in (first, second)] == [True, False]
    assert not first.due(0)
    assert not first.due(2)


def test_gradients_of_several_batches_make_the_step_of_their_mean() -> None:
    weights = []
    for together in (True, False):
        model = nn.Linear(2, 1)
        nn.init.ones_(model.weight)
        nn.init.zeros_(model.bias)
        optimizer = torch.optim.SGD(model.parameters(), 1.0)
        parts = [model(Numbers()[k]).square().mean() / 2 for k in range(2)]
        if together:
            descend(model, optimizer, parts[0] + parts[1], 100.0)
        else:
            for part in parts:
                add_slope(part)
            move(model, optimizer, 100.0)
        weights.append(model.weight.detach())
    torch.testing.assert_close(weights[0], weights[1])


def test_a_loss_that_is_no_number_ends_the_run_before_the_step() -> None:
    model = nn.Linear(1, 1)
    kept = model.weight.detach().clone()
    with pytest.raises(TrainingError, match="no longer a number: start anew"):
        descend(model, torch.optim.SGD(model.parameters(), 1.0), model.weight.sum() * torch.nan, 1.0)
    assert torch.equal(model.weight.detach(), kept)


def test_a_mean_is_over_the_steps_that_had_the_value() -> None:
    meter = Meter()
    for values in ({"loss": 1.0, "scenes": 4.0}, {"loss": 2.0}, {"loss": 3.0, "scenes": 6.0}):
        meter.add({name: torch.tensor(value) for name, value in values.items()})
    assert meter.means() == {"loss": 2.0, "scenes": 5.0}
    assert meter.means() == {}


def interrupted(out: Path, at: int, times: int = 1) -> Stopped:
    """What a run ends with in whose step `at` Ctrl-C is pressed, once or twice."""
    learner, done = learner_of(), iter(range(100))

    def step_once(batch: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        if next(done) == at:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        total = (learner.model(batch) * torch.rand(4, 1) - 1).square().mean()
        descend(learner.model, learner.optimizer, total, 1.0)
        return total.detach(), {"half": total.detach() / 2}

    with pytest.raises(Stopped) as stopped:
        run(Pace(), learner, Numbers(), 0, step_once, RunFolder(out), False)  # type: ignore[arg-type]
    return stopped.value


def test_ctrl_c_keeps_the_step_at_hand(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    stop = interrupted(tmp_path / "parts", at=4)
    assert (stop.step, stop.number) == (5, signal.SIGINT)  # no checkpoint was due there
    assert trained(tmp_path / "parts", resume=True) == whole
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_does_not_wait_and_keeps_no_half_step(tmp_path: Path) -> None:
    assert interrupted(tmp_path / "parts", at=4, times=2).step == 3
    assert trained(tmp_path / "parts", resume=True) == trained(tmp_path / "whole")


def test_a_signal_that_the_program_takes_stops_a_run_that_waits_for_a_batch(tmp_path: Path) -> None:
    class Slow(Numbers):
        def __getitem__(self, step: int) -> Tensor:
            if step == 2:
                signal.raise_signal(signal.SIGTERM)
            return super().__getitem__(step)

    learner = learner_of()
    with pytest.raises(Stopped) as stopped, as_interrupt():
        run(Pace(), learner, Slow(), 0, lambda batch: (batch.sum(), {}), RunFolder(tmp_path), False)  # type: ignore[arg-type]
    assert (stopped.value.step, stopped.value.number) == (2, signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_loader_processes_end_with_their_stream() -> None:
    stream = batches(Numbers(), 0, 1)
    assert torch.equal(next(stream), Numbers()[0])
    (loader,) = multiprocessing.active_children()
    os.kill(loader.pid or 0, signal.SIGTERM)  # a scheduler's, to the whole group: the step at hand needs it yet
    assert torch.equal([next(stream) for _ in range(20)][-1], Numbers()[20])
    stream.close()
    assert not multiprocessing.active_children()
