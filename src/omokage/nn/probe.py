"""Linear probes: what a frozen network's features say about a label, read by one linear layer.

    probe = fit_probe(features, labels, "nominal", groups=people)
    probe.predict(other_features)        # (n, classes) probabilities

Features are standardised; the strength of the pull towards zero is chosen by inner cross-validation whose folds never
share a group. `fit_published_probe` follows FAb-Net instead (Wiles et al., BMVC 2018: batch norm, linear layer without
bias, gradient descent). Either way the result is one affine map, small enough to keep beside the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omokage.metrics.logistic import probability
from omokage.nn.linear import Floats, log_loss, ridge_path, softmax, softmax_path

Kind = Literal["nominal", "ordinal", "continuous"]
Link = Literal["values", "softmax", "sigmoid"]
STRENGTHS = tuple(float(s) for s in 10.0 ** np.arange(-3, 3.5, 0.5))
COARSE = STRENGTHS[::2]  # where every strength costs a fit of its own
_ROUGH = 1e-4  # slope that is left of fits that only choose a strength


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """An affine map from features (n, d) to values or to log odds (n, k); frozen.

    Ordinal values are kept within `low` and `high` (k,), the range of the labels that it was fitted to. `sigma` (k,) is
    the standard deviation of the values' errors on held-out folds, NaN where no folds were held out.
    """

    kind: Kind
    link: Link
    mean: Floats  # (d,)
    scale: Floats  # (d,)
    weight: Floats  # (d, k), of standardised features
    bias: Floats  # (k,)
    low: Floats  # (k,)
    high: Floats  # (k,)
    sigma: Floats  # (k,)
    classes: tuple[str, ...] = ()  # names of the columns of a nominal probe
    strength: float = float("nan")
    labels: int = 0  # how many labelled pictures it has seen
    loss: float = float("nan")  # on the held-out folds: log loss of classes, mean square error over the variance

    def predict(self, features: ArrayLike) -> Floats:
        """Values (n, k), or probabilities (n, classes), of features (n, d). Raises ValueError for another width."""
        given = np.asarray(features, np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.mean):
            raise ValueError(f"the probe reads features (n, {len(self.mean)}), not {given.shape}")
        odds = ((given - self.mean) / self.scale) @ self.weight + self.bias
        if self.link == "softmax":
            return softmax(odds)
        if self.link == "sigmoid":
            return probability(odds)
        return np.clip(odds, self.low, self.high) if self.kind == "ordinal" else np.asarray(odds)

    def directions(self) -> Floats:
        """Unit vectors (d, k) along which each output of the probe grows fastest, in the space of the features."""
        raw = self.weight / self.scale[:, None]
        return np.asarray(raw / np.maximum(np.linalg.norm(raw, axis=0), 1e-300))

    def to_arrays(self) -> dict[str, NDArray]:
        """Numeric arrays that `from_arrays` turns back; `facts` holds the other fields as JSON in bytes (uint8)."""
        facts = {name: getattr(self, name) for name in ("kind", "link", "classes", "strength", "labels", "loss")}
        arrays: dict[str, NDArray] = {name: np.asarray(getattr(self, name), np.float64) for name in _ARRAYS}
        return {**arrays, "facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> Probe:
        """The probe that `to_arrays` wrote. Raises ValueError when something is missing or does not fit together."""
        try:
            facts = json.loads(np.asarray(arrays["facts"], np.uint8).tobytes())
            parts: dict[str, Any] = {name: np.asarray(arrays[name], np.float64) for name in _ARRAYS}
            probe = cls(**{**facts, **parts, "classes": tuple(facts["classes"])})
        except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"these arrays are no probe: {error}") from error
        d, k = probe.weight.shape
        if probe.mean.shape != (d,) or probe.scale.shape != (d,) or any(getattr(probe, n).shape != (k,) for n in _ENDS):
            raise ValueError("the arrays of the probe differ in size")
        return probe


_ENDS = ("bias", "low", "high", "sigma")
_ARRAYS = ("mean", "scale", "weight", *_ENDS)


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Checked labels: values (n, k) of an ordinal or continuous task, class numbers (n,) of a nominal one."""

    kind: Kind
    values: Floats
    codes: NDArray[np.int64]
    classes: tuple[str, ...]

    @classmethod
    def of(cls, targets: ArrayLike, kind: Kind, classes: Sequence[str] | None = None) -> Task:
        """Raises ValueError for unknown kinds, missing values, and classes that are not in `classes`."""
        if kind not in get_args(Kind):
            raise ValueError(f"no kind of label called {kind!r}: choose {', '.join(get_args(Kind))}")
        if kind == "nominal":
            names = np.asarray(targets).astype(str)
            known = tuple(classes) if classes is not None else tuple(sorted(set(names.tolist())))
            if names.ndim != 1 or not set(names.tolist()) <= set(known):
                raise ValueError(f"nominal labels must be one of {', '.join(known)} for each picture")
            number = {name: k for k, name in enumerate(known)}
            return cls(kind, np.zeros((0, 0)), np.array([number[n] for n in names.tolist()], np.int64), known)
        values = np.asarray(targets, np.float64)
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2 or not np.isfinite(values).all():
            raise ValueError("values must be finite numbers (n,) or (n, k): leave pictures without a label out")
        return cls(kind, values, np.zeros(0, np.int64), ())

    def only(self, keep: NDArray[np.bool_]) -> Task:
        """The labels of the pictures where `keep` (n,) is True."""
        if self.kind == "nominal":
            return Task(self.kind, self.values, self.codes[keep], self.classes)
        return Task(self.kind, self.values[keep], self.codes, self.classes)

    def __len__(self) -> int:
        return len(self.codes) if self.kind == "nominal" else len(self.values)


