"""What people said of pictures, as a table: few labels from which a new attribute is learnt.

A CSV with the column `file`; every other column is an attribute, except `person` (who it is: no person is on both sides
of a split), `group_<anything>` (for the group check) and `rater` (then a picture has one row for each of its raters).
Several raters may also stand in columns `<attribute>@<rater>`. Empty cells are unknown, and so are those that say NaN,
NA, N/A, null, - or ?, and None among numbers and yes/no. Columns without a name are passed over, and so are those in
which no cell is known.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omokage.errors import InputError
from omokage.media.small_tables import read_small_table
from omokage.metrics.labels import NO, YES

Floats = NDArray[np.float64]
Kind = Literal["nominal", "ordinal"]
MOST_CLASSES = 20
_YES = dict.fromkeys(YES, "yes") | dict.fromkeys(NO - {"-1"}, "no")  # on a scale -1 is a number
_UNKNOWN = {"nan", "na", "<na>", "n/a", "#n/a", "null", "-", "?"}  # how other programs write an empty cell
_NONE = "none"  # one, too, but a good name for a class: of glasses, of pain
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_Line = tuple[int, dict[str, str]]  # a row with its line in the file
_OTHER = {"file", "person", "rater", "split", "width", "height", "source"}


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """One attribute: what is known of the pictures `rows` (m,) of its table.

    `values` (m,) are class names (nominal) or numbers (ordinal; the mean where several people rated). `ratings` (m, k)
    are those of each rater, as class numbers or numbers, NaN where one did not rate; None with a single column.
    """

    name: str
    kind: Kind
    rows: NDArray[np.int64]
    values: NDArray
    classes: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    ratings: Floats | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def among(self, kept: Sequence[int]) -> Label:
        """The label of those pictures only that are left; row i becomes the place of i in `kept`."""
        place = {row: at for at, row in enumerate(kept)}
        here = np.array([row in place for row in self.rows.tolist()], bool)
        rows = np.array([place[row] for row in self.rows[here].tolist()], np.int64)
        ratings = None if self.ratings is None else self.ratings[here]
        return Label(self.name, self.kind, rows, self.values[here], self.classes, self.low, self.high, ratings)


@dataclass(frozen=True, slots=True, eq=False)
class LabelTable:
    """Pictures by file name, whom each shows (the file itself where that is unknown), group columns, labels; the
    columns that were passed over because no cell of them is known."""

    files: tuple[str, ...]
    people: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    labels: tuple[Label, ...]
    empty: tuple[str, ...] = ()


def read_label_table(
    path: Path, names: Sequence[str] = (), kinds: Mapping[str, Kind] | None = None, skip: Sequence[str] = ()
) -> LabelTable:
    """The table of a CSV. `names` picks attributes (default: all columns), `kinds` overrides what their values look
    like, `skip` names columns that are no labels.

    Values that are all yes/no (1/0, true/false, y/n) make a yes/no attribute, numbers an ordinal one, words classes.
    Raises InputError that names the column and what to do.
    """
    table = read_small_table(path, "labels", ["file"])
    header = tuple(name for name in table.header if name)
    numbered = [(line, _filled(row)) for line, row in _each_named_once(table.numbered())]
    rows = [row for _, row in numbered]
    columns = _columns(header, path, skip)
    for name in (*skip, *(kinds or ())):
        if name not in header and name not in columns:
            raise InputError(f"{path} has no column called {name!r}; it has {', '.join(header)}")
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise InputError(f"{path} has no labels called {unknown[0]!r}; it has {', '.join(columns) or 'none'}")
    by_file = _by_file(numbered, "rater" in header, path)
    files = list(by_file)
    known = _people(numbered, path)
    people = tuple(known.get(file, file) for file in files)
    groups = {
        c.removeprefix("group_"): tuple(next((row[c] for row in by_file[file] if row[c]), "") for file in files)
        for c in header
        if c.startswith("group_")
    }
    empty = tuple(name for name, own in columns.items() if not any(row[c] for row in rows for c in own))
    chosen = tuple(dict.fromkeys(names)) or tuple(name for name in columns if name not in empty)
    if not chosen:
        raise InputError(f"{path} has no label column beside file; add one, named after the attribute, and fill it in")
    if "rater" in header:
        _check_raters(numbered, [column for name in chosen for column in columns[name]], path)
    for name in chosen:
        if (kinds or {}).get(name) != "nominal":
            _check_finite(numbered, columns[name], path)
        if name not in (kinds or {}):
            _check_alike(name, [(line, row[c]) for line, row in numbered for c in columns[name] if row[c]], path)
    raters = list(dict.fromkeys(row["rater"] for row in rows)) if "rater" in header else []
    labels = [
        _label(name, _cells(columns[name], raters, by_file, files), kinds or {}, path) for name in chosen
    ]  # fmt: skip
    return LabelTable(tuple(files), people, groups, tuple(labels), () if names else empty)


def _each_named_once(numbered: Iterable[_Line]) -> list[_Line]:
    """The rows, each picture by the name that it has first: ./a.jpg is a.jpg, which must not be on both sides."""
    first: dict[str, str] = {}
    return [(line, {**row, "file": first.setdefault(_path(row["file"]), row["file"])}) for line, row in numbered]


def _by_file(numbered: Sequence[_Line], rated: bool, path: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of each picture. Raises InputError where one has several, unless the table is `rated` by several
    people."""
    found: dict[str, list[dict[str, str]]] = {}
    lines: dict[str, int] = {}
    for line, row in numbered:
        if (first := lines.setdefault(row["file"], line)) != line and not rated:
            raise InputError(
                f"{path} names {row['file']} twice, in the lines {first} and {line}; keep one row for each picture, or "
                "add a column rater"
            )
        found.setdefault(row["file"], []).append(row)
    return found


