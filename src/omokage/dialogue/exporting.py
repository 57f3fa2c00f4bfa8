"""Annotations to files: LLaVA conversations, ShareGPT, parquet, JSON lines; and the table in which people check them.

LLaVA: a JSON list of ``{"id", "image", "conversations": [{"from": "human" | "gpt", "value"}]}``, the first question
with ``<image>`` in front. ShareGPT: ``{"id", "images": [...], "messages": [{"role", "content"}]}``, as trainers of
open models read it. Each row names its split and its licence. A picture is named by the hash of its pixels.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from omokage.dialogue.annotate import Annotation, Statement, corrected
from omokage.dialogue.captions import CAPTION_PROMPTS
from omokage.dialogue.conversation import Turn
from omokage.dialogue.facts import Truth
from omokage.dialogue.labelled import examples_of, is_training
from omokage.errors import InputError, PlaceError
from omokage.media.files import whole_file, whole_path
from omokage.media.small_tables import read_small_table

Form = Literal["jsonl", "parquet", "llava", "sharegpt"]
FORMS: tuple[Form, ...] = ("jsonl", "parquet", "llava", "sharegpt")
REVIEW_COLUMNS = (
    "id",
    "statement",
    "text",
    "fact",
    "value",
    "confidence",
    "sources",
    "disputed",
    "verdict",
    "text_new",
)
# What a spreadsheet takes for a formula (OWASP, "CSV injection"); a leading apostrophe makes it text. The apostrophes
# are counted in, so that one that was there before comes back.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_PLAIN = ("id", "status", "reason", "caption", "split", "licence", "width", "height", "face")
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "status", "reason", "caption", "split", "licence")]
    + [("width", pa.int32()), ("height", pa.int32()), ("face", pa.int32())]
    + [("facts", pa.map_(pa.string(), pa.bool_())), ("disputed", pa.list_(pa.string()))]
    + [("questions", pa.list_(pa.struct([("question", pa.string()), ("options", pa.list_(pa.string())),
                                         ("answer", pa.string())])))]
    + [("statements", pa.string())]
)  # fmt: skip


def form_of(out: Path, given: str | None = None) -> Form:
    """The format by its name, else by the ending. Raises InputError."""
    named = given or {".jsonl": "jsonl", ".parquet": "parquet", ".json": "llava"}.get(out.suffix.lower(), "")
    for form in FORMS:
        if form == named:
            return form
    raise InputError(f"{out}: choose a format with --format {' | '.join(FORMS)}, or end the name in .jsonl or .parquet")


def questions_about(annotations: Sequence[Annotation], each: int = 4, seed: int = 0) -> dict[str, list[Turn]]:
    """About `each` closed questions per picture, from facts that are decided and sure; by picture id. Split and wording
    go together as in `labelled`."""
    found: dict[str, list[Turn]] = {}
    for split in sorted({a.split for a in annotations}):
        truths = [Truth(a.id, a.id, a.facts) for a in annotations if a.split == split and a.facts]
        if truths:
            part = split or "train"
            for e in examples_of(truths, part if is_training(part) else "test", each * len(truths), seed):
                found.setdefault(str(e.image), []).append(Turn(e.question, e.answer, e.options))
    return found


def write_annotations(out: Path, form: Form, annotations: Sequence[Annotation], each: int = 4, seed: int = 0) -> None:
    """Write annotations, whole or not at all; pictures without a face only in ``jsonl`` and ``parquet``. Raises
    OutputError."""
    asked = questions_about(annotations, each, seed)
    if form == "parquet":
        table = pa.Table.from_pylist([_table_row(a, asked.get(a.id, [])) for a in annotations], schema=SCHEMA)
        with whole_path(out) as partial:
            pq.write_table(table, partial, compression="zstd")
        return
    with whole_file(out) as stream:
        if form == "jsonl":
            stream.writelines(json.dumps(a.to_dict(), ensure_ascii=False) + "\n" for a in annotations)
            return
        rows = [_llava(a, asked.get(a.id, []), seed + k) for k, a in enumerate(annotations) if a.caption]
        json.dump(rows if form == "llava" else [_sharegpt(row) for row in rows], stream, indent=1, ensure_ascii=False)


def _table_row(annotation: Annotation, turns: Sequence[Turn]) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(annotation, name) for name in _PLAIN}
    row |= {"facts": list(annotation.facts.items()), "disputed": list(annotation.disputed)}
    row["questions"] = [{"question": t.question, "options": list(t.options), "answer": t.answer} for t in turns]
    row["statements"] = json.dumps(annotation.to_dict()["statements"], ensure_ascii=False)
    return row


def _llava(annotation: Annotation, turns: Sequence[Turn], seed: int) -> dict[str, Any]:
    first = Turn(CAPTION_PROMPTS[seed % len(CAPTION_PROMPTS)], annotation.caption)
    said: list[dict[str, str]] = []
    for turn in (first, *turns):
        offered = f"\nAnswer with one of: {', '.join(turn.options)}." if turn.options else ""
        said += [{"from": "human", "value": turn.question + offered}, {"from": "gpt", "value": turn.answer}]
    said[0]["value"] = "<image>\n" + said[0]["value"]
    return {"id": annotation.id, "image": f"{annotation.id}.png", "split": annotation.split,
            "licence": annotation.licence, "conversations": said}  # fmt: skip


def _sharegpt(row: Mapping[str, Any]) -> dict[str, Any]:
    roles = {"human": "user", "gpt": "assistant"}
    messages = [{"role": roles[turn["from"]], "content": turn["value"]} for turn in row["conversations"]]
    return {"id": row["id"], "images": [row["image"]], "split": row["split"], "licence": row["licence"],
            "messages": messages}  # fmt: skip


def read_annotations(path: Path) -> list[Annotation]:
    """Annotations from the ``jsonl`` format. Raises InputError."""
    try:
        with path.open(encoding="utf-8") as file:
            return [Annotation.from_dict(json.loads(line)) for line in file if line.strip()]
    except OSError as error:
        raise InputError(f"the annotations {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} holds no annotations in omokage's jsonl format ({error})") from error


def write_review(out: Path, annotations: Sequence[Annotation]) -> int:
    """The table for people: one row per statement, disputed and unsure ones first; returns how many rows. In `verdict`
    goes accept, reject or wrong (the fact is the other way round), in `text_new` a better sentence. Raises
    OutputError."""
    rows = [
        {
            "id": a.id, "statement": k, "text": s.text, "fact": s.fact, "value": "" if s.value is None else s.value,
            "confidence": s.confidence, "disputed": s.disputed, "verdict": "", "text_new": "",
            "sources": "; ".join(f"{c.source} {c.model}: {c.value} {c.confidence:.2f}" for c in s.claims),
        }
        for a in annotations for k, s in enumerate(a.statements)
    ]  # fmt: skip
    rows.sort(key=lambda r: (not r["disputed"], float(str(r["confidence"]))))
    with whole_file(out) as stream:
        writer = csv.DictWriter(stream, REVIEW_COLUMNS)
        writer.writeheader()
        writer.writerows({name: _as_text(cell) for name, cell in row.items()} for row in rows)
    return len(rows)


def _as_text(cell: Any) -> Any:
    """A cell that no spreadsheet reads as a formula."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _as_said(cell: str) -> str:
    """A cell of `_as_text` as it was."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def check_review(out: Path) -> None:
    """Raises PlaceError when `write_review` would take the place of people's work: of a table with verdicts, or of
    another file."""
    if not out.is_file() or not out.stat().st_size:
        return
    try:
        with out.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, known = list(reader), set(reader.fieldnames or ()) >= set(REVIEW_COLUMNS)
    except (OSError, UnicodeDecodeError, csv.Error):
        known = False
    if not known:
        # A spreadsheet may have saved it with other separators or letters, verdicts and all.
        raise PlaceError(
            f"{out} is no table as --review writes it, and might hold verdicts: name another file, or move it"
        )
    count = sum(bool((row["verdict"] or "").strip() or (row["text_new"] or "").strip()) for row in rows)
    if count:
        raise PlaceError(
            f"{out} holds {count} verdicts, which would be lost: use them with  omokage annotate ANNOTATIONS.jsonl "
            f"--apply {out}, or name another file for --review"
        )


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A row that a person filled in. `value`: what its cell says of the fact; `readable`: whether that is one of True,
    False and nothing, which a spreadsheet may have put into another language."""

    line: int
    id: str
    place: int
    text: str
    fact: str
    value: bool | None
    readable: bool
    word: str
    better: str

    def agrees(self, statement: Statement) -> bool:
        """Whether the row is about this statement: the fact and its value, or the words of a free sentence. What the
        sources left open, the person may have filled in."""
        if self.fact != statement.fact:
            return False
        if not self.fact:
            return self.text.split() == statement.text.split()
        filled_in = statement.value is None and self.value is not None
        return not self.readable or filled_in or self.value == statement.value


