"""Videos into track records: find, link, drop what is tiny, blurred or short, write crops. What `omokage tracks` calls.

One video is read at a time and one batch of frames held at once, so memory depends neither on how long a video is nor
on how many there are. A video that cannot be read, or breaks off, gets a status and the next one is taken.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.data.records import Record, provenance
from omokage.data.track_shards import TrackShards, VideoStatus
from omokage.errors import InputError, UnreadableError
from omokage.faces.align import crop_box
from omokage.faces.sharpness import sharpness
from omokage.faces.track import TrackedFace, Tracker
from omokage.media.ahead import Ahead
from omokage.media.image import encode_jpeg
from omokage.media.sources import Source
from omokage.media.video import TimedFrame, read_video
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.reader import read_faces
from omokage.results import Detection, FaceAnalysis

Find = Callable[[Sequence[NDArray[np.uint8]]], list[list[FaceAnalysis]]]
See = Callable[[str, TimedFrame | None, Sequence[TrackedFace]], None]  # None: the video has ended
_BATCH_PIXELS = 8_000_000
_QUALITY = 92  # of the stored JPEGs


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """What is stored. `size` pixels to a side show `margin` times the face's box (its larger side); frames are taken at
    `fps` a second at most (None: all).

    Faces with a larger side below `min_side` source pixels or sharpness below `min_sharpness` are dropped, tracks that
    last less than `min_seconds` too. Raises InputError for impossible values.
    """

    size: int = 128
    margin: float = 1.7
    fps: float | None = 5.0
    min_side: float = 32.0
    min_sharpness: float = 0.25
    min_seconds: float = 1.0

    def __post_init__(self) -> None:
        if not 16 <= self.size <= 1024:
            raise InputError(f"crops of {self.size} pixels are not possible: give a size from 16 to 1024")
        if self.fps is not None and not 0 < self.fps < math.inf:
            raise InputError(f"{self.fps:g} frames a second are not possible: give a finite number above 0")
        if not 1.0 <= self.margin <= 4.0:
            raise InputError(f"a margin of {self.margin:g} face boxes is not possible: give a number from 1 to 4")
        if not 0.0 <= self.min_sharpness <= 1.0:
            raise InputError(f"a sharpness of {self.min_sharpness:g} is not possible: give a number from 0 to 1")
        if not (0 <= self.min_side < math.inf and 0 <= self.min_seconds < math.inf):
            raise InputError("the least size of faces and length of tracks are finite numbers: give 0 or more")


def write_tracks(
    sources: Sequence[Source],
    out: Path,
    find: Find,
    options: TrackOptions | None = None,
    *,
    found_by: str = "",
    resume: bool = False,
    batch: int = 8,
    see: See = lambda *_: None,
) -> list[VideoStatus]:
    """Write the face tracks of all videos as records into the folder `out`; returns what became of each, in order.

    `find` gives the faces of each picture (see `finding`), `found_by` names it in the records; `see` is called with
    every frame and its tracked faces. Stopped at any moment, the same call with `resume` goes on without a lost or
    doubled row. Raises InputError when `out` holds something else, OutputError when it cannot be written.
    """
    chosen = options or TrackOptions()
    shards = TrackShards(out, {**asdict(chosen), "found_by": found_by}, resume)
    for source in _begun_first(sources, shards):
        if source.name in shards.finished:
            continue
        state = shards.open if shards.open is not None and shards.open["video"] == source.name else None
        video = _Video(source, chosen, shards, found_by, state)
        problem = ""
        try:
            for frame, faces in _found(_frames(source, chosen, video.next), find, batch):
                see(source.name, frame, video.take(frame, faces))
                if shards.due:
                    shards.flush(video.state())
        except UnreadableError as error:
            problem = str(error).removeprefix(f"{source.path}: ")
        shards.end(video.finish(problem))
        see(source.name, None, ())
    shards.close()
    return [shards.finished[source.name] for source in sources]


def _begun_first(sources: Sequence[Source], shards: TrackShards) -> list[Source]:
    """The video that an earlier run left half-way comes first: only the last shard knows how to go on with it."""
    if shards.open is None:
        return list(sources)
    begun = shards.open["video"]
    if begun not in {source.name for source in sources}:
        raise InputError(f"{shards.out} was left in the middle of {begun}: give that video again to go on")
    return sorted(sources, key=lambda source: source.name != begun)


def finding(analyzer: Analyzer) -> Find:
    """Faces as `Analyzer` finds and checks them."""

    def find(images: Sequence[NDArray[np.uint8]]) -> list[list[FaceAnalysis]]:
        return read_faces(images, analyzer.finder, analyzer.predictor, analyzer.config, None, analyzer.check)

    return find


def _frames(source: Source, options: TrackOptions, start: int) -> Iterator[TimedFrame]:
    """The frames; a picture among the inputs is no video and says so."""
    if not source.video:
        raise UnreadableError(f"{source.path}: a picture, not a video")
    return read_video(source.path, fps=options.fps, start=start)


def _found(frames: Iterator[TimedFrame], find: Find, batch: int) -> Iterator[tuple[TimedFrame, list[FaceAnalysis]]]:
    """Each frame with its faces: searched several at a time, the next ones decoded meanwhile. What was read before a
    problem is given before the problem is raised."""
    group: list[TimedFrame] = []
    room = 0
    problem: UnreadableError | None = None
    with Ahead(_kept(frames)) as ahead:
        for item in ahead:
            if isinstance(item, UnreadableError):
                problem = item
                break
            group.append(item)
            room += item.pixels.shape[0] * item.pixels.shape[1]
            if len(group) >= batch or room > _BATCH_PIXELS:
                yield from zip(group, find([frame.pixels for frame in group]), strict=True)
                group, room = [], 0
        if group:
            yield from zip(group, find([frame.pixels for frame in group]), strict=True)
    if problem is not None:
        raise problem


def _kept(frames: Iterator[TimedFrame]) -> Iterator[TimedFrame | UnreadableError]:
    """Frames, then the problem that ended them, if any."""
    try:
        yield from frames
    except UnreadableError as error:
        yield error


class _Video:
    """One video on its way into records."""

    def __init__(
        self, source: Source, options: TrackOptions, shards: TrackShards, found_by: str, state: dict[str, Any] | None
    ) -> None:
        self.source, self.options, self.found_by = source, options, found_by
        self._shards = shards
        known = state or {}
        self.next: int = known.get("next", 0)
        self._tracker = Tracker.restored(known["tracker"]) if known else Tracker()
        self._lasting: set[int] = set(known.get("lasting", ()))
        self._waiting: dict[int, list[Record]] = {
            int(t): [_revived(r) for r in rows] for t, rows in known.get("waiting", {}).items()
        }
        self._starts: dict[int, float] = {int(t): s for t, s in known.get("starts", {}).items()}
        self.counts = VideoStatus(**known["counts"]) if known else VideoStatus(source.name, "ok")
        self._name = f"{Path(source.name).stem}-{zlib.crc32(source.name.encode()):08x}"

    def take(self, frame: TimedFrame, faces: Sequence[FaceAnalysis]) -> list[TrackedFace]:
        """One frame: link its faces, store those worth it."""
        detections = [Detection(face.box, face.score) for face in faces]
        tracked = self._tracker.update(frame.pixels, frame.timestamp_s, detections)
        self._settle()
        for face, link in zip(faces, tracked, strict=True):
            self._starts.setdefault(link.track, frame.timestamp_s)
            record = self._record(frame, face, link)
            if record is not None:
                self._waiting.setdefault(link.track, []).append(record)
            if frame.timestamp_s - self._starts[link.track] >= self.options.min_seconds - 1e-6:
                self._store(link.track)
        c = self.counts
        self.counts = replace(c, frames=c.frames + 1, faces=c.faces + len(faces), seconds=round(frame.timestamp_s, 3))
        self.next = frame.index + 1
        return tracked

    def _record(self, frame: TimedFrame, face: FaceAnalysis, link: TrackedFace) -> Record | None:
        options, box = self.options, face.box
        if max(box.width, box.height) < options.min_side:
            self._count("tiny")
            return None
        sharp = sharpness(frame.pixels, box)
        if sharp < options.min_sharpness:
            self._count("blurred")
            return None
        crop = crop_box(frame.pixels, box, options.size, options.margin, score=face.score)
        person = f"{self._name}-t{link.track:05d}"
        where: dict[str, Any] = {"video": self.source.name, "frame": frame.index, "time_s": round(frame.timestamp_s, 4)}
        groups = {**where, "track": link.track, "shot": link.shot}
        corners = _moved(np.array([[box.x0, box.y0], [box.x1, box.y1]]), crop.affine)
        labels: dict[str, Any] = {"box": corners.ravel().tolist(), "groups": json.dumps(groups, sort_keys=True)}
        if face.outline is not None:
            labels["outline"] = _moved(face.outline, crop.affine).ravel().tolist()
        made = provenance(
            made_by=f"omokage {version('omokage')}", found_by=self.found_by, affine=np.round(crop.affine, 6).tolist(),
            score=round(face.score, 4), sharpness=round(sharp, 4), **where,
        )  # fmt: skip
        size, image = options.size, encode_jpeg(crop.image, _QUALITY)
        return Record(f"{person}-{frame.index:07d}", person, "video", image, size, size, labels, made)

    def _store(self, track: int) -> None:
        """The track has lasted: what waited of it is kept."""
        rows = self._waiting.pop(track, [])
        if rows and track not in self._lasting:
            self._lasting.add(track)
            self._count("tracks")
        for record in rows:
            self._shards.add(record)
        self._count("kept", len(rows))

    def _settle(self) -> None:
        for track in self._tracker.ended():
            self._count("short", len(self._waiting.pop(track.track, [])))
            self._lasting.discard(track.track)
            self._starts.pop(track.track, None)

    def _count(self, name: str, more: int = 1) -> None:
        self.counts = replace(self.counts, **{name: getattr(self.counts, name) + more})

    def finish(self, problem: str) -> VideoStatus:
        """The video has ended, or cannot be read on."""
        for track in self._tracker.finish():
            self._count("short", len(self._waiting.pop(track.track, [])))
        c = self.counts
        if problem:
            return replace(c, status=f"{'partly' if c.frames else 'unreadable'}: {problem}")
        return replace(c, status="ok" if c.kept else "nothing kept" if c.faces else "no_face")

    def state(self) -> dict[str, Any]:
        """Everything needed to go on after the last frame taken, as plain JSON."""
        waiting = {str(t): [_plain(r) for r in rows] for t, rows in self._waiting.items()}
        return {
            "video": self.source.name, "next": self.next, "tracker": self._tracker.state(), "waiting": waiting,
            "lasting": sorted(self._lasting), "starts": {str(t): s for t, s in self._starts.items()},
            "counts": asdict(self.counts),
        }  # fmt: skip


def _moved(points: NDArray[np.floating], affine: NDArray[np.float64]) -> NDArray[np.float32]:
    """Points (n, 2) of the source in pixels of the crop."""
    return np.asarray(np.round(np.asarray(points, np.float64) @ affine[:, :2].T + affine[:, 2], 3), np.float32)


def _plain(record: Record) -> dict[str, Any]:
    return {**asdict(record), "image": record.image.hex()}


def _revived(plain: dict[str, Any]) -> Record:
    return Record(**{**plain, "image": bytes.fromhex(plain["image"])})
