"""In a pipe nothing is cut to a width: whole paths can be searched for and copied."""

from __future__ import annotations

import pytest
from in_process import command
from rich.table import Table

from omokage.cli.console import console, say, title
from omokage.cli.show import print_readings
from omokage.media.controls import plain
from omokage.media.table import Reading

LONG = "a folder [with] brackets/" * 8 + "picture.jpg"


@pytest.fixture(autouse=True)
def _pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def test_messages_cells_and_titles_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    place = console()
    table = Table(title=title(place, LONG))
    table.add_column("x", overflow="fold")
    table.add_row("y")
    place.print(table)
    wide = Table()
    wide.add_column("x", overflow="fold")
    wide.add_row(LONG)
    place.print(wide)
    say(place, LONG)
    assert capsys.readouterr().out.count(LONG) == 3


def test_control_characters_of_names_are_spelt_out(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\x1b[2J\x9b\x07\u202e.png"
    assert plain(name) == r"a\x1b[2J\x9b\x07\u202e.png"
    assert plain("面影 é 🧑\u200d🦰.png") == "面影 é 🧑\u200d🦰.png"
    assert plain("two\nlines") == r"two\nlines"
    say(console(), f"{name}: unreadable\nsecond line")
    assert capsys.readouterr().out == f"{plain(name)}: unreadable\nsecond line\n"
    assert str(title(console(), name)) == plain(name)


def test_a_width_that_was_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    assert console().width == 90


def test_problems_stand_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_readings([Reading(source=LONG, problem="no such file")], "en")
    assert f"{LONG}: unreadable: no such file" in capsys.readouterr().out


def test_names_of_models_can_be_copied(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from omokage.weights.registry import cards

    run = command(monkeypatch, capsys)
    for width in ("", "80"):
        if width:
            monkeypatch.setenv("COLUMNS", width)
        shown = run("models", "list").out
        assert all(card.id in shown for card in cards())
    names = sorted(c.id.partition("@")[0] for c in cards() if c.id.startswith("synthetic/"))
    refused = run("models", "card", "synthetic")
    assert refused.code == 2
    assert f"'synthetic' is not SET/MODEL: the set synthetic has {', '.join(names)}" in refused.err
    assert "see  omokage models list" in run("models", "card", "nothing").err