def fit_probe(
    features: ArrayLike,
    targets: ArrayLike,
    kind: Kind,
    groups: Sequence[str] | None = None,
    strengths: Sequence[float] | None = None,
    folds: int = 5,
    seed: int = 0,
    classes: Sequence[str] | None = None,
) -> Probe:
    """Fit ridge regression (ordinal, continuous) or multinomial logistic regression (nominal) on features (n, d).

    `targets` are class names (n,), or numbers (n,) or (n, k). `groups` (n,), for example people, are never on both
    sides of an inner fold. Every picture has a label: leave the others out. With `classes` the outputs keep that order,
    and a class that does not occur gets probability 0. `strengths` default to `STRENGTHS`, for classes to `COARSE`.
    Raises ValueError when a fit is impossible.
    """
    x, task = np.asarray(features, np.float64), Task.of(targets, kind, classes)
    if x.ndim != 2 or len(x) != len(task) or not np.isfinite(x).all():
        raise ValueError(f"{len(task)} labels need finite features ({len(task)}, d), not {x.shape}")
    if strengths is None:
        strengths = COARSE if kind == "nominal" else STRENGTHS
    if not strengths or min(strengths) <= 0:
        raise ValueError("strengths must be positive")
    fold = inner_folds(len(x), groups, task.codes if kind == "nominal" else None, folds, seed)
    losses, judged, sigma = _held_out_losses(x, task, fold, strengths)
    best = int(np.argmin(losses))
    mean, scale = standard(x)
    weight, bias = _path((x - mean) / scale, task, [strengths[best]])[0]
    ends = _ends(task)
    link: Link = "softmax" if kind == "nominal" else "values"
    spread = sigma[best] if kind != "nominal" else np.full(len(bias), np.nan)
    return Probe(
        kind,
        link,
        mean,
        scale,
        weight,
        bias,
        *ends,
        spread,
        task.classes,
        float(strengths[best]),
        len(x),
        float(losses[best] / judged),
    )


def standard(features: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation (d,) of features (n, d); a constant feature counts as of deviation 1."""
    scale = features.std(0)
    return features.mean(0), np.where(scale > 1e-12 * np.maximum(np.abs(features).max(0, initial=0.0), 1.0), scale, 1.0)


def inner_folds(
    count: int, groups: Sequence[str] | None, codes: NDArray[np.int64] | None, folds: int, seed: int
) -> NDArray[np.int64]:
    """The fold 0, 1, ... of each of `count` pictures; a group is in one fold, and classes are spread over the folds.

    Raises ValueError with fewer than two groups (or pictures) or folds.
    """
    rng = np.random.default_rng(seed)
    if groups is not None and len(groups) != count:
        raise ValueError(f"{count} pictures need {count} groups, not {len(groups)}")
    names = np.arange(count) if groups is None else np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    members = int(names.max(initial=-1)) + 1
    folds = min(folds, members)
    if folds < 2:
        raise ValueError("at least two folds and two different people (or pictures) are needed to choose a strength")
    order = rng.permutation(members)
    if groups is None and codes is not None:  # class after class, so that each fold gets its share of each
        order = order[np.argsort(codes[order], kind="stable")]
    sizes, filled, fold_of = np.bincount(names, minlength=members), np.zeros(folds), np.zeros(members, np.int64)
    for k, member in enumerate(order):
        fold_of[member] = k % folds if groups is None else int(np.argmin(filled))
        filled[fold_of[member]] += sizes[member]
    return np.asarray(fold_of[names], np.int64)


def _held_out_losses(
    x: Floats, task: Task, fold: NDArray[np.int64], strengths: Sequence[float]
) -> tuple[Floats, int, Floats]:
    """Losses (strengths,) summed over the pictures of the held-out folds, the number of these pictures (folds without
    two classes to learn from are left out), and the root mean square error (strengths, k) of values."""
    losses: list[Floats] = []
    judged = 0
    errors: list[Floats] = []
    spread = np.maximum(task.values.std(0), 1e-12) if len(task.values) else np.ones(0)
    for held in range(int(fold.max()) + 1):
        inside, outside = fold != held, fold == held
        part = task.only(inside)
        if task.kind == "nominal" and len(np.unique(part.codes)) < 2:
            continue
        mean, scale = standard(x[inside])
        fits = _path((x[inside] - mean) / scale, part, strengths, _ROUGH)
        z = (x[outside] - mean) / scale
        judged += int(outside.sum())
        if task.kind == "nominal":
            found = [log_loss(softmax(z @ w + b), task.codes[outside]) for w, b in fits]
            losses.append(np.array(found) * outside.sum())
        else:
            square = np.stack([((z @ w + b - task.values[outside]) ** 2).sum(0) for w, b in fits])
            errors.append(square)
            losses.append((square / spread**2).mean(1))
    if not losses:
        raise ValueError("at least two classes must occur in more than one fold: give more labels or more people")
    total = np.sqrt(np.sum(errors, 0) / len(x)) if errors else np.zeros((len(strengths), 0))
    return np.sum(losses, 0), judged, total


def _path(z: Floats, task: Task, strengths: Sequence[float], tolerance: float = 1e-6) -> list[tuple[Floats, Floats]]:
    if task.kind == "nominal":
        return softmax_path(z, task.codes, len(task.classes), strengths, tolerance)
    return ridge_path(z, task.values, strengths)


def _ends(task: Task) -> tuple[Floats, Floats]:
    if task.kind == "nominal":
        return np.zeros(len(task.classes)), np.ones(len(task.classes))
    return task.values.min(0), task.values.max(0)
