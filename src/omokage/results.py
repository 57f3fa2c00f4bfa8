"""The frozen objects that the steps hand to each other. Arrays inside are shared, not copied: treat them as read-only.

Small ones (`Box`, `AgeEstimate`, `Change`, ...) are equal when their values are. Those with arrays inside (`FaceCrop`,
`FaceAnalysis`, `RelevanceMap`, `FaceChange`) are equal only to themselves: compare their `to_dict()`, or single fields.
`to_dict()` gives plain Python values, as `json.dumps` takes them.

Conventions (docs/conventions.md): pixels of the upright source image, origin at the top left corner of the top left
pixel, x right, y down; boxes ``x0, y0, x1, y1``; 68 landmarks in iBUG order; degrees with yaw + to the image's right,
pitch + chin up, roll + clockwise in the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.plain import LARGE, Plain, change_dict, face_dict, pose_columns

EXPRESSIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")


# What a place counted in pixels lacks to one measured from the picture's corner. Counted, the middle of the first pixel
# is 0, as OpenCV, dlib and hand-made annotations have it (landmarks); measured are boxes, crops and rendered labels.
PIXEL_MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Box(Plain):
    """Where a face is: brows to chin and ear to ear, in float pixels. Raises ValueError when empty."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not (self.x1 > self.x0 and self.y1 > self.y0):
            raise ValueError(f"empty box: {self}")

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def area(self) -> float:
        return self.width * self.height

    def iou(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        w = min(self.x1, other.x1) - max(self.x0, other.x0)
        h = min(self.y1, other.y1) - max(self.y0, other.y0)
        if w <= 0 or h <= 0:
            return 0.0
        return w * h / (self.area + other.area - w * h)

    @classmethod
    def around(cls, landmarks: NDArray[np.floating], margin: float = 0.1) -> Box:
        """The box of 68 landmarks (68, 2), widened by `margin` of its larger side in all (half of it on each side)."""
        low, high = landmarks.min(0), landmarks.max(0)
        pad = margin / 2 * float(max(high - low))
        return cls(float(low[0]) - pad, float(low[1]) - pad, float(high[0]) + pad, float(high[1]) + pad)


@dataclass(frozen=True, slots=True)
class Detection(Plain):
    """One face that a finder proposes: its box and a score in 0..1."""

    box: Box
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop(Plain):
    """A square RGB uint8 crop (n, n, 3) and the way back: `affine` (2, 3) maps source pixels to crop pixels."""

    image: NDArray[np.uint8] = field(repr=False, metadata=LARGE)
    affine: NDArray[np.float64] = field(repr=False)
    box: Box
    score: float

    def to_source(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (n, 2) in crop pixels, expressed in source pixels."""
        linear, shift = self.affine[:, :2], self.affine[:, 2]
        return np.asarray((np.asarray(points, np.float64) - shift) @ np.linalg.inv(linear).T)


@dataclass(frozen=True, slots=True)
class AgeEstimate(Plain):
    """Apparent age in years with its 5 to 95 percent interval."""

    years: float
    q05: float
    q95: float
    # Probability of each year 0, 1, ... (sums to 1); empty when only the interval is known.
    density: tuple[float, ...] = field(default=(), repr=False, metadata=LARGE)


@dataclass(frozen=True, slots=True)
class Categorical(Plain):
    """Probabilities over named classes, summing to 1."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]

    @property
    def top(self) -> str:
        return self.labels[int(np.argmax(self.probabilities))]

    def __getitem__(self, label: str) -> float:
        if label not in self.labels:
            raise KeyError(f"no class {label!r}; there are {', '.join(self.labels)}")
        return self.probabilities[self.labels.index(label)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __contains__(self, label: object) -> bool:
        return label in self.labels

    def keys(self) -> tuple[str, ...]:
        """The names of the classes, so that ``dict(answer)`` is a mapping to their probabilities."""
        return self.labels

    def items(self) -> Iterator[tuple[str, float]]:
        """Each class with its probability."""
        return zip(self.labels, self.probabilities, strict=True)

    def to_dict(self, large: bool = False) -> dict[str, Any]:
        """Probability by class."""
        return {label: float(p) for label, p in self.items()}


@dataclass(frozen=True, slots=True)
class Scalar(Plain):
    """A number with its sigma (docs/conventions.md), in the unit that the schema states."""

    value: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Pose(Plain):
    """Head rotation in degrees, with the error that 68 percent stay below for each angle."""

    yaw: float
    pitch: float
    roll: float
    sigma: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def to_dict(self, large: bool = False) -> dict[str, Any]:
        """By the columns of the faces table: `yaw_deg`, ..., `yaw_sigma`, ..."""
        return pose_columns(self)


@dataclass(frozen=True, slots=True, eq=False)
class FaceAnalysis(Plain):
    """Everything read off one face. A task that was not estimated is None or absent: never 0, never NaN."""

    source: str
    box: Box
    score: float
    frame: int = 0
    timestamp_s: float = 0.0
    face: int = 0  # 0 = the largest face of the frame
    track: int | None = None
    # (68, 2) source pixels; whole numbers are the middles of pixels
    landmarks: NDArray[np.float32] | None = field(default=None, repr=False)
    # (68,) source pixels: the distance that 68 percent of errors stay below
    landmark_sigma: NDArray[np.float32] | None = field(default=None, repr=False)
    pose: Pose | None = None
    gaze: tuple[Scalar, Scalar] | None = None  # degrees: + to the image's right, + up, both against the camera
    age: AgeEstimate | None = None
    gender_female: float | None = None  # perceived gender: share of raters who would say female
    expression: Categorical | None = None
    units: Mapping[str, float] = field(default_factory=dict, repr=False)  # ARKit name -> 0..1
    action_units: Mapping[str, float] = field(default_factory=dict)  # "au12" -> 0..5
    attributes: Mapping[str, float] = field(default_factory=dict)  # schema name -> probability 0..1
    scalars: Mapping[str, Scalar] = field(default_factory=dict)  # other continuous outputs, e.g. fatness, skin_tone
    classes: Mapping[str, Categorical] = field(default_factory=dict)  # other nominal outputs: the user's own
    quality: float | None = None  # 0..1: how well the crop shows one face
    needs_review: str = ""  # empty, or why a person should look
    embedding: NDArray[np.float32] | None = field(default=None, repr=False)
    network: str = field(default="", repr=False)  # id of the attribute network that read it

    @property
    def outline(self) -> NDArray[np.float32] | None:
        """The landmarks (68, 2) measured like boxes, crops and affines: from the outer corner of the first pixel, whose
        middle is (0.5, 0.5)."""
        return None if self.landmarks is None else self.landmarks + np.float32(PIXEL_MIDDLE)

    def to_dict(self, large: bool = False) -> dict[str, Any]:
        """Plain values by the columns of the faces table (docs/faces-table.md), of which `landmarks` are 68 pairs here;
        what was not estimated is left out. `large` takes in `age_density`, the probability of each year."""
        return face_dict(self, large)


@dataclass(frozen=True, slots=True, eq=False)
class RegionEvidence(Plain):
    """What one named region of a face has to do with one answer. Intervals: lowest and highest over small shifts of
    the crop."""

    name: str
    area: float  # share of the crop, 0..1
    relevance: float  # share of all relevance, -1..1: + speaks for the target, - against it
    relevance_low: float
    relevance_high: float
    effect: float  # what hiding it takes from the score, by the first fill, in `RelevanceMap.score_unit`
    effect_low: float
    effect_high: float
    effect_by_fill: Mapping[str, float]  # where an ordinary face, blur, mean, inpaint disagree, the fill has an effect
    answer_hidden: float  # the answer when it is hidden
    # the crop (n, n, 3) with it hidden
    hidden: NDArray[np.uint8] | None = field(default=None, repr=False, metadata=LARGE)
    support: float = 0.0  # share, 0..1, of what a heat map shows as speaking for the target


@dataclass(frozen=True, slots=True)
class Faithfulness(Plain):
    """Whether a relevance map can be believed: measured on the same crop and network."""

    conservation: float | None  # sum of relevance over what it should sum to; None where the method promises no sum
    flipping: float  # mean drop of the score while the most relevant blocks are hidden first
    flipping_random: tuple[float, ...]  # the same in random orders
    flipping_edges: float  # the same with the strongest edges first
    agreement: float  # rank correlation (-1..1) with an independent method, over the regions
    agreement_with: str
    randomised: float  # rank correlation (-1..1) with the map of the same network with random weights
    checks: Mapping[str, bool] = field(hash=False)  # check -> passed
    grade: str  # A .. D
    meaning: str


@dataclass(frozen=True, slots=True, eq=False)
class RelevanceMap(Plain):
    """Why a network gives an answer: where in the crop, by which region, and whether that can be believed."""

    target: str
    method: str
    answer: float  # of this crop alone, in `answer_unit`
    answer_unit: str
    score: float  # the number that is explained, in `score_unit` (log odds for probabilities)
    score_unit: str
    # (n, n) crop pixels: + speaks for the target, - against it
    relevance: NDArray[np.float32] = field(repr=False, metadata=LARGE)
    crop: FaceCrop = field(repr=False)
    region_map: NDArray[np.uint8] = field(repr=False, metadata=LARGE)  # (n, n) index into `regions`
    regions: tuple[RegionEvidence, ...] = field(repr=False)
    faithfulness: Faithfulness = field(repr=False)
    warnings: tuple[str, ...] = ()
    notice: str = field(default="", repr=False)
    # of a change: the earlier photograph, which hidden parts are shown as
    before: FaceCrop | None = field(default=None, repr=False)
    # What `Analyzer` or `compare` say, who look at more than this crop; None where they say nothing that compares
    full_answer: float | None = None

    @property
    def top(self) -> str:
        """The region whose hiding takes most from the score."""
        return max(self.regions, key=lambda r: r.effect).name

    @property
    def top_of_map(self) -> str:
        """The region with most of what the map shows as speaking for the target."""
        return max(self.regions, key=lambda r: r.support).name


@dataclass(frozen=True, slots=True)
class Change(Plain):
    """A signed change, second photograph minus first, with its 5 to 95 percent interval, in the factor's own unit.

    `no_change` is how often (0..1) two photographs without this change look at least so different by it, whatever else
    differs between them: below 0.05 a change may be called.
    """

    value: float
    low: float
    high: float
    no_change: float


@dataclass(frozen=True, slots=True, eq=False)
class FaceChange(Plain):
    """What changed between two photographs of one person. Without an answer the changes are empty, and `status` says
    why.

    `status`: ``ok``, ``different_people``, ``no_face_before``, ``no_face_after``, ``several_faces_before``,
    ``several_faces_after``, ``mirror_image``, ``same_picture``, or ``unreadable: <why>``. `looks` and `nuisance` are
    probabilities that something else differs: what people wear, and what is only the day. `warnings` name what may
    explain the changes (``light``, ``pose``, ``camera``, ``sharpness``, ``makeup``). `controlled`: the head is held
    and lit alike, so that intervals and `no_change` are those of such pairs, which tell smaller changes.
    """

    before: str
    after: str
    status: str = "ok"
    same_person: float | None = None  # probability, when either is as likely beforehand
    units: Mapping[str, Change] = field(default_factory=dict, repr=False)  # ARKit name -> change on the scale 0..1
    fatness: Change | None = None  # the renderer's scale (-1 lean .. 1.5 heavy), not kilograms
    age: Change | None = None  # apparent years
    own: Mapping[str, Change] = field(default_factory=dict)  # what the user's labels taught, in the labels' units
    looks: Mapping[str, float] = field(default_factory=dict, repr=False)
    nuisance: Mapping[str, float] = field(default_factory=dict, repr=False)
    controlled: bool = False
    warnings: tuple[str, ...] = ()
    faces: tuple[FaceAnalysis | None, FaceAnalysis | None] = field(default=(None, None), repr=False)

    @property
    def factors(self) -> Mapping[str, Change]:
        """All changes by name: units, then `fatness` and `age` where known."""
        rest = {"fatness": self.fatness, "age": self.age}
        return {**self.units, **{name: change for name, change in rest.items() if change is not None}}

    def called(self, share: float = 0.1) -> Mapping[str, Change]:
        """The changes that stand when all are looked at together, largest evidence first: of them at most about
        `share` are expected to be false (Benjamini and Hochberg, 1995)."""
        ranked = sorted(self.factors.items(), key=lambda item: item[1].no_change)
        count = len(ranked)
        standing = [k for k, (_, change) in enumerate(ranked, 1) if change.no_change <= share * k / count]
        return dict(ranked[: max(standing, default=0)])

    def to_dict(self, large: bool = False) -> dict[str, Any]:
        """Plain values by the columns of the table of pairs (`fatness`, `fatness_low`, ...); `large`: both faces."""
        return change_dict(self, large)
