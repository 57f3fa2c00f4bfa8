"""A table of pairs as a batch: one row of answers per pair, resumable, in bounded memory.

The table (CSV) has the columns `before` and `after`, paths that count from the table's own folder. The output (.csv,
.jsonl or .parquet) has these, `status`, `same_person`, and for each factor `<name>`, `<name>_low`, `<name>_high`,
`<name>_no_change`, and so for each label of the user's own; `look_<name>` and `day_<name>` are probabilities,
`controlled` is 1 where the head is held and lit alike, `warnings` are separated by spaces.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from omokage.comparison.config import FACTORS, LOOKS, NUISANCE
from omokage.comparison.predict import Comparer
from omokage.errors import InputError
from omokage.media.files import whole_path
from omokage.media.lines import Lines
from omokage.media.small_tables import read_small_table
from omokage.media.sources import Source, on_disk
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.compare import Photo, compare_many, photographs, seen_once
from omokage.pipeline.own_changes import ChangeReader
from omokage.results import FaceChange

FORMATS = (".csv", ".jsonl", ".parquet")
CHUNK = 128  # pairs that are answered at once
BLOCK = 1024  # rows that are in memory when the finished table is written
KEPT = 4096  # photographs that stay ready for later pairs, about 50 kB each
_ENDS = ("", "_low", "_high", "_no_change")
_NUMBERS = (
    "same_person", "controlled", *(f"{name}{end}" for name in FACTORS for end in _ENDS),
    *(f"look_{name}" for name in LOOKS), *(f"day_{name}" for name in NUISANCE),
)  # fmt: skip
COLUMNS = ("before", "after", "status", "warnings", *_NUMBERS)


def columns_of(name: str) -> tuple[str, ...]:
    """The columns of one change."""
    return tuple(f"{name}{end}" for end in _ENDS)


def read_pairs(table: Path) -> list[tuple[str, str]]:
    """The pairs of a CSV table. Raises InputError for a missing file, missing columns, an empty cell or an empty
    table."""
    found = read_small_table(table, "pairs", ["before", "after"])
    return [(str(on_disk(table.parent, row["before"])), str(on_disk(table.parent, row["after"]))) for row in found.rows]


def compare_table(
    analyzer: Analyzer, comparer: Comparer, pairs: Sequence[tuple[str, str]], out: Path, *, assume_same: bool = False,
    crops: bool = False, resume: bool = False, progress: Callable[[int, int], None] | None = None,
    own: ChangeReader | None = None,
) -> dict[str, int]:  # fmt: skip
    """Write the answers of all pairs, with those that a user's labels taught (`own`) in columns of their own; returns
    how many have each status.

    Work done is kept beside the output (``<out>.parts``) until it is whole; `resume` goes on from there. Raises
    InputError when the output has another ending, or when it was begun with another table or other weights.
    """
    if out.suffix.lower() not in FORMATS:
        raise InputError(f"{out} must end in {', '.join(FORMATS)}")
    digest = hashlib.sha256(json.dumps(pairs).encode()).hexdigest()
    identity = {"pairs": digest, "weights": comparer.describe(), "analyzer": analyzer.describe(crops),
                "assume_same": assume_same, "crops": crops, "own": None if own is None else own.card.id}  # fmt: skip
    lines = Lines(out, identity, resume, "pairs, weights")
    kept: dict[str, Photo] = {}
    for first in range(lines.done, len(pairs), CHUNK):
        chunk = pairs[first : first + CHUNK]
        _make_ready(analyzer, comparer, chunk, crops, kept)
        answers = compare_many([(kept[a], kept[b]) for a, b in chunk], comparer, assume_same, own)
        lines.add([row_of(change) for change in answers])
        if progress:
            progress(lines.done, len(pairs))
    counts = _write(out, lines.read(), () if own is None else own.names)
    lines.close()
    return counts


def _make_ready(
    analyzer: Analyzer, comparer: Comparer, chunk: Sequence[tuple[str, str]], crops: bool, kept: dict[str, Photo]
) -> None:
    """Put the photographs of some pairs into `kept`; each is read and seen once while it stays there, the oldest go
    first."""
    names = list(dict.fromkeys(name for pair in chunk for name in pair))
    for name in names:
        if name in kept:
            kept[name] = kept.pop(name)  # now the youngest
    new = [name for name in names if name not in kept]
    there = [name for name in new if os.path.isfile(name)]  # False, too, for names that no file can have
    folder, gone = "unreadable: it is a folder, no photograph", "unreadable: no such file"
    kept |= {name: Photo(name, folder if os.path.isdir(name) else gone) for name in new}
    if there:
        found = seen_once(photographs(analyzer, comparer, [Source(name) for name in there], crops), comparer)
        kept |= dict(zip(there, found, strict=True))
    for name in list(kept)[: max(0, len(kept) - KEPT)]:
        if name not in names:
            del kept[name]


def row_of(change: FaceChange) -> dict[str, Any]:
    """A change as a table row; what was not estimated is absent."""
    row = {**change.to_dict(), "warnings": " ".join(change.warnings)}
    row["controlled"] = int(change.controlled) if change.status == "ok" else None
    return {k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}


def _write(out: Path, found: Iterator[dict[str, Any]], own: Sequence[str]) -> dict[str, int]:
    """The finished table, whole or not at all, block by block; how many rows have each status. Raises OutputError."""
    counts: dict[str, int] = {}
    numbers = (*_NUMBERS, *(column for name in own for column in columns_of(name)))
    texts = [name for name in COLUMNS if name not in _NUMBERS]
    schema = pa.schema([*((name, pa.string()) for name in texts), *((name, pa.float64()) for name in numbers)])
    with whole_path(out) as partial, _sink(out, partial, schema) as put:
        while rows := list(itertools.islice(found, BLOCK)):
            put(pa.Table.from_pylist(rows, schema=schema))
            for row in rows:
                key = str(row["status"]).partition(":")[0]
                counts[key] = counts.get(key, 0) + 1
    return counts


@contextmanager
def _sink(out: Path, partial: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """What takes blocks of the table in the format that the ending of `out` names."""
    if out.suffix.lower() == ".jsonl":
        with partial.open("w", encoding="utf-8") as file:
            yield lambda block: file.writelines(json.dumps(row) + "\n" for row in block.to_pylist())
    elif out.suffix.lower() == ".csv":
        with arrow_csv.CSVWriter(partial, schema) as writer:
            yield writer.write_table
    else:
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            yield writer.write_table
