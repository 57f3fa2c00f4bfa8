"""A finder and a predictor without weights, for tests of everything around them. Their "faces" are magenta squares.

The age that the predictor reads is the square's blue channel in percent of 255, so that a test can tell faces apart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.results import EXPRESSIONS, AgeEstimate, Box, Categorical, Detection, FaceAnalysis, FaceCrop, Pose, Scalar


def face_template() -> NDArray[np.float64]:
    """68 points (68, 2) that fill -0.5 .. 0.5: good enough to have an eye line, a mouth and an outline."""
    turn = np.linspace(0, np.pi, 17)
    jaw = np.stack([-0.5 * np.cos(turn), -0.1 + 0.6 * np.sin(turn)], -1)
    brows = np.stack([np.r_[np.linspace(-0.4, -0.1, 5), np.linspace(0.1, 0.4, 5)], np.full(10, -0.5)], -1)
    nose = np.r_[[[0, y] for y in (-0.3, -0.2, -0.1, 0.0)], [[x, 0.05] for x in (-0.1, -0.05, 0, 0.05, 0.1)]]
    eye = np.array([[-0.08, 0], [-0.03, -0.03], [0.03, -0.03], [0.08, 0], [0.03, 0.03], [-0.03, 0.03]])
    eyes = np.concatenate([eye + np.array([-0.22, -0.3]), eye + np.array([0.22, -0.3])])
    around = np.linspace(np.pi, 3 * np.pi, 13)[:-1]
    mouth = np.stack([0.18 * np.cos(around), 0.25 + 0.08 * np.sin(around)], -1)
    inner = np.linspace(np.pi, 3 * np.pi, 9)[:-1]
    lips = np.stack([0.12 * np.cos(inner), 0.25 + 0.03 * np.sin(inner)], -1)
    return np.r_[jaw, brows, nose, eyes, mouth, lips]


def picture(faces: Sequence[tuple[int, int, int, int]] = (), size: tuple[int, int] = (120, 160)) -> NDArray[np.uint8]:
    """A grey-green picture (h, w, 3) with magenta squares (x, y, side, age)."""
    image = np.full((*size, 3), (90, 110, 90), np.uint8)
    for x, y, side, age in faces:
        image[y : y + side, x : x + side] = (255, 0, round(age * 2.55))
    return image


def write_picture(
    path: object, faces: Sequence[tuple[int, int, int, int]] = (), size: tuple[int, int] = (120, 160)
) -> None:
    """The same as a PNG file, whatever the name says."""
    ok, content = cv2.imencode(".png", picture(faces, size)[..., ::-1])
    assert ok
    with open(str(path), "wb") as stream:
        stream.write(content.tobytes())


@dataclass
class SquareFinder:
    """Finds magenta squares; counts what it was asked."""

    asked: int = 0
    delay_s: float = 0.0
    name: str = "squares"

    def find(self, image: NDArray[np.uint8]) -> list[Detection]:
        return self.find_batch([image])[0]

    def find_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        self.asked += len(images)
        time.sleep(self.delay_s * len(images))
        return [self._one(image) for image in images]

    def _one(self, image: NDArray[np.uint8]) -> list[Detection]:
        mask = ((image[..., 0] > 200) & (image[..., 1] < 60)).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        boxes = [tuple(float(v) for v in stats[i, :4]) for i in range(1, count) if stats[i, 4] >= 16]
        return [Detection(Box(x, y, x + w, y + h), 0.9) for x, y, w, h in boxes]


@dataclass
class SquarePredictor:
    """Reads an age off the colour; `quality` is the share of the crop's middle that is magenta."""

    size: int = 64
    margin: float = 1.3
    name: str = "squares"
    batches: list[int] = field(default_factory=list)
    lean: float = 0.0  # pixels of the crop by which the right eye is lower than the left one

    def predict(
        self, crops: Sequence[FaceCrop], given: Mapping[str, float | str] | None = None, *, careful: bool = True
    ) -> list[FaceAnalysis]:
        self.batches.append(len(crops))
        return [self._one(crop, given) for crop in crops]

    def _one(self, crop: FaceCrop, given: Mapping[str, float | str] | None) -> FaceAnalysis:
        n = crop.image.shape[0]
        inner = crop.image[n // 4 : 3 * n // 4, n // 4 : 3 * n // 4].reshape(-1, 3).astype(float)
        years = float((given or {}).get("age", inner[:, 2].mean() / 2.55))
        shown = ((inner[:, 0] > 180) & (inner[:, 1] < 90)).mean()
        points = n / 2 + face_template() * n / self.margin / 1.1
        points[42:48, 1] += self.lean
        p = np.array([0.4, *[0.1] * 6])
        return FaceAnalysis(
            source="", box=crop.box, score=crop.score, landmarks=crop.to_source(points).astype(np.float32),
            landmark_sigma=np.full(68, 0.5, np.float32), pose=Pose(10.0, -5.0, 2.0, (3.0, 3.0, 1.0)),
            gaze=(Scalar(4.0, 2.0), Scalar(-3.0, 2.0)), age=AgeEstimate(years, max(years - 8, 0), years + 8),
            gender_female=0.7, expression=Categorical(EXPRESSIONS, tuple(p.tolist())), units={"jawOpen": 0.4},
            action_units={"au12": 2.5, "au26": 2.0, "au43": 0.5, "au28": 1.5},
            attributes={"smiling": 0.8, "eyeglasses": 0.1}, scalars={"fatness": Scalar(0.2, 0.3)}, quality=float(shown),
        )  # fmt: skip
