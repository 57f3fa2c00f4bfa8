"""Writers of the faces table: parquet, csv, jsonl and OpenFace's csv. Streaming, bounded memory, crash-safe, resumable.

    with FacesSink("faces.parquet") as sink:
        for reading in analyzer.analyze_many("holiday/"):
            sink.write(reading)

Rows go to a journal beside the output; the output itself appears whole when the block ends, and never without a `with`
block. When the block is left by an exception or by Ctrl-C, the output holds what is done so far and the journal stays,
so that a later run with ``resume=True`` goes on.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from omokage.errors import InputError, OutputError
from omokage.media.faces_rows import check_columns, csv_rows, finite, jsonl_rows
from omokage.media.files import whole_file
from omokage.media.journal import Counts, Journal
from omokage.media.openface import COLUMNS, openface_row
from omokage.media.table import Reading, table_schema
from omokage.plain import BOX

Format = Literal["parquet", "csv", "jsonl", "openface"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl", "openface")
_BY_ENDING: dict[str, Format] = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def format_of(out: Path, given: str | None = None, *, option: bool = True) -> Format:
    """The format that was asked for, or the one of the file's ending. Raises InputError when neither says; `option`:
    whether the caller takes --format."""
    if given is not None:
        for name in FORMATS:
            if given == name:
                return name
        raise InputError(f"unknown format {given!r}: choose one of {', '.join(FORMATS)}")
    if out.suffix.lower() not in _BY_ENDING:
        more = ", or add --format" if option else ""
        raise InputError(f"{out.name} does not say its format: end it in {', '.join(_BY_ENDING)}{more}")
    return _BY_ENDING[out.suffix.lower()]


class FacesSink:
    """A context manager that writes one faces table; `done` and `finished` say what an earlier run already wrote.

    `kind` is the format (None: by the ending of `out`), `schema` that of `table_schema` (None: the shipped network's
    columns) and may have more columns; `settings` is what must be the same when the work is resumed, as JSON values.
    Raises InputError for what cannot be, PlaceError where nothing can be written: both leave no trace.
    """

    def __init__(
        self,
        out: str | os.PathLike[str],
        kind: Format | None = None,
        schema: pa.Schema | None = None,
        settings: Mapping[str, Any] | None = None,
        resume: bool = False,
    ) -> None:
        self.out = _checked_path(out)
        self.kind = format_of(self.out, kind, option=False)
        self.schema = _checked_schema(table_schema() if schema is None else schema)
        self._journal = Journal(self.out, self.schema, {**_as_json(settings or {}), "format": self.kind}, resume)
        self._state = "not begun"
        self.written = 0
        self.counts = Counts()  # of the whole output, known when the block has ended

    @property
    def done(self) -> Mapping[str, set[int]]:
        """Frames by source that an earlier run finished."""
        return self._journal.done

    @property
    def finished(self) -> set[str]:
        """Videos (and unreadable files) of which nothing is left to do."""
        return self._journal.finished

    def boxes(self, source: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Of one source what an earlier run found: frame numbers (n,), ascending, and rows (n, 5) of box and score."""
        return self._journal.boxes(source)

    def __enter__(self) -> FacesSink:
        self._state = ""
        return self

    def write(self, reading: Reading) -> None:
        """Add one reading. Raises OutputError when the disk refuses, InputError outside of the with block."""
        if self._state:
            raise InputError(f"the table {self.out} is {self._state}: write inside the with block")
        if not isinstance(reading, Reading):
            raise InputError(f"a {type(reading).__name__} is no reading: write what analyze_many gives")
        self._journal.write(reading)
        self.written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._state = "finished"
        if isinstance(error, OutputError):
            return  # the disk has just refused: what is in the journal stays as it is
        self._journal.flush()
        if error is not None and not self._journal.parts():
            self._journal.remove()  # nothing was done: leave no trace
            return
        write_table(self.out, self.kind, self._journal.tables(), self.schema, self._journal.hint)
        self.counts = self._journal.counts()
        if error is None:
            self._journal.remove()


def _checked_path(out: object) -> Path:
    if not isinstance(out, str | bytes | os.PathLike):
        raise InputError(f"{out!r} is no path: name the table, such as faces.parquet")
    return Path(os.fsdecode(out))


_NEEDED_COLUMNS = ("source", "frame", "timestamp_s", "face", "status", "score", *BOX, "needs_review")


