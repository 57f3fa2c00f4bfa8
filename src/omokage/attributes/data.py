"""Batches of crops with targets, made in worker processes, each a pure function of (seed, step, place in the batch).

So a run that resumes at step 1,234 sees exactly what it would have seen, and several processes share one order.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from omokage.attributes.config import DataConfig, NetworkConfig, form
from omokage.attributes.sources import Source, width
from omokage.data import negatives, photometry, transforms
from omokage.data.rotation import matrix_of_pose, turned, turned_gaze
from omokage.data.splits import held_out
from omokage.errors import TrainingError
from omokage.faces.align import roll_of
from omokage.schema import AttributeSchema

_USEFUL = 0.3  # below this quality a crop teaches only `quality`
_ROTATION_FLIP = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each attribute's target lies in the flat row of floats that travels between processes."""

    slices: dict[str, tuple[int, int]]
    total: int

    @classmethod
    def of(cls, schema: AttributeSchema) -> Layout:
        edges = [0, *itertools.accumulate(width(a) for a in schema)]
        return cls({a.name: (edges[k], edges[k + 1]) for k, a in enumerate(schema)}, edges[-1])

    def unpack(self, flat: Tensor) -> dict[str, Tensor]:
        """Targets (b, width) by attribute name."""
        return {name: flat[:, a:b] for name, (a, b) in self.slices.items()}


def split(sources: Sequence[Source], config: DataConfig) -> tuple[list[Source], list[Source]]:
    """Training and held-out pictures of each source, by person."""
    masks = [held_out(s.people, config.held_out, config.split_seed) for s in sources]
    return [s.only(~m) for s, m in zip(sources, masks, strict=True)], [
        s.only(m) for s, m in zip(sources, masks, strict=True)
    ]


