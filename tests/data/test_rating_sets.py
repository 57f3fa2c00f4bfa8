"""Rated photographs and posed expressions, read from tiny sets in the published layouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from face_sets import photo
from rating_sets import HEADS, NAMES, kdef, omi, us_adult_faces, workbook

from omokage.data.datasets import read_dataset
from omokage.data.readers.ratings import rating_name
from omokage.errors import InputError


def test_ratings_of_adult_faces_come_from_the_sheet_of_final_values(tmp_path: Path) -> None:
    us_adult_faces(tmp_path)
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
    omi(tmp_path)
    found = list(read_dataset("omi", tmp_path, "all"))
    assert [json.loads(r.labels["ratings"])["well_groomed"] for r in found] == [40.0, 20.25]
    assert "NC" in found[0].provenance


def test_posed_expressions_by_file_name_and_both_sessions_are_one_person(tmp_path: Path) -> None:
    kdef(tmp_path)
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
