"""The rows of a faces table read from a file, which other programs may have changed: checked cell by cell."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from omokage.errors import InputError
from omokage.media.small_tables import other_separator
from omokage.media.table import table_schema
from omokage.plain import BOX

_MAKE_AGAIN = "make the table again with  omokage analyze"


def finite(table: pa.Table) -> pa.Table:
    """The table with null where a number is not finite, as other programs write what they lack."""
    for at, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            known = pc.if_else(pc.is_finite(table[at]), table[at], pa.scalar(None, field.type))
            table = table.set_column(at, field, known)
    return table


def check_columns(path: Path, names: Sequence[str]) -> None:
    """Raises InputError where the columns are not those of a faces table."""
    if other := other_separator(names):
        raise InputError(f"the columns of {path} are parted by {other}: save the table with commas")
    if not {"source", "status"} <= set(names):
        raise InputError(
            f"{path} is no faces table (it lacks the columns source and status): make one with  omokage analyze"
        )


def _check_box(row: Mapping[str, Any], path: Path, line: int) -> None:
    """Raises InputError for a box that is there in part, or whose ends are before its beginnings."""
    box = [row.get(name) for name in BOX]
    known = [side for side in box if side is not None]
    if known and (len(known) < len(BOX) or known[0] > known[2] or known[1] > known[3]):
        raise InputError(f"{path}, line {line}: {box} is no box (x0, y0, x1, y1); correct it, or {_MAKE_AGAIN}")


def jsonl_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a table written as JSON, one object a line. Raises InputError with the line."""
    kinds: dict[str, str] = {}
    with open(path, encoding="utf-8-sig") as stream:
        for line, text in enumerate(stream, 1):  # a name may hold other signs that Python takes for a line's end
            if not text.strip():
                continue
            try:
                row = json.loads(text)
            except (json.JSONDecodeError, RecursionError) as error:
                raise InputError(
                    f"{path}, line {line}, cannot be read as JSON ({str(error)[:80]}): {_MAKE_AGAIN}"
                ) from error
            if not isinstance(row, dict):
                raise InputError(
                    f"{path}, line {line}: a {type(row).__name__} is no face; a faces table has one JSON object a line"
                )
            if not all(isinstance(row.get(name), str) for name in ("source", "status")):
                raise InputError(f"{path}, line {line}: no source or no status, as text; {_MAKE_AGAIN}")
            if new := row.keys() - kinds.keys():
                kinds |= zip(new, _kinds(list(new)), strict=True)
            row = {name: _read(_OF_JSON, kinds[name], value, name, path, line) for name, value in row.items()}
            _check_box(row, path, line)
            yield row


_OF_TEXT: dict[str, Callable[[str], Any]] = {
    "text": str,
    "whole": lambda text: _whole(text) if text else None,
    "number": lambda text: _known(float(text)) if text else None,
    "numbers": lambda text: _all_known([float(v) for v in json.loads(text)]) if text else None,
    "classes": lambda text: text or None,
    "unknown": lambda text: _guess(text) if text else None,
}
_OF_JSON: dict[str, Callable[[Any], Any]] = {
    "text": lambda value: _of(value, str),
    "whole": lambda value: _whole(_of(value, int, float)),
    "number": lambda value: _known(float(_of(value, int, float))),
    "numbers": lambda value: _all_known([float(_of(one, int, float)) for one in _of(value, list)]),
    "classes": lambda value: _of(value, str),
    "unknown": lambda value: _known(value) if isinstance(value, float) else value,
}
_NEEDED = {"whole": "a whole number", "number": "a number", "numbers": "a list of numbers", "text": "a text",
           "classes": "the name of a class"}  # fmt: skip


def csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a table written as CSV. Raises InputError with the line, csv.Error."""
    with open(path, encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader, [])
        kinds = _kinds(header)
        for cells in reader:
            if not any(cells):
                continue
            check_columns(path, header)
            if len(cells) != len(header):
                raise InputError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells where the header has {len(header)}: the file "
                    "was cut or changed; make it again with  omokage analyze"
                )
            pairs = zip(header, kinds, cells, strict=True)
            row = {name: _read(_OF_TEXT, kind, text, name, path, reader.line_num) for name, kind, text in pairs}
            _check_box(row, path, reader.line_num)
            yield row


def _kinds(header: Sequence[str]) -> list[str]:
    """What each column holds, from its name and those beside it: a class may be called "1", which is no number."""
    known = table_schema(embedding=True)
    by_type = {pa.string(): "text", pa.int32(): "whole", pa.float32(): "number", pa.float64(): "number"}
    fixed = {field.name: by_type.get(field.type, "numbers") for field in known}
    return [fixed.get(name) or _own_kind(name, header) for name in header]


def _own_kind(name: str, header: Sequence[str]) -> str:
    """Of a column that the user's own labels or programs added."""
    if f"{name}_sigma" in header:
        return "number"
    if any(other.startswith(f"{name}_") and other.endswith("_p") for other in header):
        return "classes"
    return "unknown"


def _read(readers: Mapping[str, Callable[[Any], Any]], kind: str, value: Any, name: str, path: Path, line: int) -> Any:
    try:
        return None if value is None else readers[kind](value)
    except (ValueError, TypeError, OverflowError) as error:
        shown = repr(str(value)[:40])
        raise InputError(
            f"{path}, line {line}: {name} {shown} is not {_NEEDED[kind]}; correct it, or {_MAKE_AGAIN}"
        ) from error


def _of(value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise TypeError(value)
    return value


def _known(number: float) -> float | None:
    """None for nan, which other programs write for what they lack."""
    return number if math.isfinite(number) else None


def _all_known(numbers: list[float]) -> list[float] | None:
    return numbers if all(map(math.isfinite, numbers)) else None


def _whole(text: str | float) -> int | None:
    """Also 3.0: what programs write that hold a column with empty cells as decimals."""
    number = _known(float(text))
    if number is None:
        return None
    if not number.is_integer():
        raise ValueError(text)
    return int(number)


def _guess(text: str) -> Any:
    try:
        return _known(float(text))
    except ValueError:
        return text
