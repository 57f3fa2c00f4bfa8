"""A head in motion: turning, talking, blinking, changing expression, while light and camera drift.

All motion is made of smooth random processes (white noise under a Gaussian window), gestures with a rise and a fall,
saccades that the eyes make between two steady gazes, and blinks; a track is a tuple of scenes at equal time steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from omokage.schema import UNITS
from omokage.synthesis.expressions import (
    LOOK_ASIDE,
    LOOK_DOWN,
    LOOK_UP,
    NEUTRAL_BELOW,
    SPEECH,
    settle,
    with_gaze,
)
from omokage.synthesis.plans import Shot
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import Camera, Expression, Light, Pose, Scene

Draw = np.random.Generator
Curve = NDArray[np.float64]
_BLINK_S = 0.28


@dataclass(frozen=True, slots=True)
class Track:
    """Scenes of one person at `fps` pictures a second."""

    scenes: tuple[Scene, ...]
    fps: float

    def times(self) -> tuple[float, ...]:
        """Seconds since the first picture."""
        return tuple(k / self.fps for k in range(len(self.scenes)))


@dataclass(frozen=True, slots=True)
class TrackSampler:
    """Draws tracks of `frames` scenes. Angles in degrees, times in seconds, rates in events a second.

    The head sways by `sway` (yaw, pitch, roll) around poses that change every `turns` seconds on average
    (0: never).
    """

    frames: int = 50
    fps: float = 25.0
    sway: tuple[float, float, float] = (5.0, 3.5, 2.5)
    turns: float = 2.5
    talking: float = 0.6
    gestures: float = 0.5
    blinks: float = 0.3
    saccades: float = 1.5
    light_drift: float = 6.0
    zoom_drift: float = 0.02
    sampler: SceneSampler = field(default_factory=SceneSampler)

    def draw(self, rng: Draw) -> Track:
        """One track."""
        first = self.sampler.draw(rng)
        poses = self._poses(rng, first.pose)
        expressions = self._expressions(rng)
        cameras, lights = self._cameras(rng, first.camera), self._lights(rng, first.light)
        scenes = (
            replace(first, expression=with_gaze(e, p), pose=p, camera=c, light=li)
            for e, p, c, li in zip(expressions, poses, cameras, lights, strict=True)
        )
        return Track(tuple(scenes), self.fps)

    def _poses(self, rng: Draw, first: Pose) -> list[Pose]:
        n, fps = self.frames, self.fps
        angles = []
        for k, start in enumerate((first.yaw, first.pitch, first.roll)):
            limit = (85.0, 45.0, 40.0)[k]
            steps = _steps(rng, n, fps, 1 / self.turns if self.turns > 0 else 0.0, 2.0 * self.sway[k])
            path = start + _smooth(steps, 0.35 * fps) + drift(rng, n, 0.5 * fps, self.sway[k] * 0.6)
            angles.append(np.clip(path, -limit, limit))
        yaw, pitch, roll = angles
        # Eyes hold a target against the camera while the head moves, and jump to the next one.
        right = _steps(rng, n, fps, self.saccades, 7.0) + first.gaze_right
        up = _steps(rng, n, fps, self.saccades, 4.0) + first.gaze_up
        right = yaw + np.clip(right - yaw, -0.9 * LOOK_ASIDE, 0.9 * LOOK_ASIDE)
        up = pitch + np.clip(up - pitch, -0.9 * LOOK_DOWN, 0.9 * LOOK_UP)
        rows = np.round(np.stack([yaw, pitch, roll, right, up], 1), 3)
        return [Pose(*(float(v) for v in row)) for row in rows]

    def _expressions(self, rng: Draw) -> list[Expression]:
        n, fps = self.frames, self.fps
        units = np.zeros((n, len(UNITS)))
        units += _vector(self.sampler.expressions.rest(rng))
        label, intensity = np.full(n, "neutral", object), np.zeros(n)
        time = float(rng.exponential(0.5 / self.gestures)) if self.gestures > 0 else np.inf
        while time < n / fps:
            gesture = self.sampler.expressions.draw(rng)
            length = float(rng.uniform(0.8, 2.8))
            shape = _rise_and_fall(n, time * fps, length * fps, float(rng.uniform(0.2, 0.6)) * fps)
            units = units * (1 - 0.7 * shape[:, None]) + shape[:, None] * _vector(dict(gesture.units))
            stronger = shape * gesture.intensity > intensity
            label[stronger] = gesture.label
            intensity = np.maximum(intensity, shape * gesture.intensity)
            time += length + float(rng.exponential(1 / self.gestures))
        if rng.random() < self.talking:
            units += self._speech(rng)
        blink = self._blinks(rng)
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            column = UNITS.index(name)
            units[:, column] = np.maximum(units[:, column], blink)
        return [_frame(units[k], label[k], float(intensity[k])) for k in range(n)]

    def _speech(self, rng: Draw) -> Curve:
        """Mouth shapes one after the other, softened as a moving mouth is, with pauses."""
        n, fps = self.frames, self.fps
        units = np.zeros((n, len(UNITS)))
        at = 0.0
        while at < n:
            length = max(1.0, float(rng.uniform(0.08, 0.22)) * fps)
            if rng.random() < 0.12:
                at += float(rng.uniform(0.2, 0.9)) * fps
                continue
            shape: dict[str, float] = {}
            for name, low, high, chance in SPEECH[int(rng.integers(len(SPEECH)))]:
                if rng.random() < chance:
                    shape[name] = float(rng.uniform(low, high))
            units[int(at) : int(at + length) + 1] = _vector(shape)
            at += length
        return np.stack([_smooth(units[:, k], 0.045 * fps) for k in range(units.shape[1])], 1)

    def _blinks(self, rng: Draw) -> Curve:
        n, fps = self.frames, self.fps
        closed = np.zeros(n)
        time = float(rng.exponential(1 / self.blinks)) if self.blinks > 0 else np.inf
        while time < n / fps:
            closed = np.maximum(closed, _rise_and_fall(n, time * fps, _BLINK_S * fps, 0.45 * _BLINK_S * fps))
            time += _BLINK_S + float(rng.exponential(1 / self.blinks))
        return closed

    def _cameras(self, rng: Draw, first: Camera) -> list[Camera]:
        n, fps = self.frames, self.fps
        x, y = (first.shift[k] + drift(rng, n, 0.6 * fps, 0.02) for k in (0, 1))
        zoom = first.frame * np.exp(drift(rng, n, 1.0 * fps, self.zoom_drift))
        exposure = first.exposure * np.exp(drift(rng, n, 1.0 * fps, 0.06))
        return [
            replace(
                first,
                seed=first.seed + k,  # the camera's seed makes the grain, which differs from frame to frame
                shift=(round(float(x[k]), 4), round(float(y[k]), 4)),
                frame=round(float(zoom[k]), 4),
                exposure=round(float(exposure[k]), 4),
            )
            for k in range(n)
        ]

    def _lights(self, rng: Draw, first: Light) -> list[Light]:
        n, fps = self.frames, self.fps
        azimuth = first.azimuth + drift(rng, n, 1.2 * fps, self.light_drift)
        key = first.key * np.exp(drift(rng, n, 1.2 * fps, 0.08))
        return [
            replace(first, azimuth=round(float(a), 2), key=round(float(s), 4))
            for a, s in zip(azimuth, key, strict=True)
        ]


def drift(rng: Draw, n: int, width: float, sigma: float) -> Curve:
    """A smooth random curve of n steps with standard deviation `sigma`; `width` steps is how long it remembers."""
    reach = int(np.ceil(3 * max(width, 1e-6)))
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-6)) ** 2)
    noise = rng.normal(0, 1, n + 2 * reach)
    return np.asarray(sigma * np.convolve(noise, window / np.sqrt((window**2).sum()), "valid"))


def _smooth(curve: Curve, width: float) -> Curve:
    """The curve under a Gaussian window of `width` steps, its ends held."""
    reach = int(np.ceil(3 * max(width, 1e-6)))
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-6)) ** 2)
    return np.asarray(np.convolve(np.pad(curve, reach, "edge"), window / window.sum(), "valid"))


def _steps(rng: Draw, n: int, fps: float, rate: float, sigma: float) -> Curve:
    """A piecewise constant curve that starts at 0 and takes a new level (normal, `sigma`) `rate` times a second."""
    jumps = rng.random(n) < rate / fps
    jumps[0] = False
    values, now = np.zeros(n), 0.0
    for k in range(n):
        now = float(rng.normal(0, sigma)) if jumps[k] else now
        values[k] = now
    return values


def _rise_and_fall(n: int, start: float, length: float, ramp: float) -> Curve:
    """A bump of n steps: cosine rise of `ramp` steps, plateau, cosine fall; `length` steps in all."""
    t = np.arange(n) - start
    inside = np.clip(np.minimum(t, length - t) / max(ramp, 1e-6), 0, 1)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * inside))


def _vector(units: dict[str, float]) -> Curve:
    """Units as an array (52,); a bare name sets both sides."""
    values = np.zeros(len(UNITS))
    for name, amount in units.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in UNITS:
                values[UNITS.index(full)] = amount
    return values


def _frame(values: Curve, label: str | None, intensity: float) -> Expression:
    units = settle(dict(zip(UNITS, (float(v) for v in values), strict=True)))
    if label is not None and intensity < NEUTRAL_BELOW:
        return Expression(units, "neutral", 0.0)
    return Expression(units, label, round(intensity, 4))


@dataclass(frozen=True, slots=True)
class Tracks:
    """A plan (see `plans`) whose groups are tracks; the record column `groups` holds frame number and time."""

    tracks: TrackSampler = field(default_factory=TrackSampler)

    @property
    def group_size(self) -> int:
        """Frames of a track."""
        return self.tracks.frames

    def draw(self, rng: Draw) -> tuple[Shot, ...]:
        """The shots of one track."""
        track = self.tracks.draw(rng)
        return tuple(
            Shot(scene, {"frame": k, "time_s": round(time, 4), "fps": track.fps})
            for k, (scene, time) in enumerate(zip(track.scenes, track.times(), strict=True))
        )
