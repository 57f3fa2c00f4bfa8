"""The faces table: one row per face per frame; a picture without a face or without readable content keeps a row of its
own.

Columns, in order: `source`, `frame`, `timestamp_s`, `face` (0 = largest), `track`, `status` (``ok``, ``no_face`` or
``unreadable: <why>``, with a remark in brackets where only a part was read), `score`, `box_x0 .. box_y1`, `landmarks`
(136 floats x0, y0, x1, ...) and `landmarks_sigma` (68), `yaw_deg pitch_deg roll_deg` with `*_sigma`, `gaze_right_deg
gaze_up_deg` with `*_sigma`, `age_years age_q05 age_q95`, `gender_female_p`, `expression`, `expression_<label>_p`,
`au01 ...` (0..5), `unit_<ARKit name>` (0..1), `attr_<name>_p` (0..1), the schema's other measures (`fatness`,
`skin_tone`, `hair_length`) with `*_sigma`, the user's own classes (`<name>`, `<name>_<class>_p`), `quality` (0..1),
`needs_review` (empty, or why a person should look) and, on request, `embedding`. What was not estimated is
null, never 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from omokage.plain import BOX, Plain, face_columns, plain
from omokage.results import EXPRESSIONS, FaceAnalysis
from omokage.schema import ACTION_UNITS, SHIPPED, UNITS, AttributeSchema, own_nominal

VERSION = "1"
CONVENTIONS = {
    "pixels": "upright source image, origin top left, x right, y down; boxes from the corner of the first pixel; "
    "landmarks in iBUG-68 order, counted by the middles of pixels (the first is 0, 0)",
    "box": "from the brows to the chin and from ear to ear",
    "pose": "degrees; yaw + to the image's right, pitch + chin up, roll + clockwise in the image",
    "gaze": "degrees against the camera; + to the image's right, + up",
    "age": "apparent years with a 5 to 95 percent interval",
    "gender_female_p": "perceived gender: share of raters who would say female",
    "au": "action unit intensity 0..5",
    "unit": "expression unit by ARKit name, 0..1",
    "sigma": "what 68 percent of errors stay below, in the unit of its column; of landmarks the distance in pixels",
    "missing": "null: not estimated",
}
_RESERVED = {"landmarks", "pose", "gaze", "units", "expression", "age", "perceived_gender", "quality"}


@dataclass(frozen=True, slots=True, eq=False)
class Reading(Plain):
    """What became of one picture or video frame: its faces (largest first), or the problem that kept it from being
    read."""

    source: str
    frame: int = 0
    timestamp_s: float = 0.0
    faces: tuple[FaceAnalysis, ...] = ()
    problem: str = ""  # why it is unreadable; empty when it was read
    note: str = ""  # what the reader left out, e.g. the later frames of an animation
    last: bool = True  # nothing more will come from this source
    silent: bool = False  # the mark behind a video's frames, no picture and no row: only `read_sources` gives it
    pixels: NDArray[np.uint8] | None = field(
        default=None, repr=False
    )  # (h, w, 3) RGB, where the caller asked to keep them

    @property
    def status(self) -> str:
        if self.problem:
            return f"unreadable: {self.problem}"
        return ("ok" if self.faces else "no_face") + (f" ({self.note})" if self.note else "")

    def rows(self) -> list[dict[str, Any]]:
        """The rows that a faces table has of it: one per face, or one that says why there is none, in plain Python
        values (`landmarks` is a list of 136). What was not estimated is left out."""
        if self.silent:
            return []
        head = {"source": self.source, "frame": self.frame, "timestamp_s": self.timestamp_s, "status": self.status}
        if not self.faces:
            return [head]
        return [
            {name: value for name, value in {**head, **face_columns(face)}.items() if value is not None}
            for face in self.faces
        ]

    def to_dict(self, large: bool = False) -> dict[str, Any]:
        """Plain values: where it was read, `status`, and `faces`, each as its own `to_dict` gives it; with `large` the
        `pixels`, where they were kept."""
        found = {"source": self.source, "frame": self.frame, "timestamp_s": self.timestamp_s, "status": self.status}
        kept = {"pixels": self.pixels} if large and self.pixels is not None else {}
        return {name: plain(value, large) for name, value in {**found, "faces": self.faces, **kept}.items()}


def yes_no(schema: AttributeSchema) -> tuple[str, ...]:
    """Names of the yes/no attributes that default output shows."""
    return tuple(a.name for a in schema if a.classes == ("no", "yes") and a.default_output)


def measures(schema: AttributeSchema) -> tuple[str, ...]:
    """Names of the single continuous or ranked measures that have no columns of their own kind."""
    return tuple(a.name for a in schema if a.kind != "nominal" and a.size == 1 and a.name not in _RESERVED)


def table_schema(
    schema: AttributeSchema = SHIPPED, metadata: Mapping[str, str] | None = None, embedding: bool = False
) -> pa.Schema:
    """The Arrow schema of a faces table; `metadata` is added to the format's own version and conventions."""
    number, text, numbers = pa.float32(), pa.string(), pa.list_(pa.float32())
    columns: list[tuple[str, pa.DataType]] = [("source", text), ("frame", pa.int32()), ("timestamp_s", pa.float64())]
    columns += [("face", pa.int32()), ("track", pa.int32()), ("status", text), ("score", number)]
    columns += [(name, number) for name in BOX]
    columns += [("landmarks", numbers), ("landmarks_sigma", numbers)]
    columns += [(f"{a}_deg", number) for a in ("yaw", "pitch", "roll")]
    columns += [(f"{a}_sigma", number) for a in ("yaw", "pitch", "roll")]
    columns += [(n, number) for n in ("gaze_right_deg", "gaze_up_deg", "gaze_right_sigma", "gaze_up_sigma")]
    columns += [(n, number) for n in ("age_years", "age_q05", "age_q95", "gender_female_p")]
    columns += [("expression", text)] + [(f"expression_{e}_p", number) for e in EXPRESSIONS]
    columns += [(name, number) for name in ACTION_UNITS] + [(f"unit_{name}", number) for name in UNITS]
    columns += [(f"attr_{name}_p", number) for name in yes_no(schema)]
    columns += [(n, number) for name in measures(schema) for n in (name, f"{name}_sigma")]
    for own in own_nominal(schema):
        columns += [(own.name, text), *((f"{own.name}_{label}_p", number) for label in own.classes)]
    columns += [("quality", number), ("needs_review", text)] + ([("embedding", numbers)] if embedding else [])
    return pa.schema(
        columns, metadata={"omokage.faces": VERSION, "omokage.conventions": json.dumps(CONVENTIONS), **(metadata or {})}
    )


def to_table(found: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table of that schema; keys that the schema lacks are dropped, absent ones are null."""
    listed: Sequence[Mapping[str, Any]] = list(found)
    return pa.table({f.name: pa.array([r.get(f.name) for r in listed], f.type) for f in schema}, schema=schema)