def _checked_schema(schema: pa.Schema) -> pa.Schema:
    """Raises InputError where the columns are missing, or hold something else, that every faces table has."""
    if not isinstance(schema, pa.Schema):
        raise InputError(f"a {type(schema).__name__} is no schema: leave it away, or make one with table_schema")
    known = table_schema()
    wrong = [n for n in _NEEDED_COLUMNS if n not in schema.names or schema.field(n).type != known.field(n).type]
    if wrong:
        raise InputError(f"the schema is no faces table's, see {', '.join(wrong)}: make it with table_schema")
    return schema


def _as_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As they will be read again when the work is resumed: a tuple comes back as a list."""
    try:
        return dict(json.loads(json.dumps(dict(settings))))
    except (TypeError, ValueError) as error:
        raise InputError(f"the settings must be JSON values ({error})") from error


def write_table(out: Path, kind: Format, tables: Iterable[pa.Table], schema: pa.Schema, hint: str = "") -> None:
    """Write tables as one file that appears whole; csv and jsonl get their metadata in a neighbour
    `<out>.meta.json`."""
    if kind == "parquet":
        with (
            whole_file(out, binary=True, hint=hint) as stream,
            pq.ParquetWriter(stream, schema, compression="zstd") as writer,
        ):
            for table in tables:
                writer.write_table(table)
        return
    with whole_file(out, hint=hint) as stream:
        _TEXT[kind](stream, tables, schema)
    metadata = {k.decode(): v.decode() for k, v in (schema.metadata or {}).items()}
    with whole_file(out.with_name(out.name + ".meta.json"), hint=hint) as stream:
        json.dump({k: _parsed(v) for k, v in metadata.items()}, stream, indent=1, ensure_ascii=False)


def _csv(stream: IO[str], tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    writer = csv.writer(stream)
    writer.writerow(schema.names)
    for table in tables:
        for row in table.to_pylist():
            writer.writerow([_cell(name, row[name]) for name in schema.names])


def _jsonl(stream: IO[str], tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    for table in tables:
        for row in table.to_pylist():
            kept = {name: _short(name, value) for name, value in row.items() if value is not None}
            stream.write(json.dumps(kept, ensure_ascii=False) + "\n")


def _openface(stream: IO[str], tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for table in tables:
        for row in table.to_pylist():
            named = openface_row(row)
            writer.writerow([_cell("timestamp_s" if n == "timestamp" else n, named.get(n)) for n in COLUMNS])


_TEXT: dict[str, Callable[[IO[str], Iterable[pa.Table], pa.Schema], None]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "openface": _openface,
}


def _short(name: str, value: Any) -> Any:
    """Single-precision numbers without the digits that they do not have."""
    if isinstance(value, float):
        return round(value, 6) if name == "timestamp_s" else float(f"{value:.6g}")
    if isinstance(value, list):
        return [float(f"{v:.6g}") for v in value]
    return value


def _cell(name: str, value: Any) -> Any:
    short = _short(name, value)
    return "" if short is None else json.dumps(short) if isinstance(short, list) else short


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def read_metadata(path: Path, kind: Format) -> dict[str, Any]:
    """What is written beside the rows of a table (see `write_table`); empty where nothing is. Raises InputError."""
    beside = path.with_name(path.name + ".meta.json")
    try:
        if kind == "parquet":
            metadata = pq.read_schema(path).metadata or {}
            return {k.decode(): _parsed(v.decode()) for k, v in metadata.items() if k.startswith(b"omokage.")}
        return dict(json.loads(beside.read_text(encoding="utf-8"))) if beside.is_file() else {}
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(f"the metadata of {path} cannot be read ({error}): make the table again") from error


def read_rows(path: Path, kind: Format | None = None, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The rows of a faces table written as parquet, csv or jsonl; null and absent alike are None or missing.
    `columns` spares reading the others of a parquet file.

    Raises InputError when the file is missing, damaged or no faces table; of a csv or jsonl file with the line.
    """
    try:
        form = kind or format_of(path, option=False)
        if form == "parquet":
            found: list[dict[str, Any]] = finite(
                pq.read_table(path, columns=list(columns) if columns else None)
            ).to_pylist()
            if found:
                check_columns(path, list(found[0]))
            return found
        return list((csv_rows if form == "csv" else jsonl_rows)(path))
    except (OSError, pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else " ".join(str(error).split())[:160]
        raise InputError(f"the faces table {path} cannot be read: {why}") from error
