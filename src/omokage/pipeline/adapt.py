"""`omokage adapt LABELS.csv`: new attributes from few labels, as a weight set that `analyze` and `explain` accept.

    adapted = omokage.adapt("labels.csv", "pictures", "mine")
    omokage.Analyzer(weights="mine")("photo.jpg")[0].attributes["..."]

The set holds the shipped networks bit for bit, and the attributes beside them: what they answered before, they still
answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from omokage.attributes.predict import AttributePredictor
from omokage.errors import InputError
from omokage.explain.adapt import Plan, learn
from omokage.explain.labels import Kind, Label, LabelTable, read_label_table
from omokage.explain.ratings import ceiling
from omokage.explain.scores import group_scores, scores
from omokage.media.sources import on_disk
from omokage.media.table import table_schema
from omokage.pipeline.adapt_features import (
    Faces,
    Seen,
    attribute_predictor,
    check_there,
    one_person,
    read_faces_of,
    see,
)
from omokage.pipeline.adapt_network import BranchTuner, attribute_of
from omokage.pipeline.adapt_set import AdaptedLabel, Part, calibrated, sigma_of, write_set
from omokage.pipeline.analyzer import Analyzer
from omokage.schema import AttributeSchema
from omokage.weights import registry

Progress = Callable[[str, int, int], None]
FEWEST = 10  # labels of an attribute
TUNES = ("none", "dense", "stage")


@dataclass(frozen=True, slots=True)
class AdaptOptions:
    """What to learn and how far. `tune` is the deepest that may be fine-tuned: nothing, the dense layers, or the
    trunk's last stage as well; held-out people decide whether it is. `private` is a budget epsilon of differential
    privacy for the people in the labels, all labels together; 0: none."""

    names: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] | None = None
    skip: tuple[str, ...] = ()
    tune: str = "dense"
    crops: bool = False
    plan: Plan = field(default_factory=Plan)
    private: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Adapted:
    """The set that was written, its attributes, the pictures that were left out, as the table names them, with the
    reason, and the columns that were passed over, as no cell of them is filled in."""

    folder: Path
    card: registry.Card
    labels: tuple[AdaptedLabel, ...]
    pictures: int
    left_out: Mapping[str, str]
    empty: tuple[str, ...] = ()


def adapt(
    labels: str | Path,
    images: str | Path,
    out: str | Path,
    *,
    weights: str | Path = registry.DEFAULT_SET,
    analyzer: Analyzer | None = None,
    device: str | None = None,
    options: AdaptOptions | None = None,
    progress: Progress | None = None,
) -> Adapted:
    """Learn the labels of a CSV (`explain.labels`) about the pictures in `images`, and write the weight set `out`.

    The base is the shipped set or folder `weights`. Raises InputError for labels that cannot be learnt, OutputError
    where `out` cannot be written or holds weights already.
    """
    labels, images, out = Path(labels), Path(images), Path(out)
    chosen, tell = options or AdaptOptions(), progress or (lambda what, done, total: None)
    if chosen.tune not in TUNES:
        raise InputError(f"--tune {chosen.tune!r} is unknown; choose {', '.join(TUNES)}")
    registry.check_new(out)
    table = read_label_table(labels, chosen.names, chosen.kinds, chosen.skip)
    check_there(labels, images, table.files)
    analyzer = analyzer or Analyzer(weights, device=device)
    predictor = attribute_predictor(analyzer)
    _names_free(table, predictor.schema)
    paths = [on_disk(images, file) for file in table.files]
    faces = read_faces_of(analyzer, paths, chosen.crops, lambda d, n: tell("faces found", d, n), table.files)
    private = chosen.private > 0
    seen = see(predictor, faces.views, "none" if private else chosen.tune, progress=lambda d, n: tell("read", d, n))
    people = one_person([table.people[k] for k in faces.kept], faces.digests)
    groups = {name: [values[k] for k in faces.kept] for name, values in table.groups.items()}
    done, parts = [], []
    for label in (one.among(faces.kept) for one in table.labels):
        found, part = _one(label, predictor, faces, seen, people, groups, chosen, len(table.labels), tell)
        done.append(found)
        parts.append(part)
    card = write_set(out, weights, predictor, done, parts)
    return Adapted(out, card, tuple(done), len(faces.kept), faces.left_out, table.empty)


def _names_free(table: LabelTable, schema: AttributeSchema) -> None:
    """Raises InputError for a name that the base uses already, or that makes a second column of one name in the faces
    table."""
    for label in table.labels:
        if label.name in table_schema(schema, embedding=True).names or label.name in schema:
            raise InputError(
                f"there is an answer called {label.name!r} already; rename the column, for example my_{label.name}"
            )
        schema = AttributeSchema((*schema, attribute_of(label)))
        columns = Counter(table_schema(schema, embedding=True).names)
        if twice := [name for name, count in columns.items() if count > 1]:
            raise InputError(
                f"the label {label.name!r} needs a column {twice[0]!r}, which the faces table has already; rename the "
                f"column, for example my_{label.name}"
            )


def _one(
    label: Label, predictor: AttributePredictor, faces: Faces, seen: Seen, people: Sequence[str],
    groups: Mapping[str, Sequence[str]], options: AdaptOptions, of: int, tell: Progress,
) -> tuple[AdaptedLabel, Part]:  # fmt: skip
    """Learn one label `of` several: scores first, then what is kept."""
    if len(label) < FEWEST:
        raise InputError(f"{label.name!r} has {len(label)} labelled faces; label more, at least {FEWEST}")
    attribute, landmarks = attribute_of(label), faces.landmarks.reshape(len(faces.landmarks), -1)
    tuner = None
    if seen.maps is not None:
        tuner = BranchTuner(predictor, label, seen.hidden, seen.maps, options.tune == "stage", people)
    try:
        learnt = learn(
            seen.hidden, landmarks, label, people, options.plan, tuner, lambda d, n: tell(f"{label.name}: folds", d, n)
        )
    except ValueError as error:
        raise InputError(
            f"{label.name!r} cannot be learnt from {len(label)} pictures ({error}); label more people"
        ) from error
    if learnt.fit.probe is None:
        raise InputError(
            f"{label.name!r} cannot be learnt from {len(label)} pictures: every answer needs several people; label more"
        )
    best = None if label.ratings is None else ceiling(label.ratings, label.kind == "nominal")
    found = AdaptedLabel(attribute, learnt, tuple(scores(learnt)), best, tuple(group_scores(learnt, groups)))
    if options.private > 0:
        from omokage.pipeline.adapt_private import private_part

        part = private_part(attribute, seen.hidden, label, people, options.private, of=of)
        return replace(found, spent=part.spent), part
    sigma, module = sigma_of(learnt), None
    if learnt.tuned and tuner is not None:
        tell(f"{label.name}: fine-tuning", 0, 1)
        module = tuner.finished(tuner.tuned(np.arange(len(label)), learnt.fit), attribute, sigma)
    return found, Part(learnt.fit, module, sigma, calibrated(attribute, learnt, sigma))
