"""Items of the embeddings room: one identity, one of its tracks, several frames; each a pure function of its position.

So a run that resumes sees exactly what it would have seen, and several processes share one order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from omokage.data import transforms
from omokage.data.photometry import photographed
from omokage.data.splits import held_out
from omokage.embeddings.config import TracksConfig
from omokage.embeddings.store import TrackStore
from omokage.errors import TrainingError

Image = NDArray[np.uint8]
Batch = tuple[Tensor, Tensor, Tensor]  # seen and clean (b, n, size, size, 3) uint8, frame numbers (b, n)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of the split: the tracks of each identity that have enough frames."""

    store: TrackStore
    people: list[list[NDArray[np.int64]]]

    @property
    def frames(self) -> int:
        return sum(len(track) for tracks in self.people for track in tracks)


def split(store: TrackStore, config: TracksConfig) -> tuple[Side, Side]:
    """Training and held-out identities. Raises TrainingError when a side has no track that is long enough."""
    need = config.sources + 1
    mask = held_out(store.people, config.held_out, config.split_seed)
    sides: tuple[dict[str, list[NDArray[np.int64]]], ...] = ({}, {})
    for person, track, out in zip(store.people, store.tracks, mask, strict=True):
        if len(track) >= need:
            sides[int(out)].setdefault(person, []).append(track)
    if not all(sides):
        raise TrainingError(
            f"of {len(store.tracks)} tracks too few have the {need} frames that an item needs, on both sides of the "
            "split by person: give more tracks, or set data.sources or data.held_out lower"
        )
    return Side(store, list(sides[0].values())), Side(store, list(sides[1].values()))


def drawn_frames(
    rng: Generator, track: NDArray[np.int64], thumbs: NDArray[np.float16], config: TracksConfig
) -> list[int]:
    """`sources` + 1 different frames of a track. By "motion", frames that differ from the first one are likelier: most
    neighbours in a video show the same face in the same way, and teach nothing."""
    count = config.sources + 1
    if config.pairs == "random":
        return [int(f) for f in rng.choice(track, count, replace=False)]
    first = int(rng.integers(len(track)))
    others = np.delete(track, first)
    difference = np.abs(thumbs[others].astype(np.float32) - thumbs[track[first]].astype(np.float32)).mean(1)
    chance = (difference + 1e-3) ** config.sharpness
    chosen = rng.choice(others, count - 1, replace=False, p=chance / chance.sum())
    return [int(track[first]), *(int(f) for f in chosen)]


class Items:
    """Cuts the items of one side."""

    def __init__(self, side: Side, config: TracksConfig) -> None:
        self.side, self.config = side, config
        self.store, self.size = side.store, side.store.size

    def training(self, person: int, rng: Generator) -> tuple[list[Image], list[Image], list[int]]:
        """Frames that stray from the exact crop, each in its own way: as seen (changed), clean, and their numbers."""
        frames = self._frames(person, rng, self.config)
        mirror = bool(rng.random() < self.config.geometry.mirror)
        clean = [self._strayed(frame, mirror, rng) for frame in frames]
        if not self.config.photometric:
            return clean, clean, frames
        return [photographed(image, rng, self.config.photometry) for image in clean], clean, frames

    def exact(self, person: int, rng: Generator, config: TracksConfig) -> list[Image]:
        """Frames as the pipeline cuts them."""
        return [self.store.exact(frame) for frame in self._frames(person, rng, config)]

    def _frames(self, person: int, rng: Generator, config: TracksConfig) -> list[int]:
        tracks = self.side.people[person]
        return drawn_frames(rng, tracks[int(rng.integers(len(tracks)))], self.store.thumbs, config)

    def _strayed(self, frame: int, mirror: bool, rng: Generator) -> Image:
        jitter = transforms.drawn(rng, self.config.geometry)
        stored = np.asarray(self.store.frames[frame])
        return transforms.warp(stored, _stray(jitter, mirror, stored.shape[0], self.size), self.size)


def _stray(jitter: transforms.Jitter, mirror: bool, stored: int, size: int) -> NDArray[np.float64]:
    """Stored crop to training crop (2, 3); without jitter it takes the middle. One item is mirrored as a whole."""
    turn, scale = math.radians(jitter.turn), 1 / jitter.scale
    c, s = math.cos(turn) * scale, math.sin(turn) * scale
    linear = np.array([[c, -s], [s, c]])
    centre = np.array([stored / 2, stored / 2]) + np.array(jitter.shift) * size * jitter.scale
    affine = np.column_stack([linear, size / 2 - linear @ centre])
    if mirror:
        affine = np.array([[-1.0, 0, size], [0, 1, 0]]) @ np.vstack([affine, [0, 0, 1]])
    return np.asarray(affine)


class Steps(Dataset[Batch]):
    """Item k is the whole batch of step k. An epoch shows every identity once."""

    def __init__(self, items: Items, batch: int, seed: int, rank: int = 0, world: int = 1) -> None:
        self.items, self.batch, self.seed, self.rank, self.world = items, batch, seed, rank, world
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, np.int64))

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The identities of one epoch, shuffled."""
        if self._order[0] != epoch:
            rng = np.random.default_rng((self.seed, 1, epoch))
            self._order = (epoch, rng.permutation(len(self.items.side.people)))
        return self._order[1]

    def __getitem__(self, step: int) -> Batch:
        cv2.setNumThreads(1)
        rows = []
        for k in range(self.batch):
            position = (step * self.world + self.rank) * self.batch + k
            epoch, place = divmod(position, len(self.items.side.people))
            rng = np.random.default_rng((self.seed, 2, position))
            rows.append(self.items.training(int(self.order(epoch)[place]), rng))
        clean = _stacked([row[1] for row in rows])
        seen = _stacked([row[0] for row in rows]) if self.items.config.photometric else clean
        return seen, clean, torch.tensor([row[2] for row in rows])


def _stacked(items: Sequence[Sequence[Image]]) -> Tensor:
    return torch.from_numpy(np.stack([np.stack(frames) for frames in items]))


def held_out_batches(items: Items, count: int, sources: int, batch: int = 32) -> Iterator[tuple[Tensor, Tensor]]:
    """`count` fixed items of exact crops (b, sources + 1, size, size, 3), with their identities (b,).

    Identities in turn, frames at random whatever the training does, so that the figures of two runs compare.
    """
    plain = TracksConfig(sources=sources, pairs="random")
    for first in range(0, count, batch):
        numbers = range(first, min(first + batch, count))
        people = [k % len(items.side.people) for k in numbers]
        drawn = [items.exact(p, np.random.default_rng((7, k)), plain) for p, k in zip(people, numbers, strict=True)]
        yield _stacked(drawn), torch.tensor(people)
