"""`omokage analyze` as a user runs it: exit status, one sentence per error, and work that survives a kill."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from omokage.media.image import read_image
from stand_ins import write_picture

HERE = Path(__file__).parent
SCRIPT = HERE / "squares_cli.py"


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{HERE.parent}", "COLUMNS": "140", "PYTHONWARNINGS": "error", **more}


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(SCRIPT), *map(str, arguments)]


def omokage(
    *arguments: object, stdin: str = "", env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, input=stdin, env=env or environment(), cwd=cwd, timeout=60
    )


def sources(out: Path) -> list[tuple[str, int]]:
    table = pq.read_table(out)
    return [(Path(s).name, f) for s, f in zip(table["source"].to_pylist(), table["frame"].to_pylist(), strict=True)]


def huge_header() -> bytes:
    """A PNG that promises 60,000 x 60,000 pixels and holds none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def names(out: Path, kind: str) -> list[str]:
    """File names in the order of the rows."""
    if kind == "parquet":
        return [name for name, _ in sources(out)]
    with open(out, encoding="utf-8", newline="") as stream:
        found = map(json.loads, stream) if kind == "jsonl" else csv.DictReader(stream)
        return [Path(row["source"]).name for row in found]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for i in range(24):
        write_picture(folder / f"{i:02d}.png", [(20, 20, 60, 30)])
    return folder


def test_good_pictures_exit_0_and_print_uncertainty(tmp_path: Path) -> None:
    write_picture(tmp_path / "one.png", [(20, 20, 60, 34)])
    done = omokage("analyze", tmp_path / "one.png")
    assert done.returncode == 0, done.stderr
    for text in ("34 (26-42)", "female 0.70", "neutral", "0.40", "smiling 0.80", "± 3"):
        assert text in done.stdout
    japanese = omokage("analyze", tmp_path / "one.png", "--lang", "ja")
    assert "34 (26-42)" in japanese.stdout
    assert "表情" in japanese.stdout


