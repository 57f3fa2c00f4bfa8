"""Draw the pictures of docs/conventions.md with the renderer: signs and zero of pose, landmark numbers, segmentation.

Command: ``python tools/draw_conventions.py [docs/images]``; about a minute the first time (kernels are compiled).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.records import SEGMENTATION
from omokage.report.drawing import CONTOURS
from omokage.synthesis.people import PersonSampler
from omokage.synthesis.render import Rendering, render
from omokage.synthesis.scene import Camera, Expression, Light, Person, Pose, Scene, Surroundings

SIDE = 300
POSES = (
    ("zero", Pose()),
    ("zero, from the side", Pose(yaw=90, gaze_right=90)),
    ("yaw +30", Pose(yaw=30, gaze_right=30)),
    ("pitch +20", Pose(pitch=20, gaze_up=20)),
    ("roll +20", Pose(roll=20)),
)
COLOURS = np.array(
    [(235, 235, 235), (240, 190, 150), (110, 70, 40), (60, 130, 220), (210, 70, 80), (120, 20, 40), (70, 50, 40),
     (30, 30, 30), (90, 110, 150), (250, 150, 120), (220, 170, 130), (120, 220, 230), (150, 90, 170), (90, 200, 140),
     (200, 200, 60)], np.uint8,
)  # fmt: skip


def someone() -> Person:
    """An adult with a clear profile: short hair, no particular features, nothing on the face."""
    person = PersonSampler().draw(np.random.default_rng(11))
    plain = replace(person, age=35.0, fatness=0.0, features=(), melanin=0.35, hair_colour=(0.05, 0.03, 0.02), grey=0.0)
    return replace(plain, hair="short", hair_length=0.3, beard="none", glasses="none", hat="none", makeup=0.0, brow=1.2)


def picture(person: Person, pose: Pose, size: int = SIDE, frame: float = 1.75) -> Rendering:
    camera = Camera(seed=1, size=size, frame=frame)
    light = Light(seed=2, azimuth=25, elevation=30, key=1.0, ambient=0.6)
    return render(Scene(person, Expression(), pose, light, camera, Surroundings(seed=3, style="plain")))


def titled(image: NDArray[np.uint8], title: str) -> NDArray[np.uint8]:
    """The picture with a line of text under it."""
    strip = np.full((34, image.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, title, (8, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (30, 30, 30), 1, cv2.LINE_AA)
    return np.vstack([image, strip])


def numbered(rendering: Rendering) -> NDArray[np.uint8]:
    """The picture with the 68 landmarks and their numbers."""
    image, points = rendering.image.copy(), rendering.landmarks
    for start, stop, closed in CONTOURS:
        line = np.round(points[start:stop]).astype(np.int32)
        cv2.polylines(image, [line], closed, (255, 255, 255), 1, cv2.LINE_AA)
    for k, (x, y) in enumerate(points):
        cv2.circle(image, (round(float(x)), round(float(y))), 3, (255, 225, 77), -1, cv2.LINE_AA)
        place = (round(float(x)) + 4, round(float(y)) + (14 if k in (33, 60, 64, 65, 66, 67) else -4))
        for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(image, str(k), place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, width, cv2.LINE_AA)
    return image


def legend(height: int) -> NDArray[np.uint8]:
    """Segmentation classes with their colours, one a line."""
    panel = np.full((height, 190, 3), 255, np.uint8)
    step = height / (len(SEGMENTATION) + 1)
    for k, name in enumerate(SEGMENTATION):
        y = int((k + 1) * step)
        cv2.rectangle(panel, (8, y - 12), (24, y + 2), COLOURS[k].tolist(), -1)
        cv2.putText(panel, f"{k} {name}", (32, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    return panel


def save(path: Path, image: NDArray[np.uint8]) -> None:
    from PIL import Image

    Image.fromarray(image).save(path, quality=88, optimize=True)
    print(path)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    person = someone()
    shots = [(title, picture(person, pose)) for title, pose in POSES]
    save(folder / "pose-zero.jpg", np.hstack([titled(shot.image, title) for title, shot in shots]))
    save(folder / "landmarks.jpg", numbered(picture(person, Pose(), 900, 1.25)))
    dressed = picture(replace(person, hair="long", hair_length=0.8, glasses="frame", beard="none"), Pose(yaw=20))
    save(folder / "segmentation.png", np.hstack([dressed.image, COLOURS[dressed.segmentation], legend(SIDE)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images"))