def _path(name: str) -> str:
    return unicodedata.normalize("NFC", os.path.normpath(name))


def _columns(header: Sequence[str], path: Path, skip: Sequence[str]) -> dict[str, list[str]]:
    """The columns of each attribute, by its name. Raises InputError for names that no weight file could carry."""
    found: dict[str, list[str]] = {}
    for column in header:
        if column in _OTHER or column in skip or column.startswith("group_"):
            continue
        found.setdefault(column.partition("@")[0], []).append(column)
    for name in found:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{path}: {name!r} cannot be an attribute's name; use small letters, digits and _, or leave the column "
                "out with --skip"
            )
    return found


def _filled(row: Mapping[str, str]) -> dict[str, str]:
    """A row in which the cells that say that they are unknown are empty; the file's name is what it is."""
    return {
        column: "" if column != "file" and is_unknown(text, none=column == "person") else text
        for column, text in row.items()
    }


def is_unknown(text: str, none: bool = True) -> bool:
    """Whether a cell says that nobody knows; `none`: also where it says None, which may name a class."""
    return text.lower() in _UNKNOWN or not text or (none and text.lower() == _NONE)


def _people(numbered: Sequence[_Line], path: Path) -> dict[str, str]:
    """Whom each file shows, where any of its rows says so. Raises InputError when two of them name different people."""
    found: dict[str, str] = {}
    for line, row in numbered:
        file, person = row["file"], row.get("person")
        if person and found.setdefault(file, person) != person:
            raise InputError(
                f"{path}, line {line}: the person of {file} is {person!r} here and {found[file]!r} above; name the "
                "same one in all rows of a picture"
            )
    return found


def _check_raters(numbered: Sequence[_Line], columns: Sequence[str], path: Path) -> None:
    """Raises InputError for ratings that would be lost: of nobody, twice of one rater, or in two forms at once."""
    if both := [column for column in columns if "@" in column]:
        raise InputError(
            f"{path} has the column rater and {both[0]!r}, which names a rater too; keep one of the two ways to write "
            "ratings"
        )
    seen: set[tuple[str, str]] = set()
    for line, row in numbered:
        file, rater = row["file"], row["rater"]
        if not rater:
            raise InputError(f"{path}, line {line}: nobody rates {file}; fill in the column rater, or remove the row")
        if (file, rater) in seen:
            raise InputError(f"{path}, line {line}: {rater} rates {file} a second time; keep one of the rows")
        seen.add((file, rater))


def _check_finite(numbered: Sequence[_Line], columns: Sequence[str], path: Path) -> None:
    """Raises InputError for an infinite number, which no scale holds."""
    for line, row in numbered:
        for column in columns:
            if row[column] and not np.isfinite(_number(row[column], 0.0)):
                raise InputError(
                    f"{path}, line {line}: {column} {row[column]!r} is no finite number; correct it, or empty the cell"
                )


