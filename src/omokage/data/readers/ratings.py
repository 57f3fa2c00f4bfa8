"""10k US Adult Faces, KDEF and One Million Impressions: what raters say of photographs, and posed expressions.

10k US Adult Faces (Bainbridge, Isola and Oliva, JEP: General 2013): 2,222 of its photographs carry the mean ratings of
many people; for research, on request, not to be passed on. One Million Impressions (Peterson et al., PNAS 2022): 1,004
generated faces with mean ratings; CC BY-NC-SA 4.0. KDEF (Lundqvist, Flykt and Öhman, 1998): 70 people, seven posed
expressions, five angles; research only.

The ratings are impressions of photographs. They say nothing about the persons, agree with common stereotypes, and for
some words (intelligent, trustworthy) have no known validity: never decide anything about a person by them.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from omokage.data.readers.protocol import chosen
from omokage.data.readers.source import Source, locate, table
from omokage.data.records import Record
from omokage.errors import InputError

ADULT_FACES_SOURCE = Source("us_adult_faces", "10k US Adult Faces: on request, research only, no redistribution")
KDEF_SOURCE = Source("kdef", "KDEF: non-commercial research only")
OMI_SOURCE = Source("omi", "One Million Impressions: CC BY-NC-SA 4.0")
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_EXPRESSIONS = {
    "AF": "fear", "AN": "anger", "DI": "disgust", "HA": "happiness", "NE": "neutral", "SA": "sadness",
    "SU": "surprise",
}  # fmt: skip
_ANGLES = {"FL": "full left", "HL": "half left", "S": "straight", "HR": "half right", "FR": "full right"}
_KDEF_NAME = re.compile(r"([AB])([FM])(\d{2})(AF|AN|DI|HA|NE|SA|SU)(FL|HL|S|HR|FR)", re.IGNORECASE)


def read_us_adult_faces(folder: Path, split: str = "all") -> Iterator[Record]:
    """Stream the rated photographs; `split` is one of `protocol.SPLITS` (five folds by picture).

    Layout: the set's own ``psychology-attributes.xlsx`` (its sheet "Final Values"; or that sheet as
    ``psychology-attributes.csv``) with a column ``Filename`` and one of numbers for each rating; the photographs
    anywhere below the folder under their own names. Label: ``ratings``, names in small letters with _. Raises
    InputError or UnreadableError.
    """
    places = ("", "psychology attributes", "Full Attribute Scores/psychology attributes")
    try:
        rows = _sheet(locate(folder, "psychology-attributes.xlsx", places), "Final Values")
    except InputError:
        path = locate(folder, "psychology-attributes.csv", places)
        rows = [row for _, row in table(path, ("Filename",))]
    yield from _rated(folder, rows, "Filename", split, ADULT_FACES_SOURCE)


def read_omi(folder: Path, split: str = "all") -> Iterator[Record]:
    """Stream One Million Impressions; `split` is one of `protocol.SPLITS` (five folds by picture).

    Layout: ``attribute_means.csv`` with a column ``stimulus`` (a number) and one of numbers for each rating; the
    generated pictures anywhere below the folder as ``<stimulus>.jpg`` or ``.png``. Label: ``ratings``. Raises
    InputError or UnreadableError.
    """
    rows = [row for _, row in table(locate(folder, "attribute_means.csv"), ("stimulus",))]
    yield from _rated(folder, rows, "stimulus", split, OMI_SOURCE)


def _rated(folder: Path, rows: list[dict[str, str]], key: str, split: str, source: Source) -> Iterator[Record]:
    pictures = {p.name.lower(): p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png")}
    rows = [row for row in rows if row.get(key)]
    for row, inside in zip(rows, chosen([row[key] for row in rows], split), strict=True):
        name = Path(row[key]).name.lower()
        stem = name if Path(name).suffix else f"{name.split('.')[0]}"
        path = next((pictures[n] for n in (stem, f"{stem}.jpg", f"{stem}.png") if n in pictures), None)
        if path is None:
            raise InputError(f"the ratings name {row[key]}, which is nowhere below {folder}; put the photographs there")
        ratings = {
            rating_name(c): value for c, text in row.items() if c != key and (value := _number(text)) is not None
        }
        if inside and ratings:
            record = f"{source.name}-{name}"
            yield source.record(path, record, record, {"ratings": json.dumps(ratings)})


def rating_name(column: str) -> str:
    """A column's heading as an attribute's name: small letters, digits and _."""
    name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return name if name[:1].isalpha() else f"rating_{name}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def read_kdef(folder: Path, split: str = "all") -> Iterator[Record]:
    """Stream KDEF; `split` is one of `protocol.SPLITS` (five folds by person).

    Layout: ``KDEF/AF01/AF01ANS.JPG``: session, gender, person, expression (AF AN DI HA NE SA SU), angle (FL HL S HR
    FR). Files of other names are passed over: the release has a few misnamed ones. Labels: ``expression``, ``female``,
    group column ``angle``. Raises InputError without any such file.
    """
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg")):
        match = _KDEF_NAME.fullmatch(path.stem)
        if match is not None:
            found.append((path, match))
    if not found:
        raise InputError(f"{folder} holds no pictures named like AF01ANS.JPG; unpack KDEF there")
    people = [f"kdef-{m[2].upper()}{m[3]}" for _, m in found]
    for (path, match), person, inside in zip(found, people, chosen(people, split), strict=True):
        if inside:
            labels = {
                "expression": _EXPRESSIONS[match[4].upper()], "female": float(match[2].upper() == "F"),
                "groups": json.dumps({"angle": _ANGLES[match[5].upper()]}),
            }  # fmt: skip
            yield KDEF_SOURCE.record(path, f"kdef-{path.stem}", person, labels)


def _sheet(path: Path, name: str) -> list[dict[str, str]]:
    """The rows of one sheet of an .xlsx file by the headings of its first row. Raises InputError."""
    try:
        with zipfile.ZipFile(path) as book:
            members = set(book.namelist())
            shared: list[str] = []
            if "xl/sharedStrings.xml" in members:
                root = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
                shared = ["".join(t.text or "" for t in one.iter(f"{_SHEET}t")) for one in root]
            sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{_SHEET}sheet")
            links = {s.get("name"): s.get(_LINK) for s in sheets}
            if name not in links:
                raise InputError(f"{path} has no sheet called {name!r}; it has {', '.join(map(str, links))}")
            targets = {
                r.get("Id"): r.get("Target") for r in ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
            }
            target = str(targets[links[name]]).removeprefix("/").removeprefix("xl/")
            rows = [
                _cells(row, shared) for row in ElementTree.fromstring(book.read(f"xl/{target}")).iter(f"{_SHEET}row")
            ]
    except (OSError, KeyError, zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise InputError(
            f"{path} cannot be read as a spreadsheet ({error}); restore the data set's own file"
        ) from error
    heads = rows[0] if rows else {}
    return [{heads[c]: text for c, text in row.items() if c in heads} for row in rows[1:]]


def _cells(row: ElementTree.Element, shared: list[str]) -> dict[str, str]:
    """The texts of one row by column letters."""
    found: dict[str, str] = {}
    for cell in row.iter(f"{_SHEET}c"):
        value = cell.find(f"{_SHEET}v")
        text = "".join(t.text or "" for t in cell.iter(f"{_SHEET}t")) if value is None else value.text or ""
        column = "".join(ch for ch in cell.get("r", "") if ch.isalpha())
        found[column] = shared[int(text)] if cell.get("t") == "s" and text else text.strip()
    return found
