"""Two photographs, tables and series: every way in which a pair can be bad has its own status."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from omokage.comparison.config import COMPARED_UNITS, FACTORS
from omokage.comparison.predict import Compared, Seen
from omokage.errors import InputError, WeightsError
from omokage.pipeline import Analyzer, opened, pair_table
from omokage.pipeline import compare as comparing
from omokage.pipeline.compare import Photo, compare, mirrored
from omokage.pipeline.pair_table import COLUMNS, compare_table, read_pairs
from omokage.pipeline.series import change_points, compare_series, ordered, taken, theil_sen
from omokage.report.change_words import TEXT
from omokage.results import Change, FaceChange
from stand_ins import SquareFinder, SquarePredictor, write_picture
from stand_ins import picture as drawn


class SquareComparer:
    """Reads the blue channel as age, the grey of the surroundings as who it is. Counts the crops it saw."""

    size, margin, same_limit = 32, 1.3, 0.5

    def __init__(self) -> None:
        self.seen: list[int] = []

    def describe(self) -> dict[str, str]:
        return {"comparison": "squares/comparison@0"}

    def see(self, crops: Any) -> Seen:
        self.seen.append(len(crops))
        ages = torch.tensor([c[8:-8, 8:-8, 2].mean() / 2.55 for c in crops], dtype=torch.float64)
        return Seen(ages[None, :, None], torch.tensor([[float(c[0, 0, 1])] for c in crops]))

    def compare(self, seen: Seen, pairs: Any, controlled: Any = ()) -> Compared:
        read = torch.cat([seen.states[0], seen.codes], 1).numpy()
        a, b = (read[[pair[k] for pair in pairs]] for k in (0, 1))
        value = np.zeros((len(pairs), len(FACTORS)))
        value[:, -1] = b[:, 0] - a[:, 0]
        self.controlled = list(controlled)
        p = np.where(np.abs(value) > 3, 0.001, 0.9)
        same = (np.abs(a[:, 1] - b[:, 1]) < 20).astype(float)
        return Compared(value, value - 2, value + 2, p, same)


def face(path: Path, age: int, place: int = 40, shade: int = 110, others: tuple[Any, ...] = ()) -> Path:
    write_picture(path, [(place, 40, 50, age), *others])
    picture = cv2.imread(str(path))
    picture[(picture == (90, 110, 90)).all(2)] = (90, shade, 90)
    picture[42:50, place + 3 : place + 12] = (0, 60, 250)  # something that a mirror moves
    assert cv2.imwrite(str(path), picture)
    return path


def ask(before: Path, after: Path, **options: Any) -> FaceChange:
    analyzer = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    return compare(before, after, analyzer=analyzer, comparer=SquareComparer(), **options)  # type: ignore[arg-type]


def test_a_change_is_after_minus_before(tmp_path: Path) -> None:
    one, two = face(tmp_path / "a.png", 20), face(tmp_path / "b.png", 60, 60)
    change = ask(one, two)
    assert change.status == "ok"
    assert change.age is not None
    assert change.age.value == pytest.approx(40, abs=3)
    assert list(change.called()) == ["age"]
    assert len(change.units) == len(COMPARED_UNITS)
    back = ask(two, one)
    assert back.age is not None
    assert back.age.value == pytest.approx(-change.age.value)


def test_two_people_are_declined_with_the_probability(tmp_path: Path) -> None:
    one, two = face(tmp_path / "a.png", 20), face(tmp_path / "b.png", 60, shade=200)
    change = ask(one, two)
    assert change.status == "different_people"
    assert change.same_person == 0
    assert not change.factors
    assert ask(one, two, assume_same=True).status == "ok"


def test_every_bad_pair_has_its_own_status(tmp_path: Path) -> None:
    good = face(tmp_path / "good.png", 30)
    write_picture(tmp_path / "none.png")
    assert ask(good, tmp_path / "none.png").status == "no_face_after"
    assert ask(tmp_path / "none.png", good).status == "no_face_before"
    two = face(tmp_path / "two.png", 30, 10, others=((90, 40, 48, 50),))
    assert ask(good, two).status == "several_faces_after"
    assert ask(good, good).status == "same_picture"
    copy = tmp_path / "copy.bmp"
    assert cv2.imwrite(str(copy), cv2.imread(str(good)))
    assert ask(good, copy).status == "same_picture"
    turned = tmp_path / "turned.png"
    assert cv2.imwrite(str(turned), cv2.imread(str(good))[:, ::-1])
    assert ask(good, turned).status == "mirror_image"
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert ask(good, tmp_path / "broken.png").status.startswith(f"unreadable: {tmp_path / 'broken.png'}: ")
    assert ask(tmp_path / "gone.png", good).status.startswith(f"unreadable: {tmp_path / 'gone.png'}: ")


def test_weights_without_the_network_say_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "attributes.json").write_text("{}")
    monkeypatch.setattr(opened, "DEFAULT_SET", str(tmp_path))
    with pytest.raises(WeightsError, match="hold no comparison network: train one"):
        opened.open_comparer(str(tmp_path))


def test_a_picture_is_no_mirror_image_of_itself() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert mirrored(picture, picture[:, ::-1])
    assert not mirrored(picture, picture)
    even = np.concatenate([picture, picture[:, ::-1]], 1)
    assert not mirrored(even, even)


def test_warnings_name_what_may_explain_a_change(tmp_path: Path) -> None:
    one, two = face(tmp_path / "a.png", 20), face(tmp_path / "b.png", 60, 60)
    blurred = tmp_path / "c.png"
    assert cv2.imwrite(str(blurred), cv2.GaussianBlur(cv2.imread(str(two)), (0, 0), 3))
    assert "sharpness" not in ask(one, two).warnings
    assert "sharpness" in ask(one, blurred).warnings


def test_light_camera_pose_and_make_up_that_differ_are_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = face(tmp_path / "a.png", 20), face(tmp_path / "b.png", 60, 60)
    found = ask(one, two)
    assert set(found.looks) == {"glasses"}  # the one look that both analyses tell; the network's answers are not used
    assert found.looks["glasses"] == pytest.approx(0.18)
    assert found.nuisance["pose"] < 0.01
    monkeypatch.setattr(comparing, "looks_between", lambda *_: {"makeup": 0.9})
    monkeypatch.setattr(comparing, "day_between", lambda *_: {"light": 0.9, "camera": 0.9})
    assert ask(one, two).warnings == ("light", "camera", "makeup")
    monkeypatch.setattr(comparing, "TURNED", 0.0)  # the stand-in holds every head alike
    assert "pose" in ask(one, two).warnings


def test_pairs_with_the_head_held_and_lit_alike_are_read_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = face(tmp_path / "a.png", 20), face(tmp_path / "b.png", 60, 60)
    analyzer, comparer = Analyzer(finder=SquareFinder(), predictor=SquarePredictor()), SquareComparer()
    for alike in (True, False):
        monkeypatch.setattr(comparing, "controlled", lambda *_, alike=alike: alike)
        found = compare(one, two, analyzer=analyzer, comparer=comparer)  # type: ignore[arg-type]
        assert comparer.controlled == [alike]
        assert found.controlled is alike
        assert pair_table.row_of(found)["controlled"] == int(alike)
    monkeypatch.setattr(comparing, "controlled", lambda *_: True)
    face(tmp_path / "c.png", 40, 60)
    compare_series(analyzer, comparer, str(tmp_path))  # type: ignore[arg-type]
    assert comparer.controlled == [True] * 3


def test_calls_hold_for_all_factors_together() -> None:
    units = {f"u{k}": Change(0.1, -1, 1, 0.03 * (k + 1)) for k in range(30)}
    assert not FaceChange("a", "b", units=units).called()
    strong = {**units, "u0": Change(0.9, 0.5, 1.2, 0.001)}
    assert list(FaceChange("a", "b", units=strong).called()) == ["u0"]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_of_pairs_goes_on_where_it_was_stopped(tmp_path: Path, ending: str) -> None:
    for k in range(4):
        face(tmp_path / f"{k}.png", 20 + 10 * k, 40 + 4 * k)
    rows = [{"before": f"{a}.png", "after": f"{b}.png"} for a, b in ((0, 1), (1, 2), (2, 2), (3, 9), (0, 3))]
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["before", "after"])
        writer.writeheader()
        writer.writerows(rows)
    pairs, analyzer = read_pairs(tmp_path / "pairs.csv"), Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    out, comparer = tmp_path / f"out.{ending}", SquareComparer()
    counts = compare_table(analyzer, comparer, pairs, out)  # type: ignore[arg-type]
    assert counts == {"ok": 3, "same_picture": 1, "unreadable": 1}
    assert sum(comparer.seen) == 4  # each photograph once
    whole = out.read_bytes()
    parts = out.with_name(out.name + ".parts")
    assert not parts.exists()

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_table(analyzer, comparer, pairs, out, progress=stop)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--resume"):
        compare_table(analyzer, comparer, pairs, out)  # type: ignore[arg-type]
    kept = parts.read_text().splitlines()
    parts.write_text("\n".join(kept[:3]) + '\n{"cut sho')
    assert compare_table(analyzer, SquareComparer(), pairs, out, resume=True) == counts  # type: ignore[arg-type]
    assert out.read_bytes() == whole
    if ending == "jsonl":
        assert set(json.loads(whole.splitlines()[0])) == set(COLUMNS)
    with pytest.raises(KeyboardInterrupt):
        compare_table(analyzer, comparer, pairs, out, progress=stop)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="begun with other pairs"):  # one pair in the middle is another one
        compare_table(analyzer, comparer, [*pairs[:2], pairs[0], *pairs[3:]], out, resume=True)  # type: ignore[arg-type]
    parts.write_text(json.dumps({"other": 1}) + "\n")
    with pytest.raises(InputError, match="begun with other pairs"):
        compare_table(analyzer, comparer, pairs, out, resume=True)  # type: ignore[arg-type]


def test_photographs_of_a_table_are_found_once_while_they_stay_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(5):
        face(tmp_path / f"{k}.png", 20 + 10 * k, 40 + 4 * k)
    found: list[str] = []
    once = pair_table.photographs

    def counted(analyzer: Any, comparer: Any, sources: Any, crops: bool) -> Any:
        found.extend(Path(s.name).name for s in sources)
        return once(analyzer, comparer, sources, crops)

    monkeypatch.setattr(pair_table, "photographs", counted)
    monkeypatch.setattr(pair_table, "CHUNK", 1)
    analyzer = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    pairs = [(str(tmp_path / f"{a}.png"), str(tmp_path / f"{b}.png")) for a, b in ((0, 1), (0, 2), (0, 3), (1, 4))]
    out = tmp_path / "out.jsonl"
    comparer = SquareComparer()
    compare_table(analyzer, comparer, pairs, out)  # type: ignore[arg-type]
    whole = out.read_text()
    assert sorted(found) == [f"{k}.png" for k in range(5)]
    assert comparer.seen == [2, 1, 1, 1]  # nothing goes through the networks twice
    found.clear()
    monkeypatch.setattr(pair_table, "KEPT", 2)
    compare_table(analyzer, SquareComparer(), pairs, out)  # type: ignore[arg-type]
    assert found == ["0.png", "1.png", "2.png", "3.png", "1.png", "4.png"]  # the photograph in use stays, others go
    assert out.read_text() == whole


def test_a_table_without_the_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("one,two\na,b\n")
    with pytest.raises(InputError, match="lack the columns 'before' and 'after'; they have one, two"):
        read_pairs(tmp_path / "pairs.csv")
    (tmp_path / "pairs.csv").write_text("before,after\na.png,b.png\nc.png\n")
    with pytest.raises(InputError, match=r"pairs.csv, line 3: the column 'after' is empty; name the picture"):
        read_pairs(tmp_path / "pairs.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_pairs(tmp_path / "none.csv")


def test_what_is_no_photograph_keeps_its_row(tmp_path: Path) -> None:
    write_picture(tmp_path / "caf\xe9.png", [(10, 10, 50, 30)])
    (tmp_path / "folder").mkdir()
    lines = ["before,after", "cafe\u0301.png,folder", f"caf\xe9.png,{'x' * 300}.png", ","]
    (tmp_path / "pairs.csv").write_text("\n".join(lines), encoding="utf-8")
    pairs, out = read_pairs(tmp_path / "pairs.csv"), tmp_path / "out.jsonl"
    compare_table(Analyzer(finder=SquareFinder(), predictor=SquarePredictor()), SquareComparer(), pairs, out)  # type: ignore[arg-type]
    status = [json.loads(line)["status"] for line in out.read_text().splitlines()]
    assert [text.rpartition(": ")[2] for text in status] == ["it is a folder, no photograph", "no such file"]


def test_a_series_is_ordered_by_date_and_finds_the_trend_and_the_jump(tmp_path: Path) -> None:
    ages = [20, 20, 21, 20, 60, 61, 60, 60]
    for k, age in enumerate(ages):
        face(tmp_path / f"{'zyxwvuts'[k]}_2020-0{k + 1}-01.png", age, 30 + 3 * k)
    face(tmp_path / "q_2020-09-09.png", 30, 70, shade=220)
    write_picture(tmp_path / "r_2020-10-10.png")
    face(tmp_path / "p_2020-11-11.png", 20, 30)
    analyzer = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    line = compare_series(analyzer, SquareComparer(), str(tmp_path))  # type: ignore[arg-type]
    assert line.dated
    assert [Path(name).name[0] for name in line.names] == list("zyxwvuts")
    assert {Path(name).name[0]: why for name, why in line.left_out} == {
        "q": "different_person", "r": "no_face", "p": "repeated",
    }  # fmt: skip
    assert line.values["age"] == pytest.approx(np.array(ages) - 20, abs=2.5)
    assert line.jumps["age"] == (4,)
    assert line.trends["age"].slope > 20
    assert line.trends["fatness"].slope == 0
    with pytest.raises(InputError, match="needs three"):
        compare_series(analyzer, SquareComparer(), str(tmp_path / "q_2020-09-09.png"))  # type: ignore[arg-type]


def test_a_series_of_strangers_is_refused(tmp_path: Path) -> None:
    for k, shade in enumerate((20, 90, 160, 230)):
        face(tmp_path / f"{k}.png", 20 + 10 * k, 30 + 3 * k, shade=shade)
    analyzer = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    with pytest.raises(InputError, match=r"only 0 of 4 photographs .* add --assume-same"):
        compare_series(analyzer, SquareComparer(), str(tmp_path))  # type: ignore[arg-type]
    assert len(compare_series(analyzer, SquareComparer(), str(tmp_path), assume_same=True).names) == 4  # type: ignore[arg-type]
    face(tmp_path / "1.png", 30, 36, shade=20)
    with pytest.raises(InputError, match="only 2 of 4"):
        compare_series(analyzer, SquareComparer(), str(tmp_path))  # type: ignore[arg-type]


def test_pictures_are_compared_however_they_are_given(tmp_path: Path) -> None:
    paths = [face(tmp_path / "a.png", 20), face(tmp_path / "b.png", 50, 48)]
    by_path = ask(*paths)
    pixels = [np.asarray(Image.open(path)) for path in paths]
    for given in (pixels, [path.read_bytes() for path in paths], [Image.open(path) for path in paths], map(str, paths)):
        change = ask(*given)  # type: ignore[arg-type]
        assert change.status == "ok"
        assert (change.age, change.same_person) == (by_path.age, by_path.same_person)
    assert ask(pixels[0], pixels[0]).status == "same_picture"  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a int is no picture"):
        ask(3, paths[0])  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"pixels must be RGB uint8 .* not float64"):
        ask(pixels[0] / 255, paths[0])  # type: ignore[arg-type]


def test_a_video_is_no_photograph(tmp_path: Path) -> None:
    face(tmp_path / "a.png", 20)
    (tmp_path / "b.mp4").write_bytes(b"any")
    change = ask(tmp_path / "a.png", tmp_path / "b.mp4")
    assert change.status.startswith(f"unreadable: {tmp_path / 'b.mp4'}: a video is no photograph")


def test_slopes_and_steps_of_known_curves() -> None:
    times = np.arange(20.0)
    trend = theil_sen(times, 2 * times + np.where(times == 7, 50, 0))
    assert trend.slope == pytest.approx(2)
    assert trend.low <= 2 <= trend.high
    assert theil_sen(np.zeros(4), np.arange(4.0)).slope == 0
    noise = np.random.default_rng(3).normal(0, 1, 7)
    up, down = theil_sen(np.arange(7.0), noise), theil_sen(np.arange(7.0), -noise)
    assert (up.low, up.high) == pytest.approx((-down.high, -down.low))
    steps = np.repeat([0.0, 5.0, -5.0], 6) + np.random.default_rng(0).normal(0, 0.5, 18)
    assert change_points(steps, 0.5) == (6, 12)
    assert change_points(np.random.default_rng(1).normal(0, 0.5, 30), 0.5) == ()


def photo(path: Path, taken_at: str = "", changed_at: str = "") -> Path:
    """A small picture with EXIF's DateTimeOriginal and DateTime."""
    exif = Image.Exif()
    if taken_at:
        exif[0x8769] = {0x9003: taken_at}
    if changed_at:
        exif[0x0132] = changed_at
    Image.new("RGB", (8, 8)).save(path, exif=exif)
    return path


