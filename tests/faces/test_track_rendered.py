"""A rendered film with cuts, an exit and a re-entry, read by the shipped weights: tracks match truth."""

from __future__ import annotations

from collections import defaultdict

import cv2
import numpy as np
import pytest

from omokage.faces.track import Tracker
from omokage.results import Detection
from omokage.synthesis.clip import ClipFrame, ClipSampler

FPS = 5.0


@pytest.fixture(scope="module")
def frames() -> list[ClipFrame]:
    return list(ClipSampler(seconds=15.0, fps=FPS).film(np.random.default_rng(1)))


def test_the_film_holds_what_it_should(frames: list[ClipFrame]) -> None:
    takes = {frame.take for frame in frames}
    people = {face.person for frame in frames for face in frame.faces}
    visits = {face.visit for frame in frames for face in frame.faces}
    assert len(frames) == 75
    assert people == {0, 1, 2}
    assert len(takes) >= 3
    assert len(visits) > len(takes)


def test_tracks_match_truth(frames: list[ClipFrame]) -> None:
    from omokage.pipeline import Analyzer

    cv2.setNumThreads(1)
    analyzer, tracker = Analyzer(device="cpu"), Tracker()
    visits_of: dict[int, set[int]] = defaultdict(set)
    unseen: dict[int, float] = {}
    longest = 0.0
    for frame in frames:
        faces = analyzer(frame.pixels)
        tracked = tracker.update(frame.pixels, frame.timestamp_s, [Detection(f.box, f.score) for f in faces])
        for true in frame.faces:
            best = max(tracked, key=lambda t: t.box.iou(true.box), default=None)
            found = best is not None and best.box.iou(true.box) > 0.35
            if best is not None and found:
                visits_of[best.track].add(true.visit)
            since = unseen.setdefault(true.visit, frame.timestamp_s)
            if found or true.shown < 0.9:
                unseen[true.visit] = frame.timestamp_s
            longest = max(longest, frame.timestamp_s - since)
    switched = [visits for visits in visits_of.values() if len(visits) > 1]
    assert not switched  # no track holds two appearances: neither across a cut nor within a shot
    assert longest <= 1.0 + 1e-6
