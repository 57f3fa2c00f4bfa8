"""How near the codes of held-out pairs are: of one person, of two, and of two that look alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from omokage.comparison.data import Crops, Cut, all_pairs
from omokage.comparison.evaluate import parted
from omokage.comparison.model import ComparisonNetwork
from omokage.comparison.readings import Cosines, cosines_of, crops_of
from omokage.comparison.verification.model import VerificationNetwork
from omokage.comparison.verification.predict import codes_of
from omokage.metrics.verification import equal_error

SHARES = tuple(k / 20 for k in range(11))  # of a comparison network's own code that calibration chooses among


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """What gives codes (b, d) of prepared pictures (b, 3, size, size), and how these are cut."""

    code: Callable[[Tensor], Tensor]
    cut: Cut


def reader_of(model: VerificationNetwork | ComparisonNetwork) -> Reader:
    """The codes of a verification network, or a comparison network's own ones."""
    model.eval()
    if isinstance(model, VerificationNetwork):
        return Reader(model, model.network)
    return Reader(lambda images: model.see(images).code, model.network)


def halves(reader: Reader, albums: Sequence[Crops], seed: int) -> tuple[Cosines, Cosines]:
    """Cosines of half of the held-out people, to fit on, and of the other half; crops are changed as in training.
    Raises TrainingError when one is empty."""
    return tuple(  # type: ignore[return-value]
        Cosines.join([_read(reader, part) for part in side]) for side in parted(albums, seed)
    )


def _read(reader: Reader, crops: Crops) -> Cosines:
    own = Crops(crops.album, reader.cut, crops.config)
    codes = codes_of(reader.code, crops_of(own), reader.cut.size)
    return cosines_of(codes, crops.album, crops.config.split_seed, all_pairs(crops.album))


def mixed(one: Cosines, other: Cosines, share: float) -> Cosines:
    """Cosines of codes that are joined, `other` with a `share` of 0..1."""
    return Cosines(*((1 - share) * getattr(one, n) + share * getattr(other, n) for n in Cosines.__slots__))


def best_share(one: Cosines, other: Cosines) -> float:
    """The share of `other` with which fewest pairs of one person and strangers alike are confused."""
    rates = [equal_error(both.alike, both.hard) for both in (mixed(one, other, share) for share in SHARES)]
    return SHARES[int(np.argmin(rates))]
