"""A film with exact truth: rendered people who sit, walk in and out and pass each other, cut into takes.

Every third cut keeps room, places and sizes and only changes who sits there, which is the hardest cut for anything that
links faces by where they are. A `Visit` is one unbroken appearance: what a perfect tracker calls one track.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.results import Box
from omokage.synthesis.background import paint_backdrop
from omokage.synthesis.render import Rendering, render
from omokage.synthesis.sampling import CameraSampler, PoseSampler, SceneSampler, SurroundingsSampler
from omokage.synthesis.scene import Scene, Surroundings
from omokage.synthesis.skin import PaintedSkin, paint
from omokage.synthesis.tracks import TrackSampler

Draw = np.random.Generator
Bytes = NDArray[np.uint8]
_WALK_S = 0.9  # seconds from outside the picture to a place
_OUTSIDE = 0.3  # of the width, beyond the edge: nothing of a head is seen from there
_AWAY_S = (1.6, 2.6)  # seconds that somebody who walks out stays away
_TAKE_S = (4.0, 9.0)
_PLACES = (0.2, 0.5, 0.8)  # of the width
_STYLES = ("room", "outdoor", "bokeh", "studio")
_RENDERED = 208  # pixels at most to a side of a rendered head; larger ones are enlarged, which costs little sharpness
_MARGIN = 2.1  # picture side of a head over the head's height: room for hair and shoulders


@dataclass(frozen=True, slots=True)
class Visit:
    """One appearance of a person: where the head's middle is over time, and how large its picture is.

    `path` holds (seconds, x as share of the width); `y` and `side` are shares of the height.
    """

    person: int
    path: tuple[tuple[float, float], ...]
    y: float
    side: float

    def x(self, time: float) -> float:
        """Where the head is at a time: smooth between the points of the path."""
        for (t0, x0), (t1, x1) in zip(self.path, self.path[1:], strict=False):
            if time <= t1:
                s = float(np.clip((time - t0) / max(t1 - t0, 1e-9), 0, 1))
                return x0 + (x1 - x0) * s * s * (3 - 2 * s)
        return self.path[-1][1]


@dataclass(frozen=True, slots=True)
class Take:
    """What one unbroken camera shot shows, in seconds of the clip."""

    start: float
    stop: float
    room: Surroundings
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class TrueFace:
    """Who is where: `visit` counts through the clip; `shown` is the share of the box in the picture and in front."""

    person: int
    visit: int
    box: Box
    shown: float


@dataclass(frozen=True, slots=True, eq=False)
class ClipFrame:
    """One picture (height, width, 3) RGB uint8 with its faces; `take` counts the camera shots."""

    pixels: Bytes
    timestamp_s: float
    take: int
    faces: tuple[TrueFace, ...]


@dataclass(frozen=True, slots=True)
class ClipSampler:
    """Draws clips of `seconds` at `fps` with `people` people in pictures of `size` (width, height)."""

    seconds: float = 120.0
    fps: float = 25.0
    people: int = 3
    size: tuple[int, int] = (640, 360)
    poses: PoseSampler = field(
        default_factory=lambda: PoseSampler(near_frontal=1.0, yaw_sigma=10.0, tilted=0.0, pitch_sigma=6.0)
    )

    def draw(self, rng: Draw) -> tuple[Take, ...]:
        """The script: takes one after the other until the time is up."""
        takes: list[Take] = []
        start = 0.0
        while start < self.seconds - 0.5:
            stop = start + float(rng.uniform(*_TAKE_S))
            stop = self.seconds if stop > self.seconds - 2.0 else stop
            same = takes[-1] if len(takes) % 3 == 2 else None
            takes.append(self._recast(rng, same, start, stop) if same else self._take(rng, start, stop))
            start = stop
        return tuple(takes)

    def _take(self, rng: Draw, start: float, stop: float) -> Take:
        room = Surroundings(int(rng.integers(1 << 31)), str(rng.choice(_STYLES)))
        many = int(rng.integers(1, self.people + 1))
        who = rng.permutation(self.people)[:many]
        places = rng.permutation(len(_PLACES))[:many]
        visits: list[Visit] = []
        for k, (person, place) in enumerate(zip(who, places, strict=True)):
            x = _PLACES[place] + float(rng.uniform(-0.05, 0.05))
            y, side = float(rng.uniform(0.45, 0.55)), float(rng.uniform(0.6, 0.95))
            moves = int(rng.integers(4)) if k == 0 else int(rng.integers(2)) * 3
            visits += [Visit(int(person), path, y, side) for path in _paths(rng, moves, x, start, stop)]
        return Take(start, stop, room, tuple(visits))

    def _recast(self, rng: Draw, last: Take, start: float, stop: float) -> Take:
        """Room, places and sizes where the last take ended, other people in them."""
        shown = [v for v in last.visits if 0 < v.x(start) < 1 and v.path[-1][0] >= last.stop]
        shown = shown or [replace(last.visits[0], path=((last.start, 0.5),))]
        turn = int(rng.integers(1, self.people)) if self.people > 1 else 0
        visits = (
            replace(v, person=(v.person + turn) % self.people, path=((start, v.x(start)), (stop, v.x(start))))
            for v in shown
        )
        return Take(start, stop, last.room, tuple(visits))

    def film(self, rng: Draw) -> Iterator[ClipFrame]:
        """The pictures of one clip, rendered one by one."""
        takes = self.draw(rng)
        side = min(round(0.9 * self.size[1]), _RENDERED)
        cast = [_Actor(self._scenes(rng, side)) for _ in range(self.people)]
        numbers = {id(v): n for n, v in enumerate(v for take in takes for v in take.visits)}
        rooms: dict[Surroundings, Bytes] = {}
        for k in range(round(self.seconds * self.fps)):
            time = k / self.fps
            at = max(i for i, take in enumerate(takes) if take.start <= time + 1e-9)
            take = takes[at]
            if take.room not in rooms:
                rooms = {take.room: _room(take.room, self.size)}
            there = sorted((v for v in take.visits if v.path[0][0] <= time <= v.path[-1][0]), key=lambda v: v.side)
            picture, boxes = rooms[take.room].copy(), []
            for visit in there:
                boxes.append(_paste(picture, cast[visit.person].picture(k), visit, time))
            faces = (
                TrueFace(v.person, numbers[id(v)], box, _shown(box, boxes[i + 1 :], self.size))
                for i, (v, box) in enumerate(zip(there, boxes, strict=True))
            )
            yield ClipFrame(picture, time, at, tuple(faces))

    def _scenes(self, rng: Draw, side: int) -> tuple[Scene, ...]:
        cameras = CameraSampler(size=side, frame=(_MARGIN, _MARGIN), shift=0.0, clean=1.0, grey=0.0)
        still = SurroundingsSampler(styles=(("plain", 1.0),), occluders=(("none", 1.0),))
        sampler = SceneSampler(poses=self.poses, cameras=cameras, surroundings=still)
        frames = round(self.seconds * self.fps)
        return TrackSampler(frames, self.fps, sampler=sampler, zoom_drift=0.005).draw(rng).scenes


class _Actor:
    """One person's pictures: painted once, the last one kept."""

    def __init__(self, scenes: tuple[Scene, ...]) -> None:
        self._scenes = scenes
        self._skin: PaintedSkin | None = None

    def picture(self, frame: int) -> Rendering:
        if self._skin is None:
            self._skin = paint(self._scenes[0].person)
        return render(self._scenes[frame], self._skin)


