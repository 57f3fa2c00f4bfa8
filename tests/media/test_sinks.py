"""The faces table: every format holds the same, nothing is lost or doubled, and a refused write says so in one
sentence."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omokage.errors import InputError, OutputError
from omokage.media import files, journal
from omokage.media.openface import COLUMNS, openface_row
from omokage.media.sinks import FORMATS, FacesSink, Format, format_of, read_rows
from omokage.media.table import Reading, table_schema
from omokage.pipeline import Analyzer
from omokage.results import FaceAnalysis
from stand_ins import SquareFinder, SquarePredictor, picture

SCHEMA = table_schema(metadata={"omokage.weights": json.dumps({"attributes": "test/attributes@00000000"})})


def face(age: int = 40, source: str = "a.png") -> FaceAnalysis:
    made = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())(picture([(30, 30, 60, age)]))[0]
    return replace(made, source=source)


def readings() -> list[Reading]:
    return [
        Reading("a.png", faces=(face(40), replace(face(50), face=1))),
        Reading("b.png"),
        Reading("c.gif", note="first of 3 frames", faces=(face(20),)),
        Reading("d.jpg", problem="the file is empty (0 bytes)"),
        Reading("日.mp4", frame=0, faces=(face(30),), last=False),
        Reading("日.mp4", frame=5, timestamp_s=3600.123456, last=False),
        Reading("日.mp4", frame=6, silent=True),
    ]


def sink(out: Path, kind: Format = "parquet", resume: bool = False, **settings: Any) -> FacesSink:
    return FacesSink(out, kind, SCHEMA, settings, resume)


def stopped(target: FacesSink, some: list[Reading], error: BaseException) -> None:
    """Write some readings, then leave the block by an error."""
    with target:
        for reading in some:
            target.write(reading)
        raise error


def written(out: Path, kind: Format = "parquet") -> Path:
    with sink(out, kind) as target:
        for reading in readings():
            target.write(reading)
    return out


def test_parquet_has_every_column_and_carries_its_conventions(tmp_path: Path) -> None:
    table = pq.read_table(written(tmp_path / "faces.parquet"))
    needed = "source frame timestamp_s face track status score box_x0 box_y0 box_x1 box_y1 landmarks yaw_deg pitch_deg"
    needed += (
        " roll_deg age_years age_q05 age_q95 gender_female_p expression expression_neutral_p au01 au43 unit_jawOpen"
    )
    needed += " attr_smiling_p attr_eyeglasses_p gaze_right_deg gaze_up_deg fatness skin_tone hair_length quality"
    needed += " needs_review"
    assert set(needed.split()) <= set(table.schema.names)
    metadata = table.schema.metadata
    assert metadata[b"omokage.faces"] == b"1"
    assert "yaw + to the image's right" in json.loads(metadata[b"omokage.conventions"])["pose"]
    assert b"test/attributes@" in metadata[b"omokage.weights"]
    found = table.to_pylist()
    assert [r["status"] for r in found] == [
        "ok", "ok", "no_face", "ok (first of 3 frames)", "unreadable: the file is empty (0 bytes)", "ok", "no_face",
    ]  # fmt: skip
    assert len(found[0]["landmarks"]) == 136
    assert found[0]["yaw_deg"] == pytest.approx(10)
    assert found[0]["au12"] == pytest.approx(2.5)
    assert found[0]["unit_browInnerUp"] is None  # not estimated: absent, not 0
    assert found[2]["box_x0"] is None
    assert found[2]["needs_review"] is None
    assert found[6]["timestamp_s"] == pytest.approx(3600.123456, abs=1e-6)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_text_formats_hold_the_same(tmp_path: Path, kind: Format) -> None:
    same = read_rows(written(tmp_path / "faces.parquet"))
    out = written(tmp_path / f"faces.{kind}", kind)
    other = read_rows(out)
    assert len(other) == len(same)
    for a, b in zip(same, other, strict=True):
        for name, value in a.items():
            if value is None or value == "":
                assert not b.get(name)
            elif isinstance(value, list):
                assert b[name] == pytest.approx(value, rel=1e-5, abs=1e-5)
            elif isinstance(value, float):
                assert b[name] == pytest.approx(value, rel=1e-5)
            else:
                assert b[name] == value
    beside = json.loads((tmp_path / f"faces.{kind}.meta.json").read_text(encoding="utf-8"))
    assert beside["omokage.conventions"]["age"].startswith("apparent years")


def test_openface_columns(tmp_path: Path) -> None:
    out = written(tmp_path / "faces.csv", "openface")
    with open(out, encoding="utf-8", newline="") as stream:
        found = list(csv.DictReader(stream))
    assert tuple(found[0]) == COLUMNS
    first = found[0]
    assert (first["frame"], first["face_id"], first["success"]) == ("1", "0", "1")
    assert float(first["pose_Ry"]) == pytest.approx(-math.radians(10), rel=1e-4)
    assert float(first["pose_Rx"]) == pytest.approx(math.radians(5), rel=1e-4)
    assert float(first["pose_Rz"]) == pytest.approx(math.radians(2), rel=1e-4)
    assert float(first["gaze_angle_x"]) == pytest.approx(math.radians(4), rel=1e-4)
    assert float(first["gaze_angle_y"]) == pytest.approx(math.radians(3), rel=1e-4)
    assert (first["AU12_r"], first["AU12_c"], first["AU45_c"], first["AU28_c"]) == ("2.5", "1", "0", "1")
    assert first["AU01_r"] == ""
    points = np.array([[float(first[f"x_{i}"]), float(first[f"y_{i}"])] for i in range(68)])
    assert points == pytest.approx(np.asarray(face().landmarks), abs=0.01)
    assert (found[2]["success"], found[2]["x_0"]) == ("0", "")
    assert found[-1]["frame"] == "6"


def test_pose_of_openface_is_its_rotation_matrix() -> None:
    """OpenFace: x right, y down, z away from the camera, R = Rx Ry Rz; the nose points to -z."""

    def nose(row: dict[str, Any]) -> np.ndarray:
        x, y, z = row["pose_Rx"], row["pose_Ry"], row["pose_Rz"]
        rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
        ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
        rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
        return np.asarray(rx @ ry @ rz)

    base = {"source": "", "frame": 0, "timestamp_s": 0.0, "yaw_deg": 0.0, "pitch_deg": 0.0, "roll_deg": 0.0}
    ahead = np.array([0.0, 0.0, -1.0])
    assert (nose(openface_row({**base, "yaw_deg": 20.0})) @ ahead)[0] > 0.3  # to the image's right
    assert (nose(openface_row({**base, "pitch_deg": 20.0})) @ ahead)[1] < -0.3  # chin up: y points down
    assert (nose(openface_row({**base, "roll_deg": 20.0})) @ np.array([1.0, 0, 0]))[1] > 0.3  # clockwise


def test_formats_by_ending_and_by_name(tmp_path: Path) -> None:
    assert format_of(Path("a.PARQUET")) == "parquet"
    assert format_of(Path("a.csv"), "openface") == "openface"
    assert {format_of(Path(f"a.{k}")) for k in ("parquet", "csv", "jsonl")} == set(FORMATS) - {"openface"}
    with pytest.raises(InputError, match=r"\.ndjson$"):
        format_of(Path("a.xlsx"), option=False)
    for wrong in (lambda: format_of(Path("a.xlsx")), lambda: format_of(Path("a.csv"), "xml")):
        with pytest.raises(InputError):
            wrong()


def test_stopped_work_is_kept_and_resumed(tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    every = readings()
    with pytest.raises(KeyboardInterrupt):
        stopped(sink(out, every=1), every[:3], KeyboardInterrupt())
    assert len(read_rows(out)) == 4
    with pytest.raises(InputError, match=r"add --resume \(resume=True in Python\) to go on"):
        sink(out, every=1)
    with pytest.raises(InputError, match="every = 1, not 2"):
        sink(out, resume=True, every=2)
    with sink(out, resume=True, every=1) as target:
        assert target.done == {"a.png": {0}, "b.png": {0}, "c.gif": {0}}
        for reading in every[3:]:
            target.write(reading)
    assert target.counts == journal.Counts(frames=5, faces=4, no_face=2, unreadable=1, review=target.counts.review,
                                           first_problem="d.jpg: the file is empty (0 bytes)")  # fmt: skip
    assert [(r["source"], r["face"]) for r in read_rows(out)] == [
        (row["source"], row.get("face")) for r in every for row in r.rows()
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["faces.parquet"]


def test_a_resumed_run_knows_which_videos_are_finished(tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    with pytest.raises(RuntimeError):
        stopped(sink(out), readings(), RuntimeError())
    again = sink(out, resume=True)
    assert again.finished == {"d.jpg", "日.mp4"}
    assert again.done["日.mp4"] == {0, 5}


def test_nothing_done_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        stopped(sink(tmp_path / "faces.parquet"), [], RuntimeError())
    assert list(tmp_path.iterdir()) == []


def test_disk_full_keeps_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "faces.parquet"
    real = os.fsync
    parts = iter(range(100))

    def fsync(number: int) -> None:
        if next(parts) >= 2:  # the run's own note and the first part fit
            raise OSError(errno.ENOSPC, "No space left on device")
        real(number)

    monkeypatch.setattr(journal, "ROWS_PER_PART", 1)
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", fsync)
        with pytest.raises(OutputError, match=r"disk is full.*--resume"):
            stopped(sink(out), readings(), AssertionError())
    with sink(out, resume=True) as target:
        assert target.done == {"a.png": {0}}
        for reading in readings()[1:]:
            target.write(reading)
    assert len(read_rows(out)) == 7
    assert not list(tmp_path.glob("*.tmp"))


def test_many_parts_are_merged_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "ROWS_PER_PART", 3)
    out = tmp_path / "faces.parquet"
    with sink(out) as target:
        for i in range(100):
            target.write(Reading(f"{i:03d}.png"))
        assert len(list((tmp_path / "faces.parquet.parts").glob("*.parquet"))) == 33
    assert [r["source"] for r in read_rows(out)] == [f"{i:03d}.png" for i in range(100)]


@pytest.mark.parametrize(("place", "why"), [("gone/faces.parquet", "does not exist"), ("folder", "is a folder")])
def test_impossible_places(tmp_path: Path, place: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=why):
        sink(tmp_path / place)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="no permission"):
        sink(tmp_path / "faces.parquet")


def test_other_files_are_no_faces_tables(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.parquet").write_text("words")
    (tmp_path / "c.jsonl").write_text("{")
    (tmp_path / "e.csv").write_text("source;status\na;ok\n")
    (tmp_path / "f.csv").write_text("source\tstatus\na\tok\n")
    for name, why in (("a.csv", "no faces table"), ("b.parquet", "cannot be read"), ("c.jsonl", "cannot be read"),
                      ("d.csv", "no such file"), ("e.csv", "parted by semicolons: save .* with commas"),
                      ("f.csv", "parted by tabs")):  # fmt: skip
        with pytest.raises(InputError, match=why):
            read_rows(tmp_path / name)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a.png", "line 3: 1 cells where the header has 4: the file was cut or changed; make it again"),
        ("a.png,ok,1,2,3", "line 3: 5 cells"),
        ("a.png,ok,x,", "line 3: face 'x' is not a whole number; correct it"),
        ("a.png,ok,0.5,", "line 3: face '0.5' is not a whole number"),
        ("a.png,ok,0,wide", "line 3: age_years 'wide' is not a number"),
    ],
)
def test_a_damaged_csv_table_is_refused_with_its_line(tmp_path: Path, row: str, why: str) -> None:
    out = tmp_path / "faces.csv"
    out.write_text(f"source,status,face,age_years\na.png,ok,0.0,\n{row}\n")
    with pytest.raises(InputError, match=rf"faces\.csv, {why}"):
        read_rows(out)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("[1, 2]", "a list is no face; a faces table has one JSON object a line"),
        ('{"source": "b.png"}', "no source or no status"),
        ('{"source": 3, "status": "ok"}', "no source or no status, as text"),
        ('{"source": "b.png", "status": "ok", "score": "high"}', "score 'high' is not a number; correct it"),
        ('{"source": "b.png", "status": "ok", "face": 0.5}', "face '0.5' is not a whole number"),
        ('{"source": "b.png", "status": "ok", "score": true}', "score 'True' is not a number"),
        ('{"source": "b.png", "status": "ok", "landmarks": 7}', "landmarks '7' is not a list of numbers"),
        ('{"source": "b.png", "status": "ok", "box_x0": 7}', r"\[7.0, None, None, None\] is no box"),
        ('{"source": "b", "status": "ok", "box_x0": 7, "box_y0": 7, "box_x1": 3, "box_y1": 9}', "is no box"),
        ("{", "cannot be read as JSON"),
    ],
)
def test_a_damaged_jsonl_table_is_refused_with_its_line(tmp_path: Path, row: str, why: str) -> None:
    out = tmp_path / "faces.jsonl"
    out.write_text('{"source": "a.png", "status": "ok", "face": 0, "age_years": 30, "own": [1]}\n\n' + row + "\n")
    with pytest.raises(InputError, match=rf"faces\.jsonl, line 3.*{why}"):
        read_rows(out)


def test_names_may_hold_any_sign_but_a_line_break(tmp_path: Path) -> None:
    names = ["a\u2028.png", "b\u2029.png", "c\x85.png", "d\x1c.png"]
    with sink(tmp_path / "faces.jsonl", "jsonl") as target:
        for name in names:
            target.write(Reading(name))
    assert [row["source"] for row in read_rows(tmp_path / "faces.jsonl")] == names


def test_tables_that_spreadsheets_saved_are_read(tmp_path: Path) -> None:
    whole = read_rows(written(tmp_path / "faces.csv", "csv"))
    for name in ("faces.csv", "faces.jsonl"):
        path = written(tmp_path / name, "csv" if name == "faces.csv" else "jsonl")
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        found = read_rows(path)
        assert [row["source"] for row in found] == [row["source"] for row in whole]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_numbers_that_are_not_finite_were_not_estimated(tmp_path: Path, kind: Format) -> None:
    out = tmp_path / f"faces.{kind}"
    nan = float("nan")
    row = {"source": "a", "status": "ok", "age_years": nan, "score": math.inf, "box_x0": nan, "own": nan}
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist([row]), out)
    else:
        cells = (",".join(row), ",".join(map(str, row.values())))
        out.write_text("\n".join(cells) if kind == "csv" else json.dumps(row))
    assert {k: v for k, v in read_rows(out)[0].items() if v is not None} == {"source": "a", "status": "ok"}


def test_a_box_in_part_is_refused_with_its_line(tmp_path: Path) -> None:
    out = tmp_path / "faces.csv"
    out.write_text("source,status,box_x0,box_y0,box_x1,box_y1\na,no_face,,,,\nb,ok,1,2,nan,4\n")
    with pytest.raises(InputError, match=r"line 3: \[1.0, 2.0, None, 4.0\] is no box \(x0, y0, x1, y1\); correct it"):
        read_rows(out)


def test_a_class_called_by_a_number_stays_a_word(tmp_path: Path) -> None:
    out = tmp_path / "faces.csv"
    header = "source,status,face,level,level_1_p,level_two_p,calm,calm_sigma,landmarks,site"
    out.write_text(f'{header}\na.png,ok,1,1,0.5,0.5,3,0.5,"[1, 2.5]",7\nb.png,no_face,,,,,,,,x\n')
    first, second = read_rows(out)
    assert (first["face"], first["level"], first["level_1_p"], first["calm"]) == (1, "1", 0.5, 3.0)
    assert (first["landmarks"], first["site"], second["site"]) == ([1, 2.5], 7.0, "x")
    assert [second[name] for name in ("face", "level", "calm", "landmarks")] == [None] * 4


def test_a_table_never_takes_the_place_of_a_device_or_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="it is a device or a pipe"):
        FacesSink(pipe, "csv", SCHEMA, {})
    assert pipe.is_fifo()
    assert [p.name for p in tmp_path.iterdir()] == ["pipe.csv"]


def test_a_sink_needs_no_more_than_a_path(tmp_path: Path) -> None:
    out = tmp_path / "faces.csv"
    with FacesSink(str(out)) as target:
        for reading in readings():
            target.write(reading)
    assert (target.out, target.kind) == (out, "csv")
    assert len(read_rows(out)) == 7


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"kind": "xml"}, "unknown format 'xml'"),
        ({"schema": SCHEMA.names}, "a list is no schema"),
        ({"schema": SCHEMA.remove(SCHEMA.get_field_index("status"))}, "no faces table's, see status: make it"),
        ({"schema": SCHEMA.set(0, pa.field("source", pa.int32()))}, "see source"),
        ({"settings": {"every": object()}}, "must be JSON values"),
    ],
)
def test_an_opening_that_fails_leaves_the_place_free(tmp_path: Path, wrong: dict[str, Any], why: str) -> None:
    out = tmp_path / "faces.parquet"
    given: dict[str, Any] = {"kind": "parquet", "schema": SCHEMA, "settings": {}, **wrong}
    with pytest.raises(InputError, match=why), FacesSink(out, **given) as target:
        target.write(readings()[0])
    assert list(tmp_path.iterdir()) == []
    assert len(read_rows(written(out))) == 7


def test_an_opening_that_the_disk_refuses_leaves_the_place_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(OutputError, match="disk is full"):
            sink(tmp_path / "faces.parquet")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="null byte"):
        FacesSink(str(tmp_path / "a\0b.csv"))


@pytest.mark.parametrize("out", [3, None])
def test_what_is_no_path_is_refused(out: Any) -> None:
    with pytest.raises(InputError, match=f"{out} is no path: name the table"):
        FacesSink(out)


def test_readings_are_written_inside_the_block(tmp_path: Path) -> None:
    target = sink(tmp_path / "faces.csv", "csv")
    with pytest.raises(InputError, match="is not begun: write inside the with block"):
        target.write(readings()[0])
    with target:
        with pytest.raises(InputError, match="a FaceAnalysis is no reading: write what analyze_many gives"):
            target.write(face())  # type: ignore[arg-type]
        target.write(readings()[0])
    with pytest.raises(InputError, match="is finished: write inside the with block"):
        target.write(readings()[0])
    assert len(read_rows(tmp_path / "faces.csv")) == 2


def test_settings_are_the_same_when_they_come_back_from_json(tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    with pytest.raises(RuntimeError):
        stopped(sink(out, size=(1, 2)), readings(), RuntimeError())
    assert sink(out, resume=True, size=(1, 2)).finished == {"d.jpg", "日.mp4"}
