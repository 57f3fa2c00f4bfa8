"""One record format for rendered and real material: a folder of parquet shards, each row one picture of one face.

Columns: `id`, `person` (splits go by it), `source` (``rendered`` or a data set's name), `image` (encoded JPEG or PNG
bytes), `width`, `height`; then the labels, null where a record lacks them:

| column | type | meaning |
|---|---|---|
| landmarks | list<float32>[136] | x0, y0, x1, ... in pixels of the picture |
| visibility | list<uint8>[68] | 1 where the surface point is seen |
| box | list<float32>[4] | brows to chin, ear to ear |
| outline | list<float32>[136] | landmarks that a network placed, pixels: for cutting the crop, never learnt |
| points | list<float32>[10] | eye centres, nose tip, mouth corners, the image's left one first; pixels |
| pose | list<float32>[3] | yaw, pitch, roll in degrees |
| gaze | list<float32>[2] | degrees right, up |
| units | list<float32>[52] | `schema.UNITS`, 0..1 |
| expression | string | one of `results.EXPRESSIONS`, or null for mixtures without a name |
| expression_intensity | float32 | 0..1 |
| action_units | string | JSON object: action unit (``"au12"``) to intensity 0..5, or 1 where only presence is known |
| valence, arousal | float32 | -1..1, where a set publishes them |
| age, age_low, age_high | float32 | years; a label that is only a bin has low and high (high excluded) and no age |
| female | float32 | perceived gender: share who would say female, 0..1 |
| fatness, skin_tone, hair_length | float32 | the renderer's scales |
| age_std | float32 | years; spread of the raters' answers where a set publishes it |
| attr_<name> | float32 | 0..1 for each yes/no attribute of the shipped schema and of CelebA's |
| segmentation | binary | PNG, one class index per pixel (`SEGMENTATION`) |
| ratings | string | JSON object of mean ratings by name: impressions of the photograph, not of the person |
| groups | string | JSON object of group columns for audits, e.g. crowd labels |
| scene | string | JSON of the rendered scene |
| provenance | string | JSON: made by, licence, seed |

The schema's metadata hold `omokage.records` = the format's version. Lists have the length in brackets, but not Arrow's
type for it: its C++ readers before release 26 refuse null lists of a fixed size (apache/arrow#35692).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from omokage.errors import RecordError
from omokage.media.files import output_error, whole_path
from omokage.results import EXPRESSIONS, Box
from omokage.schema import CELEBA, SHIPPED

FORMAT = "1"
SEGMENTATION = (
    "background", "skin", "brow", "eye", "lips", "inner_mouth", "hair", "glasses", "cloth", "ear", "neck", "lens",
    "hat", "mask", "occluder",
)  # fmt: skip
YES_NO = tuple(a.name for a in SHIPPED if a.classes == ("no", "yes"))
_LISTS = {"landmarks": 136, "box": 4, "outline": 136, "points": 10, "pose": 3, "gaze": 2, "units": 52, "visibility": 68}
_FLOATS = (
    "expression_intensity", "age", "age_low", "age_high", "age_std", "female", "fatness", "skin_tone", "hair_length",
    "valence", "arousal",
    *(f"attr_{name}" for name in dict.fromkeys((*YES_NO, *(a.name for a in CELEBA)))),
)  # fmt: skip
SCHEMA = pa.schema(
    [("id", pa.string()), ("person", pa.string()), ("source", pa.string()), ("image", pa.binary())]
    + [("width", pa.int32()), ("height", pa.int32())]
    + [(name, pa.list_(pa.uint8() if name == "visibility" else pa.float32())) for name in _LISTS]
    + [("expression", pa.string())]
    + [(name, pa.float32()) for name in _FLOATS]
    + [("segmentation", pa.binary())]
    + [(name, pa.string()) for name in ("action_units", "ratings", "groups", "scene", "provenance")],
    metadata={"omokage.records": FORMAT},
)
_DUE = ("id", "person", "source", "image")
_FINITE = float(np.finfo(np.float32).max)
_ROUNDING = 1e-5  # of numbers that were computed in float32
_BOUNDS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("units", "visibility", *_FLOATS), (0.0, 1.0)),
    **dict.fromkeys(("age", "age_low"), (0.0, 120.0)),
    "age_high": (0.0, 121.0),  # the first year beyond a bin
    "age_std": (0.0, _FINITE),
    "fatness": (-1.0, 1.5),
    **dict.fromkeys(("valence", "arousal"), (-1.0, 1.0)),
}
LABELS = frozenset(SCHEMA.names) - {"id", "person", "source", "image", "width", "height", "provenance"}


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One picture of one face with what is known of it. Raises RecordError on a label that the format does not know, or
    a list of another length."""

    id: str
    person: str
    source: str
    image: bytes
    width: int
    height: int
    labels: Mapping[str, Any] = field(default_factory=dict)
    provenance: str = "{}"

    def __post_init__(self) -> None:
        unknown = set(self.labels) - LABELS
        if unknown:
            raise RecordError(f"record {self.id!r} has labels that the record format does not know: {sorted(unknown)}")
        for name, size in _LISTS.items():
            if (numbers := self.labels.get(name)) is not None and len(numbers) != size:
                raise RecordError(f"record {self.id!r} has {len(numbers)} numbers of {name}, {size} are due")

    def row(self) -> dict[str, Any]:
        """The record as one table row, every column present."""
        fixed = {"id": self.id, "person": self.person, "source": self.source, "image": self.image}
        sized = {"width": self.width, "height": self.height, "provenance": self.provenance}
        return {**dict.fromkeys(SCHEMA.names), **fixed, **sized, **self.labels}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Record:
        labels = {k: row[k] for k in LABELS if row.get(k) is not None}
        own = {k: row[k] for k in ("id", "person", "source", "image", "width", "height")}
        return cls(**own, labels=labels, provenance=row.get("provenance") or "{}")


