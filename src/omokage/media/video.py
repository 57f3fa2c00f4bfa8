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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.errors import InputError, UnreadableError
from omokage.media.container import explain

# Containers state the number of frames from their index or from duration x rate. A few frames less is rounding, and
# fewer frames over the whole duration is a variable rate; only less of both is damage.
_SHORT_BY = 0.02


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
    and wherever the reading starts. Raises InputError for `every` below 1 or `fps` not above 0 and UnreadableError when
    the file cannot be opened, holds no frame, or ends well before the length that it states (after the good frames were
    given).
    """
    if every < 1:
        raise InputError(f"every {every}-th frame is not possible: give a number from 1 on")
    if fps is not None and not fps > 0:
        raise InputError(f"{fps:g} frames a second are not possible: give a number above 0")
    capture = _opened(path)
    try:
        for index, seconds in _times(capture, str(path), fps):
            if index % every or index in skip or index < start:
                continue
            yield TimedFrame(_pixels(capture, str(path), index), index, seconds)
    finally:
        capture.release()


def _opened(path: str | Path) -> Any:
    # The decoder's own complaints about damaged files would land on the user's terminal; what is wrong is said once,
    # in a row of the result.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    import cv2

    if not Path(path).is_file():
        raise UnreadableError(f"{path}: no such file")
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        capture.release()
        raise UnreadableError(f"{path}: {explain(path)}")
    return capture


def _times(capture: Any, path: str, fps: float | None) -> Iterator[tuple[int, float]]:
    """Number and time of each frame that is due, the capture standing on it."""
    import cv2

    stated, rate = _stated(capture), _rate(capture)
    index, first, last, slot = 0, None, 0.0, -1
    while capture.grab():
        at = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        first = at if first is None else first
        # Some containers carry no times: the stated rate is then the best that is known. Time never runs backwards.
        seconds = max(at - first if at > first or index == 0 else index / rate, last)
        last = seconds
        if fps is None:
            yield index, seconds
        elif (now := math.floor(seconds * fps + 1e-6)) > slot:
            slot = now
            yield index, seconds
        index += 1
    if index == 0:
        raise UnreadableError(f"{path}: the video holds no frame that can be decoded")
    if stated > 0 and max(index, last * rate + 1) < stated * (1 - _SHORT_BY) - 2:
        raise UnreadableError(f"{path}: the video breaks off after {index} of about {stated} frames")


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
