"""The user's own pictures with a `labels.csv`.

One row a picture, one face each. Columns: `file` (relative to the folder); then any of

| column | values |
|---|---|
| person | who it is, for splits; without it each picture counts as its own person |
| split | train, val or test, however large the letters; without it every row is in `all` only |
| age, age_std | years |
| age_low, age_high, or age_bin | years, when only a bin is known (high excluded; `20-29`, `70+`) |
| gender | male or female (perceived), or `female` as a share 0..1 |
| expression, or emotion | one of the seven names, or happy, sad, angry, surprised, fearful, disgusted |
| box_x0, box_y0, box_x1, box_y1 | pixels: brows to chin, ear to ear |
| yaw, pitch, roll (also with `_deg`) | degrees; a record has all three or none |
| x0, y0, .. x67, y67 | the 68 landmarks in pixels, counted by their middles as `analyze` writes them |
| leye_x, leye_y, reye_.., nose_.., lmouth_.., rmouth_.. | five points in the same pixels, the image's left one first |
| attr_<name>, or the bare name | 0 or 1 (-1 stands for 0), no or yes, for every attribute the record format knows |
| group_<anything>, pose_class | kept as text for audits |

`smile` and `glasses` stand for `smiling` and `eyeglasses`: the columns and words that ``omokage evaluate`` measures
(see `metrics.labels`) can be read here too, but for the names of adapted answers. An empty cell is an unknown label.
Any other column or word is refused, and so are two columns with one meaning, and a pose, a box or points of which some
numbers are empty: no label is lost in silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from omokage.data.readers.fairface import age_bin
from omokage.data.readers.source import Source, female, locate, number
from omokage.data.records import LABELS, Record
from omokage.errors import InputError
from omokage.media.small_tables import read_small_table
from omokage.metrics.labels import EMOTIONS, FIVE, NO, YES
from omokage.results import EXPRESSIONS, PIXEL_MIDDLE

SPLITS = ("all", "train", "val", "test")
SOURCE = Source("folder", "the user's own")
_YES = dict.fromkeys(YES, 1.0) | dict.fromkeys(NO, 0.0)
_BOX = ("box_x0", "box_y0", "box_x1", "box_y1")
_POSE = ("yaw", "pitch", "roll")
_AGES = ("age", "age_std", "age_low", "age_high")
_POINTS = tuple(f"{axis}{k}" for k in range(68) for axis in "xy")
_FIVE = tuple(f"{name}_{axis}" for name in FIVE for axis in "xy")
_PLACES = {"pose": _POSE, "box": _BOX, "landmarks": _POINTS, "points": _FIVE}
_OTHER = {"file", "person", "split", "gender", "female", "expression", "age_bin", *_AGES} | {
    column for columns in _PLACES.values() for column in columns
}
_ALIASES = {
    "emotion": "expression", "smile": "smiling", "glasses": "eyeglasses", "yaw_deg": "yaw", "pitch_deg": "pitch",
    "roll_deg": "roll", "yaw_right_deg": "yaw", "pitch_up_deg": "pitch", "roll_cw_deg": "roll",
    "pose_class": "group_pose_class",
}  # fmt: skip


def read_folder(folder: Path, split: str = "all", labels: str = "labels.csv") -> Iterator[Record]:
    """Stream the pictures that ``labels.csv`` names, one split of `SPLITS`. Raises InputError or UnreadableError."""
    path = locate(folder, labels)
    table = read_small_table(path, "labels", ["file"])
    _check_columns([column for column in table.header if column], path)
    for line, given in table.numbered():
        row = {_ALIASES.get(column, column): text for column, text in given.items()}
        own = _split(row, path, line)
        if split not in ("all", own):
            continue
        person = row.get("person") or row["file"]
        yield SOURCE.record(folder / row["file"], row["file"], person, row_labels(row, path, line))


def _check_columns(header: Sequence[str], path: Path) -> None:
    """Raises InputError for a column that is unknown, or that says what another one says."""
    seen: dict[str, str] = {}
    for given in header:
        column = _ALIASES.get(given, given)
        if not (column in _OTHER or column.startswith("group_") or _attribute(column) in LABELS):
            raise InputError(f"{path}: the column {column!r} is unknown; call it group_{column} to keep it for audits")
        meant = "female" if column == "gender" else column if column in _OTHER else _attribute(column)
        if (other := seen.setdefault(meant, given)) != given:
            raise InputError(f"{path}: the columns {other!r} and {given!r} mean the same; keep one of them")


def _split(row: Mapping[str, str], path: Path, line: int) -> str:
    """The split of a row, empty where it has none. Raises InputError for other words: the row would be in no split."""
    word = row.get("split", "").lower()
    if word and word not in SPLITS:
        raise InputError(f"{path}, line {line}: split {row['split']!r} is none of {', '.join(SPLITS[1:])}; correct it")
    return word


def row_labels(row: Mapping[str, str], path: Path, line: int) -> dict[str, object]:
    """The labels of one row in the record format; empty cells are left out. Raises InputError."""
    given = {column: text for column, text in row.items() if text}
    labels: dict[str, object] = {c: number(given[c], path, line, c) for c in _AGES if c in given}
    if "age_bin" in given:
        if other := labels.keys() & {"age_low", "age_high"}:
            raise InputError(f"{path}, line {line}: age_bin and {min(other)} both give a bin; empty one of them")
        labels["age_low"], labels["age_high"] = _bin(given["age_bin"], path, line)
    if "female" in given:
        labels["female"] = number(given["female"], path, line, "female", 0.0, 1.0)
    elif "gender" in given:
        labels["female"] = female(given["gender"], path, line)
    if "expression" in given:
        word = given["expression"].lower()
        labels["expression"] = EMOTIONS.get(word, word)
        if labels["expression"] not in EXPRESSIONS:
            raise InputError(
                f"{path}, line {line}: expression {given['expression']!r} is none of {', '.join(EXPRESSIONS)}"
            )
    for name, columns in _PLACES.items():
        labels |= _place(name, columns, given, path, line)
    for column, text in given.items():
        if column not in _OTHER and not column.startswith("group_"):
            labels[_attribute(column)] = _yes_no(text, path, line, column)
    groups = {column.removeprefix("group_"): text for column, text in given.items() if column.startswith("group_")}
    if groups:
        labels["groups"] = json.dumps(groups, ensure_ascii=False)
    return labels


def _place(
    name: str, columns: Sequence[str], given: Mapping[str, str], path: Path, line: int
) -> dict[str, list[float]]:
    """A pose, a box or points by the label's name, or nothing where all cells are empty. Raises InputError where some
    are."""
    empty = [c for c in columns if c not in given]
    if len(empty) == len(columns):
        return {}
    if empty:
        raise InputError(
            f"{path}, line {line}: {empty[0]} is missing where other numbers of the {name} are given; add it, or empty "
            "them all"
        )
    limit = 180.0 if name == "pose" else 1e6
    corner = PIXEL_MIDDLE if name in ("landmarks", "points") else 0.0  # records measure from the picture's corner
    return {name: [number(given[c], path, line, c, -limit, limit) + corner for c in columns]}


def _bin(text: str, path: Path, line: int) -> tuple[float, float]:
    try:
        return age_bin(text)
    except ValueError as error:
        raise InputError(f"{path}, line {line}: {error}; write 20-29 or 70+") from error


def _attribute(column: str) -> str:
    return column if column.startswith("attr_") else f"attr_{column}"


def _yes_no(text: str, path: Path, line: int, column: str) -> float:
    if text.lower() in _YES:
        return _YES[text.lower()]
    return number(text, path, line, column, 0.0, 1.0)