def test_dates_come_from_the_camera_before_the_name_and_from_the_name_before_an_edit(tmp_path: Path) -> None:
    original, edit, name = datetime(2019, 5, 6, 7, 8, 9), datetime(2024, 2, 2, 10), datetime(1998, 5, 1)
    said = [when.strftime("%Y:%m:%d %H:%M:%S") for when in (original, edit)]
    assert taken(photo(tmp_path / "1998-05-01.jpg", *said)) == original
    assert taken(photo(tmp_path / "1998-05-01_scan.jpg", "", said[1])) == name
    assert taken(photo(tmp_path / "1998-05-01_x.jpg", "0000:00:00 00:00:00", said[1])) == name
    assert taken(photo(tmp_path / "1998-02-31.jpg", "", said[1])) == edit
    assert taken(photo(tmp_path / "plain.jpg", "", said[1])) == edit
    assert taken(photo(tmp_path / "bare.jpg")) is None
    assert taken(tmp_path / "gone_20220304.jpg") == datetime(2022, 3, 4)


@pytest.mark.parametrize(
    "text",
    ["2024:01:31 10:00:00", "2024:01:31 10:00:00 ", "2024:01:31 10:00:00+09:00", "2024-01-31 10:00:00",
     "2024-01-31T10:00:00.25Z"],
)  # fmt: skip
def test_dates_are_read_as_programs_write_them(tmp_path: Path, text: str) -> None:
    assert taken(photo(tmp_path / "a.jpg", text)) == datetime(2024, 1, 31, 10)


