"""A labels file: read, checked line by line, and compared with the faces table that it is to judge.

What makes a score meaningless is refused (an age that is no number, no file in common); what merely leaves labels out
is said in sentences by `remarks`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omokage.errors import InputError
from omokage.media.small_tables import read_small_table
from omokage.metrics.age_bins import OLDEST, gaps
from omokage.metrics.paths import Parts, candidates, parts_of
from omokage.results import EXPRESSIONS

Label = Mapping[str, str]
Face = Mapping[str, Any]
FIVE = ("leye", "reye", "nose", "lmouth", "rmouth")
EMOTIONS = {"happy": "happiness", "sad": "sadness", "angry": "anger", "surprised": "surprise"} | {
    "fearful": "fear",
    "disgusted": "disgust",
}
YES = {"1", "yes", "true", "1.0", "y", "はい"}
NO = {"0", "no", "false", "0.0", "-1", "n", "いいえ"}
ANGLES = {
    "yaw_deg": ("yaw_right_deg", "yaw_deg", "yaw"),
    "pitch_deg": ("pitch_up_deg", "pitch_deg", "pitch"),
    "roll_deg": ("roll_cw_deg", "roll_deg", "roll"),
}
YES_NO_COLUMNS = ("smile", "smiling", "glasses", "eyeglasses")
_ANGLE_COLUMNS = {name for names in ANGLES.values() for name in names}
_POINT_COLUMNS = {f"{k}{i}" for i in range(68) for k in "xy"} | {f"{n}_{k}" for n in FIVE for k in "xy"}
_BIN = re.compile(r"\d{1,3}-\d{1,3}|\d{1,3}\+")
_WORDS: Mapping[str, tuple[frozenset[str], str]] = {
    "gender": (frozenset({"female", "male"}), "female, male"),
    "emotion": (frozenset({*EXPRESSIONS, *EMOTIONS}), ", ".join(EXPRESSIONS)),
    **{name: (frozenset(YES | NO), "yes, no, 1, 0") for name in YES_NO_COLUMNS},
}
_MEASURED = {"file", "person", "age", "age_bin", "pose_class", *_WORDS, *_ANGLE_COLUMNS, *_POINT_COLUMNS}


def read_labels(path: Path) -> list[dict[str, str]]:
    """The rows of a labels file. Raises InputError when it is missing, empty, not UTF-8 or lacks the column `file`,
    and for a number that is none, with its line."""
    table = read_small_table(path, "labels", ["file"])
    for line, row in table.numbered():
        _check_row(row, path, line)
    return table.rows


def span(text: str) -> tuple[float, float] | None:
    """First and last year (exclusive) of an age bin, ``20-29`` or ``70+``; None for other words and for ``29-20``."""
    if not _BIN.fullmatch(text):
        return None
    low, sign, high = text.partition("-")
    if not sign:
        return float(text[:-1]), OLDEST
    return (float(low), float(high) + 1) if int(low) <= int(high) else None


def rows_of(labels: Sequence[Label], faces: Iterable[Face]) -> list[list[Face] | None]:
    """For each label the table's rows of its file, those without a face included; None where the table has none, or
    several files that it may be (`metrics.paths`): else one person's label would be judged by another person's face.
    """
    by_source: dict[str, list[Face]] = {}
    for face in faces:
        by_source.setdefault(str(face["source"]), []).append(face)
    rows: dict[Parts, list[Face]] = {}
    for source, of in by_source.items():
        rows.setdefault(parts_of(source), []).extend(of)
    files = candidates((row["file"] for row in labels), by_source)
    return [rows[files[row["file"]][0]] if len(files[row["file"]]) == 1 else None for row in labels]


def known_word(column: str, text: str) -> bool:
    """Whether a measure understands this label of a column of words."""
    return text.strip().lower() in _WORDS[column][0]


def remarks(labels: Sequence[Label], faces: Iterable[Face], grouped_by: str | None = None) -> list[str]:
    """Sentences about what the scores leave out or count twice: files that are not in the table, repeated rows, values
    that are not understood, columns that nothing measures, rows without a group.

    Raises InputError when no label names a file of the table.
    """
    listed = list(faces)
    answers = {name for face in listed for name in face}
    return [
        *_matching(labels, listed),
        *_repeated(labels),
        *_not_understood(labels, answers),
        *_one_answer(labels, answers),
        *_bins_with_gaps(labels),
        *_unmeasured(labels, answers, grouped_by),
        *_ungrouped(labels, grouped_by),
    ]


def adapted_kind(column: str, answers: Iterable[str]) -> str:
    """How a faces table with the columns `answers` holds the answer that this label column judges: "yes/no", "number",
    "classes", or empty when there is none."""
    known = set(answers)
    if f"attr_{column}_p" in known:
        return "yes/no"
    if column in known and f"{column}_sigma" in known:
        return "number"
    if column in known and any(n.startswith(f"{column}_") and n.endswith("_p") for n in known):
        return "classes"
    return ""


def is_number(text: str) -> bool:
    """Whether a label is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _check_row(row: Mapping[str, str], path: Path, line: int) -> None:
    """Raises InputError for a number that is none."""
    for column, text in row.items():
        if not text:
            continue
        if column == "age":
            _check_number(text, path, line, column, 0, 120)
        elif column in _ANGLE_COLUMNS:
            _check_number(text, path, line, column, -180, 180)
        elif column == "age_bin" and any(c.isdigit() for c in text) and span(text) is None:
            raise InputError(
                f"{path}, line {line}: age_bin {text!r} is not a span of years such as 20-29 or 70+; correct it "
                "(spreadsheets turn 3-9 into a date: make the column text)"
            )
    _check_points(row, path, line)


