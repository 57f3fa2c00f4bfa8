"""From a table of labels to a weight set that answers like a shipped one, and answers what it answered before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.attributes.branches import OwnStage
from omokage.attributes.calibration import summary
from omokage.attributes.predict import AttributePredictor
from omokage.errors import InputError, OutputError
from omokage.explain.adapt import Fit, Plan, best_fit
from omokage.explain.labels import Label
from omokage.explain.tuning import Tuning
from omokage.media.image import read_image
from omokage.media.sinks import read_rows
from omokage.media.sources import expand
from omokage.nn.pictures import normalise
from omokage.nn.probe import fit_probe
from omokage.pipeline import Analyzer
from omokage.pipeline.adapt import Adapted, AdaptOptions, adapt
from omokage.pipeline.adapt_features import one_person, read_faces_of, see
from omokage.pipeline.adapt_network import BranchTuner, Line, attribute_of, extended, heads_of
from omokage.pipeline.explain import target_of
from omokage.pipeline.run import RunOptions, analyze_to_table
from omokage.schema import Attribute
from small_weights import small_weights, write_faces

PLAN = Plan(sizes=(20,), folds=3, inner=3, strengths=(1e-2, 1.0))
COUNT = 66


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `base` (weights), `faces` (pictures) and `labels.csv`."""
    folder = tmp_path_factory.mktemp("adapt")
    small_weights(folder / "base")
    shown = write_faces(folder / "faces", COUNT)
    rng = np.random.default_rng(1)
    lines = ["file,person,group_site,bright,shade,warm@a,warm@b"]
    for k, value in enumerate(shown):
        shade = "dark" if value < -0.3 else "light" if value > 0.3 else "mid"
        warm = ",".join(f"{4 + 2 * value + rng.normal(0, 0.4):.2f}" for _ in range(2))
        lines.append(f"{k}.png,p{k // 2},{'ab'[k % 2]},{int(value > 0)},{shade},{warm}")
    (folder / "labels.csv").write_text("\n".join([*lines, "gone.png,p99,a,1,dark,1,1"]) + "\n")
    return folder


@pytest.fixture(scope="module")
def adapted(place: Path) -> Adapted:
    options = AdaptOptions(crops=True, plan=PLAN, tune="none")
    return adapt(place / "labels.csv", place / "faces", place / "mine", weights=place / "base", device="cpu",
                 options=options)  # fmt: skip


def crops_of(place: Path, predictor: AttributePredictor) -> torch.Tensor:
    faces = read_faces_of(Analyzer(predictor=predictor), [place / "faces" / f"{k}.png" for k in range(9)], crops=True)
    return torch.from_numpy(faces.crops).permute(0, 3, 1, 2).float().sub(127.5).div(127.5)


