"""Labelled pictures as crops with targets: what a probe is fitted to and judged by.

    faces = read_labelled(read_records(folder), size=112, margin=1.3)
    faces.targets["smiling"].values          # 'yes' or 'no' of the pictures in faces.targets["smiling"].rows

Landmarks are in crop widths from the crop's middle, pose is that of the head in its crop, so that what the encoder
sees is what it is asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from omokage.data.records import Record
from omokage.data.rotation import matrix_of_pose, pose_of_matrix, turned
from omokage.errors import InputError, RecordError, UnreadableError
from omokage.faces.align import crop_box, crop_landmarks
from omokage.media.image import decode
from omokage.nn.probe import Kind
from omokage.results import EXPRESSIONS, Box, FaceCrop
from omokage.schema import UNITS

Image = NDArray[np.uint8]
Cut = Callable[[Image, Record], FaceCrop | None]
Measure = Literal["landmark error", "degrees", "accuracy", "AUC", "correlation", "error"]
HIGHER: Mapping[str, bool] = {
    "landmark error": False, "degrees": False, "accuracy": True, "AUC": True, "correlation": True, "error": False,
}  # fmt: skip
SIDE_FROM = 15.0  # degrees of yaw from which a head is turned to one side
PUBLISHED_CLASS = "expression"  # the group column that holds a set's own class where it is none of the seven
_NUMBERS = ("age", "valence", "arousal", "fatness", "skin_tone", "hair_length")


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Labels of one task: `values` (m,) class names or (m, k) numbers of the pictures `rows` (m,)."""

    kind: Kind
    measure: Measure
    rows: NDArray[np.int64]
    values: NDArray
    parts: tuple[str, ...] = ()  # names of the k numbers, where they have names


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Crops (n, size, size, 3) of one set, the targets by task, whom each shows, and whether its face was found."""

    name: str
    crops: NDArray[np.uint8]
    people: tuple[str, ...]
    found: NDArray[np.bool_]
    targets: Mapping[str, Target]
    licence: str = ""

    def __len__(self) -> int:
        return len(self.crops)

    def only(self, tasks: Sequence[str]) -> LabelledFaces:
        """The same pictures with some of the tasks. Raises InputError for a task without labels here."""
        for task in tasks:
            if task not in self.targets:
                raise InputError(f"{self.name} has no labels for {task!r}; it has {', '.join(self.targets) or 'none'}")
        kept = {task: self.targets[task] for task in tasks}
        return LabelledFaces(self.name, self.crops, self.people, self.found, kept, self.licence)


def read_labelled(
    records: Iterable[Record],
    size: int,
    margin: float,
    cut: Cut | None = None,
    name: str = "",
    limit: int = 0,
    progress: Callable[[int], None] | None = None,
) -> LabelledFaces:
    """Crops and targets of records, at most `limit` of them (0 = all).

    `cut` finds the crop of a picture; where it finds none, and without it, the record's own box says where the face is
    (`box_cut`). Raises InputError without records, RecordError for a picture that cannot be decoded.
    """
    crops: list[Image] = []
    rows: list[Mapping[str, Any]] = []
    people: list[str] = []
    found: list[bool] = []
    own = box_cut(size, margin)
    for record in records:
        if limit and len(crops) >= limit:
            break
        picture = decoded(record)
        crop = cut(picture, record) if cut is not None else None
        found.append(crop is not None or cut is None)
        crop = crop or own(picture, record)
        crops.append(crop.image)
        rows.append(_in_crop(record.labels, crop))
        people.append(record.person)
        name = name or record.source
        if progress is not None:
            progress(len(crops))
    if not crops:
        raise InputError(f"{name or 'the set'} holds no labelled pictures")
    return LabelledFaces(name, np.stack(crops), tuple(people), np.array(found), targets_of(rows))


def decoded(record: Record) -> Image:
    """The upright RGB picture (h, w, 3). Raises RecordError."""
    try:
        return decode(record.image, "the picture").pixels
    except UnreadableError as error:
        raise RecordError(
            f"the picture of record {record.id!r} cannot be decoded ({error}); convert it again"
        ) from error


def box_cut(size: int, margin: float) -> Callable[[Image, Record], FaceCrop]:
    """Cuts by an `outline` that a network placed, else by the labelled box or the box of the labelled landmarks without
    turning the face upright, else the middle of the picture as one face."""

    def cut(picture: Image, record: Record) -> FaceCrop:
        labels = record.labels
        if labels.get("outline") is not None:
            return crop_landmarks(picture, np.asarray(labels["outline"], np.float64).reshape(68, 2), size, margin)
        if labels.get("box") is not None:
            box = Box(*(float(v) for v in labels["box"]))
        elif labels.get("landmarks") is not None:
            box = Box.around(np.asarray(labels["landmarks"], np.float64).reshape(68, 2))
        else:
            return whole_cut(size, margin)(picture, record)
        return crop_box(picture, box, size, margin)

    return cut


def whole_cut(size: int, margin: float) -> Callable[[Image, Record], FaceCrop]:
    """Takes the middle square of each picture for the crop."""

    def cut(picture: Image, record: Record) -> FaceCrop:
        height, width = picture.shape[:2]
        half = min(height, width) / margin / 2
        box = Box(width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
        return crop_box(picture, box, size, margin)

    return cut


def _in_crop(labels: Mapping[str, Any], crop: FaceCrop) -> dict[str, Any]:
    """The labels that a probe can learn, in the crop's coordinates."""
    row: dict[str, Any] = {name: labels[name] for name in _NUMBERS if labels.get(name) is not None}
    row |= {k.removeprefix("attr_"): v for k, v in labels.items() if k.startswith("attr_") and v is not None}
    side = crop.image.shape[0]
    for name in ("landmarks", "points"):
        if labels.get(name) is not None:
            points = np.asarray(labels[name], np.float64).reshape(-1, 2)
            row[name] = ((points @ crop.affine[:, :2].T + crop.affine[:, 2]) / side - 0.5).ravel()
    if labels.get("pose") is not None:
        turn = math.degrees(math.atan2(crop.affine[1, 0], crop.affine[0, 0]))
        row["pose"] = pose_of_matrix(turned(turn) @ matrix_of_pose(labels["pose"]))
    if labels.get("units") is not None:
        row["units"] = np.asarray(labels["units"], np.float64)
    groups = json.loads(labels.get("groups") or "{}")
    if labels.get("expression") is not None or groups.get(PUBLISHED_CLASS):
        row["expression"] = labels.get("expression") or groups[PUBLISHED_CLASS]
    for unit, value in json.loads(labels.get("action_units") or "{}").items():
        row[f"action unit {unit}"] = float(value)
    return row