def apply_review(
    annotations: Sequence[Annotation], review: Path, person: str, date: str
) -> tuple[list[Annotation], int]:
    """The annotations after a person's verdicts, and how many verdicts there were; rows without one change nothing.
    Where several records have the same pixels, a verdict is for those whose statement is the one in the table.

    Raises InputError for another table or that of another run, an unknown verdict, two verdicts on one statement, or a
    row about no statement of these annotations.
    """
    places: dict[str, list[int]] = {}
    for k, a in enumerate(annotations):
        places.setdefault(a.id, []).append(k)
    held = [list(a.statements) for a in annotations]
    told: dict[tuple[int, int], _Verdict] = {}
    count = 0
    for verdict in _verdicts(review):
        for k in _meant(verdict, annotations, places.get(verdict.id, []), review):
            first = told.setdefault((k, verdict.place), verdict)
            if (first.word, first.better, first.value) != (verdict.word, verdict.better, verdict.value):
                raise InputError(
                    f"{review}, line {verdict.line}: line {first.line} says otherwise of the same statement; keep one"
                )
            # From what the table showed: a second row about the same statement must not turn it back.
            held[k][verdict.place] = _after(verdict, annotations[k].statements[verdict.place], review, person, date)
        count += 1
    return [replace(a, statements=tuple(s)) for a, s in zip(annotations, held, strict=True)], count


