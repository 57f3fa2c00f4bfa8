"""Records as an album: pictures by person, each with the state of the face and of the day that its scene tells.

A pair's labels are differences of two states, so that any two pictures of a person make a labelled pair. Records
without a rendered scene (a user's own before/after photographs) give what they know: units, fatness, age.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from omokage.comparison.config import COMPARED_UNITS, FACTORS, LOOKS, NUISANCE
from omokage.data.decoding import head_of, picture_of
from omokage.data.records import face_outline, read_shard, shards
from omokage.errors import RecordError
from omokage.schema import UNITS

_COLUMNS = ("id", "person", "image", "landmarks", "outline", "box", "units", "fatness", "age", "segmentation", "scene",
            "female", "skin_tone")  # fmt: skip
TRAITS = ("female", "skin_tone")  # 0..1 each: with the age they say which people look alike
_UNITS = np.array([UNITS.index(name) for name in COMPARED_UNITS])
_STYLES = ("glasses", "hair", "beard", "hat")
# A day as numbers whose differences are judged by `differs`: light 8, pose 3, camera 6.
DAY = 17
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """`n` pictures. `factors` (n, len(FACTORS)) are NaN where unknown; `looks` (n, len(LOOKS)) are codes or strengths,
    NaN where unknown; `days` (n, DAY) and `traits` (n, len(TRAITS)) likewise.
    Pictures stay encoded: a large album fits into memory."""

    codes: list[bytes]
    masks: list[bytes | None]  # PNG of the segmentation
    outline: list[NDArray[np.float64]]  # (68, 2), or four corners of a box
    people: list[str]
    ids: list[str]
    factors: Floats
    looks: Floats
    days: Floats
    traits: Floats

    def __len__(self) -> int:
        return len(self.codes)

    def only(self, keep: NDArray[np.bool_]) -> Album:
        """The pictures where `keep` (n,) is true."""
        at = np.flatnonzero(keep)
        return Album(
            [self.codes[i] for i in at], [self.masks[i] for i in at], [self.outline[i] for i in at],
            [self.people[i] for i in at], [self.ids[i] for i in at],
            self.factors[at], self.looks[at], self.days[at], self.traits[at],
        )  # fmt: skip

    def groups(self) -> list[NDArray[np.int64]]:
        """The places of each person's pictures, people in order of first appearance."""
        found: dict[str, list[int]] = {}
        for i, person in enumerate(self.people):
            found.setdefault(person, []).append(i)
        return [np.array(places, np.int64) for places in found.values()]

    def picture(self, i: int) -> NDArray[np.uint8]:
        """RGB (h, w, 3). Raises RecordError when it cannot be decoded."""
        return picture_of(self.codes[i], self.ids[i])

    def head(self, i: int) -> NDArray[np.uint8] | None:
        """255 where the head is (h, w), None where that is unknown. Raises RecordError when it cannot be decoded."""
        code = self.masks[i]
        return None if code is None else head_of(code, self.ids[i])


def read_album(folder: str | Path, limit: int = 0) -> Album:
    """Every record of a folder, or those of its first `limit` people. Raises RecordError for damaged shards, and when
    there is no record."""
    found = _Found([], [], [], [], [], [], [], [], [])
    known: set[str] = set()
    for path in shards(Path(folder)):
        for row in read_shard(path, _COLUMNS).to_pylist():
            if limit and row["person"] not in known and len(known) >= limit:
                return found.album()
            known.add(row["person"])
            found.add(row)
    if not known:
        raise RecordError(f"{folder} holds no record to learn from")
    return found.album()


class _Found(NamedTuple):
    """Columns of an album that is being read: a scene is a hundred times as large as what is kept of it."""

    codes: list[bytes]
    masks: list[bytes | None]
    outline: list[NDArray[np.float64]]
    people: list[str]
    ids: list[str]
    factors: list[Floats]
    looks: list[Floats]
    days: list[Floats]
    traits: list[Floats]

    def add(self, row: dict[str, Any]) -> None:
        scene = json.loads(row["scene"]) if row.get("scene") else None
        traits = np.array([_number_or_nan(row.get(name)) for name in TRAITS], np.float32)
        values = (
            row["image"], row.get("segmentation"), face_outline(row), row["person"], row["id"], _factors(row),
            _looks(scene), _day(scene), traits,
        )  # fmt: skip
        columns: tuple[list[Any], ...] = self
        for column, value in zip(columns, values, strict=True):
            column.append(value)

    def album(self) -> Album:
        widths = (len(FACTORS), len(LOOKS), DAY, len(TRAITS))
        arrays = (np.array(v, np.float32).reshape(-1, n) for v, n in zip(self[5:], widths, strict=True))
        return Album(self.codes, self.masks, self.outline, self.people, self.ids, *arrays)


