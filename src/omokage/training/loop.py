"""The loop of a run: draw a batch, step, average, log, keep a checkpoint; resumed runs go on exactly.

`run` is the whole loop. A room that looks at more while it steps writes its own around `Course`, which keeps count of
the steps and holds the checkpoint.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
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
from omokage.training.stop import Stopped, held
from omokage.training.stream import batches

Batch = TypeVar("Batch")
M = TypeVar("M", bound=nn.Module)

_ALONE = devices.Processes()


class Length(Protocol):
    """How long a run is: `steps`, or `minutes` of wall time when that is above 0."""

    @property
    def steps(self) -> int: ...
    @property
    def minutes(self) -> float: ...


class Pace(Length, Protocol):
    """What a run's configuration says of its length and its steps."""

    @property
    def seed(self) -> int: ...
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


class Course(Generic[M]):
    """How far a run is, and what it keeps in its folder; where processes share the run, the first one writes."""

    def __init__(
        self, length: Length, learner: Learner[M], folder: RunFolder, resume: bool,
        processes: devices.Processes = _ALONE,
    ) -> None:  # fmt: skip
        """At the start, or with `resume` at the last checkpoint. Raises TrainingError for a checkpoint that does not
        fit."""
        self.learner, self.folder, self.processes = learner, folder, processes
        self._modules: dict[str, nn.Module] = {
            "model": learner.model, "average": learner.average.model, **learner.others
        }  # fmt: skip
        facts: dict[str, Any] = {"step": 0, "seconds": 0.0}
        if resume and folder.checkpoint.exists():
            facts = load_checkpoint(folder.checkpoint, self._modules, learner.optimizer)
        for module in self._modules.values():
            devices.share_model(module)  # all of them: a loss's learned weights must not part either
        try:
            self.step = int(facts["step"])
            self._budget = Budget(length.steps, length.minutes, float(facts["seconds"]))
        except (KeyError, ValueError, TypeError) as error:
            raise TrainingError(f"the checkpoint {folder.checkpoint} is damaged; start in a new folder") from error
        self._kept = self.step  # of the checkpoint
        self._whole = True

    def progress(self) -> float:
        """0 at the start, 1 when the run is over; the same in all processes."""
        device = next(self.learner.model.parameters()).device
        return devices.agree(self._budget.progress(self.step), device)

    def seed(self, seed: int) -> None:
        """What the coming step draws depends on the run's `seed`, the step and the process alone."""
        devices.seed_everything(seed, 3, self.step, self.processes.rank)

    def stepped(self) -> None:
        """Call after each optimizer step."""
        self.learner.average.update(self.learner.model, self.step)
        self.step += 1

    def due(self, every: int) -> bool:
        """Whether this process has something to write now that it writes after `every` steps (0: never)."""
        return self.processes.first and every > 0 and self.step % every == 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around the whole loop: when it is interrupted what was done is kept, and `Stopped` is raised."""
        try:
            yield
        except KeyboardInterrupt as stop:
            if self._whole:
                self.save()
            raise Stopped(getattr(stop, "number", signal.SIGINT), self._kept) from None

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """Around all that a step changes: an interruption waits until it is done."""
        with held():
            self._whole = False
            yield
            self._whole = True

    def log(self, **facts: Any) -> None:
        """A line with the step and the seconds so far."""
        self.folder.log(step=self.step, seconds=self._budget.seconds, **facts)

    def save(self) -> None:
        """Write the checkpoint. Raises OutputError."""
        if self.processes.first:
            facts = {"step": self.step, "seconds": self._budget.seconds}
            save_checkpoint(self.folder.checkpoint, self._modules, self.learner.optimizer, facts)
        self._kept = self.step


def run(
    pace: Pace, learner: Learner[M], steps: Dataset[Batch], workers: int,
    step_once: Callable[[Batch], tuple[Tensor, Mapping[str, Tensor]]], folder: RunFolder, resume: bool,
    processes: devices.Processes = _ALONE, look: Callable[[Course[M]], None] | None = None,
) -> M:  # fmt: skip
    """Step until the budget is used and return the averaged model. Item k of `steps` is the batch of step k;
    `step_once` makes the step and gives its loss and the loss's parts; `look` is called after every step. With `resume`
    it goes on from the last checkpoint. Where `processes` share the run, `steps` are this one's, and `step_once` shares
    the gradients. Interrupted, it keeps what was done and raises `Stopped`."""
    course, meter = Course(pace, learner, folder, resume, processes), Meter()
    with course.running(), closing(batches(steps, course.step, workers)) as stream:
        while (progress := course.progress()) < 1:
            batch = next(stream)
            with course.stepping():
                course.seed(pace.seed)
                set_rate(learner.optimizer, rate_at(progress, course.step, pace.rate, pace.warmup))
                total, parts = step_once(batch)
                course.stepped()
                meter.add({"loss": total, **parts})
                if course.due(pace.log_every):
                    course.log(**meter.means(), last_loss=float(total))
                if look:
                    look(course)
                if course.due(pace.save_every):
                    course.save()
    course.save()
    return learner.average.model


def descend(model: nn.Module, optimizer: Optimizer, total: Tensor, clip: float, world: int = 1) -> None:
    """One step down the slope of `total`, shared by `world` processes. Raises TrainingError when the loss is no longer
    a number."""
    optimizer.zero_grad(set_to_none=True)
    add_slope(total)
    move(model, optimizer, clip, world)


def add_slope(total: Tensor) -> None:
    """Add the gradients of `total` to those that are there. Raises TrainingError when it is no longer a number."""
    if not torch.isfinite(total):
        raise TrainingError(
            "the loss is no longer a number: start anew, in another folder, with a lower rate (--set rate=...)"
        )
    torch.autograd.backward(total)


def move(model: nn.Module, optimizer: Optimizer, clip: float, world: int = 1) -> None:
    """One step by the gradients that are there, their mean over `world` processes; the model's part of it is no longer
    than `clip`. What else the optimizer moves (a loss with weights of its own) is shared as well."""
    devices.share_gradients(_moved(model, optimizer), world)
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()


def _moved(model: nn.Module, optimizer: Optimizer) -> Iterator[nn.Parameter]:
    """The model's parameters in its own order, then those that only the optimizer knows."""
    yield from model.parameters()
    known = {id(p) for p in model.parameters()}
    yield from (p for group in optimizer.param_groups for p in group["params"] if id(p) not in known)
