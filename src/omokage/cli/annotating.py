"""What an annotated video says at each face."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from omokage.cli.words import line
from omokage.errors import InputError
from omokage.faces.track import TrackedFace
from omokage.media.annotated import AnnotatedVideo, Mark, check_annotated
from omokage.media.sources import Source
from omokage.media.table import Reading
from omokage.media.video import TimedFrame, video_facts
from omokage.results import FaceAnalysis


class Annotation:
    """Writes the readings of one video (with pixels and tracks) as a film; nothing at all when `out` is None."""

    def __init__(self, out: Path | None, sources: Sequence[Source], rate: float | None = None, every: int = 1) -> None:
        self._film: AnnotatedVideo | None = None
        self.out = out
        if out is not None:
            facts = video_facts(only_video(out, sources).path)
            self._film = AnnotatedVideo(out, min(rate or facts.fps, facts.fps) / every)

    def __enter__(self) -> Annotation:
        return self

    def add(self, reading: Reading) -> None:
        """Draw one reading; what is no frame is passed over."""
        if reading.pixels is not None:
            self.draw(TimedFrame(reading.pixels, reading.frame, reading.timestamp_s), [mark(f) for f in reading.faces])

    def draw(self, frame: TimedFrame, marks: Sequence[Mark]) -> None:
        """Draw one frame."""
        if self._film is not None:
            self._film.write(frame.pixels, frame.timestamp_s, marks)

    @property
    def frames(self) -> int:
        """Frames written."""
        return 0 if self._film is None else self._film.frames

    def said(self, lang: str) -> str:
        """The line about the film, once it is closed; one without a frame is not written."""
        key = "annotated" if self.frames else "annotated_older" if self.out and self.out.exists() else "annotated_none"
        return line(key, lang, n=self.frames, out=self.out)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._film is not None:
            self._film.__exit__(kind, error, trace)


def only_video(out: Path, sources: Sequence[Source]) -> Source:
    """The one video that is to be annotated. Raises InputError when there are others, or a picture."""
    if len(sources) != 1 or not sources[0].video:
        raise InputError(f"--annotated {out} needs exactly one video as input: run the command once for each")
    check_annotated(out)
    return sources[0]


def mark(face: FaceAnalysis) -> Mark:
    """Track, likeliest expression and age interval, as far as they are known."""
    lines = [] if face.track is None else [f"track {face.track}"]
    if face.expression is not None:
        lines.append(f"{face.expression.top} {face.expression[face.expression.top]:.2f}")
    if face.age is not None:
        lines.append(f"age {face.age.q05:.0f}-{face.age.q95:.0f}")
    return Mark(face.box, tuple(lines), face.track or 0)


def frame_marks(faces: Sequence[TrackedFace]) -> list[Mark]:
    """The tracks alone."""
    return [Mark(face.box, (f"track {face.track}",), face.track) for face in faces]