def _verdicts(review: Path) -> Iterator[_Verdict]:
    """The rows in which a person wrote something."""
    table = read_small_table(review, "verdicts", ["id", "statement", "text", "fact", "verdict"])
    for line, cells in table.numbered():
        row = {name: _as_said(cell) for name, cell in cells.items()}
        word, better = row["verdict"].lower(), row.get("text_new", "")
        if word or better:
            place = int(row["statement"]) if row["statement"].isdecimal() else -1
            cell = row.get("value", "?").lower()
            value, readable = {"true": True, "false": False}.get(cell), cell in ("true", "false", "")
            yield _Verdict(line, row["id"], place, row["text"], row["fact"], value, readable, word or "accept", better)


def _meant(verdict: _Verdict, annotations: Sequence[Annotation], same: Sequence[int], review: Path) -> list[int]:
    """Those of the records with `same` pixels that a verdict is about. Raises InputError when there is none, or when
    it cannot be told which."""
    there = [k for k in same if 0 <= verdict.place < len(annotations[k].statements)]
    where = f"{review}, line {verdict.line}"
    if not there:
        place = verdict.place if verdict.place >= 0 else "without a number"
        raise InputError(f"{where}: no statement {place} about {verdict.id} is known; apply it to the annotations that "
                         "it was written with")  # fmt: skip
    meant = [k for k in there if verdict.agrees(annotations[k].statements[verdict.place])]
    if not meant:
        known = annotations[there[0]].statements[verdict.place]
        raise InputError(
            f"{where}: statement {verdict.place} about {verdict.id} is {_named(known.fact, known.value, known.text)} "
            f"there and {_named(verdict.fact, verdict.value, verdict.text)} in the table; apply it to the annotations "
            "that it was written with, and leave these columns as they were"
        )
    if len({annotations[k].statements[verdict.place].value for k in meant}) > 1:
        meant = [k for k in meant if annotations[k].statements[verdict.place].text.split() == verdict.text.split()]
    if len({annotations[k].statements[verdict.place].value for k in meant}) != 1:
        raise InputError(
            f"{where}: several records have these pixels and differ in {verdict.fact!r}; write True or False "
            "under value, as the one that is meant has it"
        )
    return meant


def _named(fact: str, value: bool | None, text: str) -> str:
    """A statement in few words, for a refusal."""
    return f"{fact!r}{'' if value is None else f' = {value}'}" if fact else f"the sentence {text!r}"


def _after(verdict: _Verdict, statement: Statement, review: Path, person: str, date: str) -> Statement:
    """A statement as `corrected`. Raises InputError with the line."""
    try:
        return corrected(statement, verdict.word, verdict.better, person, date, verdict.value)
    except ValueError as error:
        raise InputError(f"{review}, line {verdict.line}: {error}") from error
