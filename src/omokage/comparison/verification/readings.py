"""How near the codes of held-out pairs are: of one person, of two, and of two that look alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omokage.comparison.data import Crops, all_pairs, strangers
from omokage.comparison.evaluate import parted
from omokage.comparison.readings import Cosines, crops_of
from omokage.comparison.verification.model import VerificationNetwork
from omokage.comparison.verification.predict import codes_of


def halves(model: VerificationNetwork, albums: Sequence[Crops], seed: int) -> tuple[Cosines, Cosines]:
    """Cosines of half of the held-out people, to fit on, and of the other half. Raises TrainingError when one is
    empty."""
    return tuple(  # type: ignore[return-value]
        Cosines.join([read(model, part) for part in side]) for side in parted(albums, seed)
    )


def read(model: VerificationNetwork, crops: Crops) -> Cosines:
    """Cosines of an album's pairs, its crops changed as in training."""
    model.eval()
    size, album, seed = model.network.size, crops.album, crops.config.split_seed
    codes = codes_of(model, crops_of(crops), size)
    own = all_pairs(album)
    pairs = own, strangers(album, len(own), seed), strangers(album, len(own), seed + 1, hard=1.0)
    return Cosines(*((codes[p[:, 0]] * codes[p[:, 1]]).sum(1).numpy().astype(np.float64) for p in pairs))