def test_bad_files_exit_1_and_keep_their_rows(album: Path, tmp_path: Path) -> None:
    whole = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    whole.save(album / "x.jpg")
    content = (album / "x.jpg").read_bytes()
    (album / "truncated.jpg").write_bytes(content[: len(content) // 2])
    (album / "empty.jpg").write_bytes(b"")
    (album / "words.jpg").write_text("these are words")
    write_picture(album / "面影.png", [(20, 20, 60, 30)])
    whole.convert("CMYK").save(album / "cmyk.jpg")
    whole.convert("P").save(album / "palette.png")
    Image.fromarray(np.full((64, 64), 40_000, np.uint16)).save(album / "wide.png")
    whole.save(album / "moving.gif", save_all=True, append_images=[whole.rotate(90)])
    (album / "huge.png").write_bytes(huge_header())
    out = tmp_path / "faces.parquet"
    done = omokage("analyze", album, "--out", out)
    assert done.returncode == 1
    assert "4 unreadable" in done.stderr
    assert "Traceback" not in done.stderr
    status = dict(zip([n for n, _ in sources(out)], pq.read_table(out)["status"].to_pylist(), strict=True))
    assert len(status) == 34
    assert "more than 89 million pixels" in status["huge.png"]
    assert status["moving.gif"] == "no_face (first of 2 frames)"
    assert {status[name] for name in ("cmyk.jpg", "palette.png", "wide.png")} == {"no_face"}
    assert status["truncated.jpg"].startswith("unreadable: truncated JPEG")
    assert status["empty.jpg"] == "unreadable: the file is empty (0 bytes)"
    assert status["words.jpg"].startswith("unreadable: not a picture")
    assert status["面影.png"] == "ok"
    assert status["x.jpg"] == "no_face"


def test_a_list_on_standard_input(album: Path, tmp_path: Path) -> None:
    listed = f"{album / '03.png'}\n{album / 'gone.png'}\n{album / '01.png'}\n"
    out = tmp_path / "faces.csv"
    done = omokage("analyze", "-", "--out", out, stdin=listed)
    assert done.returncode == 1
    assert "gone.png: no such file" in done.stderr
    assert [line.split(",")[0].rsplit("/", 1)[-1] for line in out.read_text().splitlines()[1:]] == [
        "03.png",
        "gone.png",
        "01.png",
    ]


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "openface"])
def test_kill_half_way_then_resume(album: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / ("faces.csv" if kind == "openface" else f"faces.{kind}")
    arguments = ("analyze", album, "--out", out, "--format", kind)
    process = subprocess.Popen(
        command(*arguments), env=environment(OMOKAGE_TEST_DELAY="0.2"), stderr=subprocess.DEVNULL
    )
    parts = out.with_name(out.name + ".parts")
    deadline = time.monotonic() + 30
    while len(list(parts.glob("*.parquet"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    done = len(list(parts.glob("*.parquet"))) * 4
    assert 0 < done < 24
    again = omokage(*arguments, "--resume")
    assert again.returncode == 0, again.stderr
    assert names(out, kind) == [f"{i:02d}.png" for i in range(24)]
    assert not parts.exists()


def test_ctrl_c_keeps_what_is_done(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    process = subprocess.Popen(
        command("analyze", album, "--out", out),
        env=environment(OMOKAGE_TEST_DELAY="0.2"),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background shell hands on "ignored"
    )
    parts = out.with_name(out.name + ".parts")
    while not list(parts.glob("*.parquet")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "--resume" in said
    assert "Traceback" not in said
    kept = sources(out)
    assert 4 <= len(kept) < 24
    assert omokage("analyze", album, "--out", out, "--resume").returncode == 0
    assert sources(out) == [(f"{i:02d}.png", 0) for i in range(24)]
    complete = omokage("analyze", album, "--out", out, "--resume")
    assert (complete.returncode, "nothing to do" in complete.stderr) == (0, True)
    write_picture(album / "new.png")
    assert "lacks 1 of these inputs" in omokage("analyze", album, "--out", out, "--resume").stderr


def test_full_disk_is_one_sentence(album: Path, tmp_path: Path) -> None:
    def small_files_only() -> None:
        # The parts of four rows fit, the merged file does not: what a full disk does at the worst moment.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    out, limit = tmp_path / "faces.csv", 30_000  # a part of four rows has about 22,000 bytes, the table 50,000
    done = subprocess.run(
        command("analyze", album, "--out", out),
        capture_output=True,
        text=True,
        env=environment(),
        preexec_fn=small_files_only,
    )
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "--resume" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()
    assert omokage("analyze", album, "--out", out, "--resume").returncode == 0
    assert len(out.read_text().splitlines()) == 25


def test_review_and_report(tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    write_picture(album / "small.png", [(20, 20, 12, 30)])
    write_picture(album / "fine.png", [(20, 20, 60, 30)])
    (album / "bad.jpg").write_text("words")
    done = omokage("analyze", album, "--review", tmp_path / "look", "--report", tmp_path / "r.html")
    assert done.returncode == 1
    lines = (tmp_path / "look" / "review.csv").read_text().splitlines()
    assert len(lines) == 3
    assert any("small face" in line and line.endswith("00000.jpg") for line in lines)
    assert read_image(tmp_path / "look" / "00000.jpg").shape[1] >= 12
    assert (tmp_path / "r.html").read_text(encoding="utf-8").count("data:image/jpeg") >= 2
    done = omokage(
        "analyze", album, "--features-only", "--review", tmp_path / "look.csv", "--out", tmp_path / "f.jsonl"
    )
    assert done.returncode == 1
    assert len((tmp_path / "look.csv").read_text().splitlines()) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "album",
        "f.jsonl",
        "f.jsonl.meta.json",
        "look",
        "look.csv",
        "r.html",
    ]


def test_a_case_has_its_picture_whatever_bytes_its_name_holds(tmp_path: Path) -> None:
    write_picture(tmp_path / "small.png", [(20, 20, 12, 30)])
    os.rename(tmp_path / "small.png", os.fsencode(tmp_path) + b"/caf\xe9.png")
    assert omokage("analyze", tmp_path, "--review", tmp_path / "look").returncode == 0
    assert (tmp_path / "look" / "00000.jpg").is_file()


def test_a_resumed_run_keeps_the_page_of_the_whole_one(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", [(20, 20, 60, 30)])
    arguments = ("analyze", tmp_path / "a.png", "--out", tmp_path / "f.csv", "--report", tmp_path / "r.html")
    first = omokage(*arguments, "--resume")  # nothing to go on with yet: the page is whole
    assert "report of 1 faces" in first.stderr
    page = (tmp_path / "r.html").read_bytes()
    again = omokage(*arguments, "--resume")
    assert again.returncode == 0, again.stderr
    assert "r.html stays as it is: a report shows the faces of one whole run" in again.stderr
    assert "report of" not in again.stderr
    assert (tmp_path / "r.html").read_bytes() == page
    assert "report of 1 faces" in omokage(*arguments).stderr
