"""Fill in the tracks of video readings, also when a run goes on where an earlier one stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from omokage.errors import UnreadableError
from omokage.faces.track import Tracker
from omokage.media.sinks import FacesSink
from omokage.media.sources import Source
from omokage.media.table import Reading
from omokage.media.video import read_video
from omokage.results import Box, Detection

Begin = Callable[[str], Tracker]


def tracked(readings: Iterable[Reading], begin: Begin = lambda _: Tracker()) -> Iterator[Reading]:
    """The same readings, the faces of video frames with their track; frames must have kept their pixels.

    `begin(source)` gives the tracker for each video. Photographs pass through as they are.
    """
    source, tracker = "", None
    for reading in readings:
        if reading.last or reading.pixels is None:
            yield reading
            continue
        if tracker is None or reading.source != source:
            source, tracker = reading.source, begin(reading.source)
        boxes = np.array([[f.box.x0, f.box.y0, f.box.x1, f.box.y1, f.score] for f in reading.faces], np.float32)
        found = tracker.update(reading.pixels, reading.timestamp_s, detections(boxes))
        tracker.ended()  # nobody asks for the summaries here, and they would add up
        faces = tuple(replace(face, track=t.track) for face, t in zip(reading.faces, found, strict=True))
        yield replace(reading, faces=faces)


def detections(rows: NDArray[np.float32]) -> list[Detection]:
    """Rows (n, 5) of box and score, single precision as in the faces table, so that a replay sees the same numbers."""
    return [Detection(Box(*row[:4]), row[4]) for row in rows.tolist()]


def resumed(sink: FacesSink, sources: Sequence[Source], every: int) -> Begin:
    """Trackers that have seen what the unfinished table already holds, so that numbers go on without a break.

    The frames of a half-done video are decoded once more for this, but nothing is found or predicted again.
    """
    paths = {source.name: source.path for source in sources}

    def begin(name: str) -> Tracker:
        tracker, done = Tracker(), sink.done.get(name, set())
        if not done:
            return tracker
        frames, rows = sink.boxes(name)
        with suppress(UnreadableError):  # reported when the reading itself gets there
            for frame in read_video(paths[name], every):
                if frame.index > max(done):
                    break
                low, high = np.searchsorted(frames, [frame.index, frame.index + 1])
                tracker.update(frame.pixels, frame.timestamp_s, detections(rows[low:high]))
                tracker.ended()
        return tracker

    return begin