def _check_alike(name: str, cells: Sequence[tuple[int, str]], path: Path) -> None:
    """Raises InputError for a word among numbers or yes/no, which would make classes of them all."""
    known = [(line, text) for line, text in cells if text.lower() != _NONE]
    stray = min(
        [c for c in known if not _is_number(c[1])], [c for c in known if c[1].lower() not in _YES], key=len
    )  # of what most cells are
    if stray and len(stray) * 2 <= len(known):
        line, text = stray[0]
        raise InputError(
            f"{path}, line {line}: {name} {text!r} is not what the other cells of the column are, numbers or yes/no; "
            f"correct it, empty the cell, or make classes of them all with --nominal {name}"
        )


def _cells(
    columns: Sequence[str], raters: Sequence[str], by_file: Mapping[str, list[dict[str, str]]], files: Sequence[str]
) -> list[list[str]]:
    """What each rater said of each picture, "" where nothing: (pictures, raters)."""
    if not raters:
        return [[by_file[file][0][column] for column in columns] for file in files]
    table = []
    for file in files:
        said = {row["rater"]: row[columns[0]] for row in by_file[file]}
        table.append([said.get(rater, "") for rater in raters])
    return table


def _label(name: str, cells: list[list[str]], kinds: Mapping[str, Kind], path: Path) -> Label:
    if kinds.get(name) != "nominal" and _are_values({t.lower() for row in cells for t in row} - {"", _NONE}):
        cells = [["" if is_unknown(text) else text for text in row] for row in cells]
    known = [k for k, row in enumerate(cells) if any(row)]
    words = sorted({text.lower() for k in known for text in cells[k] if text})
    yes_no, numbers = set(words) <= set(_YES), all(_is_number(w) for w in words)
    if len({_YES[w] if yes_no else float(w) if numbers else w for w in words}) < 2:
        raise InputError(f"{path}: the label {name!r} says the same of every picture; nothing can be learnt from it")
    kind = kinds.get(name) or ("ordinal" if not yes_no and numbers else "nominal")
    rows = np.array(known, np.int64)
    if kind == "ordinal":
        return _ordinal(name, [cells[k] for k in known], rows, path)
    classes = ("no", "yes") if yes_no else tuple(words)
    if len(classes) > MOST_CLASSES:
        raise InputError(
            f"{path}: {name!r} has {len(classes)} different words; at most {MOST_CLASSES} classes can be learnt"
        )
    if any("." in word for word in classes):
        raise InputError(f"{path}: the classes of {name!r} must not contain a full stop; rename them")
    number = {word: float(classes.index(_YES[word] if yes_no else word)) for word in words}
    said = np.array([[number[t.lower()] if t else np.nan for t in cells[k]] for k in known])
    most = [_majority(row) for row in said]
    clear = np.array([m is not None for m in most])
    values = np.array([classes[int(m)] for m in most if m is not None])
    ratings = said[clear] if said.shape[1] > 1 else None
    return Label(name, "nominal", rows[clear], values, classes, ratings=ratings)


def _are_values(words: set[str]) -> bool:
    """Whether all are numbers, or all yes/no."""
    return bool(words) and (words <= set(_YES) or all(map(_is_number, words)))


def _ordinal(name: str, cells: list[list[str]], rows: NDArray[np.int64], path: Path) -> Label:
    try:
        said = np.array([[float(t) if t else np.nan for t in row] for row in cells])
    except ValueError as error:
        raise InputError(f"{path}: {name!r} holds what is no number ({error}); correct it or make it nominal") from None
    low, high = float(np.nanmin(said)), float(np.nanmax(said))
    ratings = said if said.shape[1] > 1 else None
    return Label(name, "ordinal", rows, np.nanmean(said, axis=1), low=low, high=high, ratings=ratings)


def _majority(said: Floats) -> float | None:
    """The answer that most raters gave; None when two are given equally often."""
    counts = Counter(said[np.isfinite(said)].tolist()).most_common(2)
    return None if len(counts) > 1 and counts[0][1] == counts[1][1] else float(counts[0][0])


def _is_number(text: str) -> bool:
    return bool(np.isfinite(_number(text, np.nan)))


def _number(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise
