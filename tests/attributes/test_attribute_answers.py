"""From crops to answers: coordinates, calibration, known facts, mirrored reading, ONNX."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest_attributes import SMALL, drawn_record
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.attributes import calibration
from omokage.attributes.correlation import facts, learn_correlation, measured, moves
from omokage.attributes.data import Layout
from omokage.attributes.export import export_onnx
from omokage.attributes.model import Located, Outputs, bin_centres
from omokage.attributes.predict import CLOSER, WIDER, AttributePredictor, averaged, unmirrored
from omokage.attributes.readings import Readings, each
from omokage.attributes.sources import read_source
from omokage.data.rotation import matrix_of_pose
from omokage.data.transforms import MIRRORED_POINTS, MIRRORED_UNITS
from omokage.errors import InputError
from omokage.faces.align import crop_box, crop_landmarks, roll_of
from omokage.results import Box, FaceAnalysis, FaceCrop
from omokage.schema import SHIPPED

AGE = SHIPPED["age"]


@pytest.fixture(scope="module")
def crops(records: Path) -> list[FaceCrop]:
    source = read_source(records, SMALL)
    return [crop_landmarks(i, o, 32, 1.3) for i, o in zip(source.images[:6], source.outline[:6], strict=True)]


@pytest.fixture(scope="module")
def predictor(weights: Path) -> AttributePredictor:
    return AttributePredictor(weights, device="cpu")


def test_answers_are_complete_and_in_range(predictor: AttributePredictor, crops: list[FaceCrop]) -> None:
    faces = predictor.predict(crops, batch=4)
    assert len(faces) == len(crops)
    for face in faces:
        assert face.landmarks is not None
        assert face.landmarks.shape == (68, 2)
        assert face.landmark_sigma is not None
        assert (face.landmark_sigma > 0).all()
        assert face.age is not None
        assert 0 <= face.age.q05 <= face.age.years <= face.age.q95 <= 100
        assert sum(face.age.density) == pytest.approx(1, abs=1e-4)
        assert face.expression is not None
        assert sum(face.expression.probabilities) == pytest.approx(1, abs=1e-4)
        assert set(face.attributes) == {"smiling", "eyeglasses"}
        assert set(face.scalars) == {"skin_tone"}
        assert len(face.units) == 52
        assert face.action_units["au12"] >= 0
        assert face.quality is not None
        assert 0 <= face.quality <= 1


def test_batches_do_not_change_answers(predictor: AttributePredictor, crops: list[FaceCrop]) -> None:
    one, all_ = predictor.predict(crops[:1])[0], predictor.predict(crops)[0]
    assert one.age is not None
    assert all_.age is not None
    assert one.age.years == pytest.approx(all_.age.years, abs=1e-3)
    assert predictor.predict([]) == []


def test_points_and_pose_follow_a_turned_crop(predictor: AttributePredictor) -> None:
    """The same crop pixels, said to come from a picture turned by 30 degrees and twice as large."""
    plain = crop_box(
        np.asarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3)), np.uint8), Box(10, 10, 50, 50), 32, 1.3
    )
    c, s = math.cos(math.radians(30)), math.sin(math.radians(30))
    turn = np.array([[c, -s], [s, c]])  # source to crop: clockwise by 30 degrees
    affine = np.column_stack([turn * 0.5, [3.0, 4.0]])
    turned = FaceCrop(plain.image, affine, plain.box, 1.0)
    a, b = predictor.predict([plain, turned])
    assert a.outline is not None
    assert b.outline is not None
    np.testing.assert_allclose(a.outline, a.landmarks + 0.5)
    in_crop = a.outline @ plain.affine[:, :2].T + plain.affine[:, 2]
    np.testing.assert_allclose(b.outline @ affine[:, :2].T + affine[:, 2], in_crop, atol=1e-3)
    assert a.pose is not None
    assert b.pose is not None
    back = matrix_of_pose((0, 0, -30)) @ matrix_of_pose((a.pose.yaw, a.pose.pitch, a.pose.roll))
    np.testing.assert_allclose(matrix_of_pose((b.pose.yaw, b.pose.pitch, b.pose.roll)), back, atol=1e-4)


def test_other_crop_sizes_are_resized(predictor: AttributePredictor) -> None:
    image = np.zeros((80, 80, 3), np.uint8)
    small, large = (crop_box(image, Box(20, 20, 60, 60), n, 1.3) for n in (32, 64))
    a, b = predictor.predict([small, large])
    assert a.landmarks is not None
    assert b.landmarks is not None
    np.testing.assert_allclose(a.landmarks, b.landmarks, atol=1e-2)


def _outputs(seed: int = 0) -> Outputs:
    g = torch.Generator().manual_seed(seed)
    r = torch.from_numpy(matrix_of_pose(np.random.default_rng(seed).normal(0, 20, (3, 3)))).float()
    return Outputs(
        {"landmarks": Located(torch.rand(3, 68, 2, generator=g), torch.rand(3, 68, generator=g))},
        {"pose": Located(r, torch.zeros(3, 3))},
        {name: Located(torch.rand(3, n, generator=g), torch.zeros(3, n)) for name, n in (("units", 52), ("gaze", 2))},
        {"age": torch.rand(3, 101, generator=g)}, {}, {"smiling": torch.rand(3, generator=g)},
    )  # fmt: skip


def test_mirroring_twice_gives_the_outputs_back_and_averages_stay_rotations() -> None:
    first = _outputs()
    twice = unmirrored(unmirrored(each(first, torch.clone)))
    assert torch.equal(twice.points["landmarks"].value, first.points["landmarks"].value)
    assert torch.equal(twice.vectors["units"].value, first.vectors["units"].value)
    once = unmirrored(each(first, torch.clone))
    assert torch.equal(once.vectors["units"].value, first.vectors["units"].value[:, torch.from_numpy(MIRRORED_UNITS)])
    expected = first.points["landmarks"].value[:, torch.from_numpy(MIRRORED_POINTS)] * torch.tensor([-1.0, 1.0])
    assert torch.equal(once.points["landmarks"].value, expected)
    mean = averaged(first, _outputs(1))
    r = mean.rotations["pose"].value
    torch.testing.assert_close(r @ r.transpose(1, 2), torch.eye(3).expand(3, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(mean.bins["age"], (first.bins["age"] + _outputs(1).bins["age"]) / 2)


def test_a_mirrored_picture_gets_the_mirrored_answer(weights: Path, crops: list[FaceCrop]) -> None:
    predictor = AttributePredictor(weights, device="cpu", mirror=True)
    inputs = predictor.prepare(crops)
    out, mirrored = predictor.outputs(inputs), unmirrored(predictor.outputs(inputs.flip(3)))
    torch.testing.assert_close(out.points["landmarks"].value, mirrored.points["landmarks"].value, atol=1e-4, rtol=0)
    torch.testing.assert_close(out.shares["smiling"], mirrored.shares["smiling"], atol=1e-4, rtol=0)


def test_a_careful_look_is_the_mean_of_two_cuts_in_the_picture(weights: Path, records: Path) -> None:
    """Against the slow way: each cut read by itself, and the places averaged in the pixels of the whole picture."""
    source = read_source(records, SMALL)
    images, outlines = source.images[:3], source.outline[:3]
    both, plain = (AttributePredictor(weights, device="cpu", mirror=m) for m in (True, False))
    found = both.predict_outlines(images, outlines, [0.5, 0.6, 0.7], batch=2)
    assert [face.score for face in found] == [0.5, 0.6, 0.7]
    for image, outline, face in zip(images, outlines, found, strict=True):
        closer = crop_landmarks(image, outline, plain.size, plain.margin, jitter=CLOSER)
        one = plain.predict([closer])[0]
        assert one.outline is not None
        wider = crop_landmarks(
            image, one.outline, plain.size, plain.margin, jitter=WIDER, roll=roll_of(np.asarray(outline))
        )
        mirrored = unmirrored(plain.outputs(plain.prepare([wider]).flip(3)))
        there = wider.to_source((mirrored.points["landmarks"].value[0].double().numpy() + 1) / 2 * plain.size)
        assert face.outline is not None
        assert np.allclose(face.outline, (one.outline + there) / 2, atol=2e-3)
    alone = plain.predict_outlines(images, outlines, [1.0] * 3)[0]
    crop = crop_landmarks(images[0], outlines[0], plain.size, plain.margin, jitter=CLOSER)
    assert alone.landmarks is not None
    assert np.allclose(alone.landmarks, plain.predict([crop])[0].landmarks, atol=1e-3)  # type: ignore[arg-type]


def test_quantiles_of_a_flat_distribution() -> None:
    logits = torch.zeros(2, 101)
    for level in (0.05, 0.5, 0.95):
        assert calibration.quantile(AGE, logits, level)[0] == pytest.approx(level * 101 - 0.5, abs=0.05)


def _readings(count: int = 400, heat: float = 3.0) -> Readings:
    """Ages read with a normal error of 8 years by a network that states an eighth of a third: too sure by `heat`."""
    rng = np.random.default_rng(0)
    true = rng.uniform(20, 80, count)
    seen = true + rng.normal(0, 8, count)
    logits = -((bin_centres(AGE)[None] - torch.from_numpy(seen)[:, None]) ** 2) / (2 * 8**2) * heat
    flat = torch.full((count, Layout.of(SHIPPED.only(["age", "smiling"])).total), math.nan)
    targets = Layout.of(SHIPPED.only(["age", "smiling"])).unpack(flat)
    targets["age"][:, 0] = torch.from_numpy(true).float()
    share = torch.from_numpy(rng.uniform(-3, 3, count))
    targets["smiling"][:, 0] = (
        torch.rand(count, generator=torch.Generator().manual_seed(0)) < torch.sigmoid(share)
    ).float()
    outputs = Outputs({}, {}, {}, {"age": logits.float()}, {}, {"smiling": (share * 4).float()})
    return Readings(outputs, targets, tuple(str(i) for i in range(count)))


def test_calibration_repairs_what_is_too_sure() -> None:
    schema = SHIPPED.only(["age", "smiling"])
    readings = _readings()
    fitted = calibration.fit(schema, readings)
    assert fitted["temperature"]["age"] == pytest.approx(3, rel=0.35)
    assert fitted["temperature"]["smiling"] == pytest.approx(4, rel=0.4)
    truth = readings.targets["age"][:, 0]
    for known, lowest, highest in (({}, 0.0, 0.8), (fitted, 0.88, 0.93)):
        _, low, high, _ = calibration.summary(AGE, readings.outputs.bins["age"], known)
        assert lowest <= float(((low <= truth) & (truth <= high)).float().mean()) <= highest
    json.dumps(fitted)


def test_spreads_hold_two_thirds_of_the_errors() -> None:
    error = torch.randn(2000, 1, generator=torch.Generator().manual_seed(0)).abs() * 5
    located = Located(torch.zeros(2000, 1), torch.zeros(2000, 1))
    scale = calibration.spread_scale(located, error, torch.ones(2000, dtype=torch.bool))
    assert scale == pytest.approx(5, rel=0.08)  # the 68 percent point of |normal| is one standard deviation


def test_known_facts_move_answers_by_the_learnt_covariance() -> None:
    columns = {"age": torch.tensor([40.0]), "smiling": torch.tensor([0.5])}
    learnt = {"names": ["age", "smiling"], "covariance": [[100.0, 2.0], [2.0, 0.25]]}
    out = moves(columns, {"age": 60.0}, learnt)
    assert out.of("age", 0, 41.0) == 60
    assert out.of("smiling", 0, 0.6) == pytest.approx(0.6 + 20 * 2 / 102)  # 0.6 where the raw answer is 0.5
    assert out.of("beard", 0, 0.1) == 0.1
    independent = {"names": ["age", "smiling"], "covariance": [[100.0, 0.0], [0.0, 0.25]]}
    assert moves(columns, {"age": 60.0}, independent).of("smiling", 0, 0.5) == 0.5
    with pytest.raises(InputError, match="no learnt correlation for beard"):
        moves(columns, {"beard": 1.0}, learnt)


def test_correlation_is_learnt_from_errors() -> None:
    schema = SHIPPED.only(["age", "smiling"])
    learnt = learn_correlation(schema, _readings(heat=1.0))
    assert learnt["names"] == ["age", "smiling"]
    assert learnt["covariance"][0][0] == pytest.approx(64, rel=0.25)


def test_facts_are_checked() -> None:
    assert facts(SMALL, {"perceived_gender": "female", "age": 70}) == {"perceived_gender": 1.0, "age": 70.0}
    assert facts(SMALL, {"expression": "anger"})["expression.anger"] == 1
    with pytest.raises(InputError, match="not an attribute"):
        facts(SMALL, {"height": 3})
    with pytest.raises(InputError, match=r"expression=envy is not one of neutral, .*anger; correct it"):
        facts(SMALL, {"expression": "envy"})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 700.0, -1.0, "abc"])
def test_an_age_that_nobody_has_is_no_fact(value: float | str) -> None:
    with pytest.raises(InputError, match=f"age={value:g}" if isinstance(value, float) else "age=abc") as refused:
        facts(SMALL, {"age": value})
    assert str(refused.value).endswith("is not a number from 0 to 120; correct it")
    assert facts(SMALL, {"age": 104}) == {"age": 104.0}


def test_a_yes_or_no_is_a_word_or_a_share() -> None:
    schema = SHIPPED.only(["smiling", "expression", "hair_length"])
    assert facts(schema, {"smiling": "yes"}) == {"smiling": 1.0}
    assert facts(schema, {"smiling": 0.5, "hair_length": 0.2}) == {"smiling": 0.5, "hair_length": 0.2}
    for wrong in (7.0, float("nan"), "maybe"):
        with pytest.raises(InputError, match=r"is not one of no, yes or a number from 0 to 1 \(how sure yes is\)"):
            facts(schema, {"smiling": wrong})
    with pytest.raises(InputError, match=r"expression=0\.5 is not one of neutral"):
        facts(schema, {"expression": 0.5})
    with pytest.raises(InputError, match="hair_length=3 is not a number from 0 to 1"):
        facts(schema, {"hair_length": 3})


def test_given_age_is_the_answered_age(predictor: AttributePredictor, crops: list[FaceCrop]) -> None:
    names = ["age", "smiling", "perceived_gender"]
    predictor.calibration = {
        **predictor.calibration, "correlation": {"names": names, "covariance": np.diag([50, 0.2, 0.2]).tolist()}
    }  # fmt: skip
    before, after = predictor.predict(crops[:1])[0], predictor.predict(crops[:1], given={"age": 70})[0]
    assert after.age is not None
    assert (after.age.years, after.age.q05, after.age.q95) == (70, 70, 70)  # known, not estimated
    assert isinstance(after, FaceAnalysis)
    assert after.expression is not None
    assert before.expression is not None
    assert after.expression.probabilities == pytest.approx(before.expression.probabilities)


def test_a_fact_that_the_network_answers_itself_changes_nothing(
    predictor: AttributePredictor, crops: list[FaceCrop]
) -> None:
    names = ["age", "smiling", "perceived_gender"]
    together = np.diag([50, 0.2, 0.2]) + 0.9
    heat = dict.fromkeys(("smiling", "perceived_gender"), 2.5)  # a calibrated answer is not the raw one
    predictor.calibration = {
        **predictor.calibration, "correlation": {"names": names, "covariance": together.tolist()}, "temperature": heat
    }  # fmt: skip
    before = predictor.predict(crops[:1])[0]
    assert before.age is not None
    after = predictor.predict(crops[:1], given={"age": before.age.years})[0]
    assert after.gender_female == pytest.approx(before.gender_female, abs=1e-5)
    assert after.attributes == pytest.approx(before.attributes, abs=1e-5)
    older = predictor.predict(crops[:1], given={"age": min(before.age.years + 20, 100)})[0]
    assert older.gender_female != pytest.approx(before.gender_female, abs=1e-3)


def test_onnx_gives_the_same_answers(weights: Path, predictor: AttributePredictor, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runtime = pytest.importorskip("onnxruntime")
        path = export_onnx(weights, tmp_path / "attributes.onnx")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    images = (
        np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)
    )  # not the batch it was traced with
    given = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"images": images}), strict=True))
    from omokage.nn.pictures import normalise

    ours = predictor.model(normalise(torch.from_numpy(images)))
    assert list(given) == [a.name for a in predictor.schema]
    for name, raw in ours.items():
        np.testing.assert_allclose(given[name], raw.numpy(), atol=2e-4, rtol=1e-3)
    assert json.loads(path.with_suffix(".json").read_text())["model"] == "attributes"


def test_drawn_records_are_what_the_tests_think() -> None:
    assert drawn_record(3).labels["expression"] == "surprise"


def test_what_known_facts_change_is_measured() -> None:
    """Two answers whose errors are one and the same: the truth about one repairs the other."""
    rng = np.random.default_rng(0)
    schema = SHIPPED.only(["age", "smiling"])
    readings = _readings(heat=1.0)
    error = readings.targets["age"][:, 0] - calibration.summary(AGE, readings.outputs.bins["age"], {})[0]
    share = torch.from_numpy(rng.uniform(0.3, 0.7, len(readings))).float()
    readings.targets["smiling"][:, 0] = (share + error / 100).clamp(0, 1)
    readings.outputs.shares["smiling"].copy_(torch.logit(share))
    fitted = {"correlation": learn_correlation(schema, readings)}
    rows = measured(schema, readings, fitted)
    assert rows[0]["measure"] == "error of the other answers given age, relative"
    assert rows[0]["value"] < 0.3
    assert rows[0]["n"] == len(readings)


def test_labels_in_bins_calibrate_to_what_they_say() -> None:
    """Exact labels: nine in ten values are held. Bins: nine in ten intervals reach the bin, which is all that they
    say."""
    rng = np.random.default_rng(0)
    centres = bin_centres(AGE)
    middle = torch.from_numpy(rng.uniform(15, 75, 4000))
    true = (middle + torch.from_numpy(rng.normal(0, 6, 4000))).clamp(0, 99)
    logits = -(((centres - middle[:, None]) / 3) ** 2).float() / 2  # says 3 years where 6 are true
    low = 10 * torch.floor(true / 10)
    bounds = torch.stack([low, low + 10], 1).float()
    temperatures, widths = {}, {}
    for name, target in (
        ("exact", torch.stack([true.float(), torch.full((4000,), torch.nan), torch.full((4000,), torch.nan)], 1)),
        ("bins", torch.cat([torch.full((4000, 1), torch.nan), bounds], 1)),
    ):
        readings = Readings(Outputs({}, {}, {}, {"age": logits}, {}, {}), {"age": target}, ("p",) * 4000)
        fitted = calibration.fit(SHIPPED.only(["age"]), readings)
        temperatures[name] = fitted["temperature"]["age"]
        _, q05, q95, _ = calibration.summary(AGE, logits, fitted)
        widths[name] = float((q95 - q05).mean())
        reach = (q05 <= true) & (true <= q95) if name == "exact" else (q05 < bounds[:, 1]) & (q95 >= bounds[:, 0])
        assert 0.9 <= float(reach.float().mean()) <= 0.93  # a little more than nine in ten, for safety
    assert temperatures["bins"] == pytest.approx(4, rel=0.15)  # the square of how much wider the truth is
    assert temperatures["bins"] == pytest.approx(temperatures["exact"], rel=0.15)
    assert widths["bins"] < widths["exact"]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.5, 8.0), st.integers(40, 300))
def test_stretched_intervals_hold_nine_in_ten(seed: int, spread: float, count: int) -> None:
    """On the very pictures that they were fitted on, whatever the spread that the network said; sure answers stay
    narrower than unsure ones."""
    rng = np.random.default_rng(seed)
    middle, said = rng.uniform(25, 70, count), rng.uniform(1.5, 6.0, count)
    true = torch.from_numpy(middle + rng.normal(0, spread, count)).float()
    logits = torch.from_numpy(-(((bin_centres(AGE).numpy() - middle[:, None]) / said[:, None]) ** 2) / 2).float()
    fitted = {"stretch": {"age": calibration.stretch(AGE, logits, true, true)}}
    _, low, high, _ = calibration.summary(AGE, logits, fitted)
    assert float(((low <= true + 1e-3) & (true <= high + 1e-3)).float().mean()) >= 0.9
    assert np.corrcoef(said, (high - low).numpy())[0, 1] > 0.9


def test_the_second_fit_wins_where_it_knows_something() -> None:
    first = {
        "temperature": {"age": 1.0, "smiling": 2.0},
        "stretch": {"age": 3.0},
        "spread": {"pose": 1.0},
        "pictures": 9,
    }
    second = {"temperature": {"age": 0.5}, "stretch": {}, "spread": {}, "pictures": 4}
    both = calibration.merged(first, second)
    assert both["temperature"] == {"age": 0.5, "smiling": 2.0}
    assert both["stretch"] == {"age": 3.0}
    assert both["spread"] == {"pose": 1.0}
    assert calibration.merged({}, first)["temperature"] == first["temperature"]
