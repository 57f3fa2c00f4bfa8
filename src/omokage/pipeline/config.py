"""What the pipeline expects of its parts, and every threshold it applies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import index
from typing import Protocol, SupportsIndex, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from omokage.errors import InputError
from omokage.results import Detection, FaceAnalysis, FaceCrop

Given = Mapping[str, float | str]


class Finder(Protocol):
    """Proposes faces. `images` are RGB uint8 (h, w, 3) of any size."""

    def find(self, image: NDArray[np.uint8]) -> list[Detection]: ...

    def find_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]: ...


class Predictor(Protocol):
    """Reads attributes off crops of side `size` that show `margin` times the face's box.

    `given` holds what is known otherwise ({"age": 70}); a predictor that cannot use it raises InputError. `careful`
    asks for the best answers rather than the fastest.
    """

    size: int
    margin: float

    def predict(
        self, crops: Sequence[FaceCrop], given: Given | None = None, *, careful: bool = True
    ) -> list[FaceAnalysis]: ...


@runtime_checkable
class OutlinePredictor(Predictor, Protocol):
    """A predictor that cuts its own crops, given whole pictures and where the landmarks (68, 2) nearly are."""

    def predict_outlines(
        self,
        images: Sequence[NDArray[np.uint8]],
        outlines: Sequence[NDArray[np.floating]],
        scores: Sequence[float],
        given: Given | None = None,
        batch: int = 32,
    ) -> list[FaceAnalysis]: ...


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """When a person should look at an answer. Rules of thumb, not calibrated error rates: set them to the cost of a
    mistake."""

    score_below: float = 0.6  # finder's score
    quality_below: float = 0.6  # network's own view of the crop
    age_wider_than: float = 45.0  # years between the 5 and 95 percent bounds
    yaw_beyond: float = 60.0  # degrees
    pitch_beyond: float = 40.0
    roll_beyond: float = 60.0
    side_below: float = 24.0  # pixels of the box's larger side
    faces_above: int = 20  # in one picture


@dataclass(frozen=True, slots=True)
class AnalyzerConfig:
    """How faces are read. `batch_size` counts crops; `pictures` at most are held at once, fewer when they are large.
    Raises InputError for counts below 1."""

    batch_size: int = 32
    pictures: int = 8
    pixels: int = 16_000_000
    hopeless_quality: float = 0.01  # at the first look: no second one
    reject_quality: float = 0.3  # without a fitted check: a find that the network rates lower is taken for a false one
    sure_score: float = 0.95  # ... unless the finder is this sure
    same_face_iou: float = 0.5  # answers that overlap more after alignment are one face
    drift_iou: float = 0.1  # landmarks that leave the found box further than this are not used for the second crop
    review: ReviewRules = field(default_factory=ReviewRules)

    def __post_init__(self) -> None:
        for name in ("batch_size", "pictures", "pixels"):
            whole_number(name, getattr(self, name), 1)


def whole_number(name: str, value: object, least: int) -> int:
    """A count or place that a caller gave as `name`. Raises InputError for what is no whole number from `least` on."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or index(value) < least:
        raise InputError(f"{name}={value!r} is not possible: give a whole number from {least} on")
    return index(value)
