"""A rendered picture as data: who (`Person`), what the face does (`Expression`), how it is held (`Pose`), how it is
lit (`Light`), what takes the picture (`Camera`) and what stands around (`Surroundings`); together a `Scene`.

Every object is frozen, holds plain numbers and strings only, and survives JSON. The same scene renders to the same
picture: all randomness that is not a field of its own comes from the `seed` fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

HAIR_STYLES = ("bald", "buzz", "short", "side", "long", "fringe", "curly", "tied", "afro", "bob")
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
GLASSES = ("none", "frame", "rimless", "sunglasses")
HATS = ("none", "cap", "beanie", "brim", "scarf")
BACKGROUNDS = ("room", "outdoor", "studio", "bokeh", "clutter", "crowd", "plain")
OCCLUDERS = ("none", "surgical_mask", "hand", "object", "microphone")


@dataclass(frozen=True, slots=True)
class Person:
    """What stays the same from picture to picture. `male` is a morph 0..1, `female_perceived` what raters would say of
    the looks.
    """

    seed: int
    age: float  # apparent years that shape, skin and hair are set to, 1..95
    male: float  # shape morph, 0 female .. 1 male
    female_perceived: float  # 0..1, from morph, hair, beard and make-up
    fatness: float  # -1 lean .. 1.5 heavy
    muscle: float  # 0..1
    shape: tuple[float, float, float]  # weights of the three head shape targets of the source mesh, sum 1
    features: tuple[tuple[str, float], ...]  # local morph name (l-/r- given or both when bare) -> coefficient
    melanin: float  # 0 light .. 1 dark
    blood: float  # 0..1 redness
    wrinkles: float  # 0..1 depth of permanent folds
    sagging: float  # 0..1 lids, jowls, neck
    spots: float  # 0..1 freckles and age spots
    hair: str = "short"
    hair_length: float = 0.3  # 0 bald .. 1 below the shoulders
    hair_colour: tuple[float, float, float] = (0.05, 0.03, 0.02)  # linear RGB before greying
    grey: float = 0.0  # 0..1
    recession: float = 0.0  # 0..1 receding hairline
    brow: float = 1.0  # thickness, 0.4..1.5
    brow_gap: float = 0.0  # dm that each brow begins further from the middle than usual, -0.07..0.07
    beard: str = "none"
    iris: tuple[float, float, float] = (0.12, 0.05, 0.02)  # linear RGB
    makeup: float = 0.0  # 0..1
    glasses: str = "none"
    hat: str = "none"
    cloth: tuple[float, float, float] = (0.2, 0.2, 0.25)


@dataclass(frozen=True, slots=True)
class Expression:
    """Expression units 0..1 by ARKit name (absent = 0), and the class they were drawn for (None: a mixture without a
    name).
    """

    units: tuple[tuple[str, float], ...] = ()
    label: str | None = "neutral"
    intensity: float = 0.0

    def unit(self, name: str) -> float:
        return dict(self.units).get(name, 0.0)


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees: yaw + to the image's right, pitch + chin up, roll + clockwise in the image.

    Gaze is measured against the camera, right and up.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gaze_right: float = 0.0
    gaze_up: float = 0.0


@dataclass(frozen=True, slots=True)
class Light:
    """One key light with a shadow, and the surroundings as spherical-harmonics ambient (drawn from `seed`)."""

    seed: int
    azimuth: float = 20.0  # degrees, + from the image's right
    elevation: float = 30.0  # degrees above the camera's level
    key: float = 1.0  # strength of the key light
    key_colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    ambient: float = 0.5
    ambient_colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    softness: float = 0.03


@dataclass(frozen=True, slots=True)
class Camera:
    """`frame` = picture side over head size (about 1.0 tight face .. 2.6 head and shoulders).

    The distance, in head units, sets the perspective.
    """

    seed: int
    size: int = 128
    frame: float = 1.4
    distance: float = 10.0
    shift: tuple[float, float] = (0.0, 0.0)  # of the picture's side
    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    contrast: float = 1.0
    blur: float = 0.0  # pixels at `size`
    noise: float = 0.0  # of the full range
    jpeg: int = 0  # quality, 0 = none
    grey: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Background style and what stands in front of the face, drawn from `seed`."""

    seed: int
    style: str = "room"
    occluder: str = "none"


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that one picture needs."""

    person: Person
    expression: Expression = field(default_factory=Expression)
    pose: Pose = field(default_factory=Pose)
    light: Light = field(default_factory=lambda: Light(0))
    camera: Camera = field(default_factory=lambda: Camera(0))
    surroundings: Surroundings = field(default_factory=lambda: Surroundings(0))

    def to_json(self) -> str:
        return json.dumps({f.name: _plain(getattr(self, f.name)) for f in fields(self)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Scene:
        parts = json.loads(text)
        kinds = {"person": Person, "expression": Expression, "pose": Pose, "light": Light, "camera": Camera}
        return cls(**{k: {**kinds, "surroundings": Surroundings}[k](**_tuples(v)) for k, v in parts.items()})


def _plain(part: Any) -> dict[str, Any]:
    """The fields of one frozen object, not copied: `dataclasses.asdict` copies every morph and takes milliseconds."""
    return {f.name: getattr(part, f.name) for f in fields(part)}


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON lists back to the tuples that the frozen objects hold."""
    return {k: _tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def _tuple(value: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuple(v) if isinstance(v, list) else v for v in value)