@pytest.mark.parametrize("name", ["IMG_20240131_235959", "20240131101500", "p-2024.01.31-2", "2024-01-31T10"])
def test_a_date_in_a_name_stands_alone_or_before_a_time(name: str) -> None:
    assert taken(Path(f"no-such-folder/{name}.jpg")) == datetime(2024, 1, 31)


@pytest.mark.parametrize("name", ["DSC20020101234", "scan_119900101_2", "p1201912310", "20240131996161", "2024"])
def test_a_part_of_a_number_in_a_name_is_no_date(name: str) -> None:
    assert taken(Path(f"no-such-folder/{name}.jpg")) is None


def test_numbers_in_names_count_as_numbers() -> None:
    days = [Photo(f"s/day{k}.jpg") for k in range(1, 13)]
    named, times, dated = ordered(sorted(days, key=lambda one: one.name))
    assert [one.name for one in named] == [one.name for one in days]
    assert (times.tolist(), dated) == (list(range(12)), False)
    mixed = ["10.jpg", "9/b.jpg", "a.jpg", "a1.jpg", "a01.jpg", "9/a.jpg"]
    assert [p.name for p in ordered([Photo(name) for name in mixed])[0]] == [
        "9/a.jpg", "9/b.jpg", "10.jpg", "a.jpg", "a01.jpg", "a1.jpg",
    ]  # fmt: skip


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="needs file names that are not UTF-8")
def test_a_file_whose_name_is_not_utf8_keeps_its_date(tmp_path: Path) -> None:
    names = [os.fsdecode(name) for name in (b"c\xe9.jpg", b"b\xe9.jpg", b"a.jpg")]
    for k, name in enumerate(names):
        exif = Image.Exif()
        exif[0x0132] = f"20{20 + k}:01:01 10:00:00"
        Image.fromarray(drawn([(30 + 3 * k, 40, 50, 20)])).save(tmp_path / name, exif=exif, quality=95)
    analyzer = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    line = compare_series(analyzer, SquareComparer(), str(tmp_path))  # type: ignore[arg-type]
    assert line.dated
    assert [Path(name).name for name in line.names] == ["c\\xe9.jpg", "b\\xe9.jpg", "a.jpg"]


