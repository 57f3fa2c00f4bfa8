"""The shipped weights through the whole street, on the photograph that comes with scikit-image."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from omokage import Analyzer
from omokage.results import Box, FaceAnalysis
from omokage.weights import registry

pytestmark = pytest.mark.skipif(
    registry.DEFAULT_SET not in registry.set_names() or not registry.has_model(registry.DEFAULT_SET, "attributes"),
    reason="the default weights are not installed",
)
FACE = Box(176, 83, 271, 182)  # of the astronaut, drawn by hand: brows to chin, ear to ear


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer(device="cpu")


@pytest.fixture(scope="module")
def astronaut() -> NDArray[np.uint8]:
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.astronaut(), np.uint8)


def same(a: FaceAnalysis, b: FaceAnalysis, pixels: float = 0.05) -> bool:
    assert a.landmarks is not None
    assert b.landmarks is not None
    assert a.age is not None
    assert b.age is not None
    close = float(np.abs(a.landmarks - b.landmarks).max()) < pixels
    return close and abs(a.age.years - b.age.years) < 0.2 and abs(a.score - b.score) < 0.02


def test_the_astronaut_is_one_face_in_its_place(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    faces = analyzer(astronaut)
    assert len(faces) == 1
    face = faces[0]
    assert face.box.iou(FACE) > 0.5
    assert face.landmarks is not None
    assert face.landmarks.shape == (68, 2)
    assert face.age is not None
    assert face.age.q05 < face.age.years < face.age.q95
    assert face.pose is not None
    assert face.pose.sigma[0] > 0
    assert face.expression is not None
    assert sum(face.expression.probabilities) == pytest.approx(1, abs=1e-3)
    assert face.quality is not None


def test_paths_bytes_and_arrays_are_read_alike(
    analyzer: Analyzer, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "宇宙飛行士.png"
    Image.fromarray(astronaut).save(path)
    by_array, by_path, by_bytes = analyzer(astronaut)[0], analyzer(path)[0], analyzer(path.read_bytes())[0]
    assert same(by_array, by_path)
    assert same(by_array, by_bytes)
    assert by_path.source == str(path)


@pytest.mark.parametrize("orientation", [3, 5, 6, 8])
def test_a_turned_camera_changes_nothing(analyzer: Analyzer, astronaut: NDArray[np.uint8], orientation: int) -> None:
    back = {
        3: Image.Transpose.ROTATE_180,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    Image.fromarray(astronaut).transpose(back[orientation]).save(stream, "PNG", exif=exif)
    assert same(analyzer(stream.getvalue())[0], analyzer(astronaut)[0])


def test_neighbours_in_a_batch_change_nothing(analyzer: Analyzer, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    pictures = [astronaut, astronaut[:, ::-1], np.zeros((90, 70, 3), np.uint8), astronaut[40:260, 120:340]]
    for i, pixels in enumerate(pictures):
        Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / f"{i}.png")
    together = list(analyzer.analyze_many([tmp_path]))
    assert [len(r.faces) for r in together] == [1, 1, 0, 1]
    for reading in together:
        alone = analyzer(reading.source)
        assert len(alone) == len(reading.faces)
        assert all(same(a, b) for a, b in zip(alone, reading.faces, strict=True))


def test_a_mirrored_picture_turns_the_head(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    straight, mirrored = analyzer(astronaut)[0], analyzer(np.ascontiguousarray(astronaut[:, ::-1]))[0]
    assert straight.pose is not None
    assert mirrored.pose is not None
    assert abs(straight.pose.yaw + mirrored.pose.yaw) < 12
    assert abs(straight.pose.roll + mirrored.pose.roll) < 8
    assert straight.age is not None
    assert mirrored.age is not None
    assert abs(straight.age.years - mirrored.age.years) < 12


def test_everything_that_decides_about_rows_is_named(analyzer: Analyzer) -> None:
    named = analyzer.describe()
    assert named["attributes"].startswith(f"{registry.DEFAULT_SET}/attributes@")
    assert named["finder"].startswith(f"{registry.BASE_SET}/finder@")
    assert named["check"].startswith(f"{registry.DEFAULT_SET}/check@")
    assert set(analyzer.describe(crops=True)) == {"attributes"}
    assert "check" not in Analyzer(finder="haar", device="cpu").describe()


def test_a_tight_crop_needs_no_finding(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    faces = analyzer(np.ascontiguousarray(astronaut[50:205, 150:305]), crops=True)
    assert len(faces) == 1
    assert faces[0].box.iou(Box(26, 33, 121, 132)) > 0.4


def test_clutter_has_no_face(analyzer: Analyzer) -> None:
    from omokage.data.clutter import clutter

    rng = np.random.default_rng(3)
    assert sum(len(analyzer(clutter(rng, 256))) for _ in range(6)) == 0
