"""Batches of a few pictures of each of several people with the labels of all their pairs, made in worker processes.

Each batch is a pure function of (seed, step), so a resumed run sees what it would have seen. The curriculum is here:
over its first steps small changes count less than large ones, and crops and colours are changed less.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from omokage.comparison.album import Album, day_differs, look_differs
from omokage.comparison.config import COMPARED_UNITS, FACTORS, ComparisonConfig
from omokage.data import photometry, transforms
from omokage.data.splits import held_out
from omokage.errors import TrainingError
from omokage.faces.align import roll_of
from omokage.schema import UNITS

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
# From which size on a change is a large one; below it the curriculum holds it back.
LARGE = np.array([0.6] * len(COMPARED_UNITS) + [0.8, 20.0], np.float32)
_UNLIKE = np.array([0.5, 0.25], np.float32)  # sex and skin tone from which on two people are no hard strangers
_NEAR = 12  # places within which people of an album in order count as alike
_WEAKEST = 0.35  # of crop jitter and colour changes at the curriculum's start


def _mirrored() -> NDArray[np.int64]:
    """Which factor takes the place of which when a face is mirrored."""
    units = [UNITS[int(transforms.MIRRORED_UNITS[UNITS.index(name)])] for name in COMPARED_UNITS]
    return np.array([*(COMPARED_UNITS.index(name) for name in units), len(units), len(units) + 1])


MIRRORED_FACTORS = _mirrored()


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """`images` (b, size, size, 3) uint8 of `people` (b,) by number; below 0 who takes no part in the contrast.

    `pairs` (m, 2) are places in the batch: of one person, and with less weight of two, whose states differ by known
    amounts as well. With them go `change` (m, factors) in the factors' own units and `weight` (m,).
    """

    images: Tensor
    people: Tensor
    pairs: Tensor
    change: Tensor
    weight: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, name).to(device) for name in Batch.__slots__))


class Cut(Protocol):
    """How crops are cut: pixels of a side, and the side over that of the landmarks."""

    @property
    def size(self) -> int: ...
    @property
    def margin(self) -> float: ...


class Drawing(Protocol):
    """How crops are drawn for training, and what parts people."""

    @property
    def geometry(self) -> transforms.Geometry: ...
    @property
    def photometry(self) -> photometry.Photometry: ...
    @property
    def held_out(self) -> float: ...
    @property
    def split_seed(self) -> int: ...


def split(album: Album, config: Drawing) -> tuple[Album, Album]:
    """Training and held-out pictures, by person."""
    mask = held_out(album.people, config.held_out, config.split_seed)
    return album.only(~mask), album.only(mask)


class Crops:
    """Cuts crops out of an album: as the pipeline does (`exact`), or jittered and changed (`drawn`)."""

    def __init__(self, album: Album, network: Cut, config: Drawing, nameless: bool = False) -> None:
        self.album, self.network, self.config, self.nameless = album, network, config, nameless

    def exact(self, i: int) -> Image:
        """The crop (size, size, 3) of picture `i` as the pipeline cuts it."""
        return self._warped(i, transforms.Jitter(), cv2.BORDER_REPLICATE, 0)[0]

    def drawn(self, i: int, rng: Generator, mirror: bool, strength: float = 1.0) -> Image:
        """A crop with jitter, another background now and then, and changed colours; `strength` in 0..1 scales all."""
        settings = self.config.geometry
        jitter = transforms.drawn(rng, settings)
        x, y = (strength * v for v in jitter.shift)
        jitter = transforms.Jitter((x, y), jitter.scale**strength, strength * jitter.turn, mirror)
        border = (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT)[
            int(rng.choice(3, p=[0.6, 0.25, 0.15]))
        ]
        crop, affine = self._warped(i, jitter, border, int(rng.integers(256)))
        if rng.random() < settings.background * strength and (head := self.album.head(i)) is not None:
            other = self.album.picture(int(rng.integers(len(self.album))))
            behind = transforms.clutter(rng, self.network.size, other)
            crop = transforms.over(crop, transforms.warp(head, affine, self.network.size), behind)
        look = self.config.photometry
        return photometry.photographed(crop, rng, replace(look, share=look.share * strength))

    def _warped(self, i: int, jitter: transforms.Jitter, border: int, fill: int) -> tuple[Image, NDArray[np.float64]]:
        outline, size = self.album.outline[i], self.network.size
        lean = roll_of(outline) if len(outline) == 68 else 0.0
        affine = transforms.crop_affine(outline, size, self.network.margin, lean, jitter)
        return transforms.warp(self.album.picture(i), affine, size, border, fill), affine


def labels_of(album: Album, pairs: NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
    """Change (m, factors), looks (m, ...) and nuisance (m, ...) of pairs (m, 2) of places in an album."""
    a, b = pairs[:, 0], pairs[:, 1]
    change = album.factors[b] - album.factors[a]
    return change, look_differs(album.looks[a], album.looks[b]), day_differs(album.days[a], album.days[b])


class Steps(Dataset[Batch]):
    """Item k is the batch of step k."""

    def __init__(self, albums: Sequence[Crops], config: ComparisonConfig) -> None:
        self.albums, self.config = albums, config
        self.groups = [in_order(crops.album) for crops in albums]
        if not any(len(group) > 1 for groups in self.groups for group in groups):
            raise TrainingError("no person has two pictures to compare: render visits or pairs, or bring some")
        self.shares = self._shares()

    def _shares(self) -> NDArray[np.float64]:
        counts = np.array([len(groups) for groups in self.groups], np.float64)
        wanted = np.array(self.config.data.shares or counts, np.float64) * (counts > 0)
        return np.asarray(wanted / wanted.sum())

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng((self.config.seed, 1, step))
        ripe = min(1.0, step / self.config.curriculum) if self.config.curriculum else 1.0
        images: list[Image] = []
        states: list[Floats] = []
        chosen = self._chosen(rng)
        for who in chosen:
            states.append(self._person(who, rng, ripe, images))
        counts = [len(state) for state in states]
        people = np.array([self._owner(*who) for who in chosen])
        owners, factors = np.repeat(people, counts), np.concatenate(states)
        pairs, weight = self._pairs(rng, counts, people < 0)
        a, b = pairs.T
        change = factors[b] - factors[a]
        size = np.nan_to_num(np.abs(change) / LARGE).max(1)
        weight = weight * np.where((size == 0) | (size >= 1), 1.0, ripe + (1 - ripe) * size)
        rest = (owners, pairs, change, weight)
        kinds = (np.int64, np.int64, np.float32, np.float32)
        tensors = [torch.from_numpy(v.astype(k)) for v, k in zip(rest, kinds, strict=True)]
        return Batch(torch.from_numpy(np.stack(images)), *tensors)

    def _owner(self, place: int, number: int) -> int:
        """A number of one's own for each person; below 0 for those who take no part in the contrast of people."""
        one = place << 32 | number
        return -one - 2 if self.albums[place].nameless else one

    def _chosen(self, rng: Generator) -> list[tuple[int, int]]:
        """The people of a batch, each once: album and number. A share of them look like the one before."""
        found: dict[tuple[int, int], None] = {}
        most = min(self.config.people, sum(map(len, self.groups)))
        place = number = 0
        for _ in range(50 * most):
            if found and rng.random() < self.config.data.alike:  # groups lie beside those that look alike
                number = neighbour(rng, number, len(self.groups[place]))
            else:
                place = int(rng.choice(len(self.albums), p=self.shares))
                number = int(rng.integers(len(self.groups[place])))
            found[place, number] = None
            if len(found) == most:
                break
        return list(found)

    def _pairs(
        self, rng: Generator, counts: Sequence[int], nameless: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """All pairs of each person, of whom there are `counts` pictures one after the other, and as many of two people
        as there are pictures, nameless ones with each other; places and weights. Nameless people are seldom seen twice:
        what differs between two of them counts like what changed in one person."""
        ends = np.cumsum(counts)
        starts = ends - counts
        own = [pair for a, b in zip(starts, ends, strict=True) for pair in itertools.combinations(range(a, b), 2)]
        pairs, weight = np.array(own, np.int64), np.ones(len(own))
        if self.config.data.across and len(counts) > 1:
            who = np.repeat(np.arange(len(counts)), counts)
            other = who[:, None] != who[None]
            alike = other & (nameless[who][:, None] == nameless[who][None])
            able = np.where(alike.any(1)[:, None], alike, other)
            far = (rng.random(able.shape) * able).argmax(1)
            pairs = np.concatenate([pairs, np.stack([np.arange(len(who)), far], 1)])
            weight = np.concatenate([weight, np.where(nameless[who], 1.0, self.config.data.across)])
        return np.where(rng.random((len(pairs), 1)) < 0.5, pairs, pairs[:, ::-1]), weight

    def _person(self, who: tuple[int, int], rng: Generator, ripe: float, images: list[Image]) -> Floats:
        """Add the pictures of one person to the batch; returns their factors. Somebody of whom there is one photograph
        is shown it twice, cut and changed anew: no change."""
        crops, known = self.albums[who[0]], self.groups[who[0]][who[1]]
        count = self.config.data.pictures if len(known) > 1 else 2
        places = np.resize(rng.permutation(known), count)
        for k in range(1, count):
            if rng.random() < self.config.data.repeated:
                places[k] = places[int(rng.integers(k))]
        mirror = bool(rng.random() < crops.config.geometry.mirror)
        strength = _WEAKEST + (1 - _WEAKEST) * ripe
        images += [crops.drawn(int(i), rng, mirror, strength) for i in places]
        factors = crops.album.factors[places]
        return factors[:, MIRRORED_FACTORS] if mirror else factors

    def __len__(self) -> int:
        return 1 << 62


def neighbour(rng: Generator, number: int, count: int) -> int:
    """Somebody near number `number` of `count` people in the order of `in_order`: alike in sex, skin and age."""
    return int(np.clip(number + rng.integers(-_NEAR, _NEAR + 1), 0, count - 1))


def all_pairs(album: Album, most: int = 6) -> NDArray[np.int64]:
    """Pairs (m, 2) of places in an album, each of one person, both orders in turn; at most `most` of a person."""
    found: list[tuple[int, int]] = []
    for places in album.groups():
        own = list(itertools.combinations(places.tolist(), 2))[:most]
        found += [(b, a) if k % 2 else (a, b) for k, (a, b) in enumerate(own)]
    return np.array(found, np.int64).reshape(-1, 2)


def in_order(album: Album) -> list[NDArray[np.int64]]:
    """The places of each person's pictures, people that look alike beside each other: by sex, skin in three shades, and
    age. Unknown counts as one more kind."""
    groups = album.groups()
    first = np.array([group[0] for group in groups], np.int64)
    traits = np.nan_to_num(album.traits[first], nan=-1.0)
    age = np.nan_to_num(album.factors[first, FACTORS.index("age")], nan=-1.0)
    order = np.lexsort([age, np.floor(traits[:, 1] * 2.999), np.round(traits[:, 0])])
    return [groups[int(k)] for k in order]


def strangers(album: Album, count: int, seed: int = 0, hard: float = 0.5) -> NDArray[np.int64]:
    """Pairs (count, 2) of different people; a share `hard` of the draws alike in age (within 8 years), sex and skin,
    where known."""
    rng = np.random.default_rng((seed, 5))
    age, traits = album.factors[:, FACTORS.index("age")], album.traits
    found: list[tuple[int, int]] = []
    alike = bool(rng.random() < hard)
    for _ in range(200 * count):
        a, b = (int(v) for v in rng.integers(0, len(album), 2))
        far = abs(float(age[a] - age[b])) > 8 or bool((np.abs(traits[a] - traits[b]) > _UNLIKE).any())
        if album.people[a] == album.people[b] or (alike and far):
            continue
        found.append((a, b))
        alike = bool(rng.random() < hard)
        if len(found) == count:
            break
    return np.array(found, np.int64).reshape(-1, 2)
