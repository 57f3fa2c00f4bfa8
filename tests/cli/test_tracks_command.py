"""`omokage tracks` and the tracks of `omokage analyze` as a user runs them: statuses, records, work that survives a
kill."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from omokage.cli.main import app
from omokage.data import track_shards
from omokage.data.records import read_records
from omokage.errors import InputError
from omokage.media.video import read_video
from omokage.pipeline import analyzer
from omokage.pipeline.tracks import TrackOptions
from stand_ins import SquareFinder, SquarePredictor, picture

SCRIPT = Path(__file__).with_name("squares_cli.py")
RATE = 10.0


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def omokage(monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this process: starting another one costs seconds, and only a kill needs it."""
    monkeypatch.setattr(analyzer, "open_finder", lambda *_: SquareFinder())
    monkeypatch.setattr(analyzer, "open_predictor", lambda *_: SquarePredictor())
    monkeypatch.setattr(track_shards, "ROWS_PER_SHARD", 8)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: object) -> Done:
        done = CliRunner().invoke(app, [str(a) for a in arguments])
        if isinstance(done.exception, InputError):
            return Done(2, done.stdout, str(done.exception))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    return run


def killed(*arguments: object, when: Callable[[], bool]) -> None:
    """Start the command and kill it, as `kill -9` does, as soon as something has happened."""
    more = {"PYTHONPATH": f"{SCRIPT.parent.parent}", "OMOKAGE_TEST_DELAY": "0.05", "PYTHONWARNINGS": "error"}
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *map(str, arguments)], env={**os.environ, **more},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 300
    while not when() and time.monotonic() < until:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def film(path: Path, frames: int = 30, second_from: int = 10, small: bool = False) -> Path:
    """A square that stays, and another that comes later and moves; the squares have a pattern, so that they are
    sharp."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (160, 120))
    for k in range(frames):
        faces = [(10, 20, 12 if small else 48, 30)] + ([(90 + k % 5, 40, 50, 60)] if k >= second_from else [])
        shown = picture(faces)
        for x, y, side, _ in faces:
            shown[y : y + side : 4, x : x + side] -= np.array([40, 0, 0], np.uint8)
            shown[y : y + side, x : x + side : 4] -= np.array([10, 0, 0], np.uint8)
        writer.write(np.ascontiguousarray(shown[..., ::-1]))
    writer.release()
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four good films, one of them without faces, and three that are none."""
    folder = tmp_path_factory.mktemp("films")
    for name in ("a.avi", "b.avi"):
        film(folder / name)
    film(folder / "c-small.avi", second_from=99, small=True)
    writer = cv2.VideoWriter(str(folder / "d-nobody.avi"), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (160, 120))
    for _ in range(8):
        writer.write(np.full((120, 160, 3), 90, np.uint8))
    writer.release()
    content = (folder / "a.avi").read_bytes()
    (folder / "e-half.avi").write_bytes(content[: len(content) // 2])
    (folder / "f-empty.mp4").write_bytes(b"")
    (folder / "g-words.mov").write_text("these are words")
    return folder


def ids(folder: Path) -> list[str]:
    return [record.id for record in read_records(folder)]


def summary(folder: Path) -> dict[str, dict[str, str]]:
    with open(folder / "videos.csv", encoding="utf-8", newline="") as stream:
        return {Path(row["video"]).name: row for row in csv.DictReader(stream)}


def test_a_folder_of_good_and_bad_videos(omokage: Run, films: Path, tmp_path: Path) -> None:
    done = omokage("tracks", films, "--out", tmp_path / "t", "--fps", 0, "--min-sharpness", 0)
    assert done.returncode == 1, done.stderr  # some could not be read
    assert "Traceback" not in done.stderr
    found = summary(tmp_path / "t")
    status = {name: row["status"].partition(":")[0] for name, row in found.items()}
    assert status == {
        "a.avi": "ok", "b.avi": "ok", "c-small.avi": "nothing kept", "d-nobody.avi": "no_face", "e-half.avi": "partly",
        "f-empty.mp4": "unreadable", "g-words.mov": "unreadable",
    }  # fmt: skip
    assert "empty" in found["f-empty.mp4"]["status"]
    assert (found["a.avi"]["faces"], found["a.avi"]["kept"], found["a.avi"]["tracks"]) == ("50", "50", "2")
    assert found["c-small.avi"]["tiny"] == "30"
    assert int(found["e-half.avi"]["kept"]) > 5
    for name in found:
        assert name in done.stdout
    assert len(set(ids(tmp_path / "t"))) == sum(int(row["kept"]) for row in found.values())


def test_records_lead_back_to_the_video(omokage: Run, films: Path, tmp_path: Path) -> None:
    done = omokage("tracks", films / "a.avi", "--out", tmp_path / "t", "--size", 64, "--min-sharpness", 0, "--fps", 5)
    assert done.returncode == 0, done.stderr
    records = list(read_records(tmp_path / "t"))
    assert len({record.person for record in records}) == 2
    frames = {f.index: f for f in read_video(films / "a.avi")}
    for record in records:
        groups, made = json.loads(record.labels["groups"]), json.loads(record.provenance)
        assert groups["frame"] % 2 == 0
        assert groups["time_s"] == pytest.approx(frames[groups["frame"]].timestamp_s, abs=1e-3)
        assert groups["video"] == made["video"] == str(films / "a.avi")
        affine = np.array(made["affine"])
        box = np.asarray(record.labels["box"], float).reshape(2, 2)
        source = (box - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
        assert source[0, 0] == pytest.approx(10 if groups["track"] == 0 else 90 + groups["frame"] % 5, abs=4)
        assert (record.width, record.height) == (64, 64)
        assert len(record.labels["outline"]) == 136


def test_blurred_faces_and_short_tracks_are_dropped_and_counted(omokage: Run, films: Path, tmp_path: Path) -> None:
    omokage("tracks", films / "a.avi", "--out", tmp_path / "t", "--fps", 0, "--min-sharpness", 0.99)
    row = summary(tmp_path / "t")["a.avi"]
    assert (row["status"], row["blurred"], row["kept"]) == ("nothing kept", "50", "0")
    options = ("--fps", 0, "--min-sharpness", 0, "--min-seconds", 2.5)
    omokage("tracks", films / "a.avi", "--out", tmp_path / "u", *options)
    row = summary(tmp_path / "u")["a.avi"]
    assert (row["short"], row["kept"], row["tracks"]) == ("20", "30", "1")


def test_killed_and_resumed_the_records_are_the_same(omokage: Run, films: Path, tmp_path: Path) -> None:
    options = ("--fps", 0, "--min-sharpness", 0, "--min-seconds", 0.5)
    inputs = (films / "a.avi", films / "d-nobody.avi", films / "b.avi")
    assert omokage("tracks", *inputs, "--out", tmp_path / "whole", *options).returncode == 0
    out = tmp_path / "t"
    for shards in (2, 9):  # once in the first film, once in the last one
        more = ("--resume",) if out.exists() else ()
        killed(
            "tracks", *inputs, "--out", out, *options, *more,
            when=lambda n=shards: len(list(out.glob("shard-*.parquet"))) >= n,  # type: ignore[misc]
        )  # fmt: skip
    assert not (out / "videos.csv").exists()
    refused = omokage("tracks", *inputs, "--out", out, *options)
    assert (refused.returncode, "--resume" in refused.stderr) == (2, True)
    other = omokage("tracks", *inputs, "--out", out, "--fps", 3, "--resume")
    assert (other.returncode, "fps" in other.stderr) == (2, True)
    without = omokage("tracks", films / "d-nobody.avi", "--out", out, *options, "--resume")
    assert (without.returncode, "b.avi" in without.stderr) == (2, True)
    assert omokage("tracks", *inputs, "--out", out, *options, "--resume").returncode == 0
    assert ids(out) == ids(tmp_path / "whole")
    assert summary(out) == summary(tmp_path / "whole")
    again = omokage("tracks", *inputs, "--out", out, *options, "--resume")  # nothing left to do
    assert again.returncode == 0
    assert ids(out) == ids(tmp_path / "whole")


def test_analyze_fills_the_track_column_also_when_resumed(omokage: Run, films: Path, tmp_path: Path) -> None:
    def tracks(path: Path) -> list[tuple[int, int]]:
        table = pq.read_table(path)
        return list(zip(table["frame"].to_pylist(), table["track"].to_pylist(), strict=True))

    assert omokage("analyze", films / "a.avi", "--out", tmp_path / "whole.parquet").returncode == 0
    whole = tracks(tmp_path / "whole.parquet")
    assert {track for _, track in whole} == {0, 1}
    out = tmp_path / "t.parquet"
    parts = tmp_path / "t.parquet.parts"
    killed("analyze", films / "a.avi", "--out", out, when=lambda: len(list(parts.glob("0*.parquet"))) >= 4)
    assert omokage("analyze", films / "a.avi", "--out", out, "--resume").returncode == 0
    assert tracks(out) == whole


def test_annotated_videos(omokage: Run, films: Path, tmp_path: Path) -> None:
    for verb in ("analyze", "tracks"):
        out = ("--out", tmp_path / f"{verb}.parquet") if verb == "analyze" else ("--out", tmp_path / "t", "--fps", 0)
        done = omokage(verb, films / "a.avi", *out, "--annotated", tmp_path / f"{verb}.mp4")
        assert done.returncode == 0, done.stderr
        drawn, plain = list(read_video(tmp_path / f"{verb}.mp4")), list(read_video(films / "a.avi"))
        assert len(drawn) == len(plain) == 30
        assert [f.timestamp_s for f in drawn] == pytest.approx([f.timestamp_s for f in plain], abs=0.01)
        assert np.abs(drawn[20].pixels.astype(int) - plain[20].pixels).max() > 100
    (tmp_path / "own.mp4").write_bytes((films / "a.avi").read_bytes())
    for verb in ("analyze", "tracks"):
        with pytest.raises(AssertionError, match="would overwrite the input"):
            omokage(verb, tmp_path / "own.mp4", "--annotated", tmp_path / "own.mp4", "--out", tmp_path / f"{verb}.csv")
    assert omokage("tracks", films / "a.avi", "--out", tmp_path / "u", "--min-sharpness", 7).returncode == 2
    for wrong in ((films, "--annotated", "x.mp4"), (films / "a.avi", "--annotated", "x.avi")):
        refused = omokage("analyze", *wrong)
        assert refused.returncode == 2


def test_a_name_that_is_not_utf8_gets_records(omokage: Run, films: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.avi")
    try:
        path.write_bytes((films / "a.avi").read_bytes())
    except OSError:
        pytest.skip("no such names on this disk")
    assert omokage("tracks", path, "--out", tmp_path / "t", "--min-sharpness", 0).returncode == 0
    assert {record.person.partition("-")[0] for record in read_records(tmp_path / "t")} == {"caf\\xe9"}
    assert omokage("analyze", path, "--out", tmp_path / "t.csv").returncode == 0


def test_numbers_that_are_not_finite_are_refused(omokage: Run, films: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "t")
    for option in ("--fps", "--min-side", "--min-seconds"):
        refused = omokage("tracks", films / "a.avi", *out, option, "inf")
        assert (refused.returncode, f"{option} inf" in refused.stderr) == (2, True)
    for option in ("--fps", "--sway"):
        refused = omokage("render", *out, "--count", 1, "--tracks", option, "inf")
        assert (refused.returncode, f"Invalid value for '{option}'" in refused.stderr) == (2, True)
    for wrong in ({"fps": float("inf")}, {"min_side": float("inf")}, {"min_seconds": float("inf")}):
        with pytest.raises(InputError, match="finite"):
            TrackOptions(**wrong)
    assert not (tmp_path / "t").exists()


def test_an_annotated_video_without_a_frame_is_not_written(omokage: Run, tmp_path: Path) -> None:
    path, seen = tmp_path / "none.mp4", tmp_path / "seen.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), RATE, (160, 120))
    for _ in range(5):
        writer.write(np.zeros((120, 160, 3), np.uint8))
    writer.release()
    content = path.read_bytes()
    at, length = content.find(b"mdat") + 4, content.find(b"moov") - content.find(b"mdat") - 8
    path.write_bytes(content[:at] + bytes(length) + content[at + length :])  # an index, and nothing behind it
    for older, said in ((False, "is not written"), (True, "is an older one")):
        if older:
            seen.write_bytes(b"older")
        for verb, out in (("analyze", f"{older}.csv"), ("tracks", f"t-{older}")):
            done = omokage(verb, path, "--annotated", seen, "--out", tmp_path / out)
            assert (done.returncode, seen.exists()) == (1, older)
            assert said in done.stderr
            assert "0 frames" not in done.stderr
