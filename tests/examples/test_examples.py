"""Every example runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from omokage.data.records import read_records
from omokage.weights.registry import DEFAULT_SET, set_names

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COVERED = {"analyze_photo", "convert_dataset", "one_factor", "write_report"}
needs_weights = pytest.mark.skipif(DEFAULT_SET not in set_names(), reason="no weights are shipped in this tree yet")


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    data = pytest.importorskip("skimage.data")
    path = tmp_path / "photo.jpg"
    Image.fromarray(data.astronaut()).save(path)
    return path


def test_all_examples_are_covered() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == COVERED


def test_convert_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(mine / "a.png")
    (mine / "labels.csv").write_text("file,age\na.png,40\n")
    convert = example("convert_dataset")
    assert convert.main(["folder", str(mine), "all", str(tmp_path / "records")]) == 0
    assert [r.labels["age"] for r in read_records(tmp_path / "records")] == [40.0]
    assert convert.main(["folder", str(tmp_path / "nowhere"), "all", str(tmp_path / "records")]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_one_factor_changes_the_face_and_not_the_corner(tmp_path: Path) -> None:
    example("one_factor").main(str(tmp_path / "row.png"), size=64)
    row = np.asarray(Image.open(tmp_path / "row.png"))
    assert row.shape == (64, 320, 3)
    first, last = row[:, :64].astype(int), row[:, -64:].astype(int)
    assert np.abs(first - last).mean() > 1
    assert np.abs(first[:8, :8] - last[:8, :8]).max() <= 5  # a darker face lets the camera open up a little


@needs_weights
def test_analyze_photo(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example("analyze_photo").main(str(photo))
    assert "apparent age" in capsys.readouterr().out


@needs_weights
def test_write_report(photo: Path, tmp_path: Path) -> None:
    example("write_report").main(str(tmp_path / "report.html"), str(photo))
    assert "photo.jpg" in (tmp_path / "report.html").read_text(encoding="utf-8")
