"""Re-annotate pictures: collect what the specialists, rendered truth, labels and a teacher say, and put it together.

Resumable: each finished picture is a line beside the output until all are done. Output and export name pictures by a
hash of their pixels, a file that is no picture by a hash of its bytes; only `Plan.pictures` (a folder, when asked for)
receives the pictures themselves, decoded and written anew, so that no camera data and no name go along.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from omokage.data.datasets import SETS, read_dataset
from omokage.data.records import Record, read_records, shards
from omokage.dialogue.annotate import (
    Annotation,
    Claim,
    Origin,
    claims_of_analysis,
    claims_of_truth,
    picture_id,
    put_together,
)
from omokage.dialogue.exporting import Form, write_annotations, write_review
from omokage.dialogue.facts import truth_of
from omokage.dialogue.questions import part_of
from omokage.dialogue.teachers import Teacher
from omokage.errors import InputError, UnreadableError
from omokage.faces.align import crop_box, crop_landmarks
from omokage.media.files import output_error, whole_path
from omokage.media.image import decode, read_image
from omokage.media.lines import Lines
from omokage.media.sources import Source, expand
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.compare import OTHER_FACE
from omokage.results import Box, FaceAnalysis

Image = NDArray[np.uint8]
TEACHER_SIZE, TEACHER_MARGIN = 384, 1.6  # the crop that a teacher sees
_NEAR = 0.1  # overlap of a labelled face with a found one
KEPT_EVERY = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """Which sources speak. `dataset` and `split` read a published set's own layout; a folder of record shards brings
    its truth along. `specialists` off: labels and teacher only. `pictures`: a folder for the exported pictures."""

    dataset: str = ""
    split: str = ""
    specialists: bool = True
    crops: bool = False
    questions: int = 4
    pictures: Path | None = None
    limit: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One picture to annotate, with the record that it comes from, if any. `key` tells it from others on resume."""

    key: str
    pixels: Image | None
    problem: str = ""
    record: Record | None = None
    name: str = ""  # for the person at the terminal only: no output holds it
    id: str = ""  # of what has no pixels


def annotate(
    inputs: str, out: Path, form: Form, plan: Plan, analyzer: Analyzer | None, teacher: Teacher | None = None, *,
    review: Path | None = None, resume: bool = False, today: str = "",
    progress: Callable[[int, int], None] | None = None, left_out: Callable[[str, str], None] | None = None,
) -> list[Annotation]:  # fmt: skip
    """Annotate all pictures of `inputs` and write them to `out`; returns the annotations. `left_out` is told the name
    of each picture without an annotation, which is not in the output, and why.

    Raises InputError when no source speaks, for unknown sets and for a resumed run of another kind; OutputError.
    """
    if analyzer is None and (plan.specialists or (not plan.crops and teacher is not None)):
        raise InputError("without specialists nothing finds the faces: leave them on, or say that pictures are crops")
    when = today or date.today().isoformat()
    identity = {"inputs": inputs, "dataset": plan.dataset, "split": plan.split, "specialists": plan.specialists,
                "crops": plan.crops, "teacher": teacher.id if teacher else "", "limit": plan.limit,
                "weights": analyzer.describe(plan.crops) if analyzer and plan.specialists else {}}  # fmt: skip
    lines = Lines(out, identity, resume)
    done = {row["key"] for row in lines.read()}
    names = _names(inputs, plan) if done else {}
    left = max(plan.limit - len(done), 0) if plan.limit else None  # what earlier runs did counts towards the limit
    with _keeping(lines) as keep:
        for count, item in enumerate(islice(items(inputs, plan, done), left), 1):
            annotation = annotated(item, plan, analyzer, teacher, when)
            if plan.pictures is not None and item.pixels is not None and annotation.statements:
                keep_picture(plan.pictures, annotation.id, item.pixels)
            names[item.key] = item.name
            keep({"key": item.key, **annotation.to_dict()})
            if progress:
                progress(len(done) + count, 0)
    found = []
    for row in lines.read():
        found.append(Annotation.from_dict({k: v for k, v in row.items() if k != "key"}))
        if left_out and row["status"] != "answered":
            left_out(names.get(row["key"], row["key"]), f"{row['status']} ({row['reason']})")
    if not found:
        raise InputError(f"no picture was found in {inputs}: check the path, or the split")
    write_annotations(out, form, found, plan.questions)
    if review is not None:
        write_review(review, found)
    lines.close()
    return found