def targets_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Target]:
    """The tasks for which at least two pictures have labels that differ."""
    found: dict[str, Target] = {}
    names = dict.fromkeys(name for row in rows for name in row)
    for name in names:
        at = np.array([k for k, row in enumerate(rows) if row.get(name) is not None], np.int64)
        target = _target(name, at, [rows[k][name] for k in at])
        if len(at) > 1 and (target.values != target.values[:1]).any():
            found[name] = target
        if name == "pose":
            yaw = np.array([rows[k]["pose"][0] for k in at])
            turned_at = at[np.abs(yaw) >= SIDE_FROM]
            sides = np.where(yaw[np.abs(yaw) >= SIDE_FROM] > 0, "right", "left")
            if len(set(sides.tolist())) == 2:
                found["yaw side"] = Target("nominal", "accuracy", turned_at, sides)
    return found


def _target(name: str, at: NDArray[np.int64], values: Sequence[Any]) -> Target:
    if name in ("landmarks", "points"):
        return Target("continuous", "landmark error", at, np.stack(values))
    if name == "pose":
        return Target("continuous", "degrees", at, np.stack(values), ("yaw", "pitch", "roll"))
    if name == "units":
        return Target("continuous", "correlation", at, np.stack(values), UNITS)
    if name == "expression":
        order = {label: k for k, label in enumerate(EXPRESSIONS)}
        kept = sorted(range(len(at)), key=lambda k: (order.get(values[k], len(order)), int(at[k])))
        return Target("nominal", "accuracy", at[kept], np.array([str(values[k]) for k in kept]))
    if name.startswith("action unit "):
        return Target("continuous", "AUC", at, np.array([[v >= 0.5] for v in values], np.float64), (name,))
    if name in _NUMBERS:
        return Target("ordinal", "error", at, np.array([[float(v)] for v in values]))
    return Target("nominal", "AUC", at, np.where(np.array(values, np.float64) >= 0.5, "yes", "no"))
