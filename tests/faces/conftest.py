"""Toy heads: drawn faces with exact landmarks, written as records, for everything that composes scenes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from omokage.data.records import Record, provenance, write_shard
from omokage.results import Box


def toy_landmarks(centre: tuple[float, float], scale: float) -> np.ndarray:
    """68 points on a schematic face, iBUG order."""
    t = np.linspace(np.pi - 0.1, 0.1, 17)
    jaw = np.stack([np.cos(t), np.sin(t)], 1)
    brows = np.stack([np.r_[np.linspace(-0.7, -0.2, 5), np.linspace(0.2, 0.7, 5)], np.full(10, -0.45)], 1)
    nose = np.stack([np.linspace(-0.1, 0.1, 9), np.linspace(-0.2, 0.25, 9)], 1)
    ring = np.linspace(0, 2 * np.pi, 7)[:-1]
    eyes = [np.stack([x + 0.15 * np.cos(ring), -0.2 + 0.08 * np.sin(ring)], 1) for x in (-0.4, 0.4)]
    around = np.linspace(0, 2 * np.pi, 21)[:-1]
    mouth = np.stack([0.3 * np.cos(around), 0.55 + 0.1 * np.sin(around)], 1)
    return (np.concatenate([jaw, brows, nose, *eyes, mouth]) * scale + centre).astype(np.float32)


def toy_record(number: int, size: int = 96) -> Record:
    """A skin-coloured disc with eyes and a mouth on a plain ground, with segmentation, landmarks and box."""
    rng = np.random.default_rng(number)
    image = np.full((size, size, 3), rng.integers(0, 255, 3), np.uint8)
    labels = np.zeros((size, size), np.uint8)
    centre, scale = (size / 2, size / 2), size * 0.3
    points = toy_landmarks(centre, scale)
    middle = (round(centre[0]), round(centre[1]))
    cv2.circle(image, middle, round(scale * 1.1), (225, 180, 150), -1, cv2.LINE_AA)
    cv2.circle(labels, middle, round(scale * 1.1), 1, -1)
    for part in (points[36:42], points[42:48], points[48:68]):
        cv2.fillPoly(image, [part.round().astype(np.int32)], (20, 10, 10), cv2.LINE_AA)
    box = Box.around(points)
    kept = {
        "landmarks": points.ravel().tolist(),
        "box": [box.x0, box.y0, box.x1, box.y1],
        "segmentation": cv2.imencode(".png", labels)[1].tobytes(),
    }
    picture = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
    return Record(f"toy{number}", f"person{number}", "rendered", picture, size, size, kept, provenance(seed=number))


@pytest.fixture(scope="session")
def toy_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 60 toy heads."""
    folder = tmp_path_factory.mktemp("heads")
    write_shard(folder / "a.parquet", [toy_record(k) for k in range(60)])
    return folder
