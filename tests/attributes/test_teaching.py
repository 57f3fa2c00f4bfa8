"""Self-training: given labels stay, missing ones are the teachers' mean answer, nobody held out is taught."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest_attributes import SMALL, tiny_config
from hypothesis import given
from hypothesis import strategies as st

from omokage.attributes.data import lean_of
from omokage.attributes.predict import AttributePredictor
from omokage.attributes.sources import read_source
from omokage.attributes.teach import label_of, mean_label, taught
from omokage.attributes.train import train
from omokage.data import transforms
from omokage.results import Box, FaceCrop
from omokage.weights import registry


@pytest.fixture(scope="module")
def teacher(weights: Path) -> AttributePredictor:
    return AttributePredictor(weights)


def test_missing_labels_are_what_the_teacher_says(photographs: Path, teacher: AttributePredictor) -> None:
    source = read_source(photographs, SMALL, 5)
    filled = taught(source, SMALL, [teacher])
    for i in range(5):
        outline = source.outline[i]
        affine = transforms.crop_affine(outline, teacher.size, teacher.margin, lean_of(outline), transforms.Jitter())
        image = transforms.warp(source.images[i], affine, teacher.size)
        answer = teacher.predict([FaceCrop(image, affine, Box.around(outline), 1.0)])[0]
        assert answer.outline is not None
        assert answer.pose is not None
        assert answer.expression is not None
        assert np.allclose(filled.outline[i], answer.outline, atol=1e-3)
        assert np.allclose(filled.labels["landmarks"][i], answer.outline.ravel(), atol=1e-3)
        pose = [answer.pose.yaw, answer.pose.pitch, answer.pose.roll]
        assert np.allclose(filled.labels["pose"][i, :3], pose, atol=1e-3)
        assert np.allclose(filled.labels["expression"][i], answer.expression.probabilities, atol=1e-5)
        assert np.allclose(filled.labels["smiling"][i], answer.attributes["smiling"], atol=1e-5)
        assert np.allclose(filled.labels["skin_tone"][i, 0], answer.scalars["skin_tone"].value, atol=1e-5)


def test_given_labels_and_quality_stay(photographs: Path, teacher: AttributePredictor) -> None:
    source = read_source(photographs, SMALL, 5)
    filled = taught(source, SMALL, [teacher, teacher])
    for name in ("age", "perceived_gender", "quality"):
        assert np.array_equal(filled.labels[name], source.labels[name], equal_nan=True)
    assert np.isnan(source.labels["landmarks"]).all(), "the source itself is left as it was"


def test_rendered_labels_are_never_replaced(records: Path, teacher: AttributePredictor) -> None:
    source = read_source(records, SMALL, 4)
    filled = taught(source, SMALL, [teacher])
    for name, values in source.labels.items():
        assert np.array_equal(filled.labels[name], values, equal_nan=True), name
    assert all(np.array_equal(a, b) for a, b in zip(filled.outline, source.outline, strict=True))


@given(st.floats(-180, 180), st.floats(-60, 60))
def test_angles_are_averaged_the_short_way(first: float, apart: float) -> None:
    label = np.array([first, 0, 0, *[np.nan] * 6], np.float32)
    other = label.copy()
    other[0] = (first + apart + 180) % 360 - 180
    mean = float(mean_label(SMALL["pose"], [label, other])[0])
    assert abs((mean - (first + apart / 2) + 180) % 360 - 180) < 0.01


def test_what_a_teacher_does_not_know_stays_unknown(weights: Path, teacher: AttributePredictor) -> None:
    answer = teacher.predict([FaceCrop(np.zeros((32, 32, 3), np.uint8), np.eye(2, 3), Box(0, 0, 32, 32), 1.0)])[0]
    silent = replace(answer, pose=None, scalars={})
    assert np.isnan(label_of(SMALL["pose"], silent)).all()
    assert np.isnan(label_of(SMALL["skin_tone"], silent)).all()
    known = label_of(SMALL["pose"], answer)
    mean = mean_label(SMALL["pose"], [label_of(SMALL["pose"], silent), known])
    assert np.allclose(mean, known, atol=1e-3, equal_nan=True)


def test_a_run_learns_from_teachers_but_is_scored_on_given_labels(
    records: Path, photographs: Path, weights: Path, tmp_path: Path
) -> None:
    config = tiny_config((records, photographs), tmp_path / "run")
    data = replace(config.data, photographs=0.4, held_out=0.5, teachers=(str(weights),))
    card = registry.read_card(train(replace(config, data=data)) / "weights", "attributes")
    log = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[0])
    assert log["labelled"][1]["landmarks"] == log["training"][1]
    scored = {row["measure"]: row["set"] for row in card.scores if row["set"] == "held-out photographs"}
    assert "landmarks error, % of box size" not in scored
