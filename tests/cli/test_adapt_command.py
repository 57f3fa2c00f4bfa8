"""`omokage adapt` as a user types it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from in_process import Command, command

from omokage.weights import registry
from small_weights import small_weights, write_faces

omokage = pytest.fixture(command)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `base` (weights), `faces` and `labels.csv`."""
    small_weights(tmp_path / "base")
    shown = write_faces(tmp_path / "faces", 40)
    rows = [f"{k}.png,{int(v > 0)},{'ab'[k % 2]}," for k, v in enumerate(shown)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,bright,group_site,note", *rows, "gone.png,1,a,"]) + "\n")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMON = ("--crops", "--weights", "base", "--device", "cpu", "--out", "mine")


def test_a_table_a_choice_and_weights_that_the_other_commands_take(place: Path, omokage: Command) -> None:
    done = omokage("adapt", "labels.csv", "--images", "faces", "--sizes", "20", "--tune", "none", *COMMON)
    assert done.code == 0, done.err
    for words in ("bright (nominal, 40 pictures of 40 people)", "a constant answer", "linear, on landmarks", "kept:",
                  "group site a:", "left out: gone.png", "weights: mine",
                  "passed over: the column note, in which no cell is filled in"):  # fmt: skip
        assert words in done.out
    assert registry.read_card("mine", "attributes").schema[-1]["name"] == "bright"
    done = omokage("analyze", "faces/3.png", "faces/4.png", "--crops", "--weights", "mine", "--out", "t.csv")
    assert done.code == 0, done.err
    assert "attr_bright_p" in (place / "t.csv").read_text().splitlines()[0]
    labels = (place / "labels.csv").read_text().splitlines()
    (place / "some.csv").write_text("\n".join([labels[0], *labels[4:6]]) + "\n")
    done = omokage("evaluate", "t.csv", "some.csv")
    assert done.code == 0, done.err
    done = omokage("explain", "faces/3.png", "--target", "bright", "--crops", "--weights", "mine", "--device", "cpu")
    assert done.code == 0, done.err
    assert "bright" in done.out


def test_what_cannot_be_done_is_one_sentence(place: Path, omokage: Command) -> None:
    assert "either LABELS.csv" in omokage("adapt", *COMMON).err
    assert "no labels called" in omokage("adapt", "labels.csv", "--label", "x", *COMMON).err
    (place / "odd.csv").write_text("before,after,kg\n" + "x" * 200 + '\n"a,b,1\n')
    assert "line 3: a quote is not closed" in omokage("adapt", "odd.csv", *COMMON).err
    (place / "odd.csv").write_text("before,after,kg\n" + "x" * 200_000 + "\n")
    assert "odd.csv" in omokage("adapt", "odd.csv", *COMMON).err
    assert "--sizes" in omokage("adapt", "labels.csv", "--sizes", "ten", *COMMON).err
    done = omokage("adapt", "labels.csv", "--images", "nowhere", *COMMON)
    assert (done.code, done.out) == (2, "")
    assert "none of the 41 pictures" in done.err
    assert "--images" in done.err
    done = omokage("adapt", "labels.csv", "--images", "faces", "--skip", "nosuchcolumn", *COMMON)
    assert (done.code, "no column called 'nosuchcolumn'" in done.err) == (2, True)
    (place / "full").mkdir()
    (place / "full" / "x").write_text("")
    assert omokage("adapt", "labels.csv", "--images", "faces", *COMMON[:-1], "full").code == 2
    assert not (place / "mine").exists()


def test_an_option_that_would_do_nothing_is_refused(place: Path, omokage: Command) -> None:
    (place / "pairs.csv").write_text("before,after,person,kg\n0.png,1.png,a,2\n")
    done = omokage("adapt", "pairs.csv", "--images", "faces", "--private", "3", *COMMON)
    assert (done.code, done.out) == (2, "")
    assert "--private does nothing with a table of pairs" in done.err
    (place / "spaced.csv").write_text("before, after, person, kg\n0.png,1.png,a,2\n")
    assert "a table of pairs" in omokage("adapt", "spaced.csv", "--images", "faces", "--private", "3", *COMMON).err
    assert "--label does nothing" in omokage("adapt", "pairs.csv", "--label", "kg", *COMMON).err
    assert "--student does nothing with LABELS.csv" in omokage("adapt", "labels.csv", "--student", *COMMON).err
    assert "--images does nothing" in omokage("adapt", "--unlabelled", "faces", "--images", "faces", *COMMON).err
    assert not (place / "mine").exists()


def test_unlabelled_pictures_are_checked(place: Path, omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from omokage.pipeline.adapt_unlabelled import Heads

    rng = np.random.default_rng(0)
    heads = Heads(rng.integers(0, 255, (4, 32, 32, 3)).astype(np.uint8), rng.uniform(-1, 1, (4, 68, 2)), np.ones(4))
    monkeypatch.setattr(Heads, "drawn", classmethod(lambda cls, count, predictor: heads))
    done = omokage("adapt", "--unlabelled", "faces", *COMMON)
    assert done.code in (0, 1), done.err
    assert "40 pictures with a face" in done.out
    assert ("accepted: statistics" in done.out) == (done.code == 0) == (place / "mine").exists()
    cv2.imwrite(str(place / "one.png"), np.zeros((40, 40, 3), np.uint8))
    assert "at least 40" in omokage("adapt", "--unlabelled", "one.png", *COMMON[:-1], "other").err
