"""What people said of pictures, as a table: few labels from which a new attribute is learnt.

A CSV with the column `file`; every other column is an attribute, except `person` (who it is: no person is on both sides
of a split), `group_<anything>` (for the group check) and `rater` (then a picture has one row for each of its raters).
Several raters may also stand in columns `<attribute>@<rater>`. Empty cells are unknown, and so are those that say NaN,
NA, N/A or null.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omokage.errors import InputError
from omokage.media.small_tables import read_small_table

Floats = NDArray[np.float64]
Kind = Literal["nominal", "ordinal"]
MOST_CLASSES = 20
_YES = {"1": "yes", "1.0": "yes", "yes": "yes", "true": "yes", "0": "no", "0.0": "no", "no": "no", "false": "no"}
_UNKNOWN = {"NaN", "nan", "NA", "<NA>", "N/A", "n/a", "NULL", "null"}  # how other programs write an empty cell
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
    """Pictures by file name, whom each shows (the file itself where that is unknown), group columns, labels."""

    files: tuple[str, ...]
    people: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    labels: tuple[Label, ...]


def read_label_table(
    path: Path, names: Sequence[str] = (), kinds: Mapping[str, Kind] | None = None, skip: Sequence[str] = ()
) -> LabelTable:
    """The table of a CSV. `names` picks attributes (default: all columns), `kinds` overrides what their values look
    like, `skip` names columns that are no labels.

    Values that are all yes/no (1/0, true/false) make a yes/no attribute, numbers an ordinal one, words classes. Raises
    InputError that names the column and what to do.
    """
    table = read_small_table(path, "labels", ["file"])
    header = table.header
    numbered = [(line, _filled(row)) for line, row in table.numbered() if row["file"]]
    rows = [row for _, row in numbered]
    if not rows:
        raise InputError(f"the labels {path} have no rows")
    columns = _columns(header, path, skip)
    for name in (*skip, *(kinds or ())):
        if name not in header and name not in columns:
            raise InputError(f"{path} has no column called {name!r}; it has {', '.join(header)}")
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise InputError(f"{path} has no labels called {unknown[0]!r}; it has {', '.join(columns) or 'none'}")
    files = list(dict.fromkeys(row["file"] for row in rows))
    by_file: dict[str, list[dict[str, str]]] = {file: [] for file in files}
    for row in rows:
        by_file[row["file"]].append(row)
    if "rater" not in header and len(files) < len(rows):
        twice = next(file for file, own in by_file.items() if len(own) > 1)
        raise InputError(f"{path} names {twice} twice; keep one row for each picture, or add a column rater")
    known = _people(numbered, path)
    people = tuple(known.get(file, file) for file in files)
    groups = {
        c.removeprefix("group_"): tuple(next((row[c] for row in by_file[file] if row[c]), "") for file in files)
        for c in header
        if c.startswith("group_")
    }
    chosen = names or tuple(columns)
    if not chosen:
        raise InputError(f"{path} has no label column beside file; add one, named after the attribute")
    if "rater" in header:
        _check_raters(numbered, [column for name in chosen for column in columns[name]], path)
    _check_finite(numbered, [c for n in chosen if (kinds or {}).get(n) != "nominal" for c in columns[n]], path)
    raters = list(dict.fromkeys(row["rater"] for row in rows)) if "rater" in header else []
    labels = [
        _label(name, _cells(columns[name], raters, by_file, files), kinds or {}, path) for name in chosen
    ]  # fmt: skip
    return LabelTable(tuple(files), people, groups, tuple(labels))


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
    return {column: "" if column != "file" and text in _UNKNOWN else text for column, text in row.items()}


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
