"""What a network says of the pairs of an album, as plain arrays beside what is true of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from omokage.comparison.album import Album
from omokage.comparison.data import Crops, all_pairs, labels_of, strangers
from omokage.comparison.model import ComparisonNetwork, scales
from omokage.nn.pictures import normalise

Floats = NDArray[np.float64]
Image = NDArray[np.uint8]
_LARGEST_SIGMA, _SMALLEST_SIGMA = 3.0, -6.0
_NOTHING = 1e-3  # differences of two states below which nothing has changed


@dataclass(frozen=True, slots=True, eq=False)
class Cosines:
    """Of identity codes of pairs of one person (a,), of two (b,), and of two alike in sex, skin and age (c,)."""

    alike: Floats
    apart: Floats
    hard: Floats

    @classmethod
    def join(cls, parts: Sequence[Cosines]) -> Cosines:
        """All pairs of several samples."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Pairs (m) in the factors' own units: `value` and `sigma` against `change` (m, factors; NaN where unknown).
    `still`: nothing but the day differs. `people` (m,) owns each pair. `cosines` are of other pairs as well."""

    value: Floats
    sigma: Floats
    change: Floats
    still: NDArray[np.bool_]
    people: list[str]
    cosines: Cosines

    def __len__(self) -> int:
        return len(self.value)

    @property
    def unchanged(self) -> NDArray[np.bool_]:
        """Where a factor is known not to have changed (m, factors), whatever else did."""
        return np.abs(np.nan_to_num(self.change, nan=np.inf)) < _NOTHING

    @classmethod
    def join(cls, parts: Sequence[Readings]) -> Readings:
        """All pairs of several readings."""
        names = [n for n in cls.__slots__ if n not in ("people", "cosines")]
        arrays = {name: np.concatenate([getattr(p, name) for p in parts]) for name in names}
        people, cosines = [who for p in parts for who in p.people], Cosines.join([p.cosines for p in parts])
        return cls(people=people, cosines=cosines, **arrays)


def crops_of(crops: Crops, changed: bool = True) -> Iterator[Image]:
    """Every crop of an album; `changed` ones, as in training, are the same at every call."""
    for i in range(len(crops.album)):
        if changed:
            yield crops.drawn(i, np.random.default_rng((crops.config.split_seed, 4, i)), False, 0.7)
        else:
            yield crops.exact(i)


def cosines_of(codes: torch.Tensor, album: Album, seed: int, own: NDArray[np.int64]) -> Cosines:
    """Cosines of codes (n, d) of an album's pictures: of the pairs `own` (m, 2) of one person, and of as many of
    strangers of either kind, which `seed` draws."""
    pairs = own, strangers(album, len(own), seed), strangers(album, len(own), seed + 1, hard=1.0)
    return Cosines(*((codes[p[:, 0]] * codes[p[:, 1]]).sum(1).numpy().astype(np.float64) for p in pairs))


@torch.inference_mode()
def seen(model: ComparisonNetwork, crops: Crops, changed: bool, batch: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """States and codes of every picture of an album; `changed` crops are the same at every call."""
    states, codes = [], []
    device, images_left = next(model.parameters()).device, crops_of(crops, changed)
    while images := list(islice(images_left, batch)):
        found = model.see(normalise(torch.from_numpy(np.stack(images)).to(device)))
        states.append(found.state.cpu())
        codes.append(found.code.cpu())
    return torch.cat(states), torch.cat(codes)


@torch.inference_mode()
def read(
    model: ComparisonNetwork, crops: Crops, changed: bool = True, pairs: NDArray[np.int64] | None = None
) -> Readings:
    """What an evaluating model says of pairs (m, 2) of an album, by default all of each person; and how near the codes
    of strangers are."""
    model.eval()
    states, codes = seen(model, crops, changed)
    album = crops.album
    pairs = all_pairs(album) if pairs is None else pairs
    device = next(model.parameters()).device
    parts = []
    for first in range(0, len(pairs), 256):
        rows = pairs[first : first + 256]
        out = model.compare(states[rows[:, 0]].to(device), states[rows[:, 1]].to(device))
        parts.append([t.float().cpu().numpy() for t in (out.value, out.log_sigma)])
    value, log_sigma = (np.concatenate(v).astype(np.float64) for v in zip(*parts, strict=True))
    size = scales().numpy().astype(np.float64)
    change, looks, _ = (t.astype(np.float64) for t in labels_of(album, pairs))
    still = (np.nan_to_num(np.abs(change), nan=1.0) < _NOTHING).all(1) & ~(looks == 1).any(1)
    sigma = np.exp(np.clip(log_sigma, _SMALLEST_SIGMA, _LARGEST_SIGMA)) * size
    return Readings(
        value * size, sigma, change, still,
        [album.people[int(a)] for a in pairs[:, 0]], cosines_of(codes, album, crops.config.split_seed, pairs),
    )  # fmt: skip
