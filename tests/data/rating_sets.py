"""Tiny sets of rated photographs and posed expressions in the published layouts."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from face_sets import photo

NAMES = [f"Google_1_Ann Example_{k}_oval.jpg" for k in range(3)]
HEADS = ("Image #", "Filename", "attractive", "Emotionally Stable")
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def workbook(path: Path, sheet: str = "Final Values") -> None:
    """A spreadsheet of two sheets; texts are shared, as spreadsheet programs write them."""
    rows = [HEADS, *((str(k), name, str(4.5 + k), str(3 - k)) for k, name in enumerate(NAMES))]
    shared = sorted({*HEADS, *NAMES})
    body = ""
    for number, row in enumerate(rows, 1):
        cells = ""
        for letter, text in zip("ABCD", row, strict=True):
            is_text = text in shared
            value = str(shared.index(text)) if is_text else text
            cells += f'<c r="{letter}{number}"{" t=" + chr(34) + "s" + chr(34) if is_text else ""}><v>{value}</v></c>'
        body += f'<row r="{number}">{cells}</row>'
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as book:
        strings = "".join(f"<si><t>{text}</t></si>" for text in shared)
        book.writestr("xl/sharedStrings.xml", f"{XML}<sst {MAIN}>{strings}</sst>")
        sheets = f'<sheet name="Raw" sheetId="1" r:id="rId1"/><sheet name="{sheet}" sheetId="2" r:id="rId2"/>'
        book.writestr("xl/workbook.xml", f"{XML}<workbook {MAIN} {RELATIONS}><sheets>{sheets}</sheets></workbook>")
        links = "".join(f'<Relationship Id="rId{k}" Target="worksheets/sheet{k}.xml"/>' for k in (1, 2))
        book.writestr("xl/_rels/workbook.xml.rels", f"{XML}<Relationships>{links}</Relationships>")
        book.writestr("xl/worksheets/sheet1.xml", f"{XML}<worksheet {MAIN}><sheetData/></worksheet>")
        book.writestr("xl/worksheets/sheet2.xml", f"{XML}<worksheet {MAIN}><sheetData>{body}</sheetData></worksheet>")


def us_adult_faces(root: Path) -> None:
    workbook(root / "Full Attribute Scores" / "psychology attributes" / "psychology-attributes.xlsx")
    for name in NAMES:
        photo(root / "Face Images" / name)


def omi(root: Path) -> None:
    (root / "attribute_means.csv").write_text("stimulus,happy,well-groomed\n1,56.5,40\n2,30,20.25\n")
    for k in (1, 2):
        photo(root / "images" / f"{k}.jpg")


def kdef(root: Path) -> None:
    for name in ("AF01ANS", "BF01HAFL", "AM02SUHR", "AM31H"):
        photo(root / "KDEF" / name[:4] / f"{name}.JPG")


MAKERS: dict[str, Callable[[Path], None]] = {"us_adult_faces": us_adult_faces, "omi": omi, "kdef": kdef}
