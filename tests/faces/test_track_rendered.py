"""A rendered film with cuts, an exit and a re-entry: tracks match truth, with an imperfect finder made up here and with
the shipped weights."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from omokage.faces.track import TrackedFace, Tracker
from omokage.results import Box, Detection
from omokage.synthesis.clip import ClipFrame, ClipSampler

FPS = 5.0


@pytest.fixture(scope="module")
def frames() -> list[ClipFrame]:
    return list(ClipSampler(seconds=15.0, fps=FPS).film(np.random.default_rng(1)))


@dataclass
class Seen:
    """Which appearances each track held, and how long wholly shown faces went without one."""

    visits_of: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    shown: int = 0
    found: int = 0
    longest: float = 0.0
    since: dict[int, float] = field(default_factory=dict)

    def add(self, frame: ClipFrame, tracked: list[TrackedFace]) -> None:
        for true in frame.faces:
            best = max(tracked, key=lambda t: t.box.iou(true.box), default=None)
            hit = best is not None and best.box.iou(true.box) > 0.35
            if best is not None and hit:
                self.visits_of[best.track].add(true.visit)
            if true.shown >= 0.9:
                self.shown += 1
                self.found += hit
            since = self.since.setdefault(true.visit, frame.timestamp_s)
            self.longest = max(self.longest, frame.timestamp_s - since if true.shown >= 0.9 else 0.0)
            if hit or true.shown < 0.9:
                self.since[true.visit] = frame.timestamp_s

    @property
    def mixed(self) -> list[set[int]]:
        """Tracks that hold more than one appearance: identity switches, across a cut or within a shot."""
        return [visits for visits in self.visits_of.values() if len(visits) > 1]


def shaken(box: Box, rng: np.random.Generator) -> Detection:
    """The true box as a finder sees it: off by some percent."""
    x, y = np.array(box.centre) + rng.normal(0, 0.03, 2) * box.width
    w, h = np.array([box.width, box.height]) / 2 * np.exp(rng.normal(0, 0.03))
    return Detection(Box(float(x - w), float(y - h), float(x + w), float(y + h)), 0.9)


def test_the_film_holds_what_it_should(frames: list[ClipFrame]) -> None:
    takes = {frame.take for frame in frames}
    visits = {face.visit for frame in frames for face in frame.faces}
    assert len(frames) == 75
    assert {face.person for frame in frames for face in frame.faces} == {0, 1, 2}
    assert len(takes) >= 3
    assert len(visits) > len(takes)


def test_an_imperfect_finder_is_enough(frames: list[ClipFrame]) -> None:
    """Boxes a little off, one in ten faces overlooked: no switch, nobody lost, few tracks broken."""
    for seed in range(3):
        rng, tracker, seen = np.random.default_rng(seed), Tracker(), Seen()
        for frame in frames:
            there = [face for face in frame.faces if face.shown > 0.6 and rng.random() > 0.1]
            tracked = tracker.update(frame.pixels, frame.timestamp_s, [shaken(f.box, rng) for f in there])
            seen.add(frame, tracked)
        assert not seen.mixed
        assert seen.longest <= 1.0
        assert len(seen.visits_of) <= len(seen.since) + 4


def test_the_shipped_weights_switch_nobody(frames: list[ClipFrame]) -> None:
    from omokage.pipeline import Analyzer

    cv2.setNumThreads(1)
    analyzer, tracker, seen = Analyzer(device="cpu"), Tracker(), Seen()
    for frame in frames:
        faces = analyzer(frame.pixels)
        seen.add(frame, tracker.update(frame.pixels, frame.timestamp_s, [Detection(f.box, f.score) for f in faces]))
    assert not seen.mixed
    assert seen.found > 0.7 * seen.shown