class Crops:
    """Cuts training crops (`training`) and exact crops (`exact`) with their flat targets out of sources."""

    def __init__(
        self, sources: Sequence[Source], schema: AttributeSchema, network: NetworkConfig, config: DataConfig
    ) -> None:
        self.sources, self.schema, self.network, self.config = sources, schema, network, config
        self.layout = Layout.of(schema)

    def training(self, place: tuple[int, int], rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """A jittered, changed crop (size, size, 3), sometimes of no face, and its targets (total,)."""
        source = self.sources[place[0]]
        if rng.random() < self.config.negatives:
            kind = negatives.drawn(rng)
            if kind in negatives.FACELESS:
                return self._faceless(source, place[1], kind, rng)
            jitter = negatives.misplaced(rng, kind)
        else:
            jitter = transforms.drawn(rng, self.config.geometry)
        image, target = self._cut(source, place[1], jitter, rng)
        return photometry.photographed(image, rng, self.config.photometry), target

    def exact(self, place: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The crop as the pipeline cuts it, unchanged, and its targets."""
        return self._cut(self.sources[place[0]], place[1], transforms.Jitter(), None)

    def changed(self, place: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """A crop with a face, changed as in training but the same at every call, and its targets: what calibration is
        fitted on, since photographs are seldom cut exactly and never come straight from the renderer."""
        rng = np.random.default_rng((self.config.split_seed, 3, *place))
        jitter = transforms.drawn(rng, replace(self.config.geometry, large_share=0.0, mirror=0.0))
        image, target = self._cut(self.sources[place[0]], place[1], jitter, rng)
        return photometry.photographed(image, rng, self.config.photometry), target

    def _faceless(
        self, source: Source, i: int, kind: str, rng: Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        other = source.images[int(rng.integers(len(source)))]
        size = self.network.size
        image = negatives.faceless(rng, kind, source.images[i], source.heads[i], other, size)
        target = np.full(self.layout.total, np.nan, np.float32)
        self._set(target, "quality", 0.0)
        return photometry.photographed(image, rng, self.config.photometry), target

    def _cut(
        self, source: Source, i: int, jitter: transforms.Jitter, rng: Generator | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        size, margin = self.network.size, self.network.margin
        outline, image, head = source.outline[i], source.images[i], source.heads[i]
        lean = lean_of(outline)
        affine = transforms.crop_affine(outline, size, margin, lean, jitter)
        border, fill = cv2.BORDER_REPLICATE, 0
        if rng is not None:
            draw = rng.random()
            constant = self.config.geometry.border_constant
            border = cv2.BORDER_CONSTANT if draw < constant else border if draw < 0.85 else cv2.BORDER_REFLECT
            fill = 0 if rng.random() < 0.5 else int(rng.integers(256))
        crop = transforms.warp(image, affine, size, border, fill)
        if rng is not None and head is not None and rng.random() < self.config.geometry.background:
            behind = transforms.clutter(rng, size, source.images[int(rng.integers(len(source)))])
            crop = transforms.over(crop, transforms.warp(head, affine, size), behind)
        seen = transforms.apply_affine(outline, affine)
        good = negatives.quality(transforms.overlap(seen, size, margin), jitter.turn)
        target = np.full(self.layout.total, np.nan, np.float32)
        if good >= _USEFUL:
            self._fill(target, source, i, seen, jitter, lean)
        self._set(target, "quality", good)
        return crop, target

    def _set(self, target: NDArray[np.float32], name: str, value: float | NDArray[np.floating]) -> None:
        if name in self.layout.slices:
            a, b = self.layout.slices[name]
            target[a:b] = value

    def _fill(
        self,
        target: NDArray[np.float32],
        source: Source,
        i: int,
        seen: NDArray[np.float64],
        jitter: transforms.Jitter,
        lean: float,
    ) -> None:
        """Copy the labels and let geometry follow the crop: points, rotation, gaze, sides of the face."""
        turn, mirror = jitter.turn - lean, jitter.mirror
        for attribute in self.schema:
            name, value = attribute.name, source.labels[attribute.name][i]
            if np.isnan(value).all():
                continue
            kind = form(attribute)
            if kind == "points":
                points = seen[transforms.MIRRORED_POINTS] if mirror else seen
                value = (points / self.network.size * 2 - 1).ravel()
            elif kind == "rotation":
                rotation = turned(turn) @ matrix_of_pose(value[:3])
                value = (_ROTATION_FLIP @ rotation @ _ROTATION_FLIP if mirror else rotation).ravel()
            elif name == "gaze":
                value = turned_gaze(value, turn) * ((-1, 1) if mirror else (1, 1))
            elif name == "units" and mirror:
                value = value[transforms.MIRRORED_UNITS]
            self._set(target, name, value)


def lean_of(outline: NDArray[np.float64]) -> float:
    """How far a face leans clockwise in degrees, as `faces.align.roll_of` measures it; 0 where only a box is known."""
    return roll_of(outline) if len(outline) == 68 else 0.0


class Steps(Dataset[tuple[Tensor, Tensor]]):
    """Item k is the whole batch of step k: pictures (b, size, size, 3) uint8 and flat targets (b, total) float32."""

    def __init__(
        self, crops: Crops, batch: int, seed: int, mixing: DataConfig | None = None, rank: int = 0, world: int = 1
    ) -> None:
        self.crops, self.batch, self.seed, self.rank, self.world = crops, batch, seed, rank, world
        mixing = mixing or DataConfig()
        self.counts = counts(crops.sources, mixing)
        self.weights = [
            None if s.rendered or not mixing.balance else balanced(s.groups, mixing.balance) for s in crops.sources
        ]
        self.epoch_size = sum(self.counts)
        self._order: tuple[int, list[tuple[int, int]]] = (-1, [])

    def order(self, epoch: int) -> list[tuple[int, int]]:
        """The places (source, picture) of one epoch, shuffled; a source that counts 1.5 times shows half of itself
        twice."""
        if self._order[0] != epoch:
            rng = np.random.default_rng((self.seed, 1, epoch))
            places = []
            for k, (source, count, weights) in enumerate(
                zip(self.crops.sources, self.counts, self.weights, strict=True)
            ):
                chosen = drawn_places(rng, len(source), count, weights)
                places += [(k, int(i)) for i in chosen]
            shuffled = [places[int(i)] for i in rng.permutation(len(places))]
            self._order = (epoch, shuffled)
        return self._order[1]

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        cv2.setNumThreads(1)
        size = self.crops.network.size
        images = np.empty((self.batch, size, size, 3), np.uint8)
        targets = np.empty((self.batch, self.crops.layout.total), np.float32)
        for k in range(self.batch):
            position = (step * self.world + self.rank) * self.batch + k
            epoch, place = divmod(position, self.epoch_size)
            rng = np.random.default_rng((self.seed, 2, position))
            images[k], targets[k] = self.crops.training(self.order(epoch)[place], rng)
        return torch.from_numpy(images), torch.from_numpy(targets)


def counts(sources: Sequence[Source], mixing: DataConfig) -> list[int]:
    """How many crops of each source one epoch shows: its size times its repeats, and photographs in the part of all
    that was asked for. Raises TrainingError for a source that would show none."""
    sizes = [r * len(s) for r, s in zip(mixing.repeats or [1.0] * len(sources), sources, strict=True)]
    _check_shown(sizes, mixing, f"data.repeats={mixing.repeats}")
    sums = {kind: sum(n for n, s in zip(sizes, sources, strict=True) if s.rendered == kind) for kind in (True, False)}
    if mixing.photographs and all(sums.values()):
        part = {True: 1 - mixing.photographs, False: mixing.photographs}
        total = sum(sizes)
        sizes = [n * part[s.rendered] * total / sums[s.rendered] for n, s in zip(sizes, sources, strict=True)]
        _check_shown(sizes, mixing, f"data.photographs={mixing.photographs}")
    return [round(n) for n in sizes]


def _check_shown(sizes: Sequence[float], mixing: DataConfig, setting: str) -> None:
    """Raises TrainingError where `setting` leaves less than one picture of a source in an epoch."""
    for k, size in enumerate(sizes):
        if round(size) < 1:
            name = repr(mixing.folders[k]) if k < len(mixing.folders) else f"number {k + 1}"
            raise TrainingError(
                f"{setting} leaves no picture of the record folder {name} in an epoch: "
                "give it a larger part, or leave the folder out"
            )


def balanced(groups: Sequence[str], strength: float) -> NDArray[np.float64]:
    """A weight for each picture (n,), in sum 1: `strength` 1 lets every group count the same in sum, 0 every picture.

    Between, a group's part goes with its size to the power of one less the strength, so that a handful of pictures is
    not shown hundreds of times.
    """
    _, group, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    weights = sizes[group] ** -float(strength)
    return np.asarray(weights / weights.sum(), np.float64)


def drawn_places(rng: Generator, n: int, count: int, weights: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """`count` of `n` pictures for one epoch: each as often as the others, or by `weights` (n,).

    Weighted pictures are drawn at equal steps along the sum of their weights in a shuffled order: each comes as often
    as its weight asks, give or take one.
    """
    if weights is None:
        return np.concatenate([rng.permutation(n) for _ in range(-(-count // n))])[:count]
    order = rng.permutation(n)
    edges = np.cumsum(weights[order])
    marks = (np.arange(count) + rng.random()) * (edges[-1] / count)
    return np.asarray(order[np.searchsorted(edges, marks, side="right").clip(max=n - 1)], np.int64)


def whole_batches(crops: Crops, changed: bool = False, batch: int = 100) -> Iterator[tuple[Tensor, Tensor]]:
    """Every picture of the sources once, in order, cut exactly or `changed`."""
    cut = crops.changed if changed else crops.exact
    places = [(k, i) for k, source in enumerate(crops.sources) for i in range(len(source))]
    for first in range(0, len(places), batch):
        pairs = [cut(place) for place in places[first : first + batch]]
        yield torch.from_numpy(np.stack([p[0] for p in pairs])), torch.from_numpy(np.stack([p[1] for p in pairs]))
