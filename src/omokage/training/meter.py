"""Means of what the steps of a run give, for its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import torch
from torch import Tensor


class Meter:
    """Sums on the device that the values are on, so that no step waits for one to be read."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: Counter[str] = Counter()

    def add(self, values: Mapping[str, Tensor]) -> None:
        """The values of one step; not every step needs to have all of them."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(value)) + value
        self.counts.update(values.keys())

    def means(self) -> dict[str, float]:
        """Means since this was last asked, each over the steps that had it."""
        out = {name: float(value) / self.counts[name] for name, value in self.sums.items()}
        self.sums, self.counts = {}, Counter()
        return out
