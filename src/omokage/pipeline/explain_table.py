"""Explanations of many faces as one table: streaming, resumable, memory that does not grow with the number of faces.

One row per face, pictures without a face or without readable content keep a row of their own: `source`, `frame`,
`face`, `status` (``ok``, ``no_face``, ``unreadable: <why>``, ``unexplained: <why>``), `target`, `method`, `answer`
(of the crop alone), `full_answer` (of the analysis), `answer_unit`, `score`, `score_unit`, `top` (the region whose
hiding takes most from the score), `top_of_map`, `grade`, `flipping`, `flipping_random`, `agreement`, `randomised`,
`conservation`, `warnings`, and for every region `effect_<region>` with `_low` and `_high`, `relevance_<region>`,
`support_<region>` (see `results.RegionEvidence`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from omokage.errors import InputError
from omokage.explain.composites import MODERN
from omokage.explain.regions import REGIONS
from omokage.media.lines import Lines
from omokage.media.sinks import format_of, write_table
from omokage.media.sources import Source
from omokage.media.table import Reading
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.explain import asked, explain_analysed
from omokage.results import RelevanceMap

ROWS = 256  # in memory at once while the output is written
_TEXTS = ("source", "status", "target", "method", "answer_unit", "score_unit", "top", "top_of_map", "grade", "warnings")
_PER_REGION = ("effect_{}", "effect_{}_low", "effect_{}_high", "relevance_{}", "support_{}")
COLUMNS = (
    "source", "frame", "face", "status", "target", "method", "answer", "full_answer", "answer_unit", "score",
    "score_unit", "top", "top_of_map", "grade", "flipping", "flipping_random", "agreement", "randomised",
    "conservation", "warnings",
    *(column.format(region) for region in REGIONS for column in _PER_REGION),
)  # fmt: skip


def explain_many(
    analyzer: Analyzer,
    sources: Sequence[Source],
    target: str,
    method: str = "occlusion",
    *,
    rules: str = MODERN,
    crops: bool = False,
    every: int = 1,
) -> Iterator[tuple[Reading, list[RelevanceMap | InputError]]]:
    """The explanations of all faces of each picture or video frame, one picture at a time; a face that cannot be
    explained gives the error that says why. Raises InputError for unknown words."""
    predictor, wanted = asked(analyzer, target, method, rules)
    for reading in analyzer.analyze_many(list(sources), every=every, crops=crops, keep_pixels=True):
        found: list[RelevanceMap | InputError] = []
        for face in reading.faces:
            assert reading.pixels is not None
            if face.outline is None:
                found.append(InputError("the face has no landmarks: its regions are unknown"))
            else:
                found.append(explain_analysed(predictor, reading.pixels, face, wanted, method, rules))
        yield reading, found


def explain_table(
    analyzer: Analyzer,
    sources: Sequence[Source],
    target: str,
    out: Path,
    method: str = "occlusion",
    *,
    rules: str = MODERN,
    crops: bool = False,
    every: int = 1,
    resume: bool = False,
    on_found: Callable[[Reading, Sequence[RelevanceMap | InputError]], None] | None = None,
) -> int:
    """Write the table (.csv, .jsonl, .parquet) of all faces; returns how many inputs could not be read.

    Rows are kept beside the output (``<out>.parts``) until it is whole, and `resume` goes on from there, picture by
    picture. Raises InputError for unknown words, another ending, or a run that was begun differently.
    """
    asked(analyzer, target, method, rules)
    kind = format_of(out, option=False)
    identity = {"target": target, "method": method, "rules": rules, "crops": crops, "every": every,
                "weights": analyzer.describe(crops)}  # fmt: skip
    # One line a source: a write that is cut loses the source whole, and never leaves a part of its rows as all of them.
    lines = Lines(out, {**identity, "line": "source"}, resume, "target, weights")
    done = {str(line["source"]) for line in lines.read()}
    todo = [s for s in sources if s.name not in done]
    waiting: list[dict[str, Any]] = []
    for reading, found in explain_many(analyzer, todo, target, method, rules=rules, crops=crops, every=every):
        waiting += rows_of(reading, found)
        if reading.last:
            lines.add([{"source": reading.source, "rows": waiting}])
            waiting = []
        if on_found is not None:
            on_found(reading, found)
    write_table(out, kind, _tables(_rows(lines)), schema(identity))
    unread = sum(str(row["status"]).startswith("unreadable") for row in _rows(lines))
    lines.close()
    return unread


def schema(identity: Mapping[str, Any]) -> pa.Schema:
    """The table's columns; its metadata say which weights and settings made it."""
    whole = {"frame": pa.int64(), "face": pa.int64()}
    kinds = [(name, pa.string() if name in _TEXTS else whole.get(name, pa.float64())) for name in COLUMNS]
    return pa.schema(kinds, metadata={f"omokage.{k}": json.dumps(v) for k, v in identity.items()})


def rows_of(reading: Reading, found: Sequence[RelevanceMap | InputError]) -> list[dict[str, Any]]:
    """A reading with its explanations as table rows; what does not exist is absent."""
    where: dict[str, Any] = {"source": reading.source, "frame": reading.frame}
    if reading.silent:
        return []
    if not reading.faces:
        return [{**where, "status": f"unreadable: {reading.problem}" if reading.problem else "no_face"}]
    rows = []
    for number, one in enumerate(found):
        if isinstance(one, InputError):
            rows.append({**where, "face": number, "status": f"unexplained: {one}"})
        else:
            rows.append({**where, "face": number, "status": "ok", **_row(one)})
    return rows


def _row(found: RelevanceMap) -> dict[str, Any]:
    checks = found.faithfulness
    row: dict[str, Any] = {
        "target": found.target, "method": found.method, "answer": found.answer, "full_answer": found.full_answer,
        "answer_unit": found.answer_unit,
        "score": found.score, "score_unit": found.score_unit, "top": found.top, "top_of_map": found.top_of_map,
        "grade": checks.grade, "flipping": checks.flipping, "flipping_random": float(np.mean(checks.flipping_random)),
        "agreement": checks.agreement, "randomised": checks.randomised, "conservation": checks.conservation,
        "warnings": "; ".join(found.warnings),
    }  # fmt: skip
    for r in found.regions:
        values = (r.effect, r.effect_low, r.effect_high, r.relevance, r.support)
        row |= {column.format(r.name): value for column, value in zip(_PER_REGION, values, strict=True)}
    return {k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}


def _rows(lines: Lines) -> Iterator[dict[str, Any]]:
    return (row for line in lines.read() for row in line["rows"])


def _tables(rows: Iterator[dict[str, Any]]) -> Iterator[pa.Table]:
    while chunk := list(islice(rows, ROWS)):
        yield pa.Table.from_pylist(chunk, schema=schema({}))


__all__ = ["COLUMNS", "explain_many", "explain_table", "rows_of", "schema"]
