"""The frozen objects that the steps hand to each other. Arrays inside are shared, not copied: treat them as read-only.

Conventions (docs/conventions.md): pixels of the upright source image, origin at the top left corner of the top left
pixel, x right, y down; boxes ``x0, y0, x1, y1``; 68 landmarks in iBUG order; degrees with yaw + to the image's right,
pitch + chin up, roll + clockwise in the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

EXPRESSIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")


@dataclass(frozen=True, slots=True)
class Box:
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
class Detection:
    """One face that a finder proposes: its box and a score in 0..1."""

    box: Box
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """A square RGB uint8 crop (n, n, 3) and the way back: `affine` (2, 3) maps source pixels to crop pixels."""

    image: NDArray[np.uint8]
    affine: NDArray[np.float64]
    box: Box
    score: float

    def to_source(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (n, 2) in crop pixels, expressed in source pixels."""
        linear, shift = self.affine[:, :2], self.affine[:, 2]
        return np.asarray((np.asarray(points, np.float64) - shift) @ np.linalg.inv(linear).T)


@dataclass(frozen=True, slots=True)
class AgeEstimate:
    """Apparent age in years with its 5 to 95 percent interval."""

    years: float
    q05: float
    q95: float
    density: tuple[
        float, ...
    ] = ()  # probability of each year 0, 1, ... (sums to 1); empty when only the interval is known


@dataclass(frozen=True, slots=True)
class Categorical:
    """Probabilities over named classes, summing to 1."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]

    @property
    def top(self) -> str:
        return self.labels[int(np.argmax(self.probabilities))]

    def __getitem__(self, label: str) -> float:
        return self.probabilities[self.labels.index(label)]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number with its expected absolute deviation (one standard deviation), in the unit that the schema states."""

    value: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Head rotation in degrees, with one standard deviation for each angle."""

    yaw: float
    pitch: float
    roll: float
    sigma: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class FaceAnalysis:
    """Everything read off one face. A task that was not estimated is None or absent: never 0, never NaN."""

    source: str
    box: Box
    score: float
    frame: int = 0
    timestamp_s: float = 0.0
    face: int = 0  # 0 = the largest face of the frame
    track: int | None = None
    landmarks: NDArray[np.float32] | None = None  # (68, 2) source pixels
    landmark_sigma: NDArray[np.float32] | None = None  # (68,) source pixels
    pose: Pose | None = None
    gaze: tuple[Scalar, Scalar] | None = None  # degrees: + to the image's right, + up, both against the camera
    age: AgeEstimate | None = None
    gender_female: float | None = None  # perceived gender: share of raters who would say female
    expression: Categorical | None = None
    units: Mapping[str, float] = field(default_factory=dict)  # ARKit name -> 0..1
    action_units: Mapping[str, float] = field(default_factory=dict)  # "au12" -> 0..5
    attributes: Mapping[str, float] = field(default_factory=dict)  # schema name -> probability 0..1
    scalars: Mapping[str, Scalar] = field(default_factory=dict)  # other continuous outputs, e.g. fatness, skin_tone
    quality: float | None = None  # 0..1: how well the crop shows one face
    needs_review: str = ""  # empty, or why a person should look
    embedding: NDArray[np.float32] | None = None
