"""What each attribute means: its kind, scope, region, classes, range, unit and where its labels come from.

The network of the `attributes` room is built from an `AttributeSchema`; records, the faces table and weight cards carry
the names given here. Kinds and scopes are those of DMTL (Han et al., TPAMI 2018): ordinal or nominal, holistic or
local; geometry and measures that are neither ranks nor classes are `continuous`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from omokage.results import EXPRESSIONS

Kind = Literal["ordinal", "nominal", "continuous"]
Scope = Literal["holistic", "local"]

# The 52 expression units by their ARKit names (0..1 each), in alphabetical order. `Left` is the person's own left.
UNITS = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen",
    "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight",
    "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip

# Action unit -> expression units whose mean, times 5, is its intensity (0..5). The table is this project's own choice:
# the units are the nearest single-muscle movements of the FACS description. Left and right are averaged.
ACTION_UNITS: Mapping[str, tuple[str, ...]] = {
    "au01": ("browInnerUp",),
    "au02": ("browOuterUpLeft", "browOuterUpRight"),
    "au04": ("browDownLeft", "browDownRight"),
    "au05": ("eyeWideLeft", "eyeWideRight"),
    "au06": ("cheekSquintLeft", "cheekSquintRight"),
    "au07": ("eyeSquintLeft", "eyeSquintRight"),
    "au09": ("noseSneerLeft", "noseSneerRight"),
    "au10": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "au12": ("mouthSmileLeft", "mouthSmileRight"),
    "au14": ("mouthDimpleLeft", "mouthDimpleRight"),
    "au15": ("mouthFrownLeft", "mouthFrownRight"),
    "au16": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "au17": ("mouthShrugLower",),
    "au18": ("mouthPucker",),
    "au20": ("mouthStretchLeft", "mouthStretchRight"),
    "au22": ("mouthFunnel",),
    "au24": ("mouthPressLeft", "mouthPressRight"),
    "au26": ("jawOpen",),
    "au28": ("mouthRollLower", "mouthRollUpper"),
    "au43": ("eyeBlinkLeft", "eyeBlinkRight"),
}


def action_units(units: Mapping[str, float]) -> dict[str, float]:
    """Action unit intensities 0..5 from expression units 0..1, by the `ACTION_UNITS` table; absent units count as 0."""
    return {
        name: 5.0 * min(max(sum(units.get(u, 0.0) for u in parts) / len(parts), 0.0), 1.0)
        for name, parts in ACTION_UNITS.items()
    }


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `size` is the number of values (landmarks 136, units 52); `classes` only for nominal ones.

    Raises ValueError when the parts contradict each other.
    """

    name: str
    kind: Kind
    scope: Scope
    region: str = "face"  # face, eyes, mouth, hair, nose, cheek, chin, neck: where a local attribute is read
    classes: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    size: int = 1
    unit: str = ""
    labels_from: str = "renderer"
    default_output: bool = True
    own: bool = False  # learnt later than the others, by a sub-network of its own

    def __post_init__(self) -> None:
        if (self.kind == "nominal") != bool(self.classes):
            raise ValueError(f"{self.name}: nominal attributes and only they have classes")
        if self.high <= self.low:
            raise ValueError(f"{self.name}: range {self.low}..{self.high} is empty")

    @property
    def category(self) -> str:
        """The sub-network that it belongs to: kind, scope and, when local, the region; or its own."""
        if self.own:
            return f"{self.kind}-own-{self.name}"
        return f"{self.kind}-{self.scope}" + (f"-{self.region}" if self.scope == "local" else "")


@dataclass(frozen=True, slots=True)
class AttributeSchema:
    """An ordered, duplicate-free set of attributes. Raises ValueError on a repeated name."""

    attributes: tuple[Attribute, ...]

    def __post_init__(self) -> None:
        names = [a.name for a in self.attributes]
        if len(set(names)) != len(names):
            raise ValueError(f"repeated attribute names: {sorted(n for n in names if names.count(n) > 1)}")

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self.attributes)

    def __len__(self) -> int:
        return len(self.attributes)

    def __contains__(self, name: object) -> bool:
        return any(a.name == name for a in self.attributes)

    def __getitem__(self, name: str) -> Attribute:
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        raise KeyError(name)

    def categories(self) -> dict[str, tuple[Attribute, ...]]:
        """Attributes by category, in the order of first appearance."""
        found: dict[str, list[Attribute]] = {}
        for attribute in self.attributes:
            found.setdefault(attribute.category, []).append(attribute)
        return {name: tuple(members) for name, members in found.items()}

    def only(self, names: Iterable[str]) -> AttributeSchema:
        """The sub-schema with these names, in this schema's order."""
        wanted = set(names)
        return AttributeSchema(tuple(a for a in self.attributes if a.name in wanted))

    def to_json(self) -> str:
        return json.dumps([asdict(a) for a in self.attributes])

    @classmethod
    def from_json(cls, text: str | Sequence[Mapping[str, Any]]) -> AttributeSchema:
        rows = json.loads(text) if isinstance(text, str) else text
        return cls(tuple(Attribute(**{**row, "classes": tuple(row["classes"])}) for row in rows))