@pytest.mark.parametrize("left_out", ["stranger.png", "2010-01-01.png", "a copy.png"])
def test_a_photograph_that_is_left_out_decides_neither_order_nor_units(tmp_path: Path, left_out: str) -> None:
    """By name the photographs would come in the opposite order of their dates."""
    ages = [20, 40, 30, 60, 50]
    for k, age in enumerate(ages):
        face(tmp_path / f"{'edcba'[k]}_{2020 + k}-01-01.png", age, 30 + 3 * k)
    analyzer = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    alone = compare_series(analyzer, SquareComparer(), str(tmp_path))  # type: ignore[arg-type]
    assert (alone.dated, alone.times[0]) == (True, 0)
    assert alone.times == pytest.approx(range(5), abs=0.01)
    assert alone.values["age"] == pytest.approx(np.array(ages) - 20, abs=2.5)
    if "copy" in left_out:
        shutil.copy(tmp_path / "e_2020-01-01.png", tmp_path / left_out)
    else:
        face(tmp_path / left_out, 30, 70, shade=220)
    line = compare_series(analyzer, SquareComparer(), str(tmp_path))  # type: ignore[arg-type]
    assert [Path(name).name for name, _ in line.left_out] == [left_out]
    assert (line.names, line.times, line.dated) == (alone.names, alone.times, True)
    for name in ("age", "fatness"):
        assert line.values[name] == pytest.approx(alone.values[name])
        assert line.spread[name] == pytest.approx(alone.spread[name])
        assert line.trends[name] == alone.trends[name]


