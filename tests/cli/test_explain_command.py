"""`omokage explain`: the table, the page, and blind verdicts from standard input."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from omokage.cli import explain_rating, main
from omokage.explain.rating import Duel, duels
from omokage.weights import registry

pytestmark = pytest.mark.skipif(
    registry.DEFAULT_SET not in registry.set_names() or not registry.has_model(registry.DEFAULT_SET, "attributes"),
    reason="the default weights are not installed",
)
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def omokage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs a command line in a folder with one face, `face.png`; gives status, standard output and error."""
    data = pytest.importorskip("skimage.data")
    face = np.asarray(data.astronaut()[60:190, 165:295], np.uint8)
    cv2.imwrite(str(tmp_path / "face.png"), face[..., ::-1])
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["omokage", "explain", *map(str, arguments), "--crops", "--device", "cpu"])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as left:
            main.run()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


def test_table_grade_page_and_notice(omokage: Command, tmp_path: Path) -> None:
    code, out, err = omokage("face.png", "--target", "attr.smiling", "--method", "lrp", "--report", "why.html")
    assert code == 0
    assert "mouth" in out
    assert "grade " in out
    assert "patents" in err
    page = (tmp_path / "why.html").read_text(encoding="utf-8")
    assert page.count("<article") == 1
    assert "patents" in page


