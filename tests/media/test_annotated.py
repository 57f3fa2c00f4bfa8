"""Annotated films: frames keep their time, marks are drawn, a film appears whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from omokage.errors import InputError, OutputError
from omokage.media.annotated import AnnotatedVideo, Mark, colour_of, drawing
from omokage.media.video import read_video
from omokage.results import Box

GREY = np.full((97, 161, 3), 90, np.uint8)
MARK = Mark(Box(30.0, 20.0, 90.0, 60.0), ("track 3", "happiness 0.71"), 3)


def test_marks_are_drawn_and_the_frame_is_left_alone() -> None:
    drawn = drawing(GREY, [MARK])
    assert drawn.shape == (96, 160, 3)
    assert tuple(drawn[20, 60]) == colour_of(3)
    assert (GREY == 90).all()
    assert (drawn[62:] != 90).any()  # the words stand below the box


def test_large_frames_are_reduced() -> None:
    assert max(drawing(np.zeros((1000, 4000, 3), np.uint8), []).shape) == 1920


def test_frames_keep_their_times(tmp_path: Path) -> None:
    pytest.importorskip("av")
    times = [0.0, 0.1, 0.15, 0.9, 1.0]
    with AnnotatedVideo(tmp_path / "a.mp4", 10.0) as film:
        for t in times:
            film.write(GREY, t, [MARK])
    assert [f.timestamp_s for f in read_video(tmp_path / "a.mp4")] == pytest.approx(times, abs=0.002)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4"]


def test_without_pyav_the_rate_is_fixed_and_time_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with AnnotatedVideo(tmp_path / "a.mp4", 10.0) as film:
        for t in (0.0, 0.1, 0.15, 0.9):
            film.write(GREY, t, [MARK])
    found = list(read_video(tmp_path / "a.mp4"))
    assert len(found) == 10
    assert found[-1].timestamp_s == pytest.approx(0.9, abs=0.01)


def test_without_pyav_a_frame_stays_until_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with AnnotatedVideo(tmp_path / "a.mp4", 10.0) as film:
        for shade, t in ((20, 0.0), (60, 0.1), (100, 0.2), (200, 2.2), (240, 2.3)):
            film.write(np.full((64, 64, 3), shade, np.uint8), t)
    shades = [float(f.pixels.mean()) for f in read_video(tmp_path / "a.mp4")]
    assert shades == pytest.approx([20, 60, *20 * [100], 200, 240], abs=8)


@pytest.mark.parametrize("encoder", ["av", "cv2"])
@pytest.mark.parametrize("name", [b"10:20.mp4", b"caf\xe9.mp4"])
def test_any_name_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str, name: bytes) -> None:
    if encoder == "av":
        pytest.importorskip("av")
    else:
        monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.chdir(tmp_path)
    out = Path(os.fsdecode(name))
    try:
        out.touch()
    except OSError:
        pytest.skip("no such names on this disk")
    with AnnotatedVideo(out, 10.0) as film:
        for k in range(3):
            film.write(GREY, k / 10)
    assert len(list(read_video(out))) == 3
    assert os.listdir() == [str(out)]
    assert not out.is_symlink()


def test_a_film_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    film = AnnotatedVideo(tmp_path / "a.mp4")
    film.write(GREY, 0.0)
    film.__exit__(RuntimeError, RuntimeError(), None)
    assert list(tmp_path.iterdir()) == []
    with AnnotatedVideo(tmp_path / "b.mp4"):
        pass  # no frame, no film
    assert list(tmp_path.iterdir()) == []


def test_names_and_places_are_checked_first(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.mp4"):
        AnnotatedVideo(tmp_path / "a.avi")
    with pytest.raises(OutputError, match="does not exist"):
        AnnotatedVideo(tmp_path / "gone" / "a.mp4")