def test_a_change_card_holds_pictures_numbers_and_no_script(tmp_path: Path) -> None:
    from omokage.report.comparison import ChangeCard, write_card

    one, two = face(tmp_path / "a.png", 20), face(tmp_path / "<b>.png", 60, 60)
    change = replace(ask(one, two), warnings=("light",), controlled=True)
    pixels = np.full((64, 64, 3), 90, np.uint8)
    for language in ("en", "ja"):
        page = tmp_path / f"{language}.html"
        write_card(page, ChangeCard(change, pixels, pixels, np.eye(7) / 7), language, {"weights": "x"})
        text = page.read_text()
        assert text.count("data:image/jpeg") == 3
        assert "<script" not in text
        assert "<b>.png" not in text
        assert TEXT[language]["controlled"] in text
        assert "resize:horizontal" in text
        assert ".s4:checked:focus) .upper{width:100%!important}" in text, "a dragged width stays on the box"
        assert f'class="where" role="img" viewBox="0 0 7 7"><title>{TEXT[language]["where"]}' in text
    write_card(tmp_path / "none.html", ChangeCard(FaceChange("a", "b", "no_face_before")))
    assert "No face was found in the first" in (tmp_path / "none.html").read_text()
    with pytest.raises(InputError, match="no texts in the language"):
        write_card(tmp_path / "x.html", ChangeCard(change), "xx")


def test_words_exist_in_both_languages() -> None:
    from omokage.report import change_words as words

    for table in (words.TEXT, words.STATUS, words.WARNINGS):
        assert set(table["en"]) == set(table["ja"])
    assert words.name_of_factor("mouthSmileLeft", "en") == "mouth smile left"
    assert all(not any("a" <= c <= "z" for c in words.name_of_factor(name, "ja")) for name in FACTORS)
