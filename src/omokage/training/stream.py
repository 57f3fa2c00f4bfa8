"""An endless stream of batches, made ahead of the step that needs them."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Generator, Iterator
from typing import TypeVar

from torch.utils.data import DataLoader, Dataset

Batch = TypeVar("Batch")
_PATIENCE = 20  # seconds that a loader process outlasts a SIGTERM


def batches(steps: Dataset[Batch], start: int, workers: int) -> Generator[Batch, None, None]:
    """Items of `steps` (item k is the whole batch of step k) from `start` on without end, made in `workers` processes
    (0: in this one), which end when it is closed."""

    class From:
        def __iter__(self) -> Iterator[int]:
            return itertools.count(start)

    ahead = {"prefetch_factor": 6, "worker_init_fn": _outlast_the_step} if workers else {}
    loader = DataLoader(steps, batch_size=None, sampler=From(), num_workers=workers, **ahead)  # type: ignore[arg-type]
    return _ending(iter(loader))


def _ending(stream: Iterator[Batch]) -> Generator[Batch, None, None]:
    """The same items. It alone holds the loader, whose processes end with it."""
    yield from stream


def _outlast_the_step(_: int) -> None:
    """A terminal's Ctrl-C and a scheduler's SIGTERM reach loader processes as well; the run needs them until its step
    is whole, and then ends them itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, lambda *_: signal.alarm(_PATIENCE))
