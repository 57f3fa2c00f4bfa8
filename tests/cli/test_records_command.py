"""`omokage records`: labelled photographs become training records."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from omokage.cli import main
from omokage.data.records import read_records
from omokage.pipeline import analyzer
from stand_ins import SquareFinder, SquarePredictor, write_picture


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A tiny set, and the stand-in models for the command."""
    monkeypatch.setattr(analyzer, "open_finder", lambda *_: SquareFinder())
    monkeypatch.setattr(analyzer, "open_predictor", lambda *_: SquarePredictor())
    monkeypatch.chdir(tmp_path)
    write_picture(tmp_path / "one.png", [(40, 30, 60, 20)])
    write_picture(tmp_path / "none.png")
    (tmp_path / "labels.csv").write_text(
        "file,age_bin,gender,race\none.png,10-19,male,Indian\nnone.png,30-39,male,White\n"
    )
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["omokage", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main.run()
    return int(left.value.code or 0)


def test_records_are_written_and_the_rest_is_named(
    part: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "records", "fairface_part", part, "--out", "out") == 0
    said = capsys.readouterr().err
    assert "1 records: out. Terms: CC BY 4.0" in said
    assert "left out, no face found: 1 (fairface-none.png, ...)" in said
    (record,) = read_records(part / "out")
    assert "outline" in record.labels
    assert "age" not in record.labels
    assert call(monkeypatch, "records", "fairface_part", part, "--out", "filled", "--fill") == 0
    (record,) = read_records(part / "filled")
    assert record.labels["age_low"] <= record.labels["age"] <= record.labels["age_high"]
    assert json.loads(record.provenance)["filled_in_by"] == SquarePredictor.name


def test_an_unknown_set_is_named(
    part: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "records", "faceset", part, "--out", "out") == 2
    assert "no reader for a data set called 'faceset'" in capsys.readouterr().err
