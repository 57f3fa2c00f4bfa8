"""The other commands, run in this process."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from in_process import Command, command

from omokage.data.records import read_records
from omokage.pipeline import Analyzer, analyzer, checkup
from omokage.weights import registry
from stand_ins import SquareFinder, SquarePredictor, write_picture


@pytest.fixture
def omokage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs a command line with the stand-in models, in an empty folder, and gives back what it printed."""
    monkeypatch.setattr(analyzer, "open_finder", lambda *_: SquareFinder())
    monkeypatch.setattr(analyzer, "open_predictor", lambda *_: SquarePredictor())
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.chdir(tmp_path)

    return command(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["gone.jpg"], 2, "no such file or folder: gone.jpg"),
        (["*.nothing"], 2, "nothing matches"),
        ([".", "--out", "gone/faces.parquet"], 2, "the folder gone does not exist"),
        ([".", "--report", "."], 2, "it is a folder"),
        ([".", "--review", "gone/cases.csv"], 2, "the folder gone does not exist"),
        ([".", "--review", "one.png/cases"], 2, "one.png is a file"),
        ([".", "--review", "."], 2, "holds the input"),
        (["one.png", "--report", "one.png"], 2, "would overwrite the input one.png"),
        ([".", "--out", "./one.png", "--format", "csv"], 2, "would overwrite the input"),
        ([".", "--out", "f.csv", "--report", "./f.csv"], 2, "--out and --report are the same file"),
        ([".", "--review", "f.csv", "--report", "f.csv"], 2, "are the same file"),
        ([".", "--out", "faces.xlsx"], 2, "does not say its format"),
        ([".", "--out", "faces.csv", "--format", "xml"], 2, "unknown format"),
        ([".", "--resume"], 2, "--resume needs --out"),
        ([".", "--format", "csv"], 2, "--format needs --out"),
        ([".", "--lang", "xx"], 2, "no texts in the language"),
        ([".", "--given", "age"], 2, "NAME=VALUE"),
        ([".", "--features-only", "--report", "r.html"], 2, "a report shows pictures"),
        ([".", "--features-only", "--review", "folder"], 2, "a review folder holds pictures"),
        ([".", "--out", "f.csv", "--format", "openface", "--review", "r.csv"], 2, "no reasons for review"),
        ([".", "--every", "0"], 2, "--every"),
        ([], 2, "INPUT"),
    ],
)
def test_refusals_are_one_sentence_and_leave_no_trace(
    omokage: Command, tmp_path: Path, arguments: list[str], code: int, why: str
) -> None:
    write_picture("one.png", [(20, 20, 60, 34)])
    done = omokage("analyze", *arguments)
    assert done.code == code
    assert why in done.err
    assert [p.name for p in tmp_path.iterdir()] == ["one.png"]


def test_words_that_name_nothing_are_the_commands_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                        capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_picture("one.png", [(20, 20, 60, 34)])
    for option, value in (("--weights", "opne"), ("--device", "gpu"), ("--finder", "nope")):
        done = command(monkeypatch, capsys)("analyze", "one.png", option, value)
        assert (done.code, value in done.err) == (2, True), done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_that_takes_nothing_is_one_sentence(unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "omokage.cli.main", "models", "list"],
            stdout=full, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip() == "omokage: cannot write to standard output: the disk is full; free some space"


def test_a_reader_that_has_left_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "omokage.cli.main", "--version"], stdout=gone, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (1, b"")


def test_many_faces_become_one_line_each(omokage: Command) -> None:
    write_picture("many.png", [(5 + 40 * k, 20, 30, 10 * k) for k in range(4)], (80, 170))
    done = omokage("analyze", "many.png")
    assert done.code == 0
    assert "30 (22-38)" in done.out
    assert done.out.count("many.png") >= 4


def test_help_and_version(omokage: Command) -> None:
    for name in ("analyze", "demo", "render", "train", "evaluate", "doctor", "models"):
        assert name in omokage("--help").out
        assert omokage(name, "--help").code == 0
    assert omokage("--version").out.startswith("omokage 0.")
    assert omokage("no-such-command").code == 2


