"""A folder of track records that survives a kill: every shard carries, in its metadata, where to go on.

    shard-00000.parquet ...   records, each shard written whole or not at all
    videos.csv                one line a video: status and counts (written at the end, and again by a resumed run)

A shard's metadata `omokage.tracks` holds the settings of the run, the videos that were finished since the shard before,
and the state of the one that was being read. Rows and state lie in one file, so a kill can neither lose a row that the
state counts nor leave one that it does not.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from omokage.data.records import SCHEMA, Record
from omokage.errors import InputError, RecordError
from omokage.media.files import output_error, whole_file, whole_path

SUMMARY = "videos.csv"
ROWS_PER_SHARD = 1000
SECONDS_PER_SHARD = 60.0  # at most so much work is lost to a kill
_KEY = b"omokage.tracks"


@dataclass(frozen=True, slots=True)
class VideoStatus:
    """What became of one video. `status` is ``ok``, ``no_face``, ``nothing kept``, ``partly: <why>`` or ``unreadable:
    <why>``.

    `seconds` were read in `frames` frames; of the `faces` found `kept` were stored in `tracks` tracks; `tiny`,
    `blurred` and `short` were dropped for size, sharpness, and as parts of tracks that did not last.
    """

    video: str
    status: str
    seconds: float = 0.0
    frames: int = 0
    faces: int = 0
    tracks: int = 0
    kept: int = 0
    tiny: int = 0
    blurred: int = 0
    short: int = 0

    @property
    def damaged(self) -> bool:
        """Whether a part of it, or all, could not be read."""
        return self.status.startswith(("unreadable", "partly"))


class TrackShards:
    """The folder. Raises InputError when it holds other records or a run with other settings, or one that was not to be
    resumed; OutputError when it cannot be written.

    `finished` are the videos of which nothing is left to do, `open` is the state of the one to go on with.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any], resume: bool) -> None:
        self.out, self.settings = out, dict(json.loads(json.dumps(settings)))
        self.finished: dict[str, VideoStatus] = {}
        self.open: dict[str, Any] | None = None
        self._rows: list[dict[str, Any]] = []
        self._ended: list[VideoStatus] = []
        self._flushed = time.monotonic()
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(out, error) from error
        found = self.shards()
        if found and not resume:
            raise InputError(f"{out} already holds records: add --resume to go on with them, or choose another folder")
        self._next = int(found[-1].stem.rpartition("-")[2]) + 1 if found else 0
        self._recall(found)

    def shards(self) -> list[Path]:
        """The complete shards in order."""
        return sorted(self.out.glob("shard-*.parquet"))

    def _recall(self, found: list[Path]) -> None:
        for path in found:
            state = _state(path)
            if state["settings"] != self.settings:
                raise InputError(f"{self.out} was begun with {_difference(state['settings'], self.settings)}")
            self.finished |= {v["video"]: VideoStatus(**v) for v in state["finished"]}
            self.open = state["open"]
        if (self.out / SUMMARY).is_file():
            self.finished |= {v.video: v for v in read_summary(self.out / SUMMARY)}
        if self.open is not None and self.open["video"] in self.finished:
            self.open = None  # it ended without a further row, so that no later shard says so

    def add(self, record: Record) -> None:
        """Take in one record; it is on disk after the next `flush`."""
        self._rows.append(record.row())

    def end(self, status: VideoStatus) -> None:
        """A video is done."""
        self.finished[status.video] = status
        self._ended.append(status)
        self.open = None

    @property
    def due(self) -> bool:
        """Whether a shard should be written now."""
        old = time.monotonic() - self._flushed > SECONDS_PER_SHARD
        return len(self._rows) >= ROWS_PER_SHARD or (old and bool(self._rows))

    def flush(self, state: Mapping[str, Any] | None = None) -> None:
        """Write what waits as one shard; `state` is that of a video in the middle. Nothing waiting: nothing written."""
        if not self._rows:
            return
        facts = {"settings": self.settings, "finished": [asdict(v) for v in self._ended], "open": state}
        schema = SCHEMA.with_metadata({**(SCHEMA.metadata or {}), _KEY: json.dumps(facts).encode()})
        with whole_path(self.out / f"shard-{self._next:05d}.parquet") as partial:
            pq.write_table(pa.Table.from_pylist(self._rows, schema=schema), partial, compression="zstd")
        self._next += 1
        self._rows, self._ended = [], []
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Write the rest and the list of videos."""
        self.flush()
        with whole_file(self.out / SUMMARY) as stream:
            writer = csv.DictWriter(stream, [f.name for f in fields(VideoStatus)])
            writer.writeheader()
            writer.writerows(asdict(v) for v in self.finished.values())


def read_summary(path: Path) -> list[VideoStatus]:
    """The lines of a `videos.csv`. Raises RecordError when it is damaged."""
    kinds = {f.name: {"str": str, "int": int, "float": float}[str(f.type)] for f in fields(VideoStatus)}
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return [VideoStatus(**{k: kinds[k](row[k]) for k in kinds}) for row in csv.DictReader(stream)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path} cannot be read: delete it and run again with --resume") from error


def _state(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((pq.read_schema(path).metadata or {})[_KEY]))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} is damaged or was not written by  omokage tracks: choose another folder") from error


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    name = next(k for k in sorted({*before, *now}) if before.get(k) != now.get(k))
    return f"{name} = {before.get(name)!r}, not {now.get(name)!r}: resume with the same, or choose another folder"
