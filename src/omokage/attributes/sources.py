"""Record folders in memory: pictures as uint8, labels as float arrays with NaN where a record lacks one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from omokage.attributes.config import form
from omokage.data.decoding import head_of, picture_of
from omokage.data.records import SCHEMA, face_outline, people_of, read_shard, shards
from omokage.data.splits import position
from omokage.errors import RecordError
from omokage.results import Box
from omokage.schema import Attribute, AttributeSchema

_LARGEST = 176  # stored side: larger pictures are cut down to the surroundings of the face
_AROUND = 2.0  # stored surroundings of a cut picture, in sides of the box
_PICKING = 7919  # keeps the draw of a part of a folder apart from the draw of its held-out people


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One folder: `images[i]` (h, w, 3), `outline[i]` (68 or 4, 2) of the face, `heads[i]` (h, w) or None,
    `labels[name][i]`.

    `groups[i]` is the cell (crowd group, gender, age bin) that a picture counts in when groups are balanced; it is no
    label. `rendered` tells whether the renderer made the pictures: calibration keeps photographs apart.
    """

    images: list[NDArray[np.uint8]]
    outline: list[NDArray[np.float64]]
    heads: list[NDArray[np.uint8] | None]
    labels: dict[str, NDArray[np.float32]]
    people: list[str]
    groups: list[str] = field(default_factory=list)
    rendered: bool = True

    def __len__(self) -> int:
        return len(self.images)

    def only(self, keep: NDArray[np.bool_]) -> Source:
        """The pictures where `keep` (n,) is True."""
        index = np.flatnonzero(keep)
        return Source(
            [self.images[i] for i in index],
            [self.outline[i] for i in index],
            [self.heads[i] for i in index],
            {name: values[index] for name, values in self.labels.items()},
            [self.people[i] for i in index],
            [self.groups[i] for i in index],
            self.rendered,
        )


def column(attribute: Attribute) -> str:
    """The record column that holds an attribute's label."""
    if attribute.name == "perceived_gender":
        return "female"
    return f"attr_{attribute.name}" if attribute.classes == ("no", "yes") else attribute.name


def width(attribute: Attribute) -> int:
    """Numbers per label: rotation 9, classes one probability each, age its value and its bin, the others their size."""
    kind = form(attribute)
    return {"rotation": 9, "classes": len(attribute.classes), "bins": 3}.get(kind, attribute.size)


# From which strength (0..1) an expression begins to be named, and from which all name it; "" = every other one.
NAMED_FROM = {"happiness": (0.1, 0.25), "surprise": (0.1, 0.3), "sadness": (0.1, 0.4), "": (0.2, 0.6)}


def read_source(
    folder: str | Path, schema: AttributeSchema, limit: int = 0, only: NDArray[np.bool_] | None = None
) -> Source:
    """Decode every record of a folder, or the first `limit` of those where `only` (records,) is True. Raises
    RecordError for damaged shards and pictures, and when there is no record."""
    wanted = {column(a) for a in schema} | {
        "id",
        "person",
        "source",
        "image",
        "groups",
        "female",
        "outline",
        "landmarks",
        "box",
        "segmentation",
        "age_low",
        "age_high",
        "expression_intensity",
    }
    columns = [name for name in SCHEMA.names if name in wanted]
    source = Source([], [], [], {}, [])
    origins: set[str] = set()
    rows: dict[str, list[NDArray[np.float32]]] = {a.name: [] for a in schema}
    seen = 0
    for path in shards(Path(folder)):
        for batch in read_shard(path, columns).to_batches(max_chunksize=64):
            kept = batch if only is None else batch.filter(pa.array(only[seen : seen + len(batch)]))
            seen += len(batch)
            for row in kept.to_pylist():
                if limit and len(source) >= limit:
                    break
                _append(source, row)
                origins.add(row["source"])
                for attribute in schema:
                    rows[attribute.name].append(label(attribute, row, source.outline[-1]))
    if not len(source):
        raise RecordError(f"{folder} holds no record to learn from")
    source.labels.update({name: np.stack(values) for name, values in rows.items()})
    return replace(source, rendered=origins == {"rendered"})


def _append(source: Source, row: dict[str, Any]) -> None:
    """Decode one row's picture and outline; cut a large picture down to the surroundings of its face."""
    image = picture_of(row["image"], row["id"])
    outline = _outline(row, image)
    code = row.get("segmentation")
    head = None if code is None else head_of(code, row["id"], image.shape)
    if max(image.shape[:2]) > _LARGEST:
        if not _reaches(outline, image):
            raise RecordError(
                f"the face of record {row['id']!r} lies outside its picture; render or convert its shard again"
            )
        image, outline, head = _cut(image, outline, head)
    source.images.append(image)
    source.outline.append(outline)
    source.heads.append(head)
    source.people.append(row["person"])
    source.groups.append(f"{row.get('groups')}, {row.get('female')}, {row.get('age_low')}")