def test_new_answers_are_good_and_old_ones_stay(place: Path, adapted: Adapted) -> None:
    scores = {(one.attribute.name, s.method): s.value for one in adapted.labels for s in reversed(one.scores)}
    assert scores["bright", "chosen"] > scores["bright", "trivial"] + 0.2
    assert scores["warm", "chosen"] < 0.8 * scores["warm", "trivial"]
    old, new = (AttributePredictor(place / name, device="cpu") for name in ("base", "mine"))
    inputs = crops_of(place, old)
    before, after = old.outputs(inputs), new.outputs(inputs)
    for name in ("smiling", "quality"):
        torch.testing.assert_close(after.shares[name], before.shares[name], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(after.bins["age"], before.bins["age"], rtol=1e-4, atol=1e-4)
    assert {"bright", "warm"} <= {*after.shares, *after.bins}
    assert after.classes["shade"].shape == (9, 3)


def test_analyze_answers_what_the_probe_answers(place: Path, adapted: Adapted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces read in two cuts, and those whose landmarks (of a network that learnt nothing) allow no second look."""
    predictor = AttributePredictor(place / "mine", device="cpu")
    monkeypatch.setattr(predictor, "calibration", {})
    analyzer, paths = Analyzer(predictor=predictor), [place / "faces" / f"{k}.png" for k in range(9)]
    faces = read_faces_of(analyzer, paths, crops=True)
    assert faces.kept == tuple(range(9))
    once = (faces.views[:, 0] == faces.views[:, 1]).all((1, 2, 3))
    assert 0 < once.sum() < 9
    hidden = see(predictor, faces.views).hidden
    said = [analyzer(read_image(path), crops=True)[0] for path in paths]
    fits = {one.attribute.name: one.learnt.fit for one in adapted.labels}
    bright = fits["bright"].answer(hidden, np.arange(9))[:, 1]
    np.testing.assert_allclose([face.attributes["bright"] for face in said], bright, atol=2e-3)
    shade = fits["shade"].answer(hidden, np.arange(9))
    np.testing.assert_allclose([face.classes["shade"].probabilities for face in said], shade, atol=2e-3)


def test_the_card_says_what_it_is(place: Path, adapted: Adapted) -> None:
    card = adapted.card
    assert (card.set, card.model) == ("mine", "attributes")
    names = [row["name"] for row in card.schema]
    assert names[-3:] == ["bright", "shade", "warm"]
    assert "rated impressions of a photograph, 2 raters" in card.schema[-1]["labels_from"]
    assert card.calibration["temperature"]["age"] == 1.5
    assert {"bright", "shade"} <= set(card.calibration["temperature"])
    assert "warm" in card.calibration["stretch"]
    assert any("ceiling" in row["measure"] for row in card.scores)
    assert any("never a trait" in text for text in card.limits)
    assert list(adapted.left_out) == ["gone.png"]
    assert adapted.pictures == COUNT
    groups = [g for g in adapted.labels[0].groups if g.column == "site"]
    assert [g.pictures for g in groups] == [33, 33]


def test_analysed_tabled_and_explained_like_a_shipped_one(place: Path, adapted: Adapted, tmp_path: Path) -> None:
    analyzer = Analyzer(predictor=AttributePredictor(place / "mine", device="cpu"))
    (face,) = analyzer(read_image(place / "faces" / "3.png"), crops=True)
    assert 0 <= face.attributes["bright"] <= 1
    assert face.classes["shade"].top in ("dark", "light", "mid")
    assert face.scalars["warm"].sigma > 0
    for kind in ("csv", "parquet"):
        out = tmp_path / f"faces.{kind}"
        analyze_to_table(analyzer, expand([str(place / "faces" / "3.png")]).sources, out, None, RunOptions(crops=True))
        (row,) = read_rows(out)
        assert row["attr_bright_p"] == pytest.approx(face.attributes["bright"], abs=1e-3)
        assert row["shade"] == face.classes["shade"].top
        assert row["shade_dark_p"] == pytest.approx(face.classes["shade"]["dark"], abs=1e-3)
        assert row["warm"] == pytest.approx(face.scalars["warm"].value, abs=1e-3)
    predictor = analyzer.predictor
    assert isinstance(predictor, AttributePredictor)
    inputs = crops_of(place, predictor)
    plain = predictor.model.decode(predictor.model(inputs))
    for name, expected in (("bright", plain.shares["bright"]), ("warm", None), ("shade.dark", None)):
        target = target_of(predictor, name)
        score = target.score(target.raw(inputs))
        assert score.shape == (9,)
        if expected is not None:
            heat = predictor.calibration["temperature"][name]
            torch.testing.assert_close(score, expected / heat, rtol=1e-3, atol=1e-3)


def test_what_cannot_be_done_is_said(place: Path, adapted: Adapted, tmp_path: Path) -> None:
    def run(text: str, out: str = "x", **more: object) -> None:
        (tmp_path / "l.csv").write_text(text)
        adapt(tmp_path / "l.csv", place / "faces", tmp_path / out, weights=place / "base", device="cpu",
              options=AdaptOptions(crops=True, plan=PLAN, **more))  # type: ignore[arg-type]  # fmt: skip

    with pytest.raises(InputError, match="my_smiling"):
        run("file,smiling\n0.png,1\n1.png,0\n")
    with pytest.raises(InputError, match=r"'gender' needs a column 'gender_female_p', .* my_gender"):
        run("file,gender\n0.png,female\n1.png,male\n")
    with pytest.raises(InputError, match="'yaw' needs a column 'yaw_sigma'"):
        run("file,yaw\n0.png,3\n1.png,12\n")
    with pytest.raises(InputError, match="called 'mood_a_p' already"):
        run("file,mood,mood_a_p\n0.png,a,3\n1.png,b,4\n")
    with pytest.raises(InputError, match="label more"):
        run("file,new\n0.png,1\n1.png,0\n2.png,1\n3.png,1\n")
    with pytest.raises(InputError, match="none of the 2 pictures"):
        run("file,new\nno.png,1\nnone.png,0\n")
    with pytest.raises(InputError, match="choose none, dense, stage"):
        run("file,new\n0.png,1\n1.png,0\n", tune="all")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(OutputError, match="not an empty folder"):
        run("file,new\n0.png,1\n1.png,0\n", "full")


def test_a_copy_of_a_picture_is_of_the_same_person(place: Path, tmp_path: Path) -> None:
    for name, of in (("a", 0), ("b", 1), ("c", 0)):
        (tmp_path / f"{name}.png").write_bytes((place / "faces" / f"{of}.png").read_bytes())
    analyzer = Analyzer(predictor=AttributePredictor(place / "base", device="cpu"))
    faces = read_faces_of(analyzer, [tmp_path / f"{name}.png" for name in "abc"], crops=True)
    assert one_person(["a", "b", "c"], faces.digests) == ["a", "b", "a"]
    assert len(set(one_person(["ann", "bob", "bob", "eve"], [b"0", b"1", b"0", b"2"]))) == 2


def test_every_picture_that_is_left_out_is_named_as_the_table_names_it(place: Path, tmp_path: Path) -> None:
    rows = [f"{k}.png,{k % 2}" for k in range(COUNT)] + [f"{folder}/x.png,1" for folder in "abc"]
    (tmp_path / "l.csv").write_text("\n".join(["file,new", *rows]))
    options = AdaptOptions(crops=True, plan=Plan(sizes=(), folds=2, inner=2, strengths=(1.0,)), tune="none")
    found = adapt(tmp_path / "l.csv", place / "faces", tmp_path / "out", weights=place / "base", device="cpu",
                  options=options)  # fmt: skip
    assert list(found.left_out) == ["a/x.png", "b/x.png", "c/x.png"]


@pytest.mark.parametrize("tune", ["dense", "stage"])
def test_a_fine_tuned_part_answers_in_the_network_what_it_answered_alone(place: Path, tune: str) -> None:
    predictor = AttributePredictor(place / "base", device="cpu")
    faces = read_faces_of(Analyzer(predictor=predictor), [place / "faces" / f"{k}.png" for k in range(40)], crops=True)
    seen = see(predictor, faces.views, tune)
    assert seen.maps is not None
    rng, people = np.random.default_rng(0), [f"p{k}" for k in range(40)]
    label = Label("warm", "ordinal", np.arange(40), rng.uniform(1, 7, 40), low=1.0, high=7.0)
    tuner = BranchTuner(predictor, label, seen.hidden, seen.maps, tune == "stage", people, tuning=Tuning(fewest=3))
    every = np.arange(40)
    fit = best_fit(seen.hidden, label, every, people, PLAN)
    module = tuner.tuned(every, fit)
    assert isinstance(module, OwnStage) == (tune == "stage")
    alone = tuner(every, fit)(every[:9])[:, 0]
    attribute = attribute_of(label)
    network, tensors = extended(predictor, [(attribute, fit, tuner.finished(module, attribute, 0.9))], [0.9])
    assert any(name.endswith("heads.weight") and t.dtype == torch.float64 for name, t in tensors.items())
    with torch.inference_mode():
        first, second = (network(normalise(torch.from_numpy(faces.views[:9, k])))["warm"] for k in range(2))
        logits = (first + second) / 2
    mean = summary(attribute, logits, {})[0].double().numpy()
    inside = (alone > 2.5) & (alone < 5.5)  # the range cuts the bell nearer to its ends
    np.testing.assert_allclose(mean[inside], alone[inside], atol=0.15)


@pytest.mark.parametrize("place_of_it", [0, -1])
def test_fine_tuning_begins_with_the_sub_network_that_knows_most_of_the_label(place: Path, place_of_it: int) -> None:
    predictor = AttributePredictor(place / "base", device="cpu")
    faces = read_faces_of(Analyzer(predictor=predictor), [place / "faces" / f"{k}.png" for k in range(40)], crops=True)
    seen = see(predictor, faces.views, "dense")
    assert seen.maps is not None
    names, people, every = tuple(seen.hidden), [f"p{k}" for k in range(40)], np.arange(40)
    known = seen.hidden[names[place_of_it]]
    told = known[:, int(np.argmax(known.std(0)))]
    told = 1 + 6 * (told - told.min()) / np.ptp(told)
    label = Label("warm", "ordinal", every, told, low=1.0, high=7.0)
    still = Tuning(rate=1e-9, passes=0, fewest=1)
    tuner = BranchTuner(predictor, label, seen.hidden, seen.maps, False, people, tuning=still)
    probe = fit_probe(known, told, "continuous", people, [1e-3])
    said = tuner(every, Fit(names, probe, np.zeros(1)))(every)[:, 0]
    assert np.corrcoef(said, told)[0, 1] > 0.98


@settings(max_examples=25, deadline=None)
@given(value=st.floats(30, 70), sigma=st.floats(4, 12))
def test_a_value_and_its_error_become_a_normal_distribution_over_bins(value: float, sigma: float) -> None:
    attribute = Attribute("warm", "ordinal", "holistic", low=0, high=100, own=True)
    with torch.no_grad():
        logits = heads_of(attribute, Line(np.ones((1, 1)), np.zeros(1)), sigma)(torch.tensor([[value]]))
    mean, low, high, density = summary(attribute, logits, {})
    assert float(mean) == pytest.approx(value, abs=1.0)
    within = 5**2 / 12  # variance of a value somewhere in its bin
    assert float(high - low) == pytest.approx(3.29 * (sigma**2 + within) ** 0.5, rel=0.12)
    assert float(density.sum()) == pytest.approx(1, abs=1e-5)


def test_a_private_probe_spends_what_it_may(place: Path) -> None:
    pytest.importorskip("opacus")
    from omokage.pipeline.adapt_private import private_part

    rng = np.random.default_rng(0)
    hidden = {"a": rng.normal(size=(80, 6)), "b": rng.normal(size=(80, 2))}
    label = Label("x", "nominal", np.arange(80), np.where(hidden["a"][:, 0] > 0, "yes", "no"), ("no", "yes"))
    part = private_part(attribute_of(label), hidden, label, [f"p{k // 2}" for k in range(80)], 2.0, seed=0)
    assert 0 < part.spent <= 2.0
    assert part.delta == pytest.approx(1 / 400)
    assert part.calibration == {}
    third = private_part(attribute_of(label), hidden, label, [f"p{k // 2}" for k in range(80)], 2.0, seed=0, of=3)
    assert 0 < third.spent <= 2.0 / 3
    assert 3 * third.delta == pytest.approx(part.delta)


def test_one_picture_of_each_person_is_used_and_opacus_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    from omokage.errors import MissingExtraError
    from omokage.pipeline.adapt_private import one_each, private_part

    rows = one_each(["a", "b", "a", "c", "b"], 3)
    assert len(rows) == 3
    assert {["a", "b", "a", "c", "b"][k] for k in rows} == {"a", "b", "c"}
    real: Callable[..., object] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "opacus" else real(name, *a))
    label = Label("x", "nominal", np.arange(2), np.array(["yes", "no"]), ("no", "yes"))
    with pytest.raises(MissingExtraError, match=r"omokage\[private\]"):
        private_part(attribute_of(label), {"a": np.ones((2, 2))}, label, ["p", "q"], 1.0)


def test_paths_may_be_plain_text(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("file,tired\n" + "".join(f"{k}.png,{k % 2}\n" for k in range(12)))
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError, match=r"0\.png"):
        adapt(str(labels), str(tmp_path / "photos"), str(tmp_path / "mine"))
