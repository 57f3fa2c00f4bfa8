"""Photographs become records: the labelled face is found and placed, nothing predicted becomes a label unasked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omokage.attributes.data import lean_of
from omokage.attributes.sources import labelled, read_source
from omokage.data.records import Record, read_records
from omokage.errors import InputError, OutputError
from omokage.faces.align import crop_landmarks
from omokage.pipeline import Analyzer
from omokage.pipeline.placing import filled, labelled_face, write_placed
from omokage.results import AgeEstimate, Box, Detection, FaceAnalysis, Scalar
from omokage.schema import SHIPPED, UNITS
from stand_ins import SquareFinder, SquarePredictor, face_template, write_picture


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """A face beside a smaller one that is nearer to the edge, a picture without a face, and a face alone."""
    root = tmp_path / "set"
    root.mkdir()
    write_picture(root / "two.png", [(50, 30, 50, 30), (4, 4, 24, 60)])
    write_picture(root / "none.png")
    write_picture(root / "one.png", [(40, 30, 60, 20)])
    (root / "labels.csv").write_text(
        "file,age_bin,gender,race\ntwo.png,20-29,female,Black\nnone.png,30-39,male,White\none.png,10-19,male,Indian\n"
    )
    return root


def analyzer() -> Analyzer:
    return Analyzer(finder=SquareFinder(), predictor=SquarePredictor())


def test_faces_are_placed_and_pictures_without_one_are_named(part: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    placed = write_placed("fairface_part", part, tmp_path / "out", analyzer=analyzer(), progress=seen.append)
    assert (placed.written, placed.left_out) == (2, ("fairface-none.png",))
    assert seen == [3]
    two, one = read_records(tmp_path / "out")
    for record, middle in ((two, (75, 55)), (one, (70, 60))):
        points = np.asarray(record.labels["outline"]).reshape(68, 2)
        assert np.abs(np.array(Box.around(points).centre) - middle).max() < 6
        assert "landmarks" not in record.labels
        assert "box" not in record.labels


def test_a_split_without_rows_is_named(part: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no row of split 'val' is in"):
        write_placed("folder", _own(part), tmp_path / "out", split="val", analyzer=analyzer())


def _own(part: Path) -> Path:
    (part / "labels.csv").write_text("file,split\none.png,Train\n")
    return part


def test_what_was_placed_cuts_the_crop_and_is_no_label(part: Path, tmp_path: Path) -> None:
    write_placed("fairface_part", part, tmp_path / "out", analyzer=analyzer())
    source = read_source(tmp_path / "out", SHIPPED)
    counts = labelled(source, SHIPPED)
    assert {name for name, n in counts.items() if n} == {"age", "perceived_gender"}
    assert not source.rendered
    assert source.outline[0].shape == (68, 2)
    assert len(set(source.groups)) == 2
    crop = crop_landmarks(source.images[0], source.outline[0], 64, 1.3)
    assert lean_of(source.outline[0]) == pytest.approx(0, abs=1)
    assert crop.image[32, 32, 0] > 200  # the middle of the crop is the magenta face


def test_count_and_errors(part: Path, tmp_path: Path) -> None:
    assert write_placed("fairface_part", part, tmp_path / "few", count=1, analyzer=analyzer()).written == 1
    with pytest.raises(OutputError, match="holds records already"):
        write_placed("fairface_part", part, tmp_path / "few", analyzer=analyzer())
    (part / "labels.csv").write_text("file,age_bin,gender,race\nnone.png,30-39,male,White\n")
    with pytest.raises(InputError, match="no face was found"):
        write_placed("fairface_part", part, tmp_path / "bare", analyzer=analyzer())


def look(
    x: float, y: float, side: float, score: float, shift: float = 0.0
) -> tuple[Detection, FaceAnalysis, FaceAnalysis]:
    box = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    points = (face_template() * side / 1.1 + [x + shift, y]).astype(np.float32)
    face = FaceAnalysis(source="", box=box, score=score, landmarks=points)
    return Detection(box, score), face, face


def test_the_labelled_face_is_the_surest_one_over_the_middle() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    beside, sure, unsure = look(20, 20, 30, 0.99), look(52, 50, 40, 0.9), look(48, 50, 60, 0.5)
    chosen = labelled_face(image, [beside, unsure, sure])
    assert chosen is sure[2]
    near, far = look(20, 50, 30, 0.4), look(10, 10, 15, 0.9)
    chosen = labelled_face(image, [far, near])
    assert chosen is near[2]
    assert labelled_face(image, [look(50, 50, 30, 0.9, shift=200)]) is None  # landmarks that left the found box
    assert labelled_face(image, []) is None


def test_filled_labels_keep_to_what_the_set_gave() -> None:
    units = dict.fromkeys(UNITS, 0.25)
    face = FaceAnalysis(
        source="", box=Box(0, 0, 9, 9), score=1.0, units=units, age=AgeEstimate(41.0, 30.0, 52.0),
        scalars={"fatness": Scalar(0.4, 0.2), "quality": Scalar(0.9, 0.1)},
    )  # fmt: skip
    labels = {"age_low": 20.0, "age_high": 30.0, "fatness": -0.5}
    record = Record("a", "a", "set", b"", 9, 9, labels, '{"licence": "x"}')
    new = filled(record, face, "open/attributes@12345678")
    assert new.labels["age"] == 30.0
    assert new.labels["fatness"] == -0.5
    assert new.labels["units"] == [0.25] * 52
    assert "skin_tone" not in new.labels
    facts = json.loads(new.provenance)
    assert facts == {"licence": "x", "filled_in": ["age", "units"], "filled_in_by": "open/attributes@12345678"}
    assert filled(replace(record, labels={}), face, "w").labels["age"] == 41.0


def test_fill_reads_every_picture(part: Path, tmp_path: Path) -> None:
    write_placed("fairface_part", part, tmp_path / "out", analyzer=analyzer(), fill=True)
    two, _ = read_records(tmp_path / "out")
    assert json.loads(two.provenance)["filled_in_by"] == SquarePredictor.name
    assert {"age_low", "outline"} <= set(two.labels)