def write_shard(path: Path, records: Iterable[Record], hint: str = "") -> int:
    """Write one shard whole or not at all (temporary file, then rename); returns the number of rows. Raises
    OutputError, which ends in the `hint` at what happened to the work so far."""
    rows = [record.row() for record in records]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error
    with whole_path(path, hint) as partial:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), partial, compression="zstd")
    return len(rows)


def shards(folder: Path) -> list[Path]:
    """The complete shards of a record folder, in order. Raises RecordError when there are none."""
    found = sorted(folder.glob("*.parquet"))
    if not found:
        raise RecordError(
            f"{folder} holds no record shards (*.parquet); make some with  omokage render --out {folder} --count N"
        )
    return found


def read_shard(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """One shard as a table; of `columns` those that it has (older shards lack newer ones). Raises RecordError when the
    file is damaged, of another format, or holds values that no record may have."""
    try:
        held = set(pq.read_schema(path).names)
        table = pq.read_table(path, columns=[name for name in columns if name in held] if columns else None)
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{path} cannot be read as a record shard: {error}") from error
    found = (table.schema.metadata or {}).get(b"omokage.records", b"").decode()
    if found != FORMAT:
        raise RecordError(
            f"{path} is not a record shard of format {FORMAT} (it says {found!r}); render or convert it again"
        )
    _check_lengths(table, path)
    _check_values(table, path)
    return table


def _check_lengths(table: pa.Table, path: Path) -> None:
    for name, size in _LISTS.items():
        if name in table.column_names and set(pc.unique(pc.list_value_length(table[name])).to_pylist()) - {size, None}:
            raise RecordError(
                f"{path} has lists of {name} that are not {size} numbers long; render or convert it again"
            )


def _check_values(table: pa.Table, path: Path) -> None:
    """Raises RecordError for what no record may hold: it would be learnt in silence, or fail far from here."""
    for name in table.column_names:
        try:
            wrong = _wrong(name, table[name])
        except (pa.ArrowException, TypeError) as error:
            raise RecordError(f"{path} has a column {name} of another kind: {error}") from error
        if wrong:
            raise RecordError(f"{path} has {name} {wrong}; render or convert it again")


def _wrong(name: str, column: pa.ChunkedArray) -> str:
    """What is wrong with a column, and what it must be; empty where nothing is."""
    if name in _DUE:
        return "missing in some rows: every record needs one" if column.null_count else ""
    if name == "expression":
        unknown = set(pc.unique(column).to_pylist()) - {*EXPRESSIONS, None}
        return f"{min(unknown)!r}: it must be one of {', '.join(EXPRESSIONS)}" if unknown else ""
    if name not in _LISTS and name not in _FLOATS:
        return ""
    values = (pc.list_flatten(column) if name in _LISTS else column.drop_null()).to_numpy()
    low, high = _BOUNDS.get(name, (-_FINITE, _FINITE))
    outside = ~((values >= low - _ROUNDING) & (values <= high + _ROUNDING))  # NaN is in no range
    if outside.any():
        ends = f"from {low:g} to {high:g}" if high < _FINITE else f"finite{', 0 or more' if low == 0 else ''}"
        return f"{values[outside][0]:g}: it must be {ends}"
    if name == "box" and not (values.reshape(-1, 4)[:, 2:] > values.reshape(-1, 4)[:, :2]).all():
        return "without area: its last two numbers must be greater than its first two"
    return ""


def read_records(folder: Path) -> Iterator[Record]:
    """Stream the records of a folder, one shard in memory at a time."""
    for path in shards(folder):
        for batch in read_shard(path).to_batches(max_chunksize=64):
            yield from map(Record.from_row, batch.to_pylist())


def people_of(folder: Path) -> list[str]:
    """Whose picture each record of a folder is, in order; pictures are not read. Raises RecordError."""
    return [p for path in shards(folder) for p in read_shard(path, ["person"])["person"].to_pylist()]


def face_outline(row: Mapping[str, Any]) -> NDArray[np.float64]:
    """Points (n, 2) around which a record's face is cut: its 68 landmarks, labelled or placed, else the corners of its
    box without the tenth that `Box.around` adds. Raises RecordError for a record without any."""
    points = row.get("landmarks") or row.get("outline")
    if points is not None:
        found = np.asarray(points, np.float64).reshape(68, 2)
        if not np.ptp(found, 0).any():
            raise RecordError(f"all landmarks of record {row['id']!r} are in one place; render or convert it again")
        return found
    if row.get("box") is None:
        raise RecordError(f"record {row['id']!r} says neither where the landmarks nor where the box of the face is")
    box = Box(*row["box"])
    pad = max(box.width, box.height) / 22  # Box.around adds a twentieth of the points' extent on each side
    x0, y0, x1, y1 = box.x0 + pad, box.y0 + pad, box.x1 - pad, box.y1 - pad
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def provenance(**facts: Any) -> str:
    """Provenance as the JSON text that records carry."""
    return json.dumps(facts, sort_keys=True)
