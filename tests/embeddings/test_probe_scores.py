"""Probes as a measurement: codes that hold the answer score well, others like a constant; nobody is on both sides."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from omokage.data.records import Record
from omokage.data.rotation import matrix_of_pose, pose_of_matrix, turned
from omokage.embeddings.config import EncoderConfig
from omokage.embeddings.evaluate import ALL, ProbeConfig, drawn, evaluate, landmark_error, task_scores
from omokage.embeddings.footage import FootageScore, footage_curve, minutes_needed
from omokage.embeddings.labelled import LabelledFaces, Target, box_cut, read_labelled, targets_of, whole_cut
from omokage.embeddings.model import FaceEncoder
from omokage.embeddings.predict import Embedder, Encoder, FunctionEncoder, Pixels, untrained
from omokage.errors import InputError, RecordError
from omokage.metrics.landmarks import normalised_error

QUICK = ProbeConfig((20, ALL), folds=3, draws=20)


def known(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The first numbers of each crop: these codes know what the picture's corner says."""
    return crops[:, 0, :4].reshape(len(crops), -1).astype(np.float64)


def blind(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(size=(len(crops), 5))


def faces(count: int = 120, people: int = 30) -> LabelledFaces:
    """Crops whose corner holds their labels."""
    rng = np.random.default_rng(1)
    crops = rng.integers(0, 256, (count, 8, 8, 3)).astype(np.uint8)
    x = known(crops)
    names = np.array(["neutral", "happiness", "anger"])[np.digitize(x[:, 0], [85, 170])]
    rows = [
        {"pose": x[k, :3] / 4 - 32, "expression": names[k], "smiling": float(x[k, 3] > 128), "age": x[k, 4] / 3,
         "action unit au12": float(x[k, 5] > 200), "points": np.r_[-0.2, 0, 0.2, 0, x[k, :6] / 1000]}
        for k in range(count)
    ]  # fmt: skip
    whose = tuple(f"p{k % people}" for k in range(count))
    return LabelledFaces("corners", crops, whose, np.ones(count, bool), targets_of(rows))


def encoders() -> list[Encoder]:
    return [FunctionEncoder("known", 8, 1.3, known), FunctionEncoder("blind", 8, 1.3, blind)]


def test_codes_that_know_beat_codes_that_do_not_and_a_constant() -> None:
    scores = evaluate(encoders(), faces(), QUICK)
    of = {(s.encoder, s.task, s.measure): s for s in scores if s.every}
    for task, measure in {(s.task, s.measure) for s in scores}:
        good, bad = of["known", task, measure], of["blind", task, measure]
        sign = 1 if good.higher_is_better else -1
        assert sign * good.value > sign * bad.value, (task, measure)
        assert sign * good.value > sign * good.trivial, (task, measure)
        assert good.low <= good.value <= good.high
    assert of["known", "pose", "degrees"].value < 0.1
    assert of["known", "points", "landmark error"].value < 0.1
    assert of["blind", "smiling", "AUC"].trivial == 0.5
    assert {s.labels for s in scores if not s.every} == {20}
    assert of["known", "yaw side", "accuracy"].n < 120


def test_a_probe_is_judged_on_people_whom_it_has_not_seen() -> None:
    """Codes that only name the person, with labels that go by person, are worth nothing then."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(40), 5)
    codes = np.eye(40)[who]
    values = rng.integers(2, size=40)[who]
    target = Target("nominal", "AUC", np.arange(200), np.where(values > 0, "yes", "no"))
    score = task_scores(codes, [f"p{k}" for k in who], "secret", target, "names", QUICK)[-2]
    assert score.measure == "AUC"
    assert abs(score.value - 0.5) < 0.15


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(0, 9))
def test_fewer_labels_are_a_part_of_more_and_hold_every_class(labels: int, seed: int) -> None:
    values = np.random.default_rng(seed).choice(["a", "b", "c"], 60, p=[0.9, 0.05, 0.05])
    target = Target("nominal", "accuracy", np.arange(60), values)
    rows = np.arange(60)
    few, more = drawn(rows, target, labels, (seed,)), drawn(rows, target, labels + 5, (seed,))
    assert list(more[:labels]) == list(few)
    assert len(set(more.tolist())) == labels + 5
    if labels >= 3:
        assert set(values[few]) == set(values)
    assert sorted(drawn(rows, target, ALL, (seed,))) == list(range(60))


def test_published_protocol_measures_the_same_set() -> None:
    scores = evaluate(encoders()[:1], faces().only(["smiling"]), ProbeConfig((ALL,), draws=5, protocol="published"))
    assert scores[0].value > 0.9


def test_landmark_error_is_the_metric_over_outer_eyes() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(-0.4, 0.4, (6, 68, 2))
    truth[:, 36], truth[:, 45] = (-0.3, 0), (0.3, 0)
    guess = truth + rng.normal(0, 0.02, truth.shape)
    expected = 100 * normalised_error(guess, truth, "outer_eyes").mean()
    assert landmark_error(guess.reshape(6, -1), truth.reshape(6, -1)) == pytest.approx(expected)


def test_too_few_people_and_unknown_tasks_are_said() -> None:
    target = Target("nominal", "AUC", np.arange(4), np.array(["yes", "no", "yes", "no"]))
    with pytest.raises(InputError, match="at least three"):
        task_scores(np.zeros((4, 2)), ["a", "a", "b", "b"], "smiling", target, "x", QUICK)
    with pytest.raises(InputError, match="no labels for 'gaze'"):
        faces().only(["gaze"])
    with pytest.raises(InputError, match="no labels that a probe"):
        evaluate(encoders(), LabelledFaces("none", np.zeros((2, 8, 8, 3), np.uint8), ("a", "b"), np.ones(2, bool), {}))


def picture(size: tuple[int, int] = (90, 60)) -> bytes:
    import io

    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


def record(name: str, **labels: object) -> Record:
    return Record(name, name, "test", picture(), 90, 60, labels)


def test_labels_follow_the_crop() -> None:
    box = [20.0, 10.0, 60.0, 50.0]
    records = [
        record(
            f"r{k}",
            box=box,
            points=[30, 20, 50, 20, 40, 30, 33, 40, 47, 40 + k],
            pose=[20.0 - k, 5.0, -3.0],
            action_units=json.dumps({"au12": k}),
            groups=json.dumps({"expression": "contempt" if k else "joy"}),
        )
        for k in range(2)
    ]
    read = read_labelled(records, 32, 1.3)
    points = read.targets["points"].values[0].reshape(5, 2)
    np.testing.assert_allclose(points[0], (np.array([30, 20]) - [40, 30]) / (1.3 * 40))
    np.testing.assert_allclose(read.targets["pose"].values[0], [20, 5, -3], atol=1e-9)
    assert set(read.targets["expression"].values) == {"contempt", "joy"}
    assert read.targets["action unit au12"].values.ravel().tolist() == [0, 1]
    assert read.crops.shape == (2, 32, 32, 3)


def test_pose_is_that_of_the_head_in_its_turned_crop() -> None:
    outline = np.stack([np.linspace(20, 60, 68), np.linspace(10, 50, 68)], 1)
    eyes = {36: (30, 20), 42: (50, 30)}  # the line between the eyes falls to the right: the face leans clockwise
    for first, place in eyes.items():
        outline[first : first + 6] = place
    outline[48:68] = (32, 45)
    one = record("a", outline=outline.ravel().tolist(), pose=[10.0, 0.0, 25.0])
    other = record("b", outline=outline.ravel().tolist(), pose=[0.0, 0.0, 0.0])
    read = read_labelled([one, other], 32, 1.3)
    crop = box_cut(32, 1.3)(np.zeros((60, 90, 3), np.uint8), one)
    turn = np.degrees(np.arctan2(crop.affine[1, 0], crop.affine[0, 0]))
    assert turn < -10
    expected = pose_of_matrix(turned(turn) @ matrix_of_pose([10.0, 0.0, 25.0]))
    np.testing.assert_allclose(read.targets["pose"].values[0], expected)
    assert abs(read.targets["pose"].values[0][2]) < 25


def test_cuts_fall_back_and_faces_that_were_not_found_are_counted() -> None:
    bare = [record("a", attr_smiling=1.0), record("b", attr_smiling=0.0)]
    whole = whole_cut(32, 1.3)(np.zeros((60, 90, 3), np.uint8), bare[0])
    np.testing.assert_allclose(whole.affine, [[32 / 60, 0, 16 - 45 * 32 / 60], [0, 32 / 60, 0]], atol=1e-9)
    read = read_labelled(bare, 32, 1.3, cut=lambda p, r: None)
    assert not read.found.any()
    assert len(read_labelled(bare, 32, 1.3, limit=1)) == 1
    with pytest.raises(InputError, match="no labelled pictures"):
        read_labelled([], 32, 1.3)
    with pytest.raises(RecordError, match="cannot be decoded"):
        read_labelled([Record("x", "x", "s", b"hello", 1, 1)], 32, 1.3)


def test_a_curve_over_footage_finds_where_more_no_longer_helps() -> None:
    def noisy(spread: float) -> FunctionEncoder:
        return FunctionEncoder(
            "n", 8, 1.3, lambda c: known(c)[:, :4] + np.random.default_rng(1).normal(0, spread, (len(c), 4))
        )

    steps = {0.0: noisy(3000.0), 10.0: noisy(60.0), 100.0: noisy(1.0), 300.0: noisy(1.0)}
    curve = footage_curve(steps, faces().only(["smiling"]), config=ProbeConfig(draws=5))
    assert [f.minutes for f in curve if f.score.measure == "AUC"] == [0, 10, 100, 300]
    assert minutes_needed(curve, "smiling", "AUC") == 100
    assert minutes_needed(curve[:2], "smiling", "AUC") is None
    assert all(isinstance(f, FootageScore) for f in curve)
    with pytest.raises(InputError, match="minutes"):
        footage_curve({}, faces())


SMALL = EncoderConfig(size=32, stem=4, widths=(4, 4), blocks=(1, 1), squeeze=2)


def test_embedder_is_the_network_and_resizes() -> None:
    import torch

    from omokage.nn.pictures import normalise

    network = FaceEncoder(SMALL).eval()
    crops = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)
    with torch.no_grad():
        expected = network(normalise(torch.from_numpy(crops))).numpy()
    embedder = Embedder.of(network, "x", "cpu", batch=2)
    np.testing.assert_allclose(embedder.encode(crops), expected, atol=1e-4)
    assert embedder.encode(crops[:0]).shape == (0, 256)
    assert embedder.encode(np.repeat(np.repeat(crops, 2, 1), 2, 2)).shape == (5, 256)


def test_baselines_are_the_same_each_time_and_see_no_label() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3)).astype(np.uint8)
    one, two = (untrained(SMALL, device="cpu", crops=crops).encode(crops) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    pixels = Pixels.fitted(crops, 1.3, side=8, components=6)
    codes = pixels.encode(crops)
    assert codes.shape == (20, 6)
    np.testing.assert_allclose(codes.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(codes.T) * (1 - np.eye(6)), 0, atol=1e-2)
    with pytest.raises(ValueError, match="crops"):
        Pixels.fitted(crops[:0], 1.3)


def test_records_of_a_folder_are_read(tmp_path: Path) -> None:
    from omokage.data.records import read_records, write_shard

    write_shard(tmp_path / "a.parquet", [record("a", attr_smiling=1.0), record("b", attr_smiling=0.0)])
    assert read_labelled(read_records(tmp_path), 32, 1.3, name="mine").name == "mine"


def test_crops_that_are_no_bytes_are_refused() -> None:
    encoder = untrained(EncoderConfig(size=32))
    crops = np.zeros((2, 32, 32, 3), np.uint8)
    assert encoder.encode(crops).shape == (2, 256)
    for wrong in (crops / 255, crops[0], crops[..., :1]):
        with pytest.raises(InputError, match=r"crops must be RGB uint8 of shape \(n, height, width, 3\), not "):
            encoder.encode(wrong)
