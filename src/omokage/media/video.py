"""Timed frames of a video, one in memory at a time; frames come upright, RGB uint8.

OpenCV decodes: FFmpeg is inside its wheel, so nothing else is to be installed and every usual container and codec is
read. Frames are turned upright by the container's display matrix. Times are the presentation times that the container
gives each frame, counted from the first, so a variable frame rate (telephones, screen recordings) is followed exactly;
only a container without times falls back to its stated rate.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.errors import InputError, UnreadableError
from omokage.media.container import explain, may_be_cut
from omokage.media.files import film_name, why_not

# Containers state the number of frames from their index or from duration x rate. A few frames less is rounding, and
# fewer frames over the whole duration is a variable rate; only less of both is damage.
_SHORT_BY = 0.02
# Times that fall by more begin anew (streams put one behind the other, a recorder that was started again); by less
# they are only out of order.
_ANEW_S = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class TimedFrame:
    """One frame (h, w, 3) RGB uint8 with its number from 0 and its time in seconds from the start."""

    pixels: NDArray[np.uint8]
    index: int
    timestamp_s: float


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a container states: frames a second (an average where the rate varies), frames (0: unknown) and the size
    (width, height) of upright pictures."""

    fps: float
    frames: int
    size: tuple[int, int]


def video_facts(path: str | Path) -> VideoFacts:
    """What the container states of its pictures. Raises UnreadableError."""
    import cv2

    capture = _opened(path)
    try:
        width, height = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        return VideoFacts(_rate(capture), _stated(capture), (width, height))
    finally:
        capture.release()


def read_video(
    path: str | Path,
    every: int = 1,
    skip: frozenset[int] | set[int] = frozenset(),
    fps: float | None = None,
    start: int = 0,
) -> Iterator[TimedFrame]:
    """Every `every`-th frame, from frame 0 on; frames whose numbers are in `skip` or below `start` are passed over.

    With `fps` at most so many frames are given for each second of the video's own time, evenly, whatever its rate is
    and wherever the reading starts. Of a display matrix only the angle is followed: a mirrored video is not mirrored
    back. Transparency is dropped: pixels have the colour that is stored below it, mostly black. Raises InputError for
    `every` below 1 or an impossible `fps` and UnreadableError when the file cannot be opened, holds no frame, or ends
    well before the length that it states (after the good frames were given).
    """
    if every < 1:
        raise InputError(f"every {every}-th frame is not possible: give a number from 1 on")
    if fps is not None and not 0 < fps < math.inf:
        raise InputError(f"{fps:g} frames a second are not possible: give a finite number above 0")
    capture = _opened(path)
    try:
        for index, seconds in _times(capture, str(path), fps):
            if index % every or index in skip or index < start:
                continue
            yield TimedFrame(_pixels(capture, str(path), index), index, seconds)
    finally:
        capture.release()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the decoder's own complaints about damaged files on the user's terminal: what is wrong is said once, in a
    row of the result. OpenCV asks when its first video is opened; other programs are not to inherit it."""
    name = "OPENCV_FFMPEG_LOGLEVEL"
    chosen = name in os.environ
    os.environ.setdefault(name, "-8")
    try:
        yield
    finally:
        if not chosen:
            os.environ.pop(name, None)


def _opened(path: str | Path) -> Any:
    import cv2

    if not Path(path).is_file():
        raise UnreadableError(f"{path}: no such file")
    try:
        with _quiet(), film_name(path) as name:
            capture = cv2.VideoCapture(name)
    except OSError as error:
        raise UnreadableError(f"{path}: {why_not(error)}") from error
    if not capture.isOpened():
        capture.release()
        raise UnreadableError(f"{path}: {explain(path)}")
    return capture


def _times(capture: Any, path: str, fps: float | None) -> Iterator[tuple[int, float]]:
    """Number and time of each frame that is due, the capture standing on it."""
    import cv2

    stated, rate = _stated(capture), _rate(capture)
    clock = _Clock(rate)
    index, seconds, slot = 0, 0.0, -1
    while capture.grab():
        seconds = clock.seconds(float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0)
        if fps is None:
            yield index, seconds
        elif (now := math.floor(seconds * fps + 1e-6)) > slot:
            slot = now
            yield index, seconds
        index += 1
    if index == 0:
        raise UnreadableError(f"{path}: the video holds no frame that can be decoded")
    shown = seconds * index / max(index - 1, 1)  # the last frame stays as long as the others do on average
    if max(index, shown * rate) < stated * (1 - _SHORT_BY) - 2 and may_be_cut(path):
        raise UnreadableError(f"{path}: the video breaks off after {index} of about {stated} frames")


class _Clock:
    """From the times that a capture gives to seconds since the first frame, which never run backwards."""

    def __init__(self, rate: float) -> None:
        self._step = 1 / rate
        self._shift: float | None = None  # None: no frame yet
        self._at = self._last = 0.0

    def seconds(self, at: float) -> float:
        """The time of the next frame, of which the capture says `at`."""
        if self._shift is None:
            self._shift, self._at = -at, at
        elif at == 0.0:  # none is known, or times begin anew: the stated rate is the best that there is
            self._last += self._step
        else:
            if at < self._at - _ANEW_S:
                self._shift = self._last + self._step - at
            self._at = at
            self._last = max(at + self._shift, self._last)
        return self._last


def _pixels(capture: Any, path: str, index: int) -> NDArray[np.uint8]:
    import cv2

    ok, pixels = capture.retrieve()
    if not ok:
        raise UnreadableError(f"{path}: frame {index} cannot be decoded")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _stated(capture: Any) -> int:
    import cv2

    return max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)


def _rate(capture: Any) -> float:
    import cv2

    rate = float(capture.get(cv2.CAP_PROP_FPS))
    return rate if math.isfinite(rate) and rate > 0 else 25.0
