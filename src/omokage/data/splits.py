"""Splits by identity: a person is on one side only, whatever else is in the folder and in whatever order it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def position(person: str, seed: int = 0) -> float:
    """Where a person falls in 0..1: uniform over people, fixed by the name and the seed alone."""
    digest = hashlib.sha256(f"{seed}:{person}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def held_out(people: Sequence[str], fraction: float, seed: int = 0) -> NDArray[np.bool_]:
    """True (n,) for pictures of the about `fraction` of people that are held out. Raises ValueError outside 0..1."""
    if not 0 <= fraction <= 1:
        raise ValueError(f"the held-out fraction must be in 0..1, not {fraction}")
    known = {person: position(person, seed) < fraction for person in set(people)}
    return np.array([known[person] for person in people], bool)


def folds(people: Sequence[str], count: int, seed: int = 0) -> NDArray[np.int64]:
    """The fold 0..count-1 of each picture (n,), all pictures of a person in one fold."""
    known = {person: int(position(person, seed) * count) for person in set(people)}
    return np.array([known[person] for person in people], np.int64)
