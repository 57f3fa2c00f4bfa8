"""Timed frames in bounded memory; a damaged video gives its good frames and then says what is wrong."""

from __future__ import annotations

import os
import struct
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from omokage.errors import InputError, UnreadableError
from omokage.media.ahead import frames
from omokage.media.sources import Source
from omokage.media.video import read_video, video_facts

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


def test_no_setting_of_the_decoder_stays_in_the_environment(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENCV_FFMPEG_LOGLEVEL", raising=False)
    before = dict(os.environ)
    list(read_video(video))
    assert dict(os.environ) == before


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


def turned(video: bytes, size: tuple[int, int]) -> bytes:
    """An MP4 whose display matrix says: a quarter clockwise (ISO/IEC 14496-12, `tkhd`)."""
    content = bytearray(video)
    at = content.find(b"tkhd") + 44
    assert struct.unpack(">9i", content[at : at + 36])[0] == 1 << 16
    content[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, size[1] << 16, 0, 1 << 30)
    return bytes(content)


def mp4(path: Path, frames: int = 12) -> Path:
    """Frames of 64 x 48 whose upper half is white."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), RATE, (64, 48))
    for _ in range(frames):
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[:24] = 255
        writer.write(picture)
    writer.release()
    return path


def test_a_rotated_video_comes_upright(tmp_path: Path) -> None:
    path = mp4(tmp_path / "phone.mp4")
    path.write_bytes(turned(path.read_bytes(), (64, 48)))
    assert video_facts(path).size == (48, 64)
    first = next(read_video(path)).pixels
    assert first.shape == (64, 48, 3)
    assert first[:, 36:].min() > 200  # what was above is on the right after a quarter turn clockwise
    assert first[:, :12].max() < 50


def test_a_few_frames_a_second_and_a_later_start(video: Path) -> None:
    assert [f.index for f in read_video(video, fps=2.0)] == [0, 5, 10, 15, 20, 25]
    assert [f.index for f in read_video(video, fps=2.0, start=11)] == [15, 20, 25]
    assert len(list(read_video(video, fps=1000.0))) == FRAMES
    for fps in (0.0, float("inf"), float("nan")):
        with pytest.raises(InputError, match="above 0"):
            list(read_video(video, fps=fps))


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_variable_rate_is_followed_and_is_no_damage(tmp_path: Path, ending: str) -> None:
    av = pytest.importorskip("av")
    times = [0, 40, 80, 500, 520, 1700, 1733, 3000, 3066]
    path = tmp_path / f"phone.{ending}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for at in times:
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert [f.timestamp_s for f in read_video(path)] == pytest.approx([t / 1000 for t in times], abs=0.002)
    assert [f.index for f in read_video(path, fps=1.0)] == [0, 5, 7]


def test_every_kind_of_useless_file_has_its_reason(tmp_path: Path) -> None:
    whole = mp4(tmp_path / "whole.mp4").read_bytes()
    sound = tmp_path / "sound.wav"
    with wave.open(str(sound), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(8000)
        stream.writeframes(bytes(1600))
    cases = {
        "empty": (b"", "empty"),
        "zeros": (bytes(5000), "only zeros"),
        "no-index": (whole[: whole.find(b"moov") - 4], "index is missing"),
        "sound": (sound.read_bytes(), "only sound"),
        "sound-in-mp4": (whole.replace(b"vide", b"soun"), "only sound"),
        "words": (b"these are words", "not a video"),
    }
    for name, (content, reason) in cases.items():
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(content)
        with pytest.raises(UnreadableError, match=reason):
            list(read_video(path))


@pytest.mark.parametrize("name", [b"caf\xe9.avi", b"folder-\xe9/a.avi", b"caf.\xe9"])
def test_a_name_that_is_not_utf8(video: Path, tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(video.read_bytes())
    except OSError:
        pytest.skip("no such names on this disk")
    assert len(list(read_video(path))) == FRAMES
    assert not [found for found in frames([Source(str(path), True)]) if found.problem]


@pytest.mark.parametrize("name", ["10:15.mp4", "file:a.mp4", "http:a.mp4"])
def test_what_stands_before_a_colon_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    content = mp4(tmp_path / "plain.mp4").read_bytes()
    (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    assert len(list(read_video(name))) == 12
    with pytest.raises(UnreadableError, match=r"^2:3\.mp4: no such file"):
        list(read_video("2:3.mp4"))


def film(
    path: Path, seconds: float, sound: float = 0.0, kind: str | None = None, codec: str = "mpeg4", **options: str
) -> Path:
    """Frames at `RATE`, and noise that may outlast them."""
    av = pytest.importorskip("av")
    noise = np.random.default_rng(0)
    with av.open(str(path), "w", format=kind, options=options) as container:
        stream = container.add_stream(codec, int(RATE))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        heard: Any = container.add_stream("aac", 8000, layout="mono") if sound else None
        for _ in range(round(seconds * RATE)):
            pixels = noise.integers(0, 255, (48, 64, 3)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
        for at in range(0, round(sound * 8000), 1024):
            part = av.AudioFrame.from_ndarray(noise.normal(0, 0.1, (1, 1024)).astype(np.float32), "fltp", "mono")
            part.sample_rate, part.pts, part.time_base = 8000, at, Fraction(1, 8000)
            container.mux(heard.encode(part))
        if heard is not None:
            container.mux(heard.encode(None))
    return path


@pytest.mark.parametrize("ending", ["mts", "mpg"])
def test_streams_one_behind_the_other_go_on_in_time(tmp_path: Path, ending: str) -> None:
    once = film(tmp_path / f"a.{ending}", 2.0, kind="mpegts", codec="mpeg2video" if ending == "mpg" else "mpeg4")
    twice = tmp_path / f"aa.{ending}"
    twice.write_bytes(2 * once.read_bytes())
    assert len(list(read_video(once))) == 20
    assert [f.timestamp_s for f in read_video(twice)] == pytest.approx([i / RATE for i in range(40)], abs=0.02)
    assert len(list(read_video(twice, fps=5.0))) == 20


@pytest.mark.parametrize(
    ("ending", "codec", "options"),
    [
        ("mkv", "mpeg4", {}),
        ("flv", "flv1", {}),
        ("mp4", "mpeg4", {"movflags": "frag_keyframe+empty_moov"}),
        ("mts", "mpeg4", {}),
    ],
)
def test_sound_that_outlasts_the_pictures_is_no_damage(
    tmp_path: Path, ending: str, codec: str, options: dict[str, str]
) -> None:
    kind = "mpegts" if ending == "mts" else None
    path = film(tmp_path / f"a.{ending}", 4.0, 8.0, kind, codec, **options)
    assert video_facts(path).frames > 70  # of the sound, too
    assert len(list(read_video(path))) == 40
    if ending in ("mp4", "mts"):  # they state no length: it is looked up at the end that is there
        return
    whole = path.read_bytes()
    part = len(whole) // 3
    for content in (whole[:part], whole[:part] + bytes(len(whole) - part)):
        path.write_bytes(content)
        with pytest.raises(UnreadableError, match="breaks off"):
            list(read_video(path))


def test_the_last_frame_stays_as_long_as_the_others(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "slow.avi"
    with av.open(str(path), "w") as container:  # counted in thousandths, nearly all of which hold no frame
        stream = container.add_stream("mjpeg", 30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for i in range(40):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = round(i * 1000 / 30), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert video_facts(path).frames > 1300
    assert len(list(read_video(path))) == 40


def test_a_video_that_breaks_off_ends_at_the_same_time_when_its_frames_are_known(video: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.avi"
    content = video.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    source = Source(str(path), True)
    fresh = list(frames([source], every=2))
    known = {f.index for f in fresh if f.pixels is not None}
    (end,) = frames([source], 2, {source.name: known})
    assert end.problem
    assert (end.index, end.timestamp_s, end.problem) == (
        fresh[-1].index, fresh[-1].timestamp_s, fresh[-1].problem,
    )  # fmt: skip
    assert end.timestamp_s > 0.3
