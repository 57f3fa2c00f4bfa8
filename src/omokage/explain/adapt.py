"""A new attribute from few labels: which features of the trunk, how strong a pull, and whether fine-tuning pays.

The idea is that of Arbabzadah et al. (GCPR 2016), who put ratings of photographs on networks for age and gender. Here a
linear probe reads what the shipped sub-networks make of a face: one of them or all of them, whichever predicts held-out
people best. Fine-tuning is taken only where inner folds say that it pays. Every score is that of people whom the whole
procedure, choices included, has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omokage.explain.labels import Label
from omokage.nn.linear import FLOOR
from omokage.nn.probe import Kind, Probe, fit_probe, inner_folds

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Answer = Callable[[Rows], Floats]  # rows -> probabilities (n, classes) or values (n, 1)
Tuner = Callable[[Rows, "Fit"], Answer]  # labelled rows and the probe to start from -> the fine-tuned network's answers
FEWEST_FOR_TUNING = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """How labels are used: sizes of the learning curve, outer folds, folds that choose features and strength."""

    sizes: tuple[int, ...] = (10, 25, 50, 100)
    folds: int = 5
    inner: int = 4
    strengths: tuple[float, ...] = (1e-2, 1e-1, 1.0, 10.0, 100.0)
    seed: int = 0
    simplest: bool = False  # of the feature sets within one standard error of the best, the one with fewest numbers


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A linear probe and the feature sets that it reads side by side; without a probe a constant answer (k,), for
    labels from which nothing can be fitted."""

    reads: tuple[str, ...]
    probe: Probe | None
    constant: Floats

    def answer(self, features: Mapping[str, Floats], rows: Rows) -> Floats:
        """Probabilities (n, classes) or values (n, 1) of the pictures `rows`."""
        if self.probe is None:
            return np.tile(self.constant, (len(rows), 1))
        return self.probe.predict(np.concatenate([features[name][rows] for name in self.reads], 1))


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What came of the labels: answers (m, k) about people not seen, by method, and what is kept.

    Methods: ``trivial`` (mean or class shares), ``landmarks`` (a linear model on them), ``probe``, ``probe 50`` (from
    about 50 labels), ``tuned``, and ``chosen``: the probe, or the fine-tuned network where inner folds preferred it.
    """

    label: Label
    people: tuple[str, ...]
    held_out: Mapping[str, Floats]
    sizes: Mapping[str, float]  # method -> how many labels it had, mean over the folds
    fit: Fit
    tuned: bool  # whether the fine-tuned network is kept
    preferred: int  # in how many outer folds it was
    fold: Rows  # (m,) the outer fold in which each answer was held out: other folds' answers are other models'


def best_fit(
    features: Mapping[str, Floats], label: Label, rows: Rows, people: Sequence[str], plan: Plan | None = None
) -> Fit:
    """The feature set (each one, and all together) with the least loss on inner folds by person, fitted to the labels
    `rows` (places in the label's own arrays)."""
    plan = plan or Plan()
    constant = trivial(label, rows)
    where, values = label.rows[rows], label.values[rows]
    whose = [people[k] for k in where]
    nominal = label.kind == "nominal"
    # Sets are chosen by least squares, on class shares where there are classes: exact, and quick enough to try all.
    aims = np.eye(len(label.classes))[codes_of(label)[rows]] if nominal else values.astype(float)
    sets = [(name,) for name in features] + ([tuple(features)] if len(features) > 1 else [])

    def fitted(names: tuple[str, ...], targets: NDArray, kind: Kind) -> Probe:
        x = np.concatenate([features[name][where] for name in names], 1)
        classes = label.classes if kind == "nominal" else None
        return fit_probe(x, targets, kind, whose, plan.strengths, plan.inner, plan.seed, classes)

    try:
        kind: Kind = "continuous" if nominal else "ordinal"
        tried = [(names, fitted(names, aims, kind)) for names in sets]
        best = min(tried, key=lambda pair: pair[1].loss)
        reads, probe = _simplest(tried, best[1].loss, len(set(whose))) if plan.simplest else best
        if nominal:
            probe = fitted(reads, values, "nominal")
    except ValueError:  # too few people or classes for inner folds
        return Fit((), None, constant)
    return Fit(reads, probe, constant)


def _simplest(
    tried: Sequence[tuple[tuple[str, ...], Probe]], best: float, people: int
) -> tuple[tuple[str, ...], Probe]:
    """The probe with fewest numbers whose loss is at most one standard error above the `best` loss (Breiman et al.,
    Classification and Regression Trees, 1984): few labels tell a slope well and forty weights badly. The standard error
    of a mean of squares is taken as that of a normal sample with one independent error a person."""
    near = [pair for pair in tried if pair[1].loss <= best * (1 + np.sqrt(2 / people))]
    return min(near, key=lambda pair: (len(pair[1].mean), pair[1].loss))


def trivial(label: Label, rows: Rows) -> Floats:
    """The constant answer (k,): class shares, or the mean."""
    if label.kind == "nominal":
        counts = np.array([(label.values[rows] == c).sum() for c in label.classes], np.float64)
        return np.asarray((counts + 0.5) / (counts + 0.5).sum())
    return np.array([float(np.mean(label.values[rows]))])


def losses(label: Label, answers: Floats, rows: Rows) -> Floats:
    """Log loss or squared error (n,) of answers about the labels `rows`."""
    if label.kind == "nominal":
        codes = codes_of(label)[rows]
        return -np.log(np.maximum(answers[np.arange(len(rows)), codes], FLOOR))
    return np.asarray((answers[:, 0] - label.values[rows].astype(float)) ** 2)


def codes_of(label: Label) -> NDArray[np.int64]:
    """Class numbers (m,) of a nominal label."""
    number = {name: k for k, name in enumerate(label.classes)}
    return np.array([number[str(v)] for v in label.values], np.int64)


def learn(
    features: Mapping[str, Floats],
    landmarks: Floats,
    label: Label,
    people: Sequence[str],
    plan: Plan | None = None,
    tuner: Tuner | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Learnt:
    """Learn `label` from `features` (each (n, d)) of n pictures, and answer about everyone while he is held out.

    `landmarks` (n, d) feed the linear model beside it. With a `tuner` and enough labels the fine-tuned network competes
    inside each training part and, for what is kept, on all outer folds. Raises ValueError when there are not two people
    to split.
    """
    plan = plan or Plan()
    own = [people[k] for k in label.rows]
    codes = codes_of(label) if label.kind == "nominal" else None
    fold = inner_folds(len(label), own if len(set(own)) < len(own) else None, codes, plan.folds, plan.seed)
    job = _Job(features, landmarks, label, people, plan, tuner if len(label) >= FEWEST_FOR_TUNING else None)
    count = int(fold.max()) + 1
    for k in range(count):
        job.one_fold(np.flatnonzero(fold != k), np.flatnonzero(fold == k), k)
        if progress is not None:
            progress(k + 1, count + 1)
    every = np.arange(len(label))
    fit = best_fit(features, label, every, people, plan)
    pays = job.tuner is not None and pays_off(
        losses(label, job.answers["probe"], every), losses(label, job.answers["tuned"], every)
    )
    if progress is not None:
        progress(count + 1, count + 1)
    sizes = {name: float(np.mean(seen)) for name, seen in job.seen.items()}
    return Learnt(label, tuple(own), job.answers, sizes, fit, pays, job.preferred, fold)


def pays_off(before: Floats, after: Floats) -> bool:
    """Whether losses (n,) fell by more than one standard error of their difference."""
    gain = before - after
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


class _Job:
    """Answers about held-out people, filled fold by fold."""

    def __init__(
        self, features: Mapping[str, Floats], landmarks: Floats, label: Label, people: Sequence[str], plan: Plan,
        tuner: Tuner | None,
    ) -> None:  # fmt: skip
        self.features, self.landmarks, self.label, self.people = features, landmarks, label, people
        self.plan, self.tuner = plan, tuner
        self.answers: dict[str, Floats] = {}
        self.seen: dict[str, list[int]] = {}
        self.preferred = 0

    def one_fold(self, inside: Rows, outside: Rows, number: int) -> None:
        label, rng = self.label, np.random.default_rng((self.plan.seed, number))
        self._note("trivial", np.tile(trivial(label, inside), (len(outside), 1)), outside, len(inside))
        simple = best_fit({"landmarks": self.landmarks}, label, inside, self.people, self.plan)
        self._answer("landmarks", simple, {"landmarks": self.landmarks}, outside, len(inside))
        for size in self.plan.sizes:
            if size < 0.9 * len(inside):
                some = self._draw(inside, size, rng)
                fit = best_fit(self.features, label, some, self.people, self.plan)
                self._answer(f"probe {size}", fit, self.features, outside, len(some))
        fit = best_fit(self.features, label, inside, self.people, self.plan)
        said = self._answer("probe", fit, self.features, outside, len(inside))
        if self.tuner is not None:
            tuned = self.tuner(inside, fit)(label.rows[outside])
            self._note("tuned", tuned, outside, len(inside))
            if self._pays(inside, rng):
                said, self.preferred = tuned, self.preferred + 1
        self._note("chosen", said, outside, len(inside))

    def _pays(self, inside: Rows, rng: np.random.Generator) -> bool:
        """Whether fine-tuning wins on a quarter of the training people, learnt from the others."""
        assert self.tuner is not None
        part, rest = self._parts(inside, 0.75, rng)
        if len(rest) < 2:
            return False
        fit = best_fit(self.features, self.label, part, self.people, self.plan)
        before = fit.answer(self.features, self.label.rows[rest])
        after = self.tuner(part, fit)(self.label.rows[rest])
        return pays_off(losses(self.label, before, rest), losses(self.label, after, rest))

    def _draw(self, inside: Rows, size: int, rng: np.random.Generator) -> Rows:
        """The labels of randomly ordered people until there are `size` (the last person's are cut short)."""
        return self._shuffled(inside, rng)[0][:size]

    def _parts(self, inside: Rows, share: float, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Labels of whole people, the first part with about `share` of them; of one person all are in the first."""
        shuffled, whose = self._shuffled(inside, rng)
        ends = np.flatnonzero(whose[1:] != whose[:-1]) + 1
        cut = int(ends[np.abs(ends - share * len(inside)).argmin()]) if len(ends) else len(inside)
        return shuffled[:cut], np.sort(shuffled[cut:])

    def _shuffled(self, inside: Rows, rng: np.random.Generator) -> tuple[Rows, NDArray[np.int64]]:
        """The labels by person, people in random order, and the number of the person that each is of."""
        whose = np.array([self.people[k] for k in self.label.rows[inside]])
        order = {person: place for place, person in enumerate(rng.permutation(np.unique(whose)))}
        places = np.array([order[w] for w in whose], np.int64)
        by_person = np.argsort(places, kind="stable")
        return inside[by_person], places[by_person]

    def _answer(self, name: str, fit: Fit, features: Mapping[str, Floats], outside: Rows, seen: int) -> Floats:
        said = fit.answer(features, self.label.rows[outside])
        self._note(name, said, outside, seen)
        return said

    def _note(self, name: str, said: Floats, outside: Rows, seen: int) -> None:
        width = max(len(self.label.classes), 1)
        self.answers.setdefault(name, np.zeros((len(self.label), width)))[outside] = said
        self.seen.setdefault(name, []).append(seen)