def _factors(row: dict[str, Any]) -> Floats:
    out = np.full(len(FACTORS), np.nan, np.float32)
    if row.get("units") is not None:
        out[: len(_UNITS)] = np.asarray(row["units"], np.float32)[_UNITS]
    for name in ("fatness", "age"):
        if row.get(name) is not None:
            out[FACTORS.index(name)] = row[name]
    return out


def _number_or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _looks(scene: dict[str, Any] | None) -> Floats:
    """Styles as numbers that only equality matters of; make-up and closed eyes as strengths 0..1."""
    out = np.full(len(LOOKS), np.nan, np.float32)
    if scene is None:
        return out
    person, units = scene["person"], dict(scene["expression"]["units"])
    for name in _STYLES:
        out[LOOKS.index(name)] = _number(person.get(name, "none"))
    out[LOOKS.index("makeup")] = person.get("makeup", 0.0)
    out[LOOKS.index("eyes_closed")] = (units.get("eyeBlinkLeft", 0.0) + units.get("eyeBlinkRight", 0.0)) / 2
    if person.get("hat", "none") != "none":
        out[LOOKS.index("hair")] = np.nan  # nobody sees the hair under it
    return out


def _number(word: str) -> float:
    """A word as a number of its own, the same in every run; exact in float32."""
    return float(int.from_bytes(word.encode()[:8].ljust(2, b"_"), "little") % 65521)


def _day(scene: dict[str, Any] | None) -> Floats:
    if scene is None:
        return np.full(DAY, np.nan, np.float32)
    light, pose, camera = scene["light"], scene["pose"], scene["camera"]
    a, e = np.radians([light["azimuth"], light["elevation"]])
    towards = np.array([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)]) * light["key"]
    tint = np.array(light["key_colour"])[[0, 2]] * light["key"]
    lit = [*towards, light["ambient"], *tint, light["key"], light["softness"] * 10]
    taken = [np.log(camera["exposure"]), camera["white_balance"][0], camera["white_balance"][2], camera["contrast"]]
    film = [camera["blur"] * 128 / camera["size"], float(camera["grey"])]
    return np.array([*lit, pose["yaw"], pose["pitch"], pose["roll"], *taken, *film], np.float32)


def look_differs(a: Floats, b: Floats) -> Floats:
    """Whether each look differs (..., len(LOOKS)): 1, 0, or NaN where unknown or where people would argue."""
    gap = np.abs(a - b)
    out = np.where(np.isnan(gap), np.nan, (gap > 0.5).astype(np.float32))
    k = LOOKS.index("makeup")
    out[..., k] = _between(gap[..., k], 0.1, 0.3)
    k = LOOKS.index("eyes_closed")
    shut, open_ = np.maximum(a[..., k], b[..., k]), np.minimum(a[..., k], b[..., k])
    out[..., k] = np.where((shut > 0.8) & (open_ < 0.5), 1.0, np.where((shut < 0.6) | (open_ > 0.7), 0.0, np.nan))
    return np.asarray(out, np.float32)


def day_differs(a: Floats, b: Floats) -> Floats:
    """Whether light, pose and camera clearly differ (..., len(NUISANCE)): 1, 0, or NaN between."""
    gap = np.abs(a - b)
    light = np.linalg.norm(gap[..., :8], axis=-1)
    pose = np.linalg.norm(gap[..., 8:11], axis=-1)
    camera = np.linalg.norm(gap[..., 11:] * [1.2, 2.0, 2.0, 1.0, 0.6, 1.0], axis=-1)
    parts = (_between(light, 0.25, 0.7), _between(pose, 7.0, 15.0), _between(camera, 0.15, 0.45))
    assert len(parts) == len(NUISANCE)
    return np.stack(parts, -1).astype(np.float32)


def _between(value: NDArray[np.floating], low: float, high: float) -> NDArray[np.floating]:
    """0 up to `low`, 1 from `high` on, NaN between and where the value is unknown."""
    return np.asarray(
        np.where(np.isnan(value), np.nan, np.where(value <= low, 0.0, np.where(value >= high, 1.0, np.nan)))
    )
