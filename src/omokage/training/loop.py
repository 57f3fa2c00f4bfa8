"""The loop of runs in one process: draw a batch, step, average, log, keep a checkpoint; resumed runs go on exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import Dataset

from omokage.errors import TrainingError
from omokage.training import device as devices
from omokage.training.average import WeightAverage
from omokage.training.checkpoint import load_checkpoint, save_checkpoint
from omokage.training.meter import Meter
from omokage.training.run import RunFolder
from omokage.training.schedule import Budget, rate_at, set_rate
from omokage.training.stream import batches

Batch = TypeVar("Batch")
M = TypeVar("M", bound=nn.Module)


class Pace(Protocol):
    """What a run's configuration says of its length and its steps."""

    @property
    def seed(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def minutes(self) -> float: ...
    @property
    def rate(self) -> float: ...
    @property
    def warmup(self) -> int: ...
    @property
    def log_every(self) -> int: ...
    @property
    def save_every(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Learner(Generic[M]):
    """What changes while a run steps: the model, its average, the optimizer and `others` with a state of their own (a
    loss)."""

    model: M
    average: WeightAverage[M]
    optimizer: Optimizer
    others: Mapping[str, nn.Module] = field(default_factory=dict)


def run(
    pace: Pace, learner: Learner[M], steps: Dataset[Batch], workers: int,
    step_once: Callable[[Batch], tuple[Tensor, Mapping[str, Tensor]]], folder: RunFolder, resume: bool,
) -> M:  # fmt: skip
    """Step until the budget is used and return the averaged model. Item k of `steps` is the batch of step k;
    `step_once` makes the step and gives its loss and the loss's parts. With `resume` it goes on from the last
    checkpoint."""
    modules: dict[str, nn.Module] = {"model": learner.model, "average": learner.average.model, **learner.others}
    facts: dict[str, Any] = {"step": 0, "seconds": 0.0}
    if resume and folder.checkpoint.exists():
        facts = load_checkpoint(folder.checkpoint, modules, learner.optimizer)
    budget, step = Budget(pace.steps, pace.minutes, facts["seconds"]), int(facts["step"])
    stream, meter = batches(steps, step, workers), Meter()
    while (progress := budget.progress(step)) < 1:
        batch = next(stream)
        devices.seed_everything(pace.seed, 3, step)
        set_rate(learner.optimizer, rate_at(progress, step, pace.rate, pace.warmup))
        total, parts = step_once(batch)
        learner.average.update(learner.model, step)
        step += 1
        meter.add({"loss": total, **parts})
        if step % pace.log_every == 0:
            folder.log(step=step, seconds=budget.seconds, **meter.means(), last_loss=float(total))
        if step % pace.save_every == 0:
            _save(folder, modules, learner.optimizer, step, budget)
    _save(folder, modules, learner.optimizer, step, budget)
    return learner.average.model


def descend(model: nn.Module, optimizer: Optimizer, total: Tensor, clip: float, world: int = 1) -> None:
    """One step down the slope of `total`, shared by `world` processes; the model's part of it is no longer than `clip`.
    What else the optimizer moves (a loss with weights of its own) is shared as well. Raises TrainingError when the loss
    is no longer a number."""
    if not torch.isfinite(total):
        raise TrainingError("the loss is no longer a number: resume from the last checkpoint with a lower rate")
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(total)
    devices.share_gradients(_moved(model, optimizer), world)
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()


def _moved(model: nn.Module, optimizer: Optimizer) -> Iterator[nn.Parameter]:
    """The model's parameters in its own order, then those that only the optimizer knows."""
    yield from model.parameters()
    known = {id(p) for p in model.parameters()}
    yield from (p for group in optimizer.param_groups for p in group["params"] if id(p) not in known)


def _save(folder: RunFolder, modules: Mapping[str, nn.Module], optimizer: Optimizer, step: int, budget: Budget) -> None:
    save_checkpoint(folder.checkpoint, modules, optimizer, {"step": step, "seconds": budget.seconds})