def test_a_folder_becomes_a_table_and_a_page(omokage: Command, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    face = cv2.imread(str(tmp_path / "face.png"))
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), face)
    arguments = ("--target", "attr.smiling", "--method", "lrp", "--out", "why.jsonl")
    code, _, err = omokage("faces", *arguments, "--report", "why.html")
    assert code == 0, err
    assert "2 faces explained" in err
    rows = [json.loads(line) for line in (tmp_path / "why.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [Path(r["source"]).name for r in rows] == ["a.png", "b.png"]
    assert (tmp_path / "why.html").read_text(encoding="utf-8").count("<article") == 2
    (folder / "c.png").write_bytes(b"no picture")
    assert omokage("faces/c.png", *arguments)[0] == 1


def test_a_report_of_analyze_can_hold_explanations(
    omokage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def analyze(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["omokage", "analyze", "face.png", "--crops", "--device", "cpu", *arguments])
        with pytest.raises(SystemExit) as left:
            main.run()
        return int(left.value.code or 0)

    assert analyze("--explain", "attr.smiling") == 2
    assert "--report" in capsys.readouterr().err
    assert analyze("--explain", "beauty", "--report", "r.html") == 2
    assert analyze("--explain", "attr.smiling", "--report", "r.html") == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count('<article class="explanation">') == 1
    assert page.count("<article") == 2
    assert "without mouth" in page
    assert "<script" not in page


def test_a_change_needs_two_photographs(omokage: Command) -> None:
    code, _, err = omokage("face.png", "--target", "change.age")
    assert code == 2
    assert "BEFORE and AFTER" in err


def test_what_cannot_be_done_is_one_sentence(omokage: Command, tmp_path: Path) -> None:
    assert omokage("face.png", "--target", "beauty")[0] == 2
    assert omokage("face.png", "--target", "age", "--method", "magic")[0] == 2
    assert omokage("face.png", "--target", "age", "--language", "fr")[0] == 2
    for name, why in (("gone.png", "no such file"), ("", "no such file"), (".", "--out FILE"), ("a.mp4", "--out FILE")):
        code, _, err = omokage(name, "--target", "age")
        assert (code, why in err) == (2, True), err
    code, _, err = omokage("face.png", "--target", "age", "--out", "a.xls")
    assert (code, "--format" in err) == (2, False), err
    code, _, err = omokage("face.png", "--target", "age", "--rules", "gamma-box")
    assert (code, "add --method lrp" in err) == (2, True), err
    for option in ("--report", "--out"):
        code, _, err = omokage("face.png", "--target", "age", option, tmp_path / "face.png")
        assert (code, "would overwrite the input" in err) == (2, True), err
    assert omokage("face.png", "--target", "age", "--rate", ".")[0] == 2
    assert omokage("face.png", "--target", "age", "--resume")[0] == 2
    for unused, why in (
        (("--rate", "judged", "--report", "a.html"), "writes no page: leave --report or --rate away"),
        (("--rater", "ann"), "add --rate FOLDER"),
        (("--every", 2), "--out FILE"),
        (("--assume-same",), "about a change between two photographs"),
    ):
        code, _, err = omokage("face.png", "--target", "age", *unused)
        assert (code, why in err) == (2, True), err
    assert not (tmp_path / "judged").exists()
    assert omokage("face.png", "--target", "age", "--out", "a.csv", "--rate", "judged")[0] == 2
    assert omokage("face.png", "face.png", "--target", "change.age", "--out", "a.csv")[0] == 2
    assert omokage("face.png", "--target", "age", "--report", "no/such/why.html")[0] == 2


def test_blind_verdicts_are_collected_and_counted(omokage: Command, tmp_path: Path) -> None:
    asked = ("face.png", "--target", "attr.smiling", "--rate", "rated")
    code, out, err = omokage(*asked, "--rater", "ann", typed="a\nx\nb\n")
    assert code == 0
    assert "a, b, = or q" in err
    assert "needs a second rater" in out
    assert ("1 of 3 pairs left" in out, "won" in out) == (True, False), "who knows the winners is not blind"
    folder = tmp_path / "rated"
    assert sorted(p.name for p in folder.glob("*.png")) == ["pair-001.png", "pair-002.png", "pair-003.png"]
    assert not any(method in err for method in ("gradients", "smoothgrad")), "the methods stay unknown while judging"

    before = (folder / "key.json").read_text(encoding="utf-8")
    known = json.loads(before)
    drawn = duels(["face.png"], ["occlusion", "gradients", "smoothgrad"], known["seed"])
    assert [Duel(**row) for row in known["pairs"]] == drawn
    out = omokage(*asked, "--rater", "ann", typed="=\n")[1]  # goes on where ann stopped
    assert out.count("won") == 3
    assert "won" not in omokage(*asked, "--rater", "bob", typed="q\n")[1], "bob has judged nothing yet"
    code, out, _ = omokage(*asked, "--rater", "bob", typed="a\nb\n=\n")
    assert code == 0
    assert "agreement between raters: 100 % of 3 pairs" in out
    assert (folder / "key.json").read_text(encoding="utf-8") == before
    rows = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(r["rater"], r["choice"]) for r in rows] == [
        ("ann", "a"), ("ann", "b"), ("ann", "="), ("bob", "a"), ("bob", "b"), ("bob", "="),
    ]  # fmt: skip
    assert omokage("face.png", "--target", "age", "--rate", "rated")[0] == 2
    for name, other in (("crops", False), ("rules", "gamma-box"), ("weights", {"attributes": "another"})):
        changed = {**known, "asked": {**known["asked"], name: other}}
        (folder / "key.json").write_text(json.dumps(changed), encoding="utf-8")
        code, _, err = omokage(*asked, "--rater", "ann", typed="q\n")
        assert (code, "another question or of other weights" in err) == (2, True), name
    (folder / "key.json").unlink()
    code, _, err = omokage(*asked, "--rater", "ann", typed="q\n")
    assert (code, "holds verdicts but no key.json" in err) == (2, True), "other sides would be drawn"


def test_sides_are_drawn_anew_for_each_folder(
    omokage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_rating, "_draw", lambda *_: None)
    for name in ("one", "two"):
        omokage("face.png", "--target", "attr.smiling", "--rate", name, typed="q\n")
    one, two = (json.loads((tmp_path / name / "key.json").read_text(encoding="utf-8")) for name in ("one", "two"))
    assert one["seed"] != two["seed"]


def test_a_damaged_list_of_verdicts_is_named(omokage: Command, tmp_path: Path) -> None:
    asked = ("face.png", "--target", "attr.smiling", "--rate", "rated")
    omokage(*asked, typed="q\n")
    (tmp_path / "rated" / "verdicts.jsonl").write_text("nonsense\n", encoding="utf-8")
    code, _, err = omokage(*asked, typed="q\n")
    assert code == 2
    assert "line 1" in err


def test_pictures_of_one_name_and_the_networks_of_a_change_are_told_on_the_page(
    omokage: Command, tmp_path: Path
) -> None:
    face = cv2.imread(str(tmp_path / "face.png"))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "1.png"), face if folder == "a" else cv2.GaussianBlur(face, (0, 0), 2))
    pair = ("a/1.png", "b/1.png")
    assert omokage(*pair, "--target", "age", "--method", "gradients", "--report", "why.html")[0] == 0
    assert omokage(*pair, "--target", "age", "--out", "t.csv", "--report", "many.html")[0] == 0
    for name in ("why.html", "many.html"):
        page = (tmp_path / name).read_text(encoding="utf-8")
        assert "· a/1.png" in page
        assert "· b/1.png" in page
    done = omokage(*pair, "--target", "change.age", "--assume-same", "--report", "change.html", "--language", "ja")
    assert done[0] == 0, done
    page = (tmp_path / "change.html").read_text(encoding="utf-8")
    assert "a/1.png → b/1.png" in page
    for network in ("変化の推定", "属性の推定"):
        assert re.search(f">{network}</th><td>\\w+/\\w+@", page)


def test_a_narrow_terminal_loses_no_number(omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    code, out, _ = omokage("face.png", "--target", "age", "--method", "gradients")
    assert code == 0
    assert "…" not in out
