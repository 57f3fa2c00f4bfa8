"""Timed frames in bounded memory; a damaged video gives its good frames and then says what is wrong."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from omokage.errors import InputError, UnreadableError
from omokage.media.ahead import frames
from omokage.media.sources import Source
from omokage.media.video import read_video

FRAMES, RATE = 30, 10.0


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty frames at ten a second; red grows with time, the upper half is darker."""
    path = tmp_path_factory.mktemp("video") / "旅 clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (64, 48))
    assert writer.isOpened()
    for i in range(FRAMES):
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[24:, :, 2] = 100 + 5 * i  # OpenCV writes BGR
        writer.write(picture)
    writer.release()
    return path


def test_frames_have_their_number_and_time(video: Path) -> None:
    found = list(read_video(video))
    assert [f.index for f in found] == list(range(FRAMES))
    assert [f.timestamp_s for f in found] == pytest.approx([i / RATE for i in range(FRAMES)], abs=0.01)
    for frame in found[::7]:
        assert frame.pixels.shape == (48, 64, 3)
        assert abs(float(frame.pixels[36, 32, 0]) - (100 + 5 * frame.index)) < 12
        assert frame.pixels[..., 2].max() < 40


def test_every_nth_frame(video: Path) -> None:
    found = list(read_video(video, every=7))
    assert [f.index for f in found] == [0, 7, 14, 21, 28]
    assert [f.timestamp_s for f in found] == pytest.approx([0.0, 0.7, 1.4, 2.1, 2.8], abs=0.01)
    with pytest.raises(InputError, match="0"):
        list(read_video(video, every=0))


def test_known_frames_are_passed_over(video: Path) -> None:
    assert [f.index for f in read_video(video, every=10, skip={0, 10})] == [20]


def test_damaged_videos(video: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.mp4"
    words.write_text("these are words")
    with pytest.raises(UnreadableError, match="not a video"):
        list(read_video(words))
    with pytest.raises(UnreadableError, match="no such file"):
        list(read_video(tmp_path / "gone.mp4"))
    short = tmp_path / "short.avi"
    content = video.read_bytes()
    short.write_bytes(content[: len(content) // 2])
    good = []
    with pytest.raises(UnreadableError):
        good.extend(f.index for f in read_video(short))


def test_frames_of_many_sources_never_raise(video: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.mp4"
    words.write_text("these are words")
    found = list(
        frames([Source(str(words), True), Source(str(video), True), Source(str(tmp_path / "gone.jpg"))], every=15)
    )
    assert [(f.index, bool(f.problem), f.end) for f in found] == [
        (0, True, False),
        (0, False, False),
        (15, False, False),
        (16, False, True),
        (0, True, False),
    ]
    assert [f.last for f in found] == [True, False, False, True, True]
    assert str(words) not in found[0].problem
