"""Rendered pairs whose difference is known: one person twice, once with a thing and once without it.

What is changed: expression units, glasses, or a beard. The two pictures are cut alike, so that the places where they
differ are known pixel by pixel, and any region of one can be put into the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from omokage.attributes.predict import AttributePredictor
from omokage.data.transforms import warp
from omokage.explain.regions import REGIONS, region_map
from omokage.explain.target import View
from omokage.faces.align import crop_landmarks
from omokage.pipeline.explain_views import views_of
from omokage.synthesis.people import perceived_female
from omokage.synthesis.render import Rendering, render
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import Camera, Expression, Light, Pose, Scene, Surroundings
from omokage.synthesis.skin import paint

Image = NDArray[np.uint8]
SEED = 930_000_000  # of people that no training uses
KINDS = ("expression units", "eyeglasses", "beard")
MOUTH = ("mouthSmileLeft", "mouthSmileRight")
# What is changed -> the answer that is explained.
UNITS: Mapping[str, tuple[str, ...]] = {
    "au.AU12": MOUTH,
    "au.AU26": ("jawOpen",),
    "au.AU18": ("mouthPucker",),
    "au.AU20": ("mouthStretchLeft", "mouthStretchRight"),
    "au.AU01": ("browInnerUp",),
    "au.AU04": ("browDownLeft", "browDownRight"),
    "au.AU43": ("eyeBlinkLeft", "eyeBlinkRight"),
    "au.AU05": ("eyeWideLeft", "eyeWideRight"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A picture that shows a thing, cut several ways; `before` without it, cut as the first view; and the answer."""

    kind: str
    target: str
    views: tuple[View, ...]
    before: Image

    @property
    def view(self) -> View:
        return self.views[0]

    def regions(self) -> NDArray[np.uint8]:
        """(n, n) index into `REGIONS`."""
        return region_map(self.view.points, self.view.image.shape[0], self.view.segmentation)

    def changed(self) -> tuple[str, ...]:
        """Regions by the sum of what changed in them, most first; those with less than a third of the first left
        out."""
        change = np.abs(self.view.image.astype(float) - self.before.astype(float)).sum(2)
        where = self.regions()
        total = {name: float(change[where == i].sum()) for i, name in enumerate(REGIONS)}
        order = sorted(total, key=lambda name: -total[name])
        return tuple(name for name in order if total[name] >= total[order[0]] / 3)


def base_scene(k: int) -> Scene:
    """A person at rest, nearly frontal, evenly lit, without anything on or in front of the face."""
    rng = np.random.default_rng((SEED, k))
    drawn = SceneSampler().draw(rng)
    person = replace(drawn.person, glasses="none", beard="none", hat="none", makeup=0.0)
    return replace(
        drawn, person=person, expression=Expression(), camera=Camera(k, size=192, frame=1.5),
        pose=Pose(float(rng.uniform(-12, 12)), float(rng.uniform(-6, 6)), float(rng.uniform(-6, 6))),
        light=Light(k, azimuth=float(rng.uniform(-25, 25)), key=0.8, ambient=0.6),
        surroundings=Surroundings(drawn.surroundings.seed, drawn.surroundings.style),
    )  # fmt: skip


def changes(k: int, wanted: Sequence[str] = KINDS) -> Iterator[tuple[str, str, Scene, Scene]]:
    """(kind, target, without, with) of one person: two units, glasses, a beard where one can grow."""
    rng = np.random.default_rng((SEED, 1, k))
    plain = base_scene(k)
    for turn in (0, len(UNITS) // 2) if KINDS[0] in wanted else ():
        target = list(UNITS)[(k + turn) % len(UNITS)]
        units = tuple((name, float(rng.uniform(0.7, 1.0))) for name in UNITS[target])
        yield KINDS[0], target, plain, replace(plain, expression=Expression(units, None, 1.0))
    if KINDS[1] in wanted:
        person = replace(plain.person, glasses=str(rng.choice(["frame", "rimless", "sunglasses"])))
        yield KINDS[1], "attr.eyeglasses", plain, replace(plain, person=person)
    if KINDS[2] in wanted and plain.person.age >= 18 and plain.person.male > 0.5:
        person = replace(plain.person, beard=str(rng.choice(["goatee", "full"])))
        person = replace(person, female_perceived=perceived_female(person))
        yield KINDS[2], "attr.beard", plain, replace(plain, person=person)


def cases(predictor: AttributePredictor, k: int, wanted: Sequence[str] = KINDS) -> Iterator[Case]:
    """The cases of one person."""
    shown: dict[str, Rendering] = {}
    for kind, target, without, having in changes(k, wanted):
        if "plain" not in shown:
            shown["plain"] = render(without, paint(without.person))
        after = render(having, paint(having.person))
        crop = crop_landmarks(after.image, after.landmarks, predictor.size, predictor.margin)
        views = views_of(crop, after.image, after.landmarks, predictor.margin, after.segmentation)
        yield Case(kind, target, tuple(views), warp(shown["plain"].image, crop.affine, predictor.size))
