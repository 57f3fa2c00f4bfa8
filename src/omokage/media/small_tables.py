"""Small CSV tables that people fill in (labels, pairs, verdicts): read whole, refused in the same words everywhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omokage.errors import InputError

_OTHER_SEPARATORS = (";", "\t")  # what spreadsheets write where the comma parts decimals


@dataclass(frozen=True, slots=True)
class SmallTable:
    """`rows` by column name, cells stripped, "" where empty; `lines` are their numbers in the file, from 1."""

    header: tuple[str, ...]
    rows: list[dict[str, str]]
    lines: list[int]

    def numbered(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row with its line."""
        return zip(self.lines, self.rows, strict=True)


def read_small_table(path: Path, what: str, needed: Sequence[str] = ()) -> SmallTable:
    """The rows of a CSV file with a header line. `what` it is goes into refusals, such as "labels". Blank lines are
    passed over.

    Raises InputError when it is missing, unreadable, not UTF-8 or parted by semicolons or tabs, when it has no rows,
    lacks a `needed` column or names one twice, or has a row with more cells than the header.
    """
    reader = csv.DictReader(io.StringIO(_text(path, what), newline=""))
    try:
        found = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise InputError(f"the {what} {path} cannot be read: line {reader.line_num + 1}: {error}") from error
    header = tuple((name or "").strip() for name in reader.fieldnames or ())
    if not found:
        raise InputError(f"the {what} {path} have no rows")
    if missing := [name for name in needed if name not in header]:
        raise InputError(_lacking(path, what, header, missing))
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise InputError(
            f"the {what} {path} have the column {twice[0]!r} {header.count(twice[0])} times: keep one, or rename the "
            "others"
        )
    rows = [_cells(row, path, line) for line, row in found]
    return SmallTable(header, rows, [line for line, _ in found])


def _text(path: Path, what: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"the {what} {path} are not UTF-8 text: save the table as UTF-8 (a spreadsheet calls it CSV UTF-8)"
        ) from error
    except OSError as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or error
        raise InputError(f"the {what} {path} cannot be read: {why}") from error


def _cells(row: Mapping[str | Any, str | Any], path: Path, line: int) -> dict[str, str]:
    """Cells of a row by column."""
    if any(row.get(None) or ()):  # a decimal comma cuts a number in two, and the rest would count silently
        raise InputError(
            f"{path}, line {line}: more cells than the header has; quote cells with commas, write decimals with a point"
        )
    return {name.strip(): (value or "").strip() for name, value in row.items() if name}


def _lacking(path: Path, what: str, header: Sequence[str], missing: Sequence[str]) -> str:
    word = "column" if len(missing) == 1 else "columns"
    lacks = f"the {what} {path} lack the {word} {' and '.join(repr(name) for name in missing)}"
    for sign, name in zip(_OTHER_SEPARATORS, ("semicolons", "tabs"), strict=True):
        if len(header) == 1 and sign in header[0]:
            return f"{lacks}: their columns are parted by {name}; save the table with commas"
    return f"{lacks}; they have {', '.join(name for name in header if name) or 'nothing'}"
