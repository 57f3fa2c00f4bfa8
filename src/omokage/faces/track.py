"""Link found faces over time: who is where from frame to frame, online and in constant memory.

    tracker = Tracker()
    for frame in read_video(path):
        tracked = tracker.update(frame.pixels, frame.timestamp_s, finder.find(frame.pixels))
    tracker.finish()

A face continues the track whose predicted place (constant velocity, after Kalata's alpha-beta filter, 1984) and look it
fits best, cheapest pair first. A look that changes far more than that track's look usually does is another person, also
in the same place. A cut ends every track; a face that is away for more than `gap_s` comes back as a new track. Times
are those of the container, so uneven frame rates and left-out frames need no special care. A track belongs to one shot
and is no person: somebody who comes back is another track.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from omokage.faces.shot_cuts import CutRule, ShotCuts, Verdict
from omokage.faces.track_look import change, look, packed, unpacked
from omokage.results import Box, Detection

End = Literal["cut", "gone", "end"]


@dataclass(frozen=True, slots=True)
class TrackRule:
    """Limits of linking. Lengths are in sides of the face (the root of its box's area), looks on the scale of
    `track_look`.

    A face may be `reach` away from its prediction, `reach_per_s` more for each second since it was seen, `farthest` at
    most, and its side may change by `growth` (natural logarithm), `growth_per_s` more each second. A change of look
    below `alike` never breaks a track, one above `alien` always does; between them it must stay below `unusual` times
    the track's running mean, unless the picture's edge cuts the face. Where much of the picture changed at once, a face
    that is less than `certain` from its prediction and changed by less than `unchanged` shows that there was no cut.
    """

    gap_s: float = 1.0
    reach: float = 0.5
    reach_per_s: float = 3.0
    farthest: float = 1.8
    growth: float = 0.35
    growth_per_s: float = 0.7
    alike: float = 2.8
    alien: float = 4.0
    unusual: float = 3.0
    certain: float = 0.4
    unchanged: float = 1.4
    cuts: CutRule = field(default_factory=CutRule)


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """One found face with its track's number; `shot` counts the camera shots. Both from 0."""

    track: int
    shot: int
    timestamp_s: float
    box: Box
    score: float
    begins: bool  # the first face of its track


@dataclass(frozen=True, slots=True)
class FaceTrack:
    """An ended track: when it was seen, in how many frames, how surely, and why it ended (``cut``, ``gone`` from the
    picture for longer than the gap, or the ``end`` of the video)."""

    track: int
    shot: int
    start_s: float
    stop_s: float
    faces: int
    score: float
    end: End


@dataclass(slots=True, eq=False)
class _Live:
    """A track that may go on. Speeds are per second: of the centre in pixels, of the side in its logarithm."""

    track: int
    shot: int
    start_s: float
    seen_s: float
    box: Box
    patch: NDArray[np.uint8]
    cut_off: bool  # the picture's edge cuts the box: the look changes as the face comes in or leaves
    speed: tuple[float, float, float] = (0.0, 0.0, 0.0)
    usual: float = 0.5  # running mean of the change of look
    faces: int = 1
    score: float = 0.0

    def ended(self, why: End) -> FaceTrack:
        return FaceTrack(self.track, self.shot, self.start_s, self.seen_s, self.faces, self.score / self.faces, why)


_SPEED_GAIN = 0.5  # beta of the filter; alpha is 1, for finders err less than people move
_COAST_S = 0.3  # how long a lost face is expected to keep its speed


class Tracker:
    """Links the faces of one video. `first` is the number of its first track."""

    def __init__(self, rule: TrackRule | None = None, first: int = 0) -> None:
        self.rule = rule or TrackRule()
        self._cuts = ShotCuts(self.rule.cuts)
        self._next = first
        self._live: list[_Live] = []
        self._suspended: list[_Live] = []  # ended by a cut that may yet prove a flash
        self._ended: list[FaceTrack] = []
        self._time: float | None = None

    @property
    def shot(self) -> int:
        """Number of the current camera shot."""
        return self._cuts.shot

    def update(self, pixels: NDArray[np.uint8], timestamp_s: float, faces: Sequence[Detection]) -> list[TrackedFace]:
        """The faces of the next frame (h, w, 3) RGB uint8, in the order given, each with its track.

        Raises ValueError when time runs backwards.
        """
        if self._time is not None and timestamp_s < self._time:
            raise ValueError(f"frames must come in order of time: {timestamp_s} s after {self._time} s")
        patches = [look(pixels, face.box) for face in faces]
        self._judge(self._cuts.update(pixels), timestamp_s, faces, patches)
        step = timestamp_s - self._time if self._time is not None else 0.0
        self._time = timestamp_s
        self._forget(timestamp_s, step)
        owner = self._link(timestamp_s, faces, patches)
        found = []
        for i, (face, patch) in enumerate(zip(faces, patches, strict=True)):
            live = owner.get(i)
            begins = live is None
            if live is None:
                known = (self._next, self.shot, timestamp_s, timestamp_s, face.box, patch)
                live = _Live(*known, _cut_off(face.box, pixels), score=face.score)
                self._live.append(live)
                self._next += 1
            else:
                _follow(live, timestamp_s, face, patch, _cut_off(face.box, pixels))
            found.append(TrackedFace(live.track, self.shot, timestamp_s, face.box, face.score, begins))
        return found

    def ended(self) -> list[FaceTrack]:
        """The tracks that ended since this was last asked, oldest first."""
        ended, self._ended = sorted(self._ended, key=lambda t: t.track), []
        return ended

    def finish(self) -> list[FaceTrack]:
        """End every track; returns what `ended` has not yet given."""
        self._ended += [live.ended("cut") for live in self._suspended]
        self._ended += [live.ended("end") for live in self._live]
        self._live, self._suspended = [], []
        return self.ended()

    def _judge(
        self, verdict: Verdict, now: float, faces: Sequence[Detection], patches: Sequence[NDArray[np.uint8]]
    ) -> None:
        if verdict == "maybe" and (stay := list(self._link(now, faces, patches, certain=True).values())):
            self._cuts.withdraw()
            self._ended += [live.ended("cut") for live in self._live if live not in stay]
            self._live = [live for live in self._live if live in stay]
            verdict = "same"
        if verdict == "back":  # it was a flash: what was found in its light ends, what was before goes on
            self._ended += [live.ended("cut") for live in self._live]
            self._live, self._suspended = self._suspended, []
            return
        self._ended += [live.ended("cut") for live in self._suspended]
        self._suspended = []
        if verdict in ("cut", "maybe"):
            self._live, self._suspended = [], self._live

    def _forget(self, now: float, step: float) -> None:
        """End what was away for too long; frames that lie further apart than the gap still link to the next one."""
        longest = max(self.rule.gap_s, 1.5 * step) + 1e-6
        self._ended += [live.ended("gone") for live in self._live if now - live.seen_s > longest]
        self._live = [live for live in self._live if now - live.seen_s <= longest]

    def _link(
        self, now: float, faces: Sequence[Detection], patches: Sequence[NDArray[np.uint8]], certain: bool = False
    ) -> dict[int, _Live]:
        """Which live track each face continues: the cheapest pair first, each used once."""
        pairs = []
        for t, live in enumerate(self._live):
            for i, face in enumerate(faces):
                cost = _cost(self.rule, live, now, face.box, patches[i], certain)
                if cost is not None:
                    pairs.append((cost, t, i))
        owner: dict[int, _Live] = {}
        taken: set[int] = set()
        for _, t, i in sorted(pairs):
            if t not in taken and i not in owner:
                owner[i] = self._live[t]
                taken.add(t)
        return owner

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later, as plain JSON; tracks that `ended` has not yet given are left out."""
        parts = {"live": self._live, "suspended": self._suspended}
        named = {name: [_packed(live) for live in lives] for name, lives in parts.items()}
        return {"next": self._next, "time": self._time, "cuts": self._cuts.state(), **named}

    @classmethod
    def restored(cls, state: dict[str, Any], rule: TrackRule | None = None) -> Tracker:
        """The tracker that gave `state()`, with the same rule."""
        tracker = cls(rule, int(state["next"]))
        tracker._time = state["time"]
        tracker._cuts.restore(state["cuts"])
        tracker._live, tracker._suspended = ([_live(one) for one in state[name]] for name in ("live", "suspended"))
        return tracker


def _cut_off(box: Box, pixels: NDArray[np.uint8]) -> bool:
    height, width = pixels.shape[:2]
    return box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height


def _side(box: Box) -> float:
    return math.sqrt(box.area)


def _cost(
    rule: TrackRule, live: _Live, now: float, box: Box, patch: NDArray[np.uint8], certain: bool = False
) -> float | None:
    """How badly a face fits a track (0 is best), or None when it cannot be the same."""
    away = now - live.seen_s
    x, y, side = _predicted(live, away)
    far = math.dist((x, y), box.centre) / max(side, _side(box))
    reach = rule.certain if certain else min(rule.reach + rule.reach_per_s * away, rule.farthest)
    grown = abs(math.log(_side(box) / side))
    if far > reach or grown > rule.growth + rule.growth_per_s * away:
        return None
    changed = change(live.patch, patch)
    limit = rule.alien if live.cut_off else max(rule.alike, rule.unusual * live.usual)
    limit = rule.unchanged if certain else limit
    if changed > min(limit, rule.alien):
        return None
    return far / reach + changed / rule.alike


def _predicted(live: _Live, away: float) -> tuple[float, float, float]:
    """Centre and side after `away` seconds; the speed dies down, for nobody walks straight on for long."""
    t = _COAST_S * (1 - math.exp(-away / _COAST_S))
    vx, vy, growth = live.speed
    x, y = live.box.centre
    return x + vx * t, y + vy * t, _side(live.box) * math.exp(growth * t)


def _follow(live: _Live, now: float, face: Detection, patch: NDArray[np.uint8], cut_off: bool) -> None:
    """Take a face into its track."""
    away = max(now - live.seen_s, 1e-3)
    x, y, side = _predicted(live, away)
    (cx, cy), wrong = face.box.centre, math.log(_side(face.box) / side)
    errors = (cx - x, cy - y, wrong)
    vx, vy, growth = (v + _SPEED_GAIN * e / away for v, e in zip(live.speed, errors, strict=True))
    live.speed = (vx, vy, float(np.clip(growth, -1.5, 1.5)))
    live.usual += 0.2 * (change(live.patch, patch) - live.usual)
    live.box, live.patch, live.seen_s, live.cut_off = face.box, patch, now, cut_off
    live.faces += 1
    live.score += face.score


_PLAIN = ("track", "shot", "start_s", "seen_s", "cut_off", "usual", "faces", "score")


def _packed(live: _Live) -> dict[str, Any]:
    plain = {name: getattr(live, name) for name in _PLAIN}
    return {**plain, "box": asdict(live.box), "speed": list(live.speed), "patch": packed(live.patch)}


def _live(one: dict[str, Any]) -> _Live:
    vx, vy, growth = one["speed"]
    rest = {**one, "box": Box(**one["box"]), "speed": (vx, vy, growth), "patch": unpacked(one["patch"])}
    return _Live(**rest)
