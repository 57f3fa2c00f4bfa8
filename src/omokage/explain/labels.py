"""What people said of pictures, as a table: few labels from which a new attribute is learnt.

A CSV with the column `file`; every other column is an attribute, except `person` (who it is: no person is on both sides
of a split), `group_<anything>` (for the group check) and `rater` (then a picture has one row for each of its raters).
Several raters may also stand in columns `<attribute>@<rater>`. Empty cells are unknown.
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
_YES = {"1": "yes", "yes": "yes", "true": "yes", "0": "no", "no": "no", "false": "no"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
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
    rows, header = [row for row in table.rows if row["file"]], table.header
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
    first = [by_file[file][0] for file in files]
    people = tuple(row.get("person") or file for file, row in zip(files, first, strict=True))
    groups = {c.removeprefix("group_"): tuple(r[c] for r in first) for c in header if c.startswith("group_")}
    chosen = names or tuple(columns)
    if not chosen:
        raise InputError(f"{path} has no label column beside file; add one, named after the attribute")
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
    if len(words) < 2:
        raise InputError(f"{path}: the label {name!r} says the same of every picture; nothing can be learnt from it")
    yes_no = set(words) <= set(_YES)
    kind = kinds.get(name) or ("ordinal" if not yes_no and all(_is_number(w) for w in words) else "nominal")
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
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