def _outline(row: dict[str, Any], image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The outline that the record knows, else that of a face that fills the picture."""
    if all(row.get(name) is None for name in ("landmarks", "outline", "box")):
        h, w = image.shape[:2]
        row = {**row, "box": (0.15 * w, 0.2 * h, 0.85 * w, 0.95 * h)}
    return face_outline(row)


def _reaches(outline: NDArray[np.float64], image: NDArray[np.uint8]) -> bool:
    """Whether the box of the outline meets the picture: else there is nothing to cut."""
    box, (h, w) = Box.around(outline), image.shape[:2]
    return box.x0 < w and box.y0 < h and box.x1 > 0 and box.y1 > 0


def _cut(
    image: NDArray[np.uint8], outline: NDArray[np.float64], head: NDArray[np.uint8] | None
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.uint8] | None]:
    """The square around the face as far as the picture reaches, at most `_LARGEST` pixels wide and high, and the
    outline in its pixels."""
    box = Box.around(outline)
    half = _AROUND * max(box.width, box.height) / 2
    h, w = image.shape[:2]
    x0, y0 = max(int(box.centre[0] - half), 0), max(int(box.centre[1] - half), 0)
    x1, y1 = min(int(box.centre[0] + half) + 1, w), min(int(box.centre[1] + half) + 1, h)
    scale = min(_LARGEST / max(x1 - x0, y1 - y0), 1.0)
    size = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
    ratio = np.array([size[0] / (x1 - x0), size[1] / (y1 - y0)])
    small = np.asarray(cv2.resize(image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA), np.uint8)
    mask = None
    if head is not None:
        mask = np.asarray(cv2.resize(head[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, (outline - [x0, y0]) * ratio, mask


def label(attribute: Attribute, row: dict[str, Any], outline: NDArray[np.float64]) -> NDArray[np.float32]:
    """One attribute's label as numbers, NaN where the record lacks it."""
    out = np.full(width(attribute), np.nan, np.float32)
    value = row.get(column(attribute))
    kind = form(attribute)
    if kind == "points":
        return np.asarray(outline, np.float32).ravel() if value is not None else out
    if kind == "rotation":
        out[:3] = value if value is not None else np.nan
    elif kind == "classes":
        if value is not None:
            out[:] = _shares(attribute.classes, value, row.get("expression_intensity"))
    elif kind == "bins":
        bounds = (row.get("age_low"), row.get("age_high")) if attribute.name == "age" else (None, None)
        out[:] = [np.nan if v is None else v for v in (value, *bounds)]
    elif value is not None:
        out[:] = value
    return out


def _shares(classes: Sequence[str], name: str, intensity: float | None) -> NDArray[np.float32]:
    """Share of each class that people would name: a faint expression is partly neutral, where its strength is known.

    Smiles and surprise are named from faint signs on, sadness soon after, other negative expressions only when they are
    clear (our choice of bounds; that happiness is read off weaker faces than anger or sadness is from Hess, Blairy and
    Kleck, 1997).
    """
    shares = np.array([name == other for other in classes], np.float32)
    if intensity is None or "neutral" not in classes or name == "neutral":
        return shares
    low, high = NAMED_FROM.get(name, NAMED_FROM[""])
    clear = min(max((intensity - low) / (high - low), 0.0), 1.0)
    shares *= clear
    shares[list(classes).index("neutral")] += 1 - clear
    return shares


def labelled(source: Source, schema: AttributeSchema) -> dict[str, int]:
    """How many pictures have a label for each attribute."""
    return {a.name: int(np.isfinite(source.labels[a.name]).any(1).sum()) for a in schema}


def read_sources(
    folders: Sequence[str], schema: AttributeSchema, limit: int = 0, limits: Sequence[int] = (), seed: int = 0
) -> list[Source]:
    """Every folder in turn, its first `limit` pictures, or `limits[k]` of those; the others are never decoded. Raises
    RecordError as `read_source` does."""
    if not limits:
        return [read_source(folder, schema, limit) for folder in folders]
    found = []
    for folder, count in zip(folders, limits, strict=True):
        people = people_of(Path(folder))
        chosen = np.zeros(len(people), bool)
        first = people[:limit] if limit else people
        chosen[: len(first)] = picked(first, count, seed)
        found.append(read_source(folder, schema, only=chosen))
    return found


def picked(people: Sequence[str], count: int, seed: int) -> NDArray[np.bool_]:
    """True (n,) for `count` of the pictures (all where it is 0 or there are fewer), by their person's name and the seed
    alone: more of them hold fewer of them."""
    keep = np.full(len(people), not 0 < count < len(people))
    if not keep.all():
        places = np.array([position(person, seed + _PICKING) for person in people])
        keep[np.argsort(places, kind="stable")[:count]] = True
    return keep