def _check_number(text: str, path: Path, line: int, column: str, low: float, high: float) -> None:
    if not is_number(text) or not low <= float(text) <= high:
        raise InputError(f"{path}, line {line}: {column} {text!r} is not a number from {low} to {high}; correct it")


def _check_points(row: Label, path: Path, line: int) -> None:
    """A face's points are there all together or not at all."""
    for needed in ([f"{k}{i}" for i in range(68) for k in "xy"], [f"{n}_{k}" for n in FIVE for k in "xy"]):
        given = any(row.get(n) for n in needed)
        wrong = [n for n in needed if not is_number(row.get(n, ""))] if given else []
        if wrong:
            text = row.get(wrong[0], "")
            raise InputError(
                f"{path}, line {line}: {wrong[0]} {text!r} is not a number of pixels; correct it, or empty all points "
                "of the line"
            )


def _matching(labels: Sequence[Label], faces: Sequence[Face]) -> list[str]:
    sources = list(dict.fromkeys(str(face["source"]) for face in faces))
    files = candidates((row["file"] for row in labels), sources)
    missing = [row["file"] for row in labels if not files[row["file"]]]
    several = [row["file"] for row in labels if len(files[row["file"]]) > 1]
    if len(missing) + len(several) == len(labels):
        example = f", for example {sources[0]!r}" if sources else ""
        raise InputError(
            f"none of the {len(labels)} files of the labels, for example {labels[0]['file']!r}, is for certain in the "
            f"table{example}: files are matched by their full path, else by the longest end of it that one file of the "
            "labels and one of the table have; give the table of these pictures, or write the files as the table does"
        )
    said = []
    if missing:
        said.append(
            f"{len(missing)} of {len(labels)} label rows name files that are not in the table, the first "
            f"{missing[0]!r}: each counts as a face that was not found"
        )
    if several:
        first, second = (str(Path(*parts)) for parts in files[several[0]][:2])
        said.append(
            f"{len(several)} of {len(labels)} label rows name files that may be several of the table, the first "
            f"{several[0]!r} ({first!r} or {second!r}): each counts as a face that was not found; write the folders "
            "that tell them apart"
        )
    return said


