"""From a random generator to a `Scene`: pose, light, camera and surroundings, joined with people and expressions.

Every sampler is a frozen dataclass whose fields are the distribution, so a user changes one with
`dataclasses.replace(SceneSampler(), poses=PoseSampler(near_frontal=1.0))`. The same generator state gives the same
scene.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from omokage.synthesis.expressions import LOOK_ASIDE, LOOK_DOWN, LOOK_UP, ExpressionSampler, with_gaze
from omokage.synthesis.people import PersonSampler
from omokage.synthesis.scene import Camera, Light, Person, Pose, Scene, Surroundings

Draw = np.random.Generator


@dataclass(frozen=True, slots=True)
class PoseSampler:
    """Degrees. `near_frontal` of the heads have normal yaw, the rest is uniform to both profiles.

    Gaze: `at_camera` of those who can look into the lens do, others look along the head or somewhere near it.
    """

    near_frontal: float = 0.60
    yaw_sigma: float = 17.0
    yaw_limit: float = 80.0
    pitch_sigma: float = 12.0
    pitch_limit: float = 40.0
    roll_sigma: float = 8.0
    tilted: float = 0.10
    roll_limit: float = 35.0
    at_camera: float = 0.55

    def draw(self, rng: Draw) -> Pose:
        """One pose with its gaze."""
        frontal = rng.random() < self.near_frontal
        yaw = rng.normal(0, self.yaw_sigma) if frontal else rng.uniform(-self.yaw_limit, self.yaw_limit)
        yaw = float(np.clip(yaw, -self.yaw_limit, self.yaw_limit))
        pitch = float(np.clip(rng.normal(0, self.pitch_sigma), -self.pitch_limit, self.pitch_limit))
        tilted = rng.random() < self.tilted
        roll = rng.uniform(-self.roll_limit, self.roll_limit) if tilted else rng.normal(0, self.roll_sigma)
        roll = float(np.clip(roll, -self.roll_limit, self.roll_limit))
        right, up = self._gaze(rng, yaw, pitch)
        return Pose(round(yaw, 3), round(pitch, 3), round(roll, 3), round(right, 3), round(up, 3))

    def _gaze(self, rng: Draw, yaw: float, pitch: float) -> tuple[float, float]:
        kind = rng.random()
        if kind < self.at_camera:
            aside, up = -yaw + rng.normal(0, 1.5), -pitch + rng.normal(0, 1.5)
        elif kind < self.at_camera + (1 - self.at_camera) * 0.6:
            aside, up = rng.normal(0, 4), rng.normal(0, 3)
        else:
            aside, up = rng.normal(0, 14), rng.normal(-3, 8)
        aside = float(np.clip(aside, -0.9 * LOOK_ASIDE, 0.9 * LOOK_ASIDE))
        up = float(np.clip(up, -0.9 * LOOK_DOWN, 0.9 * LOOK_UP))
        return yaw + aside, pitch + up


@dataclass(frozen=True, slots=True)
class LightSampler:
    """A key light from the camera's half of the world, with the surroundings as ambient light.

    `flat` of the pictures have almost no key, `hard` a strong one with sharp shadows, `behind` a rim light.
    """

    flat: float = 0.25
    hard: float = 0.18
    behind: float = 0.07
    azimuth_sigma: float = 45.0
    tint: float = 0.10

    def draw(self, rng: Draw) -> Light:
        """One lighting."""
        kind = rng.random()
        azimuth, elevation = rng.normal(0, self.azimuth_sigma), rng.uniform(-5, 70)
        key, ambient, softness = rng.uniform(0.5, 1.4), rng.uniform(0.3, 0.8), rng.uniform(0.02, 0.07)
        if kind < self.flat:
            key, ambient, softness = rng.uniform(0.05, 0.4), rng.uniform(0.6, 1.0), rng.uniform(0.04, 0.09)
        elif kind < self.flat + self.hard:
            key, ambient, softness = rng.uniform(1.4, 2.4), rng.uniform(0.12, 0.4), rng.uniform(0.006, 0.02)
        elif kind < self.flat + self.hard + self.behind:
            azimuth = float(rng.choice([-1, 1])) * rng.uniform(100, 160)
        return Light(
            seed=int(rng.integers(1 << 31)),
            azimuth=round(float(np.clip(azimuth, -165, 165)), 2),
            elevation=round(float(elevation), 2),
            key=round(float(key), 3),
            key_colour=self._colour(rng, self.tint),
            ambient=round(float(ambient), 3),
            ambient_colour=self._colour(rng, self.tint * 0.6),
            softness=round(float(softness), 4),
        )

    def _colour(self, rng: Draw, sigma: float) -> tuple[float, float, float]:
        """A tint along the line from candle to sky, brightness kept."""
        warm = float(np.clip(rng.normal(0, sigma), -0.35, 0.35))
        return round(1 + warm, 4), round(1 + 0.15 * abs(warm), 4), round(1 - warm, 4)


@dataclass(frozen=True, slots=True)
class CameraSampler:
    """Framing and film. `frame` is the picture's side in heads; `clean` of the pictures come from a good camera.

    Blur is in pixels of a 128-pixel picture and grows with `size`.
    """

    size: int = 128
    frame: tuple[float, float] = (1.05, 1.9)
    distance: tuple[float, float] = (4.5, 18.0)
    shift: float = 0.05
    exposure_sigma: float = 0.28
    white_balance_sigma: float = 0.07
    clean: float = 0.45
    grey: float = 0.08

    def draw(self, rng: Draw) -> Camera:
        """One camera."""
        low, high = self.frame
        warm, tint = rng.normal(0, self.white_balance_sigma), rng.normal(0, self.white_balance_sigma * 0.4)
        clean = rng.random() < self.clean
        blur = abs(rng.normal(0, 0.2 if clean else 0.55)) * self.size / 128
        return Camera(
            seed=int(rng.integers(1 << 31)),
            size=self.size,
            frame=round(low + (high - low) * float(rng.beta(1.2, 1.7)), 4),
            distance=round(float(np.exp(rng.uniform(*np.log(self.distance)))), 3),
            shift=(round(float(rng.normal(0, self.shift)), 4), round(float(rng.normal(0, self.shift)), 4)),
            exposure=round(float(np.exp(rng.normal(0, self.exposure_sigma))), 4),
            white_balance=(round(float(1 + warm), 4), round(float(1 + tint), 4), round(float(1 - warm), 4)),
            contrast=round(float(np.clip(rng.normal(1.05, 0.13), 0.7, 1.45)), 4),
            blur=round(float(min(blur, 2.2 * self.size / 128)), 3),
            noise=round(float(rng.exponential(0.004 if clean else 0.014)), 4),
            jpeg=0 if clean else int(rng.integers(35, 96)),
            grey=bool(rng.random() < self.grey),
        )


@dataclass(frozen=True, slots=True)
class SurroundingsSampler:
    """Shares of backgrounds and of things in front of the face; they need not sum to 1."""

    styles: tuple[tuple[str, float], ...] = (
        ("room", 0.24), ("outdoor", 0.22), ("studio", 0.12), ("bokeh", 0.14), ("clutter", 0.14), ("crowd", 0.06),
        ("plain", 0.08),
    )  # fmt: skip
    occluders: tuple[tuple[str, float], ...] = (
        ("none", 0.88), ("surgical_mask", 0.04), ("hand", 0.035), ("object", 0.025), ("microphone", 0.02),
    )  # fmt: skip

    def draw(self, rng: Draw) -> Surroundings:
        """One background, and perhaps something before the face."""
        return Surroundings(int(rng.integers(1 << 31)), _pick(rng, self.styles), _pick(rng, self.occluders))


@dataclass(frozen=True, slots=True)
class SceneSampler:
    """Draws whole scenes: `draw` a scene with a new person, `picture` another scene of a person."""

    people: PersonSampler = field(default_factory=PersonSampler)
    expressions: ExpressionSampler = field(default_factory=ExpressionSampler)
    poses: PoseSampler = field(default_factory=PoseSampler)
    lights: LightSampler = field(default_factory=LightSampler)
    cameras: CameraSampler = field(default_factory=CameraSampler)
    surroundings: SurroundingsSampler = field(default_factory=SurroundingsSampler)

    def draw(self, rng: Draw) -> Scene:
        """A scene with a person of its own."""
        return self.picture(rng, self.people.draw(rng))

    def picture(self, rng: Draw, person: Person) -> Scene:
        """A scene of this person, who may have changed glasses, hat and clothes since the last one."""
        pose = self.poses.draw(rng)
        return Scene(
            person=self.people.dress(rng, person),
            expression=with_gaze(self.expressions.draw(rng), pose),
            pose=pose,
            light=self.lights.draw(rng),
            camera=self.cameras.draw(rng),
            surroundings=self.surroundings.draw(rng),
        )


def _pick(rng: Draw, shares: tuple[tuple[str, float], ...]) -> str:
    weights = np.array([share for _, share in shares])
    return shares[int(rng.choice(len(shares), p=weights / weights.sum()))][0]
