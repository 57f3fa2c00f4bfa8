"""Splits of sets without an official one: five folds that no person crosses, by `data.splits.folds`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from omokage.data.splits import folds

FOLDS = 5
SPLITS = ("all", *(f"{side}-{fold}" for fold in range(1, FOLDS + 1) for side in ("train", "test")))


def chosen(people: Sequence[str], split: str) -> NDArray[np.bool_]:
    """True (n,) for the pictures that belong to a split of `SPLITS`; `people` names the person of each picture."""
    if split == "all":
        return np.ones(len(people), bool)
    side, _, number = split.partition("-")
    inside = folds(people, FOLDS) == int(number) - 1
    return np.asarray(inside if side == "test" else ~inside)
