"""The table of labelled pairs: what its columns are, whom each pair is of, and which pairs of one person may be judged
beside which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from omokage.errors import InputError
from omokage.explain.labels import is_unknown
from omokage.media.small_tables import read_small_table
from omokage.metrics.labels import is_number
from omokage.pipeline.compare import Photo
from omokage.pipeline.pair_table import COLUMNS, columns_of

FEWEST = 10
_SIDES = ("before", "after")
_OTHER = {*_SIDES, "person"}
_TAKEN = {*COLUMNS, "faces"}  # what a comparison as a table or as JSON calls its own
_FEWEST_PARTS = 3  # of one person's photographs: one is held out, and two are left to choose by


def labelled_pairs(table: Path, before: Sequence[str]) -> tuple[list[dict[str, str]], list[str], list[str]]:
    """The pairs, the names of their labels, which stand beside those learnt `before`, and of the columns without any.
    Raises InputError."""
    found = read_small_table(table, "pairs", list(_SIDES))
    rows = [_filled(row, table, line) for line, row in found.numbered()]
    named = [name for name in found.header if name and name not in _OTHER]
    empty = [name for name in named if not any(row[name] for row in rows)]
    labels = [name for name in named if name not in empty]
    if not labels:
        raise InputError(f"the pairs {table} have no label: add a column of signed numbers, named after what changed")
    if taken := [name for name in labels if not _TAKEN.isdisjoint(columns_of(name))]:
        raise InputError(f"the label {taken[0]!r} of {table} is what every comparison calls one of its own; rename it")
    owner: dict[str, str] = {}
    for name in dict.fromkeys([*before, *labels]):
        for column in columns_of(name):
            if (other := owner.setdefault(column, name)) != name:
                raise InputError(
                    f"the labels {other!r} and {name!r} would both fill the column {column!r}; rename one in {table}"
                )
    return rows, labels, empty


def _filled(row: Mapping[str, str], table: Path, line: int) -> dict[str, str]:
    """A pair in which the cells that say that they are unknown are empty. Raises InputError for a label that is no
    finite number."""
    filled = {name: "" if name not in _SIDES and is_unknown(text) else text for name, text in row.items()}
    for name, text in filled.items():
        if text and name not in _OTHER and not is_number(text):
            raise InputError(
                f"{table}, line {line}: {name} {text!r} is no finite number; changes are signed numbers: correct it, "
                "or empty the cell"
            )
    return filled


def one_name(rows: Sequence[dict[str, str]], photos: Mapping[str, Photo]) -> list[dict[str, str]]:
    """The pairs with one name for each photograph, whatever its copies are called."""
    first: dict[str, str] = {}
    return [row | {side: first.setdefault(photos[row[side]].digest, row[side]) for side in _SIDES} for row in rows]


def people_of(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Who each pair is of: the `person`, where given. Pairs without one that share a photograph are of one person, of
    the one who is named for it elsewhere: else the photograph would be learnt from and asked about."""
    leads: dict[str, str] = {}

    def first(file: str) -> str:
        while (above := leads.setdefault(file, file)) != file:
            file = above
        return file

    for row in rows:
        if not row.get("person"):
            leads[first(row["after"])] = first(row["before"])
    names: dict[str, str] = {}
    for row in rows:
        if row.get("person"):
            names |= {first(row[side]): row["person"] for side in ("before", "after")}
    found = []
    for k, row in enumerate(rows):
        found.append(row.get("person") or names.setdefault(first(row["before"]), f"pair {k}"))
    return found


def parts_of(pairs: Sequence[tuple[str, str]], count: int) -> list[str]:
    """The part of one person's photographs that each pair lies in, and "" for pairs of two parts: held out with one of
    them and learnt from with the other, they would tell what is asked.

    Photographs that pairs join are one part, cut where it holds more than its share of `count`. One that is in all
    pairs, such as that of the first visit, is in no part: it tells the same of all others.
    """
    shared = set.intersection(*(set(pair) for pair in pairs))
    ends = [[file for file in pair if file not in shared] for pair in pairs]
    beside: dict[str, list[str]] = {}
    for files in ends:
        for file in files:
            beside.setdefault(file, []).extend(files)
    most = -(-len(beside) // count)
    part: dict[str, str] = {}
    for file in beside:
        if file not in part:
            joined = _joined(file, beside)
            for piece in np.array_split(np.arange(len(joined)), -(-len(joined) // most)):
                part |= {joined[k]: f"part of {joined[piece[0]]}" for k in piece}
    return [part[files[0]] if len({part[file] for file in files}) == 1 else "" for files in ends]


def _joined(start: str, beside: Mapping[str, Sequence[str]]) -> list[str]:
    """The photographs that pairs join with one, those that fewest pairs lead to first."""
    found, known = [start], {start}
    for file in found:  # which grows
        new = [other for other in dict.fromkeys(beside[file]) if other not in known]
        found += new
        known |= set(new)
    return found


def apart(name: str, pairs: Sequence[tuple[str, str]], folds: int) -> list[str]:
    """`parts_of` of as many parts as leave enough pairs, at most `folds`. Raises InputError where none do."""
    left = 0
    for count in range(max(folds, _FEWEST_PARTS), _FEWEST_PARTS - 1, -1):
        parts = parts_of(pairs, count)
        left = sum(part != "" for part in parts)
        if left >= FEWEST and len(set(parts) - {""}) >= _FEWEST_PARTS:
            return parts
    raise InputError(
        f"{name!r} cannot be judged: all pairs are of one person, and with some photographs held out {left} pairs are "
        f"left that share none with the others, of at least {FEWEST}; label pairs of more photographs or of more people"
    )