def test_demo_reads_the_astronaut(omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skimage")
    seen: list[tuple[int, ...]] = []

    class Whole(SquareFinder):
        def _one(self, image: np.ndarray) -> list:
            from omokage.results import Box, Detection

            seen.append(image.shape)
            return [Detection(Box(170, 60, 280, 190), 0.99)]

    monkeypatch.setattr(analyzer, "open_finder", lambda *_: Whole())
    done = omokage("demo")
    assert done.code == 0
    assert seen == [(512, 512, 3)]
    assert "astronaut.png" in done.out


def test_render_writes_records_and_a_sheet(omokage: Command, tmp_path: Path) -> None:
    done = omokage("render", "--out", "heads", "--count", "2", "--size", "64", "--workers", "1", "--seed", "3")
    assert done.code == 0, done.err
    assert len(list(read_records(tmp_path / "heads"))) == 2
    assert (tmp_path / "heads" / "sheet.png").is_file()
    done = omokage("render", "--out", "pairs", "--count", "1", "--size", "64", "--workers", "1", "--pairs", "weight")
    assert done.code == 0, done.err
    pair = list(read_records(tmp_path / "pairs"))
    assert len(pair) == 2
    assert pair[0].labels["fatness"] != pair[1].labels["fatness"]
    done = omokage(
        "render", "--out", "visits", "--count", "1", "--size", "64", "--workers", "1", "--pairs", "controlled"
    )
    assert "4 records" in done.err
    assert "choose one" in omokage("render", "--out", "x", "--count", "1", "--pairs", "age", "--tracks").err
    assert "cannot change 'mood'" in omokage("render", "--out", "x", "--count", "1", "--pairs", "mood").err
    assert omokage("render", "--out", "heads", "--count", "2", "--size", "96", "--workers", "1").code == 2
    for option in ("--fps", "--frames", "--sway", "--count"):
        done = omokage("render", "--out", "x", "--count", "1", "--tracks", option, 10**20)
        assert (done.code, option in done.err, (tmp_path / "x").exists()) == (2, True, False)
    for option in ("--fps", "--frames", "--sway"):
        done = omokage("render", "--out", "x", "--count", "1", option, "3")
        assert (done.code, f"{option} is about tracks" in done.err) == (2, True)


RECIPE = '''
from dataclasses import replace
from omokage.attributes.config import AttributesConfig, DataConfig

def tiny(data="records", steps=3):
    """A recipe of a test."""
    return AttributesConfig(out="run", data=DataConfig(folders=(data,)), steps=steps)
'''


def test_train_shows_and_changes_a_recipe(omokage: Command, tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "mine.py").write_text(RECIPE)
    done = omokage(
        "train", "mine.tiny", "--dry-run", "--set", "steps=7", "--set", "loss.ordinal=coral", "--set", "rate=1"
    )
    assert done.code == 0, done.err
    for line in ("steps = 7", "loss.ordinal = 'coral'", "rate = 1.0", "data.folders = ('records',)"):
        assert line in done.out
    by_path = omokage("train", tmp_path / "recipes" / "mine.py", "--dry-run")
    assert by_path.code == 0
    assert "steps = 3" in by_path.out
    for arguments, why in (
        (["nothing.here"], "no recipe 'nothing.here': known are mine.tiny"),
        (["mine.other"], "it has tiny"),
        (["gone.py"], "no recipe file"),
        (["mine.tiny", "--set", "nonsense=1"], "there is no 'nonsense' here"),
        (["mine.tiny", "--set", "seed=abc"], "same kind"),
        (["mine.tiny", "--set", "seed"], "key=value"),
    ):
        done = omokage("train", *arguments, "--dry-run")
        assert done.code == 2
        assert why in done.err
    (tmp_path / "recipes" / "broken.py").write_text("raise RuntimeError('no')")
    assert "RuntimeError: no" in omokage("train", "broken.one").err


def test_train_runs_the_room_of_the_configuration(
    omokage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omokage.attributes import train

    calls: list[tuple[int, bool]] = []

    def remember(config: object, resume: bool = False) -> Path:
        calls.append((config.steps, resume))  # type: ignore[attr-defined]
        return Path("run")

    monkeypatch.setattr(train, "train", remember)
    (tmp_path / "mine.py").write_text(RECIPE)
    assert omokage("train", "mine.py", "--resume", "--set", "steps=9").code == 0
    assert calls == [(9, True)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_stopped_says_where_it_goes_on(
    omokage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    from omokage.attributes import train

    monkeypatch.setattr(train, "train", lambda config, resume=False: signal.raise_signal(number))
    (tmp_path / "mine.py").write_text(RECIPE)
    done = omokage("train", "mine.py")
    assert done.code == 128 + number
    assert "what was done is kept in run: run the same command with --resume" in done.err


def test_evaluate_scores_a_table(omokage: Command, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    with open(tmp_path / "labels.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "age", "smile", "emotion", "yaw", "group"])
        for i in range(6):
            write_picture(folder / f"{i}.png", [(20, 20, 60, 10 * i)] if i else [])
            writer.writerow([f"images/{i}.png", 10 * i, i % 2, "neutral", 10, "ab"[i % 2]])
    assert omokage("analyze", folder, "--out", "faces.parquet").code == 0
    done = omokage("evaluate", "faces.parquet", "labels.csv", "--json", "--by", "group")
    assert done.code == 0, done.err
    scores = {s["measure"]: s for s in json.loads(done.out)["all"]}
    assert scores["found"]["value"] == pytest.approx(5 / 6)
    # Read exactly but for the face that was not found, which counts as the labels' median of 25.
    assert scores["age, mean absolute error in years"]["value"] == pytest.approx(25 / 6, abs=0.3)
    assert scores["expression, accuracy"]["value"] == pytest.approx(5 / 6)
    assert scores["yaw, mean absolute error in degrees"]["value"] == pytest.approx(0, abs=1e-4)
    assert set(json.loads(done.out)) == {"all", "a", "b"}
    assert "95 % interval" in omokage("evaluate", "faces.parquet", "labels.csv").out
    assert "no such file" in omokage("evaluate", "gone.parquet", "labels.csv").err
    assert "lack the column 'file'" in omokage("evaluate", "faces.parquet", _csv(tmp_path / "x.csv", "a\n1\n")).err
    assert omokage("evaluate", "faces.parquet", "labels.csv", "--by", "nothing").code == 2
    assert "weights that estimate it" in omokage("evaluate", "faces.parquet", "labels.csv", "--by", "skin_tone").err


def test_evaluate_gives_no_interval_to_few_people(omokage: Command, tmp_path: Path) -> None:
    sites = {f"{site}{i}.jpg": (site, site if site == "b" else f"p{i}") for site in "abc" for i in range(20)}
    rows = "".join(f"{name},{site},{person}\n" for name, (site, person) in sites.items())
    _csv(tmp_path / "labels.csv", f"file,site,person\n{rows}d.jpg,,q\n")
    boxes = "".join(f"{name},face,0,0,9,9\n" for name in sites if name != "a0.jpg")
    _csv(tmp_path / "faces.csv", f"source,status,box_x0,box_y0,box_x1,box_y1\n{boxes}d.jpg,no_face,,,,\n")
    done = omokage("evaluate", "faces.csv", "labels.csv", "--by", "site")
    assert done.code == 0, done.err
    assert "1 of 61 label rows leave the column site empty" in done.err
    assert "are in group 'b': there is no interval" in done.err
    assert re.search(r"b\W+found\W+1\W+none", done.out)
    found = json.loads(omokage("evaluate", "faces.csv", "labels.csv", "--by", "site", "--json").out)
    assert found["b"][0]["low"] is None
    assert found["c"][0]["low"] == 1.0


def _csv(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_models(omokage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    card = registry.Card("attributes", "mine", {"size": 1}, {"size": 112}, trained_on="nothing", made="2026-01-01")
    registry.save(tmp_path / "mine", {"weight": torch.ones(2)}, card)
    monkeypatch.setattr(registry, "HOME", tmp_path)
    assert "mine/attributes@" in omokage("models", "list").out
    assert omokage("models", "verify").code == 0
    assert '"trained_on": "nothing"' in omokage("models", "card", "mine/attributes").out
    assert omokage("models", "card", "attributes").code == 2
    assert omokage("models", "card", "yours/attributes").code == 2
    (tmp_path / "mine" / "attributes.safetensors").write_bytes(b"damage")
    damaged = omokage("models", "verify")
    assert (damaged.code, "DAMAGED" in damaged.out) == (1, True)
    (tmp_path / "mine" / "attributes.safetensors").unlink()
    missing = omokage("models", "verify")
    assert (missing.code, "DAMAGED" in missing.out) == (1, True)


def test_doctor_says_what_is_wrong(omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "self_test", lambda *_: "fine")
    monkeypatch.setattr(registry, "verify", lambda: [(replace(registry.Card("m", "s", {}, {}), sha256="0" * 64), True)])
    done = omokage("doctor")
    assert done.code == 0, done.out
    for text in ("python", "torch", "cores", "weights s/m@00000000", "self-test: fine"):
        assert text in done.out

    def broken(language: str) -> str:
        raise RuntimeError("no face")

    monkeypatch.setattr(checkup, "self_test", broken)
    done = omokage("doctor")
    assert done.code == 1
    assert "FAIL self-test: RuntimeError: no face" in done.out


def test_doctor_knows_every_extra() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    gathered = ("all", "dev")  # others again, and tools of this project's own tests
    assert set(checkup.EXTRAS) == set(project["optional-dependencies"]) - set(gathered)


def test_the_self_test_measures_against_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    from omokage.results import Box, Detection
    from omokage.synthesis import render

    truth: list[render.Rendering] = []
    real = render.render

    def keep(*arguments: object) -> render.Rendering:
        truth.append(real(*arguments))  # type: ignore[arg-type]
        return truth[0]

    class Knowing(SquareFinder):
        def _one(self, image: np.ndarray) -> list[Detection]:
            box = Box.around(truth[0].landmarks)
            return [Detection(box, 0.99)]

    monkeypatch.setattr(render, "render", keep)
    monkeypatch.setattr(analyzer, "open_finder", lambda *_: Knowing())
    monkeypatch.setattr(analyzer, "open_predictor", lambda *_: SquarePredictor())
    text = checkup.self_test()
    assert "yaw by 0.0 degrees" in text
    assert isinstance(Analyzer(), Analyzer)
