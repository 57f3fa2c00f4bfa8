"""The same questions about many pictures: one row per picture and question, resumable, in bounded memory.

Columns: `source`, `question`, `status`, `answer`, `probability`, `options` and `probabilities` (JSON), `fields` (JSON
of an open answer), `specialist`, `agreement`, `needs_review`, `reason`, `face`, `model`. A picture without a face, with
several, or that cannot be read is a row that says so. Each question stands for itself: earlier answers are no context
here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from omokage.dialogue.answers import Answer, checked_question
from omokage.dialogue.conversation import DialogueModel
from omokage.dialogue.reply import RULES, Rules
from omokage.dialogue.sayings import saying
from omokage.errors import InputError
from omokage.language import check_language
from omokage.media.lines import Lines
from omokage.media.outputs import check_apart
from omokage.media.sinks import format_of, write_table
from omokage.media.sources import Source
from omokage.media.table import Reading
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.dialogue import Look, answer_of, look_of

_TEXT = ("source", "question", "status", "answer", "options", "probabilities", "fields", "agreement", "needs_review",
         "reason", "model")  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in _TEXT]
    + [("probability", pa.float64()), ("specialist", pa.float64()), ("face", pa.int32())]
)
KEPT_EVERY = 8  # pictures


def ask_table(
    analyzer: Analyzer, model: DialogueModel, sources: Sequence[Source], questions: Sequence[str], out: Path, *,
    options: Sequence[str] = (), face: int | None = None, crops: bool = False, resume: bool = False,
    rules: Rules = RULES, lang: str = "en", progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:  # fmt: skip
    """Write the answers about all pictures; returns how many have each status.

    Work done is kept beside the output (``<out>.parts``) until it is whole; `resume` goes on from there. Raises
    InputError for questions or outputs that cannot be, and when the work was begun with others.
    """
    check_language(lang)
    asked = list(dict.fromkeys(checked_question(q, options) for q in questions))
    kind = format_of(out, option=False)
    if kind == "openface":
        raise InputError("OpenFace's columns hold no answers: write parquet, csv or jsonl")
    identity = {"questions": list(questions), "options": list(options), "model": model.id, "face": face,
                "crops": crops, "weights": analyzer.describe(crops), "lang": lang}  # fmt: skip
    check_apart({"--out": out}, (source.path for source in sources))
    lines = Lines(out, identity, resume)
    # By picture and question: a kill may have cut a picture's rows in two, which are then asked for once more.
    rows = {(row["source"], row["question"]): row for row in lines.read()}
    done = {source for source, _ in rows if all((source, q) in rows for q, _ in asked)}
    todo = [s for s in sources if s.name not in done and not s.video]
    waiting: list[dict[str, Any]] = []
    for count, reading in enumerate(analyzer.analyze_many(todo, crops=crops, keep_pixels=True) if todo else (), 1):
        look = _look(reading, model, face, lang)
        waiting += [row_of(answer_of(look, q, o, model, (), rules, lang)) for q, o in asked]
        if count % KEPT_EVERY == 0 or count == len(todo):
            lines.add(waiting)
            waiting = []
        if progress:
            progress(len(done) + count, len(done) + len(todo))
    lines.add(waiting)
    rows |= {(row["source"], row["question"]): row for row in lines.read()}
    write_table(out, kind, _tables(list(rows.values()), model, identity), SCHEMA)
    lines.close()
    counts: dict[str, int] = {}
    for row in rows.values():
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    return counts


def _look(reading: Reading, model: DialogueModel, face: int | None, lang: str) -> Look:
    """The face that is meant, or that this picture has none of that number."""
    if face is not None and 0 < len(reading.faces) <= face:
        return Look(reading.source, "no_face", saying("no_such_face", lang, face=face, count=len(reading.faces)))
    return look_of(reading, model, face if reading.faces else None, lang)


def row_of(answer: Answer) -> dict[str, Any]:
    """An answer as a table row; what there is not is None."""
    told = answer.to_dict()
    row: dict[str, Any] = {name: told.get(name) or None for name in SCHEMA.names}
    row |= {"source": answer.source, "status": answer.status, "probability": answer.probability, "face": answer.face}
    for name in ("options", "probabilities", "fields"):
        row[name] = json.dumps(told[name], ensure_ascii=False) if told[name] else None
    row["specialist"] = answer.specialist
    return row


def _tables(rows: Sequence[dict[str, Any]], model: DialogueModel, identity: dict[str, Any]) -> Iterator[pa.Table]:
    metadata = {"omokage.model": model.id, "omokage.options": json.dumps(identity)}
    yield pa.Table.from_pylist(list(rows), schema=SCHEMA.with_metadata(metadata))
