"""Changes in the user's own units: few labelled pairs of photographs on the comparison network.

A table with the columns `before`, `after`, `person` and one or more labels (kilograms, years, a nurse's rating: what
changed from the first to the second). A linear probe reads the network's own change of fatness or of age alone, all its
changes, or the difference of its states: the fewest numbers that predict held-out people within one standard error of
the best, since few labels carry one slope before they carry forty. With enough pairs the part in which two photographs
meet is fine-tuned from there, where inner folds say that it pays (`adapt_pair_tuning`). Each pair counts in both
directions, so that swapping the photographs flips the sign of the answer.

Scores are of people held out; of one person alone, of photographs held out, with every pair that any of them is in.

Where `weights` is a set that was learnt from such a table before, its answer about a label of the same name is one more
thing to read: learnt on many people first, then corrected for one person, of whom few pairs are enough for a slope. Its
answers about labels that the table lacks are carried over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.comparison.predict import Comparer
from omokage.errors import InputError
from omokage.explain.adapt import Learnt, Plan, learn
from omokage.explain.labels import Label
from omokage.explain.scores import Score, scores
from omokage.media.sources import Source, on_disk
from omokage.nn.probe import fit_probe
from omokage.pipeline.adapt_features import check_there
from omokage.pipeline.adapt_pair_tuning import PairTuner
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.compare import Photo, photographs
from omokage.pipeline.opened import open_analyzer, open_comparer
from omokage.pipeline.own_changes import EARLIER, MODEL, TUNED, ChangeReader, features_of, open_reader
from omokage.pipeline.pair_labels import FEWEST, apart, labelled_pairs, one_name, people_of
from omokage.training.run import commit_of
from omokage.weights import registry

Floats = NDArray[np.float64]
EMPTY = "no cell of the column is filled in"


@dataclass(frozen=True, slots=True, eq=False)
class AdaptedChange:
    """One label: what was learnt of it and its scores on people not seen (both directions of a pair count); `alone`:
    all pairs are of one person, and the scores are of photographs not seen, without the pairs `across`, of which one
    photograph was seen."""

    name: str
    learnt: Learnt
    scores: tuple[Score, ...]
    tuned: dict[str, Tensor] = field(default_factory=dict)  # of the fine-tuned head, where it is kept
    spread: float = 1.0  # of the labels, in whose units the head speaks
    alone: bool = False
    across: int = 0


def adapt_pairs(
    table: Path,
    images: Path,
    out: Path,
    *,
    weights: str | Path | None = None,
    device: str | None = None,
    analyzer: Analyzer | None = None,
    comparer: Comparer | None = None,
    crops: bool = False,
    plan: Plan | None = None,
) -> tuple[list[AdaptedChange], dict[str, str]]:
    """Learn the labels of a table of pairs and write the set `out`; gives what was learnt, and the pairs left out, as
    well as the columns that are `EMPTY`.

    Raises InputError for tables that cannot be learnt, OutputError where `out` holds something, WeightsError without a
    comparison network.
    """
    registry.check_new(out)
    first = open_reader(weights)
    rows, labels, empty = labelled_pairs(table, () if first is None else first.names)
    names = list(dict.fromkeys(row[side] for row in rows for side in ("before", "after")))
    check_there(table, images, names)
    analyzer, reader = analyzer or open_analyzer(weights, device), comparer or open_comparer(weights, device)
    photos = dict(
        zip(names, photographs(analyzer, reader, [Source(str(on_disk(images, n))) for n in names], crops), strict=True)
    )
    left_out = {f"{row['before']} - {row['after']}": why for row in rows if (why := _problem(row, photos))}
    rows = [row for row in rows if not _problem(row, photos)]
    if not rows:
        raise InputError(f"none of the pairs in {table} can be learnt from: {next(iter(left_out.values()))}")
    rows = one_name(rows, photos)
    used = list(dict.fromkeys(row[side] for row in rows for side in ("before", "after")))
    seen = reader.see([crop.image for n in used if (crop := photos[n].crop) is not None])
    at = [(used.index(row["before"]), used.index(row["after"])) for row in rows]
    one_way = features_of(seen, at, reader.compare(seen, at))
    features = {name: np.concatenate([x, -x]) for name, x in one_way.items()}
    both = [*at, *((b, a) for a, b in at)]

    said = first.answers.of(reader, seen, at, one_way) if first is not None else {}

    def learnt(name: str) -> AdaptedChange:
        earlier = {EARLIER: np.concatenate([said[name], -said[name]])[:, None]} if name in said else {}
        read = {**earlier, **features}

        def tuner(label: Label) -> PairTuner | None:
            return PairTuner(reader.network, seen, both, read, label) if isinstance(reader, Comparer) else None

        return _learn(name, rows, read, plan or Plan(), tuner)

    found = [learnt(name) for name in labels]
    _write(out, weights or registry.DEFAULT_SET, found, first)
    return found, left_out | dict.fromkeys(empty, EMPTY)


def _problem(row: dict[str, str], photos: dict[str, Photo]) -> str:
    return next((photos[row[side]].problem for side in ("before", "after") if photos[row[side]].problem), "")


def _learn(
    name: str, rows: Sequence[dict[str, str]], features: dict[str, Floats], plan: Plan,
    tuner_of: Callable[[Label], PairTuner | None],
) -> AdaptedChange:  # fmt: skip
    """One label in both directions. Raises InputError with too few pairs or a word that is no number."""
    every = _label(name, rows)
    known = every.rows[: len(every) // 2].tolist()
    people = people_of(rows)
    alone = len(set(people)) == 1
    if alone:
        people = [""] * len(rows)
        parts = apart(name, [(rows[k]["before"], rows[k]["after"]) for k in known], plan.folds)
        for k, part in zip(known, parts, strict=True):
            people[k] = part
    people = people * 2
    told = np.array([people[k] != "" for k in every.rows])
    label = replace(every, rows=every.rows[told], values=every.values[told])
    tuner, across = tuner_of(label), len(known) - len(label) // 2
    try:
        learnt = learn(features, features["factors"], label, people, replace(plan, simplest=True), tuner)
    except ValueError as error:
        raise InputError(f"{name!r} cannot be learnt ({error}); label pairs of more people") from error
    if learnt.fit.probe is None:
        raise InputError(f"{name!r} cannot be learnt from so few people; label pairs of more people")
    kept = tuple(s for s in scores(learnt) if s.method != "landmarks")
    if across:
        learnt, tuner = _of_all(learnt, features, every), tuner_of(every)
    if tuner is None or not learnt.tuned:
        return AdaptedChange(name, learnt, kept, alone=alone, across=across)
    head = tuner.tuned(np.arange(len(every)), learnt.fit)
    return AdaptedChange(name, learnt, kept, dict(head.state_dict()), tuner.spread, alone, across)


def _label(name: str, rows: Sequence[dict[str, str]]) -> Label:
    """One label of all pairs that have it, and of the same pairs turned round. Raises InputError."""
    known = [k for k, row in enumerate(rows) if row.get(name)]
    values = np.array([float(rows[k][name]) for k in known])
    if len(known) < FEWEST or not values.any():
        raise InputError(
            f"{name!r} has {len(known)} labelled pairs, or no change at all; label more, at least {FEWEST}"
        )
    top = float(np.abs(values).max())
    both = np.concatenate([np.array(known), np.array(known) + len(rows)]).astype(np.int64)
    return Label(name, "ordinal", both, np.concatenate([values, -values]), low=-top, high=top)


def _of_all(learnt: Learnt, features: Mapping[str, Floats], label: Label) -> Learnt:
    """The same with the probe fitted to all pairs of `label`. What it reads, how strongly it is held back and how far
    it errs stay as pairs without common photographs told: folds of the others would flatter."""
    chosen = learnt.fit.probe
    assert chosen is not None
    read = np.concatenate([features[name][label.rows] for name in learnt.fit.reads], 1)
    probe = fit_probe(read, label.values, "ordinal", strengths=[chosen.strength])
    return replace(learnt, fit=replace(learnt.fit, probe=replace(probe, sigma=chosen.sigma, loss=chosen.loss)))


def _write(
    out: Path, weights: str | Path, found: Sequence[AdaptedChange], first: ChangeReader | None = None
) -> registry.Card:
    """The model `changes` beside a copy of the networks that it was learnt with; `first` goes with it where answers
    read it or are carried over from it."""
    _copy_networks(weights, out)
    tensors: dict[str, torch.Tensor] = {}
    schema: list[Mapping[str, Any]] = []
    calibration: dict[str, list[float]] = {}
    for one in found:
        assert one.learnt.fit.probe is not None
        arrays = one.learnt.fit.probe.to_arrays()
        tensors |= {f"{one.name}.{key}": torch.from_numpy(np.array(value)) for key, value in arrays.items()}
        tensors |= {f"{one.name}.{TUNED}{key}": value for key, value in one.tuned.items()}
        said, true = one.learnt.held_out["chosen"][:, 0], one.learnt.label.values.astype(float)
        errors = np.sort(np.abs(said - true))
        reads, spread = list(one.learnt.fit.reads), one.spread if one.tuned else 0.0
        schema.append({"name": one.name, "reads": reads, "unit": "the labels' own", "spread": spread})
        calibration[one.name] = [round(float(v), 6) for v in np.quantile(errors, np.linspace(0, 1, 101))]
    architecture: Mapping[str, Any] = {}
    carried = [] if first is None else [name for name in first.names if name not in calibration]
    if first is not None and (carried or any(EARLIER in one.learnt.fit.reads for one in found)):
        tensors |= {f"{EARLIER}/{key}": _exact(key, value) for key, value in first.answers.tensors.items()}
        architecture = {EARLIER: {"schema": list(first.answers.schema), "architecture": first.answers.architecture}}
    chosen = [(one, s) for one in found for s in one.scores if s.method == "chosen"]
    rows: list[Mapping[str, Any]] = [
        {
            "measure": f"{one.name}: {s.measure}", "value": round(s.value, 4), "n": s.pictures // 2,
            "interval": [round(s.low, 4), round(s.high, 4)], "date": date.today().isoformat(),
            "set": "held-out photographs of one person" if one.alone else "pairs of held-out people",
        }
        for one, s in chosen
    ]  # fmt: skip
    if first is not None:
        schema += [{**row, "reads": [], "spread": 0.0} for row in first.card.schema if row["name"] in carried]
        calibration |= {name: first.card.calibration["errors"][name] for name in carried}
        rows += [row for row in first.card.scores if str(row["measure"]).rpartition(": ")[0] in carried]
    card = registry.Card(
        MODEL, out.name, architecture, {}, schema=schema, calibration={"errors": calibration}, scores=rows,
        commit=commit_of(), made=date.today().isoformat(), recipe="omokage adapt PAIRS.csv",
        trained_on=f"pairs labelled by the user, on the comparison network of {weights}",
        licences={"labels": "the user's own"},
        limits=["Answers hold for people, cameras and changes like those in the labels. Not a diagnosis."],
    )  # fmt: skip
    return registry.save(out, tensors, card)


def _exact(key: str, value: torch.Tensor) -> torch.Tensor:
    """A loaded tensor so that it is written without loss: probes were kept with all their digits, heads as fp16."""
    return value if TUNED in key or not value.is_floating_point() else value.double()


def _copy_networks(weights: str | Path, out: Path) -> None:
    """What compares; and what finds and reads the faces, where that is not the default set's, which is opened for a set
    without attributes."""
    names = ["comparison", "verification"]
    default = registry.folder_of(weights).resolve() == registry.folder_of(registry.DEFAULT_SET).resolve()
    if not default and registry.has_model(weights, "attributes"):
        names += ["attributes", "finder", "check"]
    for name in names:
        if registry.has_model(weights, name):
            registry.copy_model(weights, name, out)
