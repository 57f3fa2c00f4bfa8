"""Work done so far, safe against a crash: a folder of small parquet parts beside the output, each written whole or not
at all.

All rows of one picture or frame lie in one part, so after a kill a frame is either fully there or not at all; resuming
skips what is there. The parts are merged into the output at the end.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from omokage.errors import InputError, OutputError
from omokage.media.files import check_writable, output_error, whole_file
from omokage.media.table import Reading, to_table
from omokage.plain import BOX

ROWS_PER_PART = 512
SECONDS_PER_PART = 5.0  # at most so much work is lost to a kill
_FINISHED = b"omokage.finished"


@dataclass(frozen=True, slots=True)
class Counts:
    """What an output holds: frames are pictures and video frames that could be read."""

    frames: int = 0
    faces: int = 0
    no_face: int = 0
    unreadable: int = 0
    review: int = 0
    first_problem: str = ""


class Journal:
    """The parts of one output. Raises OutputError when they cannot be written, InputError when resuming something
    else."""

    def __init__(self, out: Path, schema: pa.Schema, settings: Mapping[str, Any], resume: bool) -> None:
        check_writable(out)
        self.out, self.schema = out, schema
        self.folder = out.with_name(out.name + ".parts")
        self.hint = (
            f"Work done so far is kept in {self.folder}: run the same again with --resume (resume=True in Python)"
        )
        self.done: dict[str, set[int]] = {}
        self.finished: set[str] = set()
        self._rows: list[dict[str, Any]] = []
        self._ends: list[str] = []
        self._flushed = time.monotonic()
        self._retired = out.with_name(out.name + ".parts.old")
        shutil.rmtree(self._retired, ignore_errors=True)
        self._open(settings, resume)

    def _open(self, settings: Mapping[str, Any], resume: bool) -> None:
        state = self.folder / "run.json"
        if state.is_file():
            if not resume:
                raise InputError(
                    f"{self.folder} holds unfinished work for this output: "
                    "add --resume (resume=True in Python) to go on, or delete it to start over"
                )
            _check_settings(json.loads(state.read_text(encoding="utf-8")), settings, self.out)
            self._recall()
            return
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise output_error(self.folder, error) from error
        try:
            with whole_file(state) as stream:
                json.dump(dict(settings), stream)
        except BaseException:
            with suppress(OSError):  # what holds no work must not look like work
                self.folder.rmdir()
            raise

    def _recall(self) -> None:
        for path in self.parts():
            file = pq.ParquetFile(path)
            self.finished.update(json.loads((file.schema_arrow.metadata or {}).get(_FINISHED, b"[]")))
            table = file.read(columns=["source", "frame"])
            for source, frame in zip(table["source"].to_pylist(), table["frame"].to_pylist(), strict=True):
                self.done.setdefault(source, set()).add(frame)

    def parts(self) -> list[Path]:
        """The complete parts in the order in which they were written."""
        return sorted(self.folder.glob("[0-9]*.parquet"))

    def boxes(self, source: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Frame numbers (n,) and rows (n, 5) of box and score of the faces on disk of one source, in their order."""
        frames, rows = [np.zeros(0, np.int64)], [np.zeros((0, 5), np.float32)]
        for path in self.parts():
            table = pq.read_table(
                path, columns=["frame", *BOX, "score"], filters=[("source", "=", source), ("face", ">=", 0)]
            )
            frames.append(table["frame"].to_numpy().astype(np.int64))
            rows.append(np.stack([table[n].to_numpy() for n in (*BOX, "score")], 1).astype(np.float32))
        return np.concatenate(frames), np.concatenate(rows)

    def write(self, reading: Reading) -> None:
        """Take in one reading; it is safe on disk after the next flush (every few seconds)."""
        self._rows += reading.rows()
        if reading.silent or (reading.problem and reading.last):
            self._ends.append(reading.source)
        if len(self._rows) >= ROWS_PER_PART or time.monotonic() - self._flushed > SECONDS_PER_PART:
            self.flush()

    def flush(self) -> None:
        """Write what waits as one more part. Raises OutputError; the rows stay waiting then."""
        if not self._rows and not self._ends:
            return
        metadata = {**(self.schema.metadata or {}), _FINISHED: json.dumps(self._ends).encode()}
        buffer = io.BytesIO()
        pq.write_table(to_table(self._rows, self.schema).replace_schema_metadata(metadata), buffer, compression="zstd")
        last = self.parts()
        number = int(last[-1].stem) + 1 if last else 0
        with whole_file(self.folder / f"{number:06d}.parquet", binary=True, hint=self.hint) as stream:
            stream.write(buffer.getbuffer())
        self._rows, self._ends = [], []
        self._flushed = time.monotonic()

    def tables(self, rows_at_once: int = 4096) -> Iterator[pa.Table]:
        """Everything on disk in order, in pieces of bounded size."""
        waiting: list[pa.Table] = []
        for path in self.parts():
            waiting.append(pq.read_table(path).cast(self.schema))
            if sum(t.num_rows for t in waiting) >= rows_at_once:
                yield pa.concat_tables(waiting)
                waiting = []
        if waiting:
            yield pa.concat_tables(waiting)

    def counts(self) -> Counts:
        """Counts over everything on disk."""
        frames = faces = no_face = unreadable = review = 0
        problem = ""
        for path in self.parts():
            table = pq.read_table(path, columns=["source", "status", "face", "needs_review"])
            for source, status, face, why in zip(*(column.to_pylist() for column in table.columns), strict=True):
                faces += face is not None
                review += bool(why)
                no_face += status.startswith("no_face")
                frames += face == 0 or status.startswith("no_face")
                if status.startswith("unreadable"):
                    unreadable += 1
                    problem = problem or f"{source}: {status.removeprefix('unreadable: ')}"
        return Counts(frames, faces, no_face, unreadable, review, problem)

    def remove(self) -> None:
        """Delete the parts. They are renamed first, so that a kill half-way cannot leave half of them to be resumed
        from."""
        try:
            os.replace(self.folder, self._retired)
        except OSError as error:
            raise OutputError(f"the finished parts in {self.folder} cannot be removed: {error.strerror}") from error
        shutil.rmtree(self._retired, ignore_errors=True)


def _check_settings(before: Mapping[str, Any], now: Mapping[str, Any], out: Path) -> None:
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            raise InputError(
                f"{out} was begun with {name} = {before.get(name)!r}, not {now.get(name)!r}: resume with the same, "
                "or write to another file"
            )
