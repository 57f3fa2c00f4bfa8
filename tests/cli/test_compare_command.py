"""`omokage compare`: exit status, words, card, table and series, with stand-ins for the networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from blue_ages import Reader
from typer.testing import CliRunner

from omokage.cli.main import app
from omokage.errors import InputError, PlaceError
from omokage.pipeline import analyzer as analyzers
from omokage.pipeline import opened
from stand_ins import SquareFinder, SquarePredictor, write_picture


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened_anew: None) -> Path:
    monkeypatch.setattr(opened, "open_comparer", lambda *_: Reader())
    monkeypatch.setattr(analyzers, "open_finder", lambda *_: SquareFinder())
    monkeypatch.setattr(analyzers, "open_predictor", lambda *_: SquarePredictor())
    for k, age in enumerate((20, 40, 60, 2)):
        write_picture(tmp_path / f"{k}.png", [(20 + 10 * k, 30, 50, age)])
    return tmp_path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def test_two_photographs_give_words_and_a_card(folder: Path) -> None:
    done = run(folder / "0.png", folder / "1.png", "--report", folder / "card.html")
    assert done.exit_code == 0, done.output
    assert "apparent age" in done.output
    assert "+20" in done.output
    assert "The light differs" not in done.output
    page = (folder / "card.html").read_text()
    assert page.count("data:image/jpeg") == 3
    assert "0.png → 1.png" in page
    assert str(folder) not in page
    told = run(folder / "0.png", folder / "1.png", "--lang", "ja").output
    assert "見かけの年齢" in told
    assert "れない" in told  # the end of a long cell is folded, not cut off
    row = json.loads(run(folder / "1.png", folder / "0.png", "--json").output)
    assert row["age"] == pytest.approx(-20, abs=1)


def test_an_output_never_takes_the_place_of_an_input(folder: Path) -> None:
    table = folder / "pairs.csv"
    table.write_text("before,after\n0.png,1.png\n")
    for words in (
        (folder / "0.png", folder / "1.png", "--report", folder / "1.png"),
        ("--series", folder, "--report", folder / "0.png"),
        ("--table", table, "--out", table),
    ):
        before = {path: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(PlaceError, match="would overwrite the input"):
            raise run(*words).exception
        assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_two_people_are_declined_with_status_1(folder: Path) -> None:
    done = run(folder / "0.png", folder / "3.png")
    assert done.exit_code == 1
    assert "not sure enough that both show the same person" in done.output
    assert "(needed to compare: 0.50)" in done.output
    assert run(folder / "0.png", folder / "3.png", "--assume-same").exit_code == 0


def test_a_table_and_a_series(folder: Path) -> None:
    (folder / "pairs.csv").write_text("before,after\n0.png,1.png\n1.png,none.png\n")
    done = run("--table", folder / "pairs.csv", "--out", folder / "out.csv")
    assert done.exit_code == 1
    assert "1 ok" in done.output
    assert len((folder / "out.csv").read_text().splitlines()) == 3
    (folder / "3.png").unlink()
    done = run("--series", folder, "--report", folder / "line.html")
    assert done.exit_code == 0, done.output
    assert "+20" in done.output
    assert "ordered by name" in done.output
    text = (folder / "line.html").read_text()
    assert text.count("data:image/jpeg") == 3
    assert 'class="trend"' in text
    assert "ordered by name" in text
    told = json.loads(run("--series", folder, "--json").stdout)
    assert told["factors"]["age"]["values"] == pytest.approx([0, 20, 40], abs=2)
    assert told["factors"]["age"]["trend"]["slope"] == pytest.approx(20, abs=1)
    (folder / "4.png").write_bytes((folder / "1.png").read_bytes())
    done = run("--series", folder, "--report", folder / "line.html", "--lang", "ja")
    assert done.exit_code == 1
    assert "4.png: フォルダー内の別の写真と同じ画像です" in done.output
    assert "フォルダー内の別の写真と同じ画像です" in (folder / "line.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "give two photographs"),
        (["a.png"], "give two photographs"),
        (["a.png", "b.png", "--series", "c"], "give two photographs"),
        (["--table", "x.csv"], "belong together"),
        (["a.png", "b.png", "--lang", "xx"], "no texts in the language"),
        (["a.png", "b.png", "--resume"], "--resume belongs to --table"),
        (["--table", "x.csv", "--out", "y.csv", "--json"], "do not go with --table"),
        (["--series", "no-such-folder"], "is not a folder"),
    ],
)
def test_options_that_make_no_sense_are_one_sentence(arguments: list[str], sentence: str) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, InputError)
    assert sentence in str(done.exception)


def test_photographs_of_one_name_are_told_apart_on_the_timeline(folder: Path) -> None:
    (folder / "3.png").unlink()
    (folder / "later").mkdir()
    (folder / "2.png").rename(folder / "later" / "1.png")
    done = run("--series", folder, "--report", folder / "line.html")
    assert done.exit_code == 0, done.output
    text = (folder / "line.html").read_text()
    assert f"{folder.name}/1.png</figcaption>" in text
    assert "later/1.png</figcaption>" in text
