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
from omokage.explain.labels import Label, is_unknown
from omokage.explain.scores import Score, scores
from omokage.media.small_tables import read_small_table
from omokage.media.sources import Source, on_disk
from omokage.metrics.labels import is_number
from omokage.nn.probe import fit_probe
from omokage.pipeline.adapt_features import check_there
from omokage.pipeline.adapt_pair_tuning import PairTuner
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.compare import Photo, photographs
from omokage.pipeline.opened import open_analyzer, open_comparer
from omokage.pipeline.own_changes import EARLIER, MODEL, TUNED, ChangeReader, features_of, open_reader
from omokage.pipeline.pair_table import COLUMNS, columns_of
from omokage.training.run import commit_of
from omokage.weights import registry

Floats = NDArray[np.float64]
FEWEST = 10
EMPTY = "no cell of the column is filled in"
_SIDES = ("before", "after")
_OTHER = {*_SIDES, "person"}
_TAKEN = {*COLUMNS, "faces"}  # what a comparison as a table or as JSON calls its own
_FEWEST_PARTS = 3  # of one person's photographs: one is held out, and two are left to choose by


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
    rows, labels, empty = _rows(table, () if first is None else first.names)
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
    rows = _one_name(rows, photos)
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


def _one_name(rows: Sequence[dict[str, str]], photos: Mapping[str, Photo]) -> list[dict[str, str]]:
    """The pairs with one name for each photograph, whatever its copies are called."""
    first: dict[str, str] = {}
    return [row | {side: first.setdefault(photos[row[side]].digest, row[side]) for side in _SIDES} for row in rows]


def _rows(table: Path, before: Sequence[str]) -> tuple[list[dict[str, str]], list[str], list[str]]:
    """The pairs, the names of their labels, which stand beside those learnt `before`, and of the columns without any.
    Raises InputError."""
    found = read_small_table(table, "pairs", list(_SIDES))
    rows = [_filled(row, table, line) for line, row in found.numbered()]
    named = [name for name in found.header if name and name not in _OTHER]
    empty = [name for name in named if not any(row[name] for row in rows)]
    labels = [name for name in named if name not in empty]
    if not labels:
        raise InputError(f"the pairs {table} have no label: add a column of signed numbers, named after what changed")
    if taken := [name for name in labels if not _TAKEN.isdisjoint(columns_of(name))]:
        raise InputError(f"the label {taken[0]!r} of {table} is what every comparison calls one of its own; rename it")
    owner: dict[str, str] = {}
    for name in dict.fromkeys([*before, *labels]):
        for column in columns_of(name):
            if (other := owner.setdefault(column, name)) != name:
                raise InputError(
                    f"the labels {other!r} and {name!r} would both fill the column {column!r}; rename one in {table}"
                )
    return rows, labels, empty


def _filled(row: Mapping[str, str], table: Path, line: int) -> dict[str, str]:
    """A pair in which the cells that say that they are unknown are empty. Raises InputError for a label that is no
    finite number."""
    filled = {name: "" if name not in _SIDES and is_unknown(text) else text for name, text in row.items()}
    for name, text in filled.items():
        if text and name not in _OTHER and not is_number(text):
            raise InputError(
                f"{table}, line {line}: {name} {text!r} is no finite number; changes are signed numbers: correct it, "
                "or empty the cell"
            )
    return filled


def people_of(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Who each pair is of: the `person`, where given. Pairs without one that share a photograph are of one person, of
    the one who is named for it elsewhere: else the photograph would be learnt from and asked about."""
    leads: dict[str, str] = {}

    def first(file: str) -> str:
        while (above := leads.setdefault(file, file)) != file:
            file = above
        return file

    for row in rows:
        if not row.get("person"):
            leads[first(row["after"])] = first(row["before"])
    names: dict[str, str] = {}
    for row in rows:
        if row.get("person"):
            names |= {first(row[side]): row["person"] for side in ("before", "after")}
    found = []
    for k, row in enumerate(rows):
        found.append(row.get("person") or names.setdefault(first(row["before"]), f"pair {k}"))
    return found


def parts_of(pairs: Sequence[tuple[str, str]], count: int) -> list[str]:
    """The part of one person's photographs that each pair lies in, and "" for pairs of two parts: held out with one of
    them and learnt from with the other, they would tell what is asked.

    Photographs that pairs join are one part, cut where it holds more than its share of `count`. One that is in all
    pairs, such as that of the first visit, is in no part: it tells the same of all others.
    """
    shared = set.intersection(*(set(pair) for pair in pairs))
    ends = [[file for file in pair if file not in shared] for pair in pairs]
    beside: dict[str, list[str]] = {}
    for files in ends:
        for file in files:
            beside.setdefault(file, []).extend(files)
    most = -(-len(beside) // count)
    part: dict[str, str] = {}
    for file in beside:
        if file not in part:
            joined = _joined(file, beside)
            for piece in np.array_split(np.arange(len(joined)), -(-len(joined) // most)):
                part |= {joined[k]: f"part of {joined[piece[0]]}" for k in piece}
    return [part[files[0]] if len({part[file] for file in files}) == 1 else "" for files in ends]


def _joined(start: str, beside: Mapping[str, Sequence[str]]) -> list[str]:
    """The photographs that pairs join with one, those that fewest pairs lead to first."""
    found, known = [start], {start}
    for file in found:  # which grows
        new = [other for other in dict.fromkeys(beside[file]) if other not in known]
        found += new
        known |= set(new)
    return found


def _apart(name: str, pairs: Sequence[tuple[str, str]], folds: int) -> list[str]:
    """`parts_of` of as many parts as leave enough pairs, at most `folds`. Raises InputError where none do."""
    left = 0
    for count in range(max(folds, _FEWEST_PARTS), _FEWEST_PARTS - 1, -1):
        parts = parts_of(pairs, count)
        left = sum(part != "" for part in parts)
        if left >= FEWEST and len(set(parts) - {""}) >= _FEWEST_PARTS:
            return parts
    raise InputError(
        f"{name!r} cannot be judged: all pairs are of one person, and with some photographs held out {left} pairs are "
        f"left that share none with the others, of at least {FEWEST}; label pairs of more photographs or of more people"
    )


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
        parts = _apart(name, [(rows[k]["before"], rows[k]["after"]) for k in known], plan.folds)
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
