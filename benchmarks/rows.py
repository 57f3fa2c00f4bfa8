"""Tables that benchmarks add rows to, a run at a time: what is there, and whether a row is."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows so far."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def has_row(rows: Sequence[Mapping[str, str]], facts: Mapping[str, str]) -> bool:
    """Whether a row agrees with all of these facts."""
    return any(all(row.get(name) == value for name, value in facts.items()) for row in rows)