def _paths(rng: Draw, moves: int, x: float, start: float, stop: float) -> list[tuple[tuple[float, float], ...]]:
    """What somebody does in a take: 0 walks in, 1 walks across, 2 walks out and comes back, 3 stays."""
    left = x < 0.5
    edge, other = (-_OUTSIDE, 1 + _OUTSIDE) if left else (1 + _OUTSIDE, -_OUTSIDE)
    late = start + float(rng.uniform(0.3, 1.0))
    if moves == 0:
        return [((late, edge), (late + _WALK_S, x), (stop, x))]
    if moves == 1:
        return [((late, edge), (min(late + 3.0, stop), other))]
    away = float(rng.uniform(*_AWAY_S))
    if moves == 2 and stop - start > 3.0 + away + 2 * _WALK_S:
        gone = start + 1.5 + _WALK_S
        back = gone + away
        first = ((start, x), (gone - _WALK_S, x), (gone, edge))
        return [first, ((back, edge), (back + _WALK_S, x), (stop, x))]
    return [((start, x), (stop, x + float(rng.uniform(-0.08, 0.08))))]


def _room(room: Surroundings, size: tuple[int, int]) -> Bytes:
    """The backdrop of a take as the picture's background."""
    width, height = size
    light = np.clip(paint_backdrop(room, width)[(width - height) // 2 :][:height], 0, 1) ** (1 / 2.2)
    return np.ascontiguousarray(np.rint(255 * light).astype(np.uint8))


def _paste(picture: Bytes, head: Rendering, visit: Visit, time: float) -> Box:
    """Lay a head over the picture; returns the face's box there."""
    height, width = picture.shape[:2]
    n = head.image.shape[0]
    scale = visit.side * height / n
    x0, y0 = visit.x(time) * width - scale * n / 2, visit.y * height - scale * n / 2
    half = (scale - 1) / 2  # boxes count from corners of pixels, OpenCV from their middles
    affine = np.array([[scale, 0, x0 + half], [0, scale, y0 + half]])
    alpha = np.dstack([head.alpha * _fade(n)] * 3)
    sizes = (width, height)
    image = cv2.warpAffine(head.image, affine, sizes, flags=cv2.INTER_AREA)
    cover = cv2.warpAffine(alpha, affine, sizes, flags=cv2.INTER_LINEAR)
    picture[:] = np.rint(cover * image + (1 - cover) * picture).astype(np.uint8)
    return Box.around(head.landmarks * scale + np.array([x0, y0]))


def _fade(n: int) -> NDArray[np.float32]:
    """The bust fades out below and at its sides, where a hard edge would look like a cut-out (n, n)."""
    far = np.arange(n, dtype=np.float32)
    below = np.clip((n - far) / (0.08 * n), 0, 1)
    aside = np.clip(np.minimum(far + 1, n - far) / (0.06 * n), 0, 1)
    return np.asarray(below[:, None] * aside[None, :], np.float32)


def _shown(box: Box, before: list[Box], size: tuple[int, int]) -> float:
    """Share of a box that lies in the picture and behind no box that was laid over it later."""
    w = max(0.0, min(box.x1, size[0]) - max(box.x0, 0.0))
    h = max(0.0, min(box.y1, size[1]) - max(box.y0, 0.0))
    covered = max((_common(box, other) for other in before), default=0.0)
    return max(0.0, w * h - covered) / box.area


def _common(a: Box, b: Box) -> float:
    w, h = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(w, 0.0) * max(h, 0.0)
