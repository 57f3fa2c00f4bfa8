"""Timed frames of a video, one in memory at a time. OpenCV reads (FFmpeg is inside its wheel); frames come upright,
RGB uint8."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.errors import InputError, UnreadableError

# Containers state the number of frames from their index or from duration x rate; a few frames less is rounding, not
# damage.
_SHORT_BY = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class TimedFrame:
    """One frame (h, w, 3) RGB uint8 with its number from 0 and its time in seconds from the start."""

    pixels: NDArray[np.uint8]
    index: int
    timestamp_s: float


def read_video(path: str | Path, every: int = 1, skip: frozenset[int] | set[int] = frozenset()) -> Iterator[TimedFrame]:
    """Every `every`-th frame, from frame 0 on; frames whose numbers are in `skip` are passed over without decoding.

    Raises InputError for `every` below 1 and UnreadableError when the file cannot be opened, holds no frame, or ends
    well before the length that it states (after the good frames were given).
    """
    import cv2

    if every < 1:
        raise InputError(f"every {every}-th frame is not possible: give a number from 1 on")
    if not Path(path).is_file():
        raise UnreadableError(f"{path}: no such file")
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise UnreadableError(f"{path}: not a video that can be decoded (damaged, cut off or an unknown format)")
        yield from _frames(capture, str(path), every, skip)
    finally:
        capture.release()


def _frames(capture: Any, path: str, every: int, skip: frozenset[int] | set[int]) -> Iterator[TimedFrame]:
    import cv2

    stated = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    rate = float(capture.get(cv2.CAP_PROP_FPS)) or 25.0
    index = 0
    while capture.grab():
        if index % every == 0 and index not in skip:
            ok, pixels = capture.retrieve()
            if not ok:
                raise UnreadableError(f"{path}: frame {index} cannot be decoded")
            at = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
            # Some containers carry no times: the stated rate is then the best that is known.
            seconds = at if at > 0 or index == 0 else index / rate
            yield TimedFrame(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8), index, max(seconds, 0.0))
        index += 1
    if index == 0:
        raise UnreadableError(f"{path}: the video holds no frame that can be decoded")
    if stated > 0 and index < stated * (1 - _SHORT_BY) - 2:
        raise UnreadableError(f"{path}: the video breaks off after {index} of about {stated} frames")