def _repeated(labels: Sequence[Label]) -> list[str]:
    """Rows of one file are several faces where points tell them apart; else all of them go to the largest face."""
    seen: set[tuple[str, ...]] = set()
    again: list[str] = []
    for row in labels:
        mark = (row["file"], *(row.get(c, "") for c in ("x67", "y67", "leye_x", "leye_y")))
        if mark in seen:
            again.append(row["file"])
        seen.add(mark)
    if not again:
        return []
    return [
        f"{len(again)} label rows repeat a file without points that tell its faces apart, the first {again[0]!r}: "
        "each counts, and all are compared with the largest face"
    ]


def _not_understood(labels: Sequence[Label], answers: Collection[str]) -> list[str]:
    found = []
    for column in dict.fromkeys(name for row in labels for name in row):
        texts = [row[column] for row in labels if row.get(column, "").strip()]
        kind = "" if column in _MEASURED else adapted_kind(column, answers)
        if column == "age_bin":
            bad, allowed = [t for t in texts if span(t) is None], "spans of years such as 20-29 or 70+"
        elif column in _WORDS:
            bad, allowed = [t for t in texts if not known_word(column, t)], _WORDS[column][1]
        elif kind == "yes/no":
            bad, allowed = [t for t in texts if t.strip().lower() not in YES | NO], "yes, no, 1, 0"
        elif kind == "number":
            bad, allowed = [t for t in texts if not is_number(t)], "numbers"
        else:
            continue
        if bad:
            shown = ", ".join(repr(t) for t in list(dict.fromkeys(bad))[:3])
            found.append(
                f"column {column}: {len(bad)} of {len(texts)} labels are left out, as {shown} is not understood "
                f"(understood: {allowed})"
            )
    return found


def _one_answer(labels: Sequence[Label], answers: Collection[str]) -> list[str]:
    """Yes/no columns in which every label says the same."""
    found = []
    for column in dict.fromkeys(name for row in labels for name in row):
        yes_no = column in YES_NO_COLUMNS or adapted_kind(column, answers) == "yes/no"
        said = [row[column].strip().lower() for row in labels if row.get(column, "").strip().lower() in YES | NO]
        if yes_no and len(said) > 1 and len({text in YES for text in said}) == 1:
            found.append(
                f"column {column}: all {len(said)} labels say {said[0]}; a yes/no answer is only measured where there "
                "are both kinds, so add pictures of the other"
            )
    return found


def _bins_with_gaps(labels: Sequence[Label]) -> list[str]:
    between = gaps(s for row in labels if (s := span(row.get("age_bin", ""))) is not None)
    if not between:
        return []
    years = ", ".join(f"{low:.0f}-{high - 1:.0f}" for low, high in between)
    return [
        f"column age_bin: no bin holds the years {years}: each such gap counts as one bin, however wide it is (the "
        "usual bins, 0-2, 3-9, 10-19 and so on to 70+, are counted whether labels name them or not)"
    ]


def _unmeasured(labels: Sequence[Label], answers: Collection[str], grouped_by: str | None) -> list[str]:
    columns = [
        name
        for name in dict.fromkeys(n for row in labels for n in row)
        if name not in _MEASURED and name != grouped_by and (name == "expression" or not adapted_kind(name, answers))
    ]
    if not columns:
        return []
    hint = " (expressions are labelled in the column emotion)" if "expression" in columns else ""
    return [f"label columns that nothing measures: {', '.join(columns)}{hint}"]


def _ungrouped(labels: Sequence[Label], grouped_by: str | None) -> list[str]:
    empty = 0 if grouped_by is None else sum(row.get(grouped_by) == "" for row in labels)
    if not empty:
        return []
    return [f"{empty} of {len(labels)} label rows leave the column {grouped_by} empty: they are in no group"]
