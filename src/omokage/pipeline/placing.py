"""Photographs of a set as training records: each labelled face is found and its landmarks placed, so that its crop is
cut in training as it is when answering.

What the networks placed goes into the record's `outline`, which says how a crop is cut and is never learnt. What they
read becomes a label only where `fill` asks for it (self-training), and the record's provenance then names them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.data.datasets import read_dataset
from omokage.data.records import Record, provenance, write_shard
from omokage.errors import InputError, PlaceError
from omokage.media.image import decode
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.reader import Looks, landmark_box, looks
from omokage.results import FaceAnalysis
from omokage.schema import UNITS

Image = NDArray[np.uint8]
_TOGETHER = 16  # pictures that are looked at in one batch
SHARD_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Placed:
    """What a conversion did: records written, and the ids of pictures that were left out because no face was found."""

    written: int
    left_out: tuple[str, ...]


def write_placed(
    name: str,
    root: Path,
    out: Path,
    *,
    split: str = "all",
    count: int = 0,
    analyzer: Analyzer | None = None,
    progress: Callable[[int], None] | None = None,
    fill: bool = False,
) -> Placed:
    """Write the records of one split of a data set (`data.datasets.SETS`), at most `count` pictures of it (0 = all).

    A picture that has neither landmarks nor a box gets an outline; one in which no face is found is left out and named
    in the answer. `progress` is told how many pictures are done. With `fill` every picture is looked at, and what the
    networks read stands where the set gives no label (`filled`). Raises what `read_dataset` raises, InputError when
    nothing is left to write, and OutputError for a folder that holds records already.
    """
    if out.is_dir() and any(out.glob("*.parquet")):
        raise PlaceError(f"{out} holds records already; choose another folder or delete them")
    records = read_dataset(name, root, split)
    found = _Outlined(islice(records, count) if count else records, analyzer or Analyzer(), progress, fill)
    written, stream = 0, iter(found)
    while rows := list(islice(stream, SHARD_SIZE)):
        written += write_shard(out / f"{name}-{split}-{written // SHARD_SIZE:05d}.parquet", rows)
    if not written and not found.left_out:
        raise InputError(f"no row of split {split!r} is in {root}: choose another split, or name it in the rows")
    if not written:
        raise InputError(f"no face was found in any picture of {root}: nothing to write")
    return Placed(written, tuple(found.left_out))


class _Outlined:
    """The records with outlines, a batch of pictures in memory at a time; `left_out` fills while they are read."""

    def __init__(
        self, records: Iterator[Record], analyzer: Analyzer, progress: Callable[[int], None] | None, fill: bool
    ) -> None:
        self.records, self.analyzer, self.progress = records, analyzer, progress
        self.filler = analyzer.describe(crops=True)["attributes"] if fill else None
        self.left_out: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        done = 0
        while group := list(islice(self.records, _TOGETHER)):
            wanted = [r for r in group if self.filler is not None or not _is_placed(r)]
            faces = dict(zip([r.id for r in wanted], self._faces(wanted), strict=True))
            for record in group:
                if record.id not in faces:
                    yield record
                elif (face := faces[record.id]) is not None:
                    yield self._placed(record, face)
                else:
                    self.left_out.append(record.id)
            done += len(group)
            if self.progress is not None:
                self.progress(done)

    def _placed(self, record: Record, face: FaceAnalysis) -> Record:
        assert face.outline is not None
        if not _is_placed(record):
            record = replace(record, labels={**record.labels, "outline": face.outline.ravel().tolist()})
        return record if self.filler is None else filled(record, face, self.filler)

    def _faces(self, records: Sequence[Record]) -> list[FaceAnalysis | None]:
        images = [_pixels(record) for record in records]
        found = looks(images, self.analyzer.finder, self.analyzer.predictor, self.analyzer.config)
        drift = self.analyzer.config.drift_iou
        return [labelled_face(image, seen, drift) for image, seen in zip(images, found, strict=True)]


def _is_placed(record: Record) -> bool:
    """Whether the set itself says where the face is."""
    return not {"landmarks", "box"}.isdisjoint(record.labels)


def filled(record: Record, face: FaceAnalysis, weights: str) -> Record:
    """The record with expression units, fatness, skin tone and years of age as `weights` read them, each only where the
    set gave no such label. Years stay within the bin that the set gave; the provenance says what was filled in."""
    read: dict[str, Any] = {name: part.value for name, part in face.scalars.items() if name in ("fatness", "skin_tone")}
    if set(UNITS) <= set(face.units):
        read["units"] = [float(face.units[name]) for name in UNITS]
    if face.age is not None:
        low, high = record.labels.get("age_low", 0.0), record.labels.get("age_high", np.inf)
        read["age"] = float(np.clip(face.age.years, low, high))
    new = {name: value for name, value in read.items() if name not in record.labels}
    facts = {**json.loads(record.provenance), "filled_in": sorted(new), "filled_in_by": weights}
    return replace(record, labels={**record.labels, **new}, provenance=provenance(**facts))


def labelled_face(image: Image, seen: Looks, drift: float = 0.1) -> FaceAnalysis | None:
    """The second look at the face that the picture is about, its landmarks placed, or None.

    It is the surest find whose box holds the middle of the picture, else the find nearest to the middle. That a face is
    there is known from the label, so the strictness that guards answers against false finds is not needed.
    """
    middle = np.array([image.shape[1] / 2, image.shape[0] / 2])
    best: tuple[tuple[bool, float], FaceAnalysis] | None = None
    for detection, _, second in seen:
        points = second.outline
        box = landmark_box(points, detection.box, drift)
        if points is None or box is None:
            continue
        inside = box.x0 <= middle[0] <= box.x1 and box.y0 <= middle[1] <= box.y1
        away = float(np.hypot(*(np.array(box.centre) - middle)))
        rank = (inside, detection.score if inside else -away)
        if best is None or rank > best[0]:
            best = (rank, second)
    return None if best is None else best[1]


def _pixels(record: Record) -> Image:
    return decode(record.image, record.id).pixels
