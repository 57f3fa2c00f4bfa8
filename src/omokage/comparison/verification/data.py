"""Batches of a few pictures of each of several people, and of photographs of strangers, made in worker processes.

Each batch is a pure function of (seed, step), so a resumed run sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import Dataset

from omokage.comparison.data import Crops, in_order, neighbour
from omokage.comparison.verification.config import VerificationConfig
from omokage.errors import TrainingError


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """`images` (b + s, size, size, 3) uint8: first b pictures of `people` (b,) by number, then s of strangers."""

    images: Tensor
    people: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(self.images.to(device), self.people.to(device))


class Steps(Dataset[Batch]):
    """Item k is the batch of step k, of the people of `albums` with several pictures each and strangers of
    `photographs`."""

    def __init__(self, albums: Sequence[Crops], photographs: Sequence[Crops], config: VerificationConfig) -> None:
        self.photographs, self.config = photographs, config
        self.groups = [
            (crops, places) for crops in albums for places in in_order(crops.album) if len(places) > 1
        ]  # people that look alike beside each other
        if len(self.groups) < 2:
            raise TrainingError("fewer than two people have two pictures: render visits or pairs, or bring some")

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng, data = np.random.default_rng((self.config.seed, 1, step)), self.config.data
        chosen, images = self._chosen(rng), []
        for number in chosen:
            crops, places = self.groups[number]
            mirror = bool(rng.random() < data.geometry.mirror)
            images += [crops.drawn(int(i), rng, mirror) for i in np.resize(rng.permutation(places), data.pictures)]
        for _ in range(data.strangers if self.photographs else 0):
            crops = self.photographs[int(rng.integers(len(self.photographs)))]
            images.append(crops.drawn(int(rng.integers(len(crops.album))), rng, bool(rng.random() < 0.5)))
        people = np.repeat(np.array(chosen, np.int64), data.pictures)
        return Batch(torch.from_numpy(np.stack(images)), torch.from_numpy(people))

    def _chosen(self, rng: Generator) -> list[int]:
        """The people of a batch, each once. A share of them look like the one before."""
        found: dict[int, None] = {}
        most, number = min(self.config.data.people, len(self.groups)), 0
        while len(found) < most:
            if found and rng.random() < self.config.data.alike:
                number = neighbour(rng, number, len(self.groups))
            else:
                number = int(rng.integers(len(self.groups)))
            found[number] = None
        return list(found)

    def __len__(self) -> int:
        return 1 << 62
