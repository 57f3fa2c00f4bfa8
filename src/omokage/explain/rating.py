"""Blind verdicts on heat maps: which pairs are shown, what a verdict means, and how far raters and methods agree.

Raters see two maps of one picture without names and say which points at the reason. Nothing here draws or asks.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

VERDICTS = ("a", "b", "=")


@dataclass(frozen=True, slots=True)
class Duel:
    """Two methods' maps of one picture; `left` is shown as A, `right` as B."""

    number: int
    picture: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rater said of a duel: "a", "b", or "=" for neither more than the other."""

    rater: str
    duel: int
    choice: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """`wins`: method -> (won, lost, drawn). `raters`: share of duels on which two raters agree, over all pairs of
    raters; `kappa` corrects it for chance (Fleiss, 1971). Both None with one rater only."""

    wins: Mapping[str, tuple[int, int, int]]
    raters: float | None
    kappa: float | None
    shared: int  # duels that at least two raters have judged


def duels(pictures: Sequence[str], methods: Sequence[str], seed: int = 0) -> list[Duel]:
    """Every pair of methods on every picture, in random order and with random sides; the same for the same seed."""
    rng = random.Random(seed)
    pairs = [(p, *rng.sample(two, 2)) for p in pictures for two in itertools.combinations(methods, 2)]
    rng.shuffle(pairs)
    return [Duel(k, picture, left, right) for k, (picture, left, right) in enumerate(pairs, 1)]


def agreement(listed: Sequence[Duel], verdicts: Iterable[Verdict]) -> Agreement:
    """How the methods fared and how far the raters agree; a rater's last verdict on a duel counts."""
    by_number = {d.number: d for d in listed}
    said = {(v.rater, v.duel): v.choice for v in verdicts if v.duel in by_number}
    wins: dict[str, list[int]] = {m: [0, 0, 0] for d in listed for m in (d.left, d.right)}
    per_duel: dict[int, list[str]] = {}
    for (_, number), choice in said.items():
        duel = by_number[number]
        per_duel.setdefault(number, []).append(choice)
        if choice == "=":
            wins[duel.left][2] += 1
            wins[duel.right][2] += 1
        else:
            won, lost = (duel.left, duel.right) if choice == "a" else (duel.right, duel.left)
            wins[won][0] += 1
            wins[lost][1] += 1
    share, kappa, shared = _among(list(per_duel.values()))
    return Agreement({m: (w[0], w[1], w[2]) for m, w in wins.items()}, share, kappa, shared)


def _among(judged: Sequence[Sequence[str]]) -> tuple[float | None, float | None, int]:
    several = [choices for choices in judged if len(choices) > 1]
    if not several:
        return None, None, 0
    same = [
        sum(choices.count(c) * (choices.count(c) - 1) for c in VERDICTS) / (len(choices) * (len(choices) - 1))
        for choices in several
    ]
    share = sum(same) / len(same)
    everything = [c for choices in several for c in choices]
    chance = sum((everything.count(c) / len(everything)) ** 2 for c in VERDICTS)
    return share, (share - chance) / (1 - chance) if chance < 1 else None, len(several)
