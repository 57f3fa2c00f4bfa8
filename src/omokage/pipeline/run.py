"""Analyse many inputs into a faces table on disk: resumable, with bounded memory. What `omokage analyze --out`
calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omokage.errors import InputError
from omokage.media.journal import Counts
from omokage.media.sinks import FacesSink, Format, format_of, read_rows
from omokage.media.sources import Source
from omokage.media.table import Reading, table_schema
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.tracking import resumed, tracked


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to read the inputs; what is here must be the same when a run is resumed."""

    every: int = 1
    crops: bool = False
    features_only: bool = False
    given: Mapping[str, float | str] | None = None


def analyze_to_table(
    analyzer: Analyzer,
    sources: Sequence[Source],
    out: Path,
    kind: str | None = None,
    options: RunOptions | None = None,
    resume: bool = False,
    on_reading: Callable[[Reading], None] | None = None,
    keep_pixels: bool = False,
) -> Counts | None:
    """Write the faces table of all sources; returns what the whole table holds, or None when a resumed one
    is complete already.

    Stopped by Ctrl-C or an error, the table holds what is done, and `resume` goes on from there without a lost or
    doubled row. Raises OutputError when the place cannot be written, InputError when the resumed run was another one.
    """
    chosen = options or RunOptions()
    form = format_of(out, kind)
    if resume and complete(out, form, sources):
        return None
    identity = settings(analyzer, chosen)
    sink = new_sink(analyzer, out, form, identity, resume)
    return fill(sink, analyzer, sources, chosen, (lambda same: same) if keep_pixels else _without_pixels, on_reading)


def new_sink(
    analyzer: Analyzer, out: Path, form: Format, identity: dict[str, Any], resume: bool, embedding: bool = False
) -> FacesSink:
    """The table's sink, whose metadata say what `identity` (see `settings`) says."""
    metadata = {"omokage.weights": json.dumps(identity["weights"]), "omokage.options": json.dumps(identity)}
    return FacesSink(out, form, table_schema(analyzer.schema, metadata, embedding=embedding), identity, resume)


def fill(
    sink: FacesSink,
    analyzer: Analyzer,
    sources: Sequence[Source],
    options: RunOptions,
    finished: Callable[[Iterator[Reading]], Iterator[Reading]],
    on_reading: Callable[[Reading], None] | None = None,
) -> Counts:
    """Read what the sink lacks, link faces over time, and write each reading as `finished` gives it back.

    Readings come to `finished` with their pixels. Returns what the whole table holds.
    """
    with sink:
        todo = [s for s in sources if s.name not in sink.finished]
        readings = analyzer.read_sources(
            todo, every=options.every, crops=options.crops, keep_pixels=True, done=sink.done
        )
        for reading in finished(tracked(readings, resumed(sink, todo, options.every))):
            sink.write(reading)
            if on_reading is not None:
                on_reading(reading)
    return sink.counts


def _without_pixels(readings: Iterator[Reading]) -> Iterator[Reading]:
    return (replace(reading, pixels=None) for reading in readings)


def settings(analyzer: Analyzer, options: RunOptions) -> dict[str, Any]:
    """Everything that an answer depends on besides the picture: kept in the table's metadata and compared on resume."""
    return {
        "weights": analyzer.describe(options.crops),
        "every": options.every,
        "crops": options.crops,
        "given": dict(options.given or {}),
        "pixels kept": "none" if options.features_only else "as asked",
    }


def begun(out: Path, kind: str | None = None) -> bool:
    """Whether a run that resumes `out` leaves away what an earlier one read."""
    return _unfinished(out) or (out.is_file() and format_of(out, kind) != "openface")


def _unfinished(out: Path) -> bool:
    return out.with_name(out.name + ".parts").is_dir()


def complete(out: Path, kind: Format, sources: Sequence[Source]) -> bool:
    """Whether `out` is finished and covers the sources. Raises InputError when it is finished but covers others
    only."""
    if not out.is_file() or _unfinished(out) or kind == "openface":
        return False
    missing = {s.name for s in sources} - {str(row["source"]) for row in read_rows(out, kind, ("source", "status"))}
    if missing:
        raise InputError(
            f"{out} is finished but lacks {len(missing)} of these inputs (the first: {min(missing)}): "
            "write them to another file, or leave --resume away to analyse everything again"
        )
    return True
