"""How much of a person's identity codes carry, and a projection that takes it out, with what that costs.

    found = identity_leakage(codes, people, sessions)      # how well one linear layer names people
    projection = fit_identity_projection(codes, people, remove=32)
    cleaned = Projected(encoder, projection)               # an encoder again: probes tell what is left

An encoder that learns from two frames of one person need not keep who it is, and keeps some of it all the same. The
projection is fitted to people of its own and must be judged on others: `identity_leakage` of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from omokage.embeddings.predict import Crops, Encoder
from omokage.errors import InputError
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import area_under_curve
from omokage.nn.probe import standard

Floats = NDArray[np.float64]
_SHRINK = 0.1  # of the within-person covariance, towards its mean variance: few pictures make it uncertain


@dataclass(frozen=True, slots=True)
class Leakage:
    """How well codes name people whom the probe has seen, on pictures that it has not.

    `accuracy` (with its 95 percent interval over people) against `chance` = 1 / people; `verification` = how often two
    pictures of one person are more alike than two of different ones (area under the curve of the cosine, 0.5 = never
    better than chance, no fit at all).
    """

    people: int
    pictures: int
    accuracy: float
    low: float
    high: float
    chance: float
    verification: float


def identity_leakage(
    codes: NDArray, people: Sequence[str], sessions: Sequence[str] | None = None, seed: int = 0
) -> Leakage:
    """Fit a linear layer that names people to one half of each person's pictures, judge it on the other half.

    The layer is that of linear discriminants with one covariance for all (Fisher, 1936; Rao, 1948), shrunk by a tenth:
    the best linear one where people vary alike, also with few pictures of each. `sessions` (n,) name tracks or days:
    whole ones are kept on one side, where a person has several; frames of one track are nearly copies. Raises
    InputError with fewer than two people that have two pictures each.
    """
    x, who = np.asarray(codes, np.float64), np.asarray(people).astype(str)
    learn, judge = halves(who, sessions, seed)
    names = np.unique(who[judge])
    if len(names) < 2:
        raise InputError("identity needs at least two people with two pictures each: give more labelled pictures")
    chosen = learn & np.isin(who, names)
    told = names[_named(x[chosen], np.searchsorted(names, who[chosen]), x[judge])]
    right = (told == who[judge]).astype(np.float64)
    low, high = interval(lambda r: float(r.mean()), right, groups=who[judge].tolist())
    alike = verification(x, who, sessions)
    return Leakage(len(names), int(judge.sum()), float(right.mean()), low, high, 1 / len(names), alike)


def _named(learnt: Floats, index: NDArray[np.int64], judged: Floats) -> NDArray[np.int64]:
    """The person 0, 1, ... whose mean of learnt codes is nearest to each judged one, in units of a person's own
    variation; without any of that (one picture each), of the variation between pictures."""
    means = np.stack([learnt[index == k].mean(0) for k in range(int(index.max()) + 1)])
    white = _whitening(learnt - means[index] if len(learnt) > len(means) else learnt - learnt.mean(0), len(means))[0]
    near = means @ white
    odds = (judged @ white) @ near.T - 0.5 * (near**2).sum(1)
    return np.asarray(odds.argmax(1), np.int64)


def _whitening(inside: Floats, groups: int) -> tuple[Floats, Floats]:
    """The matrix (d, d) that makes deviations (n, d) from `groups` means round, and its inverse."""
    within = inside.T @ inside / max(len(inside) - groups, 1)
    within = (1 - _SHRINK) * within + _SHRINK * np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = np.linalg.eigh(within)
    values = np.maximum(values, max(1e-12 * values.max(), 1e-300))
    return (vectors * values**-0.5) @ vectors.T, (vectors * values**0.5) @ vectors.T


def halves(who: NDArray, sessions: Sequence[str] | None, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pictures (n,) are learnt from and which are judged: half of each person's sessions, or pictures."""
    rng = np.random.default_rng(seed)
    learn, judge = np.zeros(len(who), bool), np.zeros(len(who), bool)
    for name in np.unique(who):
        rows = np.flatnonzero(who == name)
        own = rows.astype(str) if sessions is None else np.asarray(sessions).astype(str)[rows]
        kinds = rng.permutation(np.unique(own))
        if len(kinds) > 1:
            first = np.isin(own, kinds[: (len(kinds) + 1) // 2])
            learn[rows[first]], judge[rows[~first]] = True, True
        elif len(rows) > 1:  # one session only: its first half in order, so that neighbours stay together
            learn[rows[: len(rows) // 2]], judge[rows[len(rows) // 2 :]] = True, True
    return learn, judge


def verification(codes: Floats, who: NDArray, sessions: Sequence[str] | None = None, pairs: int = 20_000) -> float:
    """Area under the curve of the cosine of standardised codes, same person against different people; pairs within one
    session are left out. NaN without pairs of either kind."""
    mean, scale = standard(codes)
    z = (codes - mean) / scale
    z /= np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)
    rng = np.random.default_rng(0)
    first, second = rng.integers(len(z), size=(2, pairs))
    for name in np.unique(who):  # pairs of one person are rare among random ones
        rows = np.flatnonzero(who == name)
        own = rng.choice(rows, (2, max(2, pairs // len(np.unique(who)) // 2)))
        first, second = np.concatenate([first, own[0]]), np.concatenate([second, own[1]])
    same = who[first] == who[second]
    use = first != second
    if sessions is not None:
        days = np.asarray(sessions).astype(str)
        use &= ~(same & (days[first] == days[second]))
    return area_under_curve((z[first] * z[second]).sum(1)[use], same[use])


@dataclass(frozen=True, slots=True, eq=False)
class IdentityProjection:
    """`apply` codes (n, d): `removed` directions that tell people apart are set to their mean, the others stay."""

    mean: Floats  # (d,)
    matrix: Floats  # (d, d)
    removed: int

    def apply(self, codes: NDArray) -> NDArray[np.float32]:
        """Codes (n, d) without those directions."""
        x = np.asarray(codes, np.float64)
        return np.asarray(self.mean + (x - self.mean) @ self.matrix, np.float32)

    def to_arrays(self) -> dict[str, NDArray]:
        return {"mean": self.mean, "matrix": self.matrix, "removed": np.array([self.removed])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> IdentityProjection:
        """What `to_arrays` gave. Raises ValueError when something is missing."""
        try:
            mean, matrix = np.asarray(arrays["mean"], np.float64), np.asarray(arrays["matrix"], np.float64)
            return cls(mean, matrix, int(np.asarray(arrays["removed"]).ravel()[0]))
        except (KeyError, IndexError) as error:
            raise ValueError(f"these arrays are no identity projection: {error}") from error


def fit_identity_projection(codes: NDArray, people: Sequence[str], remove: int) -> IdentityProjection:
    """Take out the `remove` directions in which people differ most against how much one person varies.

    Linear discriminants (Fisher, 1936; Rao, 1948) of codes (n, d): where a person's own variation is made round,
    the principal directions of the people's means are dropped. Removes at most people - 1 directions. Raises InputError
    with fewer than two people or without two pictures of any.
    """
    x, who = np.asarray(codes, np.float64), np.asarray(people).astype(str)
    names, index, sizes = np.unique(who, return_inverse=True, return_counts=True)
    if len(names) < 2 or sizes.max() < 2:
        raise InputError(
            "an identity projection needs two people, and two pictures of one: give more labelled pictures"
        )
    mean = x.mean(0)
    means = np.stack([x[index == k].mean(0) for k in range(len(names))])
    white, back = _whitening(x - means[index], len(names))
    between = np.sqrt(sizes / len(x))[:, None] * ((means - mean) @ white)
    ways = np.linalg.svd(between, full_matrices=False)[2][: min(remove, len(names) - 1)]
    kept = np.eye(len(mean)) - ways.T @ ways
    return IdentityProjection(mean, white @ kept @ back, len(ways))


@dataclass(frozen=True, slots=True)
class Projected:
    """An encoder whose codes have identity projected out; again an `Encoder`."""

    encoder: Encoder
    projection: IdentityProjection
    name: str = field(default="")

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", f"{self.encoder.name} less {self.projection.removed}")

    @property
    def size(self) -> int:
        return self.encoder.size

    @property
    def margin(self) -> float:
        return self.encoder.margin

    def encode(self, crops: Crops) -> NDArray[np.float32]:
        """Codes (n, d) of crops (n, size, size, 3)."""
        return self.projection.apply(self.encoder.encode(crops))


@dataclass(frozen=True, slots=True)
class Removal:
    """What is left of identity, on people whom the projection has not seen, when `removed` directions are gone."""

    removed: int
    leakage: Leakage


def removal_curve(
    codes: NDArray, people: Sequence[str], sessions: Sequence[str] | None = None,
    remove: Sequence[int] = (0, 4, 8, 16, 32, 64, 128), seed: int = 0,
) -> list[Removal]:  # fmt: skip
    """Fit projections of growing size to half of the people, read identity off the other half.

    Raises InputError with fewer than four people.
    """
    x, who = np.asarray(codes, np.float64), np.asarray(people).astype(str)
    names = np.random.default_rng(seed).permutation(np.unique(who))
    if len(names) < 4:
        raise InputError(
            f"a projection is fitted to some people and judged on others: four are needed, not {len(names)}"
        )
    fit = np.isin(who, names[: len(names) // 2])
    days = None if sessions is None else [s for s, own in zip(sessions, fit, strict=True) if not own]
    found: list[Removal] = []
    for count in dict.fromkeys(remove):
        projection = fit_identity_projection(x[fit], who[fit].tolist(), count)
        if not found or projection.removed > found[-1].removed:
            left = projection.apply(x[~fit])
            found.append(Removal(projection.removed, identity_leakage(left, who[~fit].tolist(), days, seed)))
    return found
