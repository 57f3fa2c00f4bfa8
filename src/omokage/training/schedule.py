"""Learning rate over a run: a linear warm-up, then a half cosine to nothing; and how far a run is."""

from __future__ import annotations

import math
import time

from torch.optim import Optimizer


def rate_at(progress: float, step: int, peak: float, warmup: int) -> float:
    """The rate at `progress` 0..1 of the run, in its `step`-th step, at most `peak`."""
    ramp = min(1.0, (step + 1) / warmup) if warmup else 1.0
    return peak * ramp * (0.5 + 0.5 * math.cos(math.pi * min(max(progress, 0.0), 1.0)))


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """One rate for every group, times the group's own `share` where it has one."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("share", 1.0)


class Budget:
    """How much of a run is used: by steps, or by minutes of wall time over all its resumed parts when `minutes` is
    above 0."""

    def __init__(self, steps: int, minutes: float = 0.0, used_seconds: float = 0.0) -> None:
        self.steps, self.minutes = steps, minutes
        self._began = time.monotonic() - used_seconds

    @property
    def seconds(self) -> float:
        """Wall time used so far, earlier parts included."""
        return time.monotonic() - self._began

    def progress(self, step: int) -> float:
        """0 at the start, 1 when the run is over."""
        return self.seconds / (60 * self.minutes) if self.minutes > 0 else step / max(self.steps, 1)