@contextmanager
def _keeping(lines: Lines) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Takes finished rows and keeps some at a time; what waits is kept too when work ends early."""
    waiting: list[dict[str, Any]] = []

    def keep(row: dict[str, Any]) -> None:
        waiting.append(row)
        if len(waiting) >= KEPT_EVERY:
            rows = waiting.copy()
            waiting.clear()  # first: rows that could not be written are not tried again on the way out
            lines.add(rows)

    try:
        yield keep
    finally:
        lines.add(waiting)


def items(inputs: str, plan: Plan, done: set[str]) -> Iterator[Item]:
    """The pictures behind `inputs` that are not done: of a published set, of record shards, or plain files."""
    if plan.dataset or is_records(inputs):
        if plan.dataset and plan.dataset not in SETS:
            raise InputError(f"no reader for a data set called {plan.dataset!r}; there are {', '.join(SETS)}")
        split = plan.split or (SETS[plan.dataset].splits[0] if plan.dataset else "")
        records = read_dataset(plan.dataset, Path(inputs), split) if plan.dataset else read_records(Path(inputs))
        for record in records:
            key = _key(record.id)
            if key not in done:
                yield Item(key, decode(record.image, record.id).pixels, record=record, name=record.id)
        return
    for source in expand([inputs]).sources:
        key = _key(source.name)
        if source.video or key in done:
            continue
        try:
            yield Item(key, read_image(source.path), name=source.name)
        except UnreadableError as error:
            yield Item(key, None, _nameless(str(error), source), name=source.name, id=_bytes_id(source.path))


def _names(inputs: str, plan: Plan) -> dict[str, str]:
    """The names of plain files by key: for those that an earlier run has done."""
    if plan.dataset or is_records(inputs):
        return {}
    return {_key(source.name): source.name for source in expand([inputs]).sources}


def videos_in(inputs: str, plan: Plan) -> int:
    """How many videos lie among the pictures, where they are passed over."""
    return 0 if plan.dataset or is_records(inputs) else sum(s.video for s in expand([inputs]).sources)


def is_records(inputs: str) -> bool:
    """Whether a folder holds record shards."""
    folder = Path(inputs)
    return folder.is_dir() and any(folder.glob("*.parquet")) and bool(shards(folder))


def _key(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _bytes_id(path: str) -> str:
    """What a file is called that is no picture: by its bytes, or by chance where they cannot be read. A hash of its
    path could be guessed by whoever knows names."""
    if not os.path.isfile(path):  # reading a pipe or a device would never end
        return secrets.token_hex(8)
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError:
        return secrets.token_hex(8)
    return digest.hexdigest()[:16]


def _nameless(text: str, source: Source) -> str:
    """A reason without the file's name, which may tell who is in it."""
    text = text.removeprefix(f"{source.path}: ")
    return text.replace(source.path, "the file").replace(source.name, "the file")


def annotated(item: Item, plan: Plan, analyzer: Analyzer | None, teacher: Teacher | None, when: str) -> Annotation:
    """One picture's annotation. Without a face, or with several, it says so and holds no statement."""
    if item.pixels is None:
        return Annotation(item.id, 0, 0, "unreadable", item.problem)
    name, (height, width) = picture_id(item.pixels), item.pixels.shape[:2]
    facts: dict[str, Any] = {"split": _split(item.record, plan), "licence": _licence(item.record)}
    claims = _label_claims(item.record, plan, when)
    face, reason = _face(item, plan, analyzer)
    if reason and not claims:
        status = "no_face" if reason.startswith("no face") else "several_faces"
        return Annotation(name, width, height, status, reason, **facts)
    if face is not None and plan.specialists and analyzer is not None:
        claims += claims_of_analysis(face, analyzer.describe(plan.crops)["attributes"], when)
    if teacher is not None and not reason:
        claims += teacher.claims(_teacher_crop(item.pixels, face), when)
    return Annotation(name, width, height, "answered", "", put_together(claims), face=face.face if face else 0, **facts)


def _label_claims(record: Record | None, plan: Plan, when: str) -> list[Claim]:
    if record is None:
        return []
    source: Origin = "truth" if record.source == "rendered" else "label"
    return claims_of_truth(truth_of(record.id, record.person, record.labels), source, record.source, when)


def _split(record: Record | None, plan: Plan) -> str:
    """A published set keeps its own split; rendered people are divided as the questions divide them."""
    if record is None:
        return ""
    if plan.dataset:
        return plan.split or SETS[plan.dataset].splits[0]
    return part_of(record.person)


def _licence(record: Record | None) -> str:
    if record is None:
        return ""
    return str(json.loads(record.provenance).get("licence", ""))


def _face(item: Item, plan: Plan, analyzer: Analyzer | None) -> tuple[FaceAnalysis | None, str]:
    """The face that is meant: the one that labels show, else the largest; or why there is none."""
    if analyzer is None or item.pixels is None:
        return None, ""
    faces = analyzer(item.pixels, plan.crops)
    if not faces:
        return None, "no face was found"
    box = None if item.record is None else item.record.labels.get("box")
    if box is not None:
        place = Box(*(float(v) for v in box))
        best = max(faces, key=lambda f: f.box.iou(place))
        return (best, "") if best.box.iou(place) >= _NEAR else (None, "no face was found where the labels say")
    if len(faces) > 1 and faces[1].box.area >= OTHER_FACE * faces[0].box.area:
        return None, f"{len(faces)} faces: it is unclear which one is meant"
    return faces[0], ""


def _teacher_crop(pixels: Image, face: FaceAnalysis | None) -> Image:
    if face is None:
        return pixels
    if face.outline is None:
        return crop_box(pixels, face.box, TEACHER_SIZE, TEACHER_MARGIN).image
    return crop_landmarks(pixels, face.outline, TEACHER_SIZE, TEACHER_MARGIN).image


def keep_picture(folder: Path, name: str, pixels: Image) -> None:
    """The pixels as a PNG that holds nothing else, called by their hash. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    with whole_path(folder / f"{name}.png") as partial:
        Pillow.fromarray(pixels).save(partial, format="PNG")


def counted(annotations: Sequence[Annotation]) -> dict[str, int]:
    """How many pictures have each status, and how many statements are disputed."""
    counts: dict[str, int] = {}
    for annotation in annotations:
        counts[annotation.status] = counts.get(annotation.status, 0) + 1
    return {**counts, "statements": sum(len(a.statements) for a in annotations),
            "disputed": sum(len(a.disputed) for a in annotations)}  # fmt: skip
