"""An annotated video: the frames with a box for each face and a few words at it.

    with AnnotatedVideo(Path("seen.mp4"), fps=25.0) as video:
        video.write(pixels, timestamp_s, [Mark(box, ("3", "happiness 0.71"), colour=3)])

With PyAV installed (the extra ``video``) it is H.264, which browsers play, and each frame keeps its own time. Without
it OpenCV writes MPEG-4 at a fixed rate, frames repeated or left out so that the film keeps its time. There is no sound.
"""

from __future__ import annotations

import colorsys
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from omokage.errors import InputError, OutputError
from omokage.media.files import check_writable, film_name, output_error
from omokage.results import Box

LONGEST = 1920  # pixels of the larger side; larger frames are reduced
_TICKS = 90_000  # a second of the H.264 film
_GOLDEN = 0.618034  # turns of the colour circle from one track's colour to the next
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Mark:
    """One face to draw: its box in pixels of the frame, lines of ASCII text, and a number that decides the colour."""

    box: Box
    lines: tuple[str, ...] = ()
    colour: int = 0


class _Film(Protocol):
    def add(self, pixels: Bytes, timestamp_s: float) -> None: ...

    def close(self) -> None: ...


class AnnotatedVideo:
    """Writes one film; it takes its name when the block ends, also when Ctrl-C ended it, and not after an error.

    `fps` is the rate to state. Raises InputError unless the name ends in .mp4, OutputError when it cannot be written.
    """

    def __init__(self, out: Path, fps: float = 25.0) -> None:
        check_annotated(out)
        self.out = out
        self._partial = out.with_name(f"{out.stem}.partial.mp4")
        self._fps = min(max(fps, 1.0), 120.0)
        self._film: _Film | None = None
        self._names = ExitStack()  # an encoder may need the file's name until it closes
        self._size: tuple[int, int] | None = None
        self.frames = 0

    def __enter__(self) -> AnnotatedVideo:
        return self

    def write(self, pixels: Bytes, timestamp_s: float, marks: Sequence[Mark] = ()) -> None:
        """Add a frame (h, w, 3) RGB uint8 with its marks; frames come in order of time. Raises OutputError."""
        import cv2

        drawn = drawing(pixels, marks)
        if self._size is None:
            self._size = (drawn.shape[1], drawn.shape[0])
        elif (drawn.shape[1], drawn.shape[0]) != self._size:  # a film has one size, its source may change it
            drawn = np.asarray(cv2.resize(drawn, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        try:
            if self._film is None:
                name = self._names.enter_context(film_name(self._partial))
                self._film = _open(name, self._fps, self._size)
            self._film.add(drawn, timestamp_s)
        except OSError as error:
            raise output_error(self.out, error) from error
        self.frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        film, self._film = self._film, None
        try:
            if film is not None:
                film.close()
            if film is not None and (error is None or isinstance(error, KeyboardInterrupt)):
                os.replace(self._partial, self.out)
        except OSError as problem:
            raise output_error(self.out, problem) from problem
        finally:
            self._names.close()
            self._partial.unlink(missing_ok=True)


def check_annotated(out: Path) -> None:
    """Raises InputError unless the name ends in .mp4, OutputError when no file could be written there."""
    if out.suffix.lower() != ".mp4":
        raise InputError(
            f"an annotated video is an .mp4 file: give {out.with_suffix('.mp4').name} instead of {out.name}"
        )
    check_writable(out)


def drawing(pixels: Bytes, marks: Sequence[Mark]) -> Bytes:
    """A copy of the frame with the marks, of even width and height and at most `LONGEST` pixels to a side."""
    import cv2

    scale = min(1.0, LONGEST / max(pixels.shape[:2]))
    width, height = (max(2, round(side * scale) // 2 * 2) for side in (pixels.shape[1], pixels.shape[0]))
    if scale < 1:
        picture = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    else:
        picture = np.zeros((height, width, 3), np.uint8)
        part = pixels[:height, :width]
        picture[: part.shape[0], : part.shape[1]] = part
    for mark in marks:
        _draw(picture, mark, scale)
    return picture


def _draw(picture: Bytes, mark: Mark, scale: float) -> None:
    import cv2

    colour = colour_of(mark.colour)
    unit = max(picture.shape[:2]) / 640  # line and letter sizes follow the picture
    thick = max(1, round(unit))
    box = mark.box
    low, high = ((round(x * scale), round(y * scale)) for x, y in ((box.x0, box.y0), (box.x1, box.y1)))
    cv2.rectangle(picture, low, high, colour, thick)
    size, step = 0.45 * max(unit, 0.8), round(16 * max(unit, 0.8))
    top = (
        high[1] + step
        if high[1] + step * len(mark.lines) < picture.shape[0]
        else low[1] - step * len(mark.lines) + step
    )
    for k, line in enumerate(mark.lines):
        at = (max(low[0], 0), max(top + k * step - step // 4, step))
        for shade, width in (((0, 0, 0), thick + 2), (colour, thick)):
            cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, size, shade, width, cv2.LINE_AA)


def colour_of(number: int) -> tuple[int, int, int]:
    """A bright RGB colour; neighbouring numbers lie far apart."""
    red, green, blue = colorsys.hsv_to_rgb((0.12 + number * _GOLDEN) % 1.0, 0.65, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def _open(name: str, fps: float, size: tuple[int, int]) -> _Film:
    try:
        import av  # noqa: F401
    except ImportError:
        return _Fixed(name, fps, size)
    return _Timed(name, fps, size)


class _Timed:
    """H.264 by PyAV, each frame at its own time."""

    def __init__(self, name: str, fps: float, size: tuple[int, int]) -> None:
        import av

        self._container: Any = av.open(name, "w")
        options = {"crf": "21", "preset": "veryfast"}
        self._stream: Any = self._container.add_stream("libx264", Fraction(fps).limit_denominator(1001), options)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS)
        self._last = -1

    def add(self, pixels: Bytes, timestamp_s: float) -> None:
        import av

        frame: Any = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        self._last = frame.pts = max(round(timestamp_s * _TICKS), self._last + 1)
        frame.time_base = Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


class _Fixed:
    """MPEG-4 by OpenCV at a fixed rate."""

    def __init__(self, name: str, fps: float, size: tuple[int, int]) -> None:
        import cv2

        self._fps, self._written = fps, 0
        self._shown: Bytes | None = None
        self._writer: Any = cv2.VideoWriter(name, cv2.VideoWriter_fourcc(*"mp4v"), fps, size)  # type: ignore[attr-defined]
        if not self._writer.isOpened():
            raise OutputError(
                f"cannot write {name}: OpenCV has no encoder for it; install  pip install 'omokage[video]'"
            )

    def add(self, pixels: Bytes, timestamp_s: float) -> None:
        due = round(timestamp_s * self._fps)  # the frame's place; up to it the one before it stays
        while self._shown is not None and self._written < due:
            self._write(self._shown)
        self._shown = pixels
        while self._written <= due:
            self._write(pixels)

    def _write(self, pixels: Bytes) -> None:
        self._writer.write(pixels[..., ::-1])
        self._written += 1

    def close(self) -> None:
        self._writer.release()
