"""Many pictures in Python: one reading for each listed one, taken as they come; wrong arguments are told at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from omokage.errors import InputError
from omokage.media.feed import Feed
from omokage.media.sources import Source
from omokage.pipeline import Analyzer
from stand_ins import SquareFinder, SquarePredictor, picture, write_picture


def analyzer() -> Analyzer:
    return Analyzer(finder=SquareFinder(), predictor=SquarePredictor())


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    names = [tmp_path / f"{k:03d}.png" for k in range(4)]
    for k, name in enumerate(names):
        write_picture(name, [(20, 20, 40, 10 * k)])
    return names


def film(path: Path, frames: int = 4) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (160, 120))
    for i in range(frames):
        writer.write(np.ascontiguousarray(picture([(20 + i, 20, 60, 50)])[..., ::-1]))
    writer.release()
    return path


def test_every_listed_picture_has_its_reading(pictures: list[Path]) -> None:
    a, b, c, _ = pictures
    listed = [b, a, b, b, c]
    readings = list(analyzer().analyze_many(listed))
    assert [r.source for r in readings] == [str(path) for path in listed]
    ages = [round(r.faces[0].age.years) for r in readings if r.faces[0].age]
    assert ages == [10, 0, 10, 10, 20]


def test_a_folder_and_a_pattern_give_each_file_once(pictures: list[Path]) -> None:
    folder = pictures[0].parent
    assert len(list(analyzer().analyze_many(str(folder / "**")))) == 4  # the pattern matches the folder, too
    twice = list(analyzer().analyze_many([pictures[2], folder]))
    assert [r.source for r in twice] == [str(p) for p in (pictures[2], *pictures)]


def test_a_video_is_its_frames_and_nothing_else(tmp_path: Path, pictures: list[Path]) -> None:
    clip = film(tmp_path / "clip.avi")
    readings = list(analyzer().analyze_many([pictures[0], clip, pictures[1]]))
    assert [(r.frame, r.status, r.last) for r in readings] == [
        (0, "ok", True), (0, "ok", False), (1, "ok", False), (2, "ok", False), (3, "ok", True), (0, "ok", True),
    ]  # fmt: skip
    ends = list(analyzer().read_sources([Source(str(clip), video=True)]))
    assert [(r.silent, r.last) for r in ends] == [(False, False)] * 4 + [(True, True)]


def test_an_iterator_is_taken_as_it_comes_in_the_thread_that_made_it(pictures: list[Path]) -> None:
    taken: list[str] = []

    def endless() -> Iterator[Path]:
        while True:
            taken.append(threading.current_thread().name)
            yield pictures[len(taken) % 4]

    readings = analyzer().analyze_many(endless())
    assert taken == []
    sources = [next(readings).source for _ in range(20)]
    assert sources == [str(pictures[(k + 1) % 4]) for k in range(20)]
    assert len(taken) < 80
    assert set(taken) == {threading.current_thread().name}
    readings.close()
    assert not [t for t in threading.enumerate() if t.name == "omokage-decode"]


def test_what_an_iterator_raises_comes_after_the_readings_before(pictures: list[Path]) -> None:
    def broken() -> Iterator[object]:
        yield from pictures
        yield None

    readings = analyzer().analyze_many(broken())  # type: ignore[arg-type]
    assert [next(readings).source for _ in pictures] == [str(p) for p in pictures]
    with pytest.raises(InputError, match="a NoneType is no path"):
        next(readings)


def test_what_is_missing_keeps_its_place(tmp_path: Path, pictures: list[Path]) -> None:
    gone, nothing = tmp_path / "gone.jpg", tmp_path / "*.bmp"
    readings = list(analyzer().analyze_many([gone, pictures[0], str(nothing), "", "a\0b.png", tmp_path / "no.mp4"]))
    assert [r.source for r in readings][:4] == [str(gone), str(pictures[0]), str(nothing), ""]
    assert [r.status for r in readings][:2] == ["unreadable: no such file or folder", "ok"]
    assert [r.problem[:15] for r in readings][2:] == [
        "nothing matches", "one of the inpu", "a path cannot h", "no such file or",
    ]  # fmt: skip
    late = list(analyzer().analyze_many(iter([pictures[0], gone])))
    assert [bool(r.problem) for r in late] == [False, True]


def test_a_source_that_is_missing_is_only_a_problem(tmp_path: Path) -> None:
    (reading,) = analyzer().analyze_many([Source(str(tmp_path / "gone.png"))])
    assert "no such file" in reading.problem


def test_nothing_found_at_all_is_an_error_and_nothing_asked_is_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    for inputs, why in (
        ("gone.jpg", "no such file or folder: gone.jpg"),
        ([tmp_path / "a.jpg", tmp_path / "b.jpg"], "no such file or folder: .*a.jpg"),
        (tmp_path, "no picture and no video in .*passed over 1 file"),
    ):
        with pytest.raises(InputError, match=why):
            list(analyzer().analyze_many(inputs))  # type: ignore[arg-type]
    assert list(analyzer().analyze_many([])) == []
    assert list(analyzer().analyze_many(iter(()))) == []


@pytest.mark.parametrize(
    ("inputs", "options", "why"),
    [
        ([], {"every": 0}, "every=0 is not possible: .* from 1 on"), ([], {"every": 1.5}, "every=1.5 is not possible"),
        ([], {"every": True}, "every=True"), ([], {"done": ["a.png"]}, "a list does not"),
        (5, {}, "an? int is no path"), (b"a.png", {}, "a bytes is no path"), (["a.png", 3], {}, "a int is no path"),
        (picture(), {}, "a ndarray is no path"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_told_at_the_call(inputs: object, options: dict[str, object], why: str) -> None:
    with pytest.raises(InputError, match=why):
        analyzer().analyze_many(inputs, **options)  # type: ignore[arg-type]


def test_pictures_that_are_left_out_hold_up_nobody(pictures: list[Path]) -> None:
    done = {str(path): {0} for path in pictures[:3]}
    for _ in range(5):
        (reading,) = analyzer().analyze_many([*pictures[:3] * 20, pictures[3]], done=done)
        assert reading.source == str(pictures[3])


def test_a_feed_hands_on_no_more_than_it_may() -> None:
    taken: list[int] = []
    feed = Feed((taken.append(k) or k for k in range(9)), 4)  # type: ignore[func-returns-value]
    feed.hand_on()
    feed.hand_on()
    assert taken == [0, 1, 2, 3]
    feed.hand_on(done=2)
    assert taken == [0, 1, 2, 3, 4, 5]
    with feed:
        pass
    assert list(feed) == taken


_LEFT_HALF_WAY = """
import sys
import omokage
readings = omokage.Analyzer().analyze_many([sys.argv[1]] * 99, crops=True)
print(next(readings).source)
"""


def test_readings_that_are_left_half_way_do_not_hold_up_the_end_of_the_program(pictures: list[Path]) -> None:
    command = [sys.executable, "-c", _LEFT_HALF_WAY, str(pictures[0])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(pictures[0])
