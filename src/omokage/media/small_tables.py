"""Small CSV tables that people fill in (labels, pairs, verdicts): read whole, refused in the same words everywhere."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from omokage.errors import InputError

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}  # what spreadsheets write where the comma parts decimals
_SAID_SEPARATOR = re.compile(r'\s*"?sep=([,;|\t])"?[,;\s]*$', re.IGNORECASE | re.MULTILINE)  # for spreadsheets alone
_UNNAMED = re.compile(r"Unnamed: \d+")  # what pandas calls a column without a name, such as its own row numbers
_QUOTES = "a quote is not closed, or text stands behind the closing one"
_PICTURES = ("file", "before", "after")
_Line = tuple[int, list[str]]  # cells with the number of the line that they begin in


@dataclass(frozen=True, slots=True)
class SmallTable:
    """`rows` by column name, cells stripped, "" where empty; `lines` are their numbers in the file, from 1. Columns
    without a name are "" in the `header` and not in the rows."""

    header: tuple[str, ...]
    rows: list[dict[str, str]]
    lines: list[int]

    def numbered(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row with its line."""
        return zip(self.lines, self.rows, strict=True)


def read_small_table(path: Path, what: str, needed: Sequence[str] = ()) -> SmallTable:
    """The rows of a CSV file with a header line. `what` it is goes into refusals, such as "labels". Lines without any
    text are passed over, and so is a first line such as ``sep=;``, which is obeyed.

    Raises InputError when it is missing, unreadable, not UTF-8 or parted by semicolons or tabs, when it has no rows,
    lacks a `needed` column or names one twice, or has a row with more cells than the header, an unclosed quote, or no
    picture's name in a `needed` column of pictures.
    """
    listed = _listed(_text(path, what), path, what)
    _, names = next(listed, (0, []))
    header, found = _header(names), list(listed)
    if not found:
        raise InputError(f"the {what} {path} have no rows")
    if missing := [name for name in needed if name not in header]:
        raise InputError(_lacking(path, what, header, missing))
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise InputError(
            f"the {what} {path} have the column {twice[0]!r} {header.count(twice[0])} times: keep one, or rename the "
            "others"
        )
    rows = [_row(header, cells, path, line) for line, cells in found]
    pictures = [name for name in _PICTURES if name in needed]
    for (line, _), row in zip(found, rows, strict=True):
        _check_names(row, pictures, path, line)
    return SmallTable(header, rows, [line for line, _ in found])


def header_of(path: Path) -> tuple[str, ...]:
    """The names of the columns; none where the file cannot be read, which `read_small_table` says in a sentence."""
    try:
        return _header(next(_listed(_text(path, ""), path, ""), (0, []))[1])
    except InputError:
        return ()


def other_separator(header: Sequence[str]) -> str:
    """What a header of one column shows to part the columns in place of commas, in words; else empty."""
    return next((name for sign, name in _OTHER_SEPARATORS.items() if len(header) == 1 and sign in header[0]), "")


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple("" if _UNNAMED.fullmatch(name) else name for name in map(str.strip, cells))


def _listed(text: str, path: Path, what: str) -> Iterator[_Line]:
    """The lines of a table that hold any text."""
    said = _SAID_SEPARATOR.match(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=said[1] if said else ",", strict=True)
    passed = not said
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            why = _QUOTES if any(words in str(error) for words in ("end of data", "expected after")) else str(error)
            raise InputError(f"the {what} {path} cannot be read: line {line}: {why}; correct the line") from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            if passed:
                yield line, cells
            passed = True


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


def _row(header: Sequence[str], cells: Sequence[str], path: Path, line: int) -> dict[str, str]:
    """Cells of a row by column."""
    if any(cell.strip() for cell in cells[len(header) :]):  # a decimal comma cuts a number in two
        raise InputError(
            f"{path}, line {line}: more cells than the header has; quote cells with commas, write decimals with a point"
        )
    every = [cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
    return {name: cell for name, cell in zip(header, every, strict=False) if name}


def _check_names(row: dict[str, str], pictures: Sequence[str], path: Path, line: int) -> None:
    """Raises InputError where a picture has no name, or one over several lines: a quote that was not closed."""
    for column in pictures:
        if not row[column]:
            raise InputError(
                f"{path}, line {line}: the column {column!r} is empty; name the picture, or delete the row"
            )
        if "\n" in row[column] or "\r" in row[column]:
            raise InputError(
                f"{path}, line {line}: the column {column!r} goes on over several lines ({row[column][:40]!r}); close "
                "the quote, or rename the picture"
            )


def _lacking(path: Path, what: str, header: Sequence[str], missing: Sequence[str]) -> str:
    word = "column" if len(missing) == 1 else "columns"
    lacks = f"the {what} {path} lack the {word} {' and '.join(repr(name) for name in missing)}"
    if other := other_separator(header):
        return f"{lacks}: their columns are parted by {other}; save the table with commas"
    return f"{lacks}; they have {', '.join(name for name in header if name) or 'nothing'}"
