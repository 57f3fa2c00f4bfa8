"""Rated photographs and posed expressions, read from tiny sets in the published layouts."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from face_sets import photo

from omokage.data.datasets import read_dataset
from omokage.data.readers.ratings import rating_name
from omokage.errors import InputError

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


def test_ratings_of_adult_faces_come_from_the_sheet_of_final_values(tmp_path: Path) -> None:
    workbook(tmp_path / "Full Attribute Scores" / "psychology attributes" / "psychology-attributes.xlsx")
    for name in NAMES:
        photo(tmp_path / "Face Images" / name)
    found = list(read_dataset("us_adult_faces", tmp_path, "all"))
    assert len(found) == 3
    assert json.loads(found[1].labels["ratings"]) == {"image": 1.0, "attractive": 5.5, "emotionally_stable": 2.0}
    assert "redistribution" in found[0].provenance
    sides = [len(list(read_dataset("us_adult_faces", tmp_path, f"{side}-1"))) for side in ("train", "test")]
    assert sum(sides) == 3


def test_the_same_sheet_as_csv_and_a_missing_picture(tmp_path: Path) -> None:
    lines = [",".join(HEADS), f"0,{NAMES[0]},5,4"]
    (tmp_path / "psychology-attributes.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="nowhere below"):
        list(read_dataset("us_adult_faces", tmp_path, "all"))
    photo(tmp_path / NAMES[0])
    (only,) = read_dataset("us_adult_faces", tmp_path, "all")
    assert json.loads(only.labels["ratings"])["attractive"] == 5.0


def test_a_sheet_that_is_not_there_is_named(tmp_path: Path) -> None:
    workbook(tmp_path / "psychology-attributes.xlsx", "Other")
    with pytest.raises(InputError, match=r"psychology-attributes\.csv"):
        list(read_dataset("us_adult_faces", tmp_path, "all"))


def test_impressions_of_generated_faces(tmp_path: Path) -> None:
    (tmp_path / "attribute_means.csv").write_text("stimulus,happy,well-groomed\n1,56.5,40\n2,30,20.25\n")
    for k in (1, 2):
        photo(tmp_path / "images" / f"{k}.jpg")
    found = list(read_dataset("omi", tmp_path, "all"))
    assert [json.loads(r.labels["ratings"])["well_groomed"] for r in found] == [40.0, 20.25]
    assert "NC" in found[0].provenance


def test_posed_expressions_by_file_name_and_both_sessions_are_one_person(tmp_path: Path) -> None:
    for name in ("AF01ANS", "BF01HAFL", "AM02SUHR", "AM31H"):
        photo(tmp_path / "KDEF" / name[:4] / f"{name}.JPG")
    found = {r.id: r for r in read_dataset("kdef", tmp_path, "all")}
    assert len(found) == 3
    first = found["kdef-AF01ANS"]
    assert (first.labels["expression"], first.labels["female"]) == ("anger", 1.0)
    assert first.person == found["kdef-BF01HAFL"].person != found["kdef-AM02SUHR"].person
    assert json.loads(found["kdef-BF01HAFL"].labels["groups"]) == {"angle": "full left"}
    with pytest.raises(InputError, match="unpack KDEF"):
        list(read_dataset("kdef", tmp_path / "KDEF" / "AM31", "all"))


def test_headings_become_names_that_weights_can_carry() -> None:
    assert rating_name("Emotionally Unstable") == "emotionally_unstable"
    assert rating_name("2nd look") == "rating_2nd_look"