def own_nominal(schema: AttributeSchema) -> tuple[Attribute, ...]:
    """The nominal attributes with classes of the user's own: neither yes/no nor one that has a place in each result."""
    named = {"expression", "perceived_gender", "quality"}
    return tuple(a for a in schema if a.kind == "nominal" and a.classes != ("no", "yes") and a.name not in named)


def _yes_no(name: str, scope: Scope, region: str = "face") -> Attribute:
    return Attribute(name, "nominal", scope, region, classes=("no", "yes"))


# What the shipped network reads. CelebA's names where CelebA has the attribute; the others are this project's own.
SHIPPED = AttributeSchema(
    (
        Attribute("landmarks", "continuous", "local", "face", size=136, unit="px"),
        Attribute("pose", "continuous", "holistic", low=-180, high=180, size=3, unit="degrees yaw, pitch, roll"),
        Attribute("gaze", "continuous", "local", "eyes", low=-90, high=90, size=2, unit="degrees right, up"),
        Attribute("units", "continuous", "local", "face", size=len(UNITS), unit="intensity"),
        Attribute("expression", "nominal", "holistic", classes=EXPRESSIONS),
        Attribute("age", "ordinal", "holistic", low=0, high=100, unit="years"),
        Attribute("perceived_gender", "nominal", "holistic", classes=("male", "female")),
        Attribute("fatness", "ordinal", "holistic", low=-1.0, high=1.5, unit="renderer's scale"),
        Attribute("skin_tone", "ordinal", "holistic", low=0.0, high=1.0, unit="melanin, light to dark"),
        Attribute("hair_length", "ordinal", "local", "hair", low=0.0, high=1.0, unit="0 bald, 1 below the shoulders"),
        _yes_no("smiling", "local", "mouth"),
        _yes_no("mouth_slightly_open", "local", "mouth"),
        _yes_no("face_mask", "local", "mouth"),
        _yes_no("wearing_lipstick", "local", "mouth"),
        _yes_no("beard", "local", "mouth"),
        _yes_no("mustache", "local", "mouth"),
        _yes_no("5_o_clock_shadow", "local", "mouth"),
        _yes_no("eyeglasses", "local", "eyes"),
        _yes_no("sunglasses", "local", "eyes"),
        _yes_no("eyes_closed", "local", "eyes"),
        _yes_no("heavy_makeup", "holistic"),
        _yes_no("occluded", "holistic"),
        _yes_no("wearing_hat", "local", "hair"),
        _yes_no("bald", "local", "hair"),
        _yes_no("bangs", "local", "hair"),
        _yes_no("receding_hairline", "local", "hair"),
        _yes_no("gray_hair", "local", "hair"),
        _yes_no("black_hair", "local", "hair"),
        _yes_no("blond_hair", "local", "hair"),
        _yes_no("brown_hair", "local", "hair"),
        Attribute(
            "quality", "ordinal", "holistic", labels_from="crop augmentation", unit="0 no face, 1 one well-centred face"
        ),
    )
)

# CelebA's 40 yes/no attributes (Liu et al., ICCV 2015) in eight groups, one holistic and seven local, as a multi-task
# network reads them (Han et al., TPAMI 2018; the members of each group follow later published code that cites it).
# For research on CelebA and LFWA: none is in default output, and the judgemental ones (`attractive`, `chubby`) never
# will be.
CELEBA_GROUPS: Mapping[str, tuple[str, ...]] = {
    "holistic": (
        "attractive", "blurry", "chubby", "heavy_makeup", "male", "oval_face", "pale_skin", "smiling", "young",
    ),
    "hair": (
        "bald", "bangs", "black_hair", "blond_hair", "brown_hair", "gray_hair", "receding_hairline", "straight_hair",
        "wavy_hair", "wearing_hat",
    ),
    "eyes": ("arched_eyebrows", "bags_under_eyes", "bushy_eyebrows", "eyeglasses", "narrow_eyes"),
    "nose": ("big_nose", "pointy_nose"),
    "cheek": ("high_cheekbones", "rosy_cheeks", "sideburns", "wearing_earrings"),
    "mouth": ("5_o_clock_shadow", "big_lips", "mouth_slightly_open", "mustache", "wearing_lipstick"),
    "chin": ("double_chin", "goatee", "no_beard"),
    "neck": ("wearing_necklace", "wearing_necktie"),
}  # fmt: skip


def _celeba(name: str, group: str) -> Attribute:
    scope: Scope = "holistic" if group == "holistic" else "local"
    region = "face" if group == "holistic" else group
    source = "CelebA annotators"
    return Attribute(name, "nominal", scope, region, classes=("no", "yes"), labels_from=source, default_output=False)


CELEBA = AttributeSchema(tuple(_celeba(name, group) for group, names in CELEBA_GROUPS.items() for name in names))
