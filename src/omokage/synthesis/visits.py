"""Several pictures of one person as on different days: light, camera and pose differ nearly always, the person
sometimes.

Any two pictures of a group make a pair whose changes are known from their two scenes, so that four pictures give twelve
ordered pairs. What changes is drawn for each picture on its own, from small steps to extreme ones, alone and together,
for learning to compare (after ComFace, Akamatsu et al., WACV 2025; shares and ranges are this project's choice).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from omokage.schema import UNITS
from omokage.synthesis.expressions import tidy, with_gaze
from omokage.synthesis.pairs import FACTORS, FATNESS, can_change, stepped, years_between
from omokage.synthesis.plans import Shot
from omokage.synthesis.sampling import CameraSampler, PoseSampler, SceneSampler, SurroundingsSampler
from omokage.synthesis.scene import Person, Pose, Scene

Draw = np.random.Generator
LOOKS = ("glasses", "hair", "beard", "makeup", "eyes_closed")


def comparable() -> SceneSampler:
    """Scenes as people take them to compare: mostly frontal (yaw within 50 degrees), few things before the face."""
    return SceneSampler(
        poses=PoseSampler(near_frontal=0.9, yaw_sigma=13.0, yaw_limit=50.0, pitch_sigma=8.0, pitch_limit=25.0,
                          tilted=0.05),
        cameras=CameraSampler(grey=0.1),
        surroundings=SurroundingsSampler(occluders=(("none", 0.975), ("surgical_mask", 0.005), ("hand", 0.01),
                                                    ("object", 0.01))),
    )  # fmt: skip


def controlled() -> Visits:
    """Visits in which the head is held and lit alike (but for a few degrees); camera and background differ."""
    return Visits(light=0.0, turned=0.0)


@dataclass(frozen=True, slots=True)
class Visits:
    """A plan (see `plans`) whose groups are `group_size` pictures of one person.

    Shares are chances per picture after the first; `*_steps` bound the size of a step, drawn uniformly on a logarithmic
    scale, `extreme` of the steps are up to three times as large. `same` of the pictures change nothing but light,
    camera and pose; `look` of the others change glasses, hair, beard, make-up, or close the eyes.
    """

    group_size: int = 4
    same: float = 0.3
    age: float = 0.32
    fatness: float = 0.5
    units: float = 0.45
    expression: float = 0.3
    look: float = 0.25
    light: float = 0.8
    camera: float = 0.8
    turned: float = 0.6
    extreme: float = 0.08
    age_steps: tuple[float, float] = (3.0, 30.0)
    fatness_steps: tuple[float, float] = (0.1, 1.0)
    unit_steps: tuple[float, float] = (0.1, 0.8)
    sampler: SceneSampler = field(default_factory=comparable)

    def draw(self, rng: Draw) -> tuple[Shot, ...]:
        """The pictures of one person; the record column `groups` holds what changed against the first."""
        first = self.sampler.draw(rng)
        shots = [Shot(first, {"role": "first", "factors": []})]
        for _ in range(self.group_size - 1):
            scene, factors = self._person(rng, first)
            shots.append(Shot(self._day(rng, scene), {"role": "later", "factors": factors}))
        return tuple(shots)

    def _person(self, rng: Draw, scene: Scene) -> tuple[Scene, list[str]]:
        """Changes of the person and the expression, with their names."""
        factors: list[str] = []
        if rng.random() < self.same:
            return scene, factors
        if rng.random() < self.look:
            able = [name for name in LOOKS if can_change(name, scene.person)]
            factors.append(str(rng.choice(able)))
            scene = FACTORS[factors[-1]](rng, scene, self.sampler)
        if rng.random() < self.expression:
            factors.append("expression")
            scene = FACTORS["expression"](rng, scene, self.sampler)
        if rng.random() < self.units:
            factors.append("units")
            scene = self._moved(rng, scene)
        for name, share, steps in (("age", self.age, self.age_steps), ("fatness", self.fatness, self.fatness_steps)):
            if rng.random() < share:
                scene = self._step(rng, scene, name, steps)
                factors.append(name)
        return scene, factors

    def _size(self, rng: Draw, steps: tuple[float, float]) -> float:
        size = math.exp(rng.uniform(math.log(steps[0]), math.log(steps[1])))
        return size * float(rng.uniform(1, 3)) if rng.random() < self.extreme else size

    def _step(self, rng: Draw, scene: Scene, name: str, steps: tuple[float, float]) -> Scene:
        """One step of a size; sizes that leave the range on both sides are cut to what fits."""
        size = min(self._size(rng, steps), _room(scene.person, name))
        return stepped(rng, scene, name, math.floor(size * 1e3) / 1e3)

    def _moved(self, rng: Draw, scene: Scene) -> Scene:
        """One to five expression units, both sides together more often than not."""
        units = dict(scene.expression.units)
        names = sorted({name.removesuffix("Left").removesuffix("Right") for name in UNITS if "eyeLook" not in name})
        for k in rng.choice(len(names), int(rng.integers(1, 6)), replace=False):
            size, both = self._size(rng, self.unit_steps), rng.random() < 0.75
            sides = [s for s in ("", "Left", "Right") if names[int(k)] + s in UNITS]
            if not both and len(sides) == 2:
                sides = [str(rng.choice(sides))]
            up = units.get(names[int(k)] + sides[0], 0.0) + size <= 1 or rng.random() < 0.3
            for side in sides:
                name = names[int(k)] + side
                units[name] = units.get(name, 0.0) + (size if up else -size)
        return replace(scene, expression=replace(scene.expression, units=tidy(units), label=None, intensity=0.0))

    def _day(self, rng: Draw, scene: Scene) -> Scene:
        """Another day: light, camera, pose and background."""
        s = self.sampler
        if rng.random() < self.light:
            scene = replace(scene, light=s.lights.draw(rng))
        if rng.random() < self.camera:
            scene = replace(scene, camera=s.cameras.draw(rng))
        pose = s.poses.draw(rng) if rng.random() < self.turned else _nudged(rng, scene.pose)
        around = s.surroundings.draw(rng) if rng.random() < 0.7 else scene.surroundings
        return replace(scene, pose=pose, surroundings=around, expression=with_gaze(scene.expression, pose))


def _nudged(rng: Draw, pose: Pose) -> Pose:
    """Nobody holds the head twice in the same way: a few degrees, the eyes stay on what they looked at."""
    yaw, pitch, roll = (round(v + float(rng.normal(0, 2.5)), 3) for v in (pose.yaw, pose.pitch, pose.roll))
    return replace(pose, yaw=yaw, pitch=pitch, roll=roll)


def _room(person: Person, name: str) -> float:
    """The largest step that fits in one of the two directions."""
    now, (low, high) = (person.age, years_between(person)) if name == "age" else (person.fatness, FATNESS)
    return max(high - now, now - low)
