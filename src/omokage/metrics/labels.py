"""A labels file: read, checked line by line, and compared with the faces table that it is to judge.

What makes a score meaningless is refused (an age that is no number, no file in common); what merely leaves labels out
is said in sentences by `remarks`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omokage.errors import InputError
from omokage.media.small_tables import read_small_table
from omokage.results import EXPRESSIONS

Label = Mapping[str, str]
Face = Mapping[str, Any]
FIVE = ("leye", "reye", "nose", "lmouth", "rmouth")
EMOTIONS = {"happy": "happiness", "sad": "sadness", "angry": "anger", "surprised": "surprise"} | {
    "fearful": "fear",
    "disgusted": "disgust",
}
YES = {"1", "yes", "true", "1.0"}
NO = {"0", "no", "false", "0.0", "-1"}
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
    """First and last year (exclusive) of an age bin, ``20-29`` or ``70+``; None for other words."""
    if not _BIN.fullmatch(text):
        return None
    low, sign, high = text.partition("-")
    return (float(low), float(high) + 1) if sign else (float(text[:-1]), 200.0)


def names(path: str) -> tuple[str, str]:
    """What a file is matched by: its folder and name, else its name."""
    parts = Path(path).parts
    return "/".join(parts[-2:]), parts[-1] if parts else ""


def rows_of(
    labels: Sequence[Label], faces: Iterable[Face], among: Sequence[Label] | None = None
) -> list[list[Face] | None]:
    """For each label the table's rows of its file, those without a face included; None where the table has none.
    `among`: the whole labels, where `labels` are a group of them.

    A file is known by its folder and name. Its name alone serves only where no row has both and where one file of the
    labels and one of the table bear it: else one person's label would be judged by another person's face.
    """
    rows: dict[str, list[Face]] = {}
    sources: dict[str, set[str]] = {}
    for face in faces:
        whole, name = names(str(face["source"]))
        rows.setdefault(whole, []).append(face)
        sources.setdefault(name, set()).add(whole)
    files: dict[str, set[str]] = {}
    for label in labels if among is None else among:
        whole, name = names(label["file"])
        files.setdefault(name, set()).add(whole)
    found: list[list[Face] | None] = []
    for label in labels:
        whole, name = names(label["file"])
        alone = len(sources.get(name, ())) == 1 == len(files[name])
        found.append(rows[next(iter(sources[name]))] if whole not in rows and alone else rows.get(whole))
    return found


def known_word(column: str, text: str) -> bool:
    """Whether a measure understands this label of a column of words."""
    return text.strip().lower() in _WORDS[column][0]


def remarks(labels: Sequence[Label], faces: Iterable[Face], grouped_by: str | None = None) -> list[str]:
    """Sentences about what the scores leave out or count twice: files that are not in the table, repeated rows, values
    that are not understood, columns that nothing measures.

    Raises InputError when no label names a file of the table.
    """
    listed = list(faces)
    return [
        *_matching(labels, listed),
        *_repeated(labels),
        *_not_understood(labels, listed),
        *_unmeasured(labels, listed, grouped_by),
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
    for first, needed in (
        ("x67", [f"{k}{i}" for i in range(68) for k in "xy"]),
        ("leye_x", [f"{n}_{k}" for n in FIVE for k in "xy"]),
    ):
        wrong = [n for n in needed if not is_number(row.get(n, ""))] if row.get(first) else []
        if wrong:
            text = row.get(wrong[0], "")
            raise InputError(
                f"{path}, line {line}: {wrong[0]} {text!r} is not a number of pixels; correct it, or empty all points "
                "of the line"
            )


def _matching(labels: Sequence[Label], faces: Sequence[Face]) -> list[str]:
    missing = [row["file"] for row, found in zip(labels, rows_of(labels, faces), strict=True) if found is None]
    if len(missing) == len(labels):
        example = f", for example {str(faces[0]['source'])!r}" if faces else ""
        raise InputError(
            f"none of the {len(labels)} files of the labels, for example {missing[0]!r}, is in the table{example}: "
            "files are matched by their folder and name, else by their name alone where only one file of each bears "
            "it; give the table of these pictures, or write the files as the table does"
        )
    if not missing:
        return []
    return [
        f"{len(missing)} of {len(labels)} label rows name files that are not in the table, the first {missing[0]!r}: "
        "each counts as a face that was not found"
    ]


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


def _not_understood(labels: Sequence[Label], faces: Sequence[Face]) -> list[str]:
    found = []
    answers = {name for face in faces for name in face}
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


def _unmeasured(labels: Sequence[Label], faces: Sequence[Face], grouped_by: str | None) -> list[str]:
    answers = {name for face in faces for name in face}
    columns = [
        name
        for name in dict.fromkeys(n for row in labels for n in row)
        if name not in _MEASURED and name != grouped_by and (name == "expression" or not adapted_kind(name, answers))
    ]
    if not columns:
        return []
    hint = " (expressions are labelled in the column emotion)" if "expression" in columns else ""
    return [f"label columns that nothing measures: {', '.join(columns)}{hint}"]
