"""An endless stream of batches, made ahead of the step that needs them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TypeVar

from torch.utils.data import DataLoader, Dataset

Batch = TypeVar("Batch")


def batches(steps: Dataset[Batch], start: int, workers: int) -> Iterator[Batch]:
    """Items of `steps` (item k is the whole batch of step k) from `start` on without end, made in `workers` processes
    (0: in this one)."""

    class From:
        def __iter__(self) -> Iterator[int]:
            return itertools.count(start)

    ahead = {"prefetch_factor": 6} if workers else {}
    loader = DataLoader(steps, batch_size=None, sampler=From(), num_workers=workers, **ahead)  # type: ignore[arg-type]
    return iter(loader)
