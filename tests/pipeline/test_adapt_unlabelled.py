"""Getting used to pictures without labels: what moves, what the check measures, and that harm writes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.attributes.predict import AttributePredictor
from omokage.data.photometry import Photometry
from omokage.errors import InputError, OutputError
from omokage.pipeline import Analyzer, adapt_unlabelled
from omokage.pipeline.adapt_student import Learning, student
from omokage.pipeline.adapt_unlabelled import Check, Heads, Used, blended, moved, statistics_of, unsteadiness
from omokage.pipeline.adapt_views import answers
from small_weights import small_weights, write_faces


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unlabelled")
    small_weights(folder / "base")
    write_faces(folder / "faces", 44)
    return folder


@pytest.fixture(scope="module")
def predictor(place: Path) -> AttributePredictor:
    return AttributePredictor(place / "base", device="cpu")


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (count, 32, 32, 3)).astype(np.uint8)


@settings(max_examples=20, deadline=None)
@given(shrink=st.floats(0.01, 50), wobble=st.floats(0.05, 2), seed=st.integers(0, 50))
def test_unsteadiness_is_the_share_of_the_views_and_shrinking_answers_does_not_hide_it(
    shrink: float, wobble: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    said = rng.normal(size=(1, 400, 3)) + wobble * rng.normal(size=(4, 400, 3))
    share = unsteadiness(said)
    assert share == pytest.approx(wobble**2 / (1 + wobble**2), abs=0.08)
    assert unsteadiness(shrink * said + 5) == pytest.approx(share, abs=1e-9)


def test_statistics_are_those_of_the_pictures_and_move_as_far_as_asked(predictor: AttributePredictor) -> None:
    crops, model = noise(40), predictor.model
    found = statistics_of(model, crops, batch=40)
    first = next(name for name in found if name.startswith("units.0."))
    with torch.no_grad():
        x = (torch.from_numpy(crops).permute(0, 3, 1, 2).float() - 127.5) / 127.5
        seen = model.trunk.get_submodule(first.replace("norm", "conv"))(x)
    torch.testing.assert_close(found[first][0], seen.mean((0, 2, 3)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found[first][1], seen.var((0, 2, 3)), rtol=1e-3, atol=1e-4)
    none, half, full = (blended(model, found, share).trunk.get_submodule(first) for share in (0.0, 0.5, 1.0))
    old = model.trunk.get_submodule(first)
    torch.testing.assert_close(none.running_mean, old.running_mean)
    torch.testing.assert_close(full.running_var, found[first][1])
    torch.testing.assert_close(half.running_mean, (old.running_mean + found[first][0]) / 2)


def test_the_checks_compare_the_same_pictures_before_and_after(predictor: AttributePredictor) -> None:
    rng = np.random.default_rng(0)
    heads = Heads(noise(12, 1), rng.uniform(-0.8, 0.8, (12, 68, 2)), rng.uniform(5, 80, 12))
    share, checks, after = moved(predictor, noise(48), heads, (0.5,))
    assert share == 0.5
    assert [c.name.split(",")[0].split(" on ")[0] for c in checks[1:]] == ["landmark error", "age error"]
    assert checks[1].before == pytest.approx(float(heads.errors(predictor.model)[checks[1].name].mean()))
    assert checks[1].after == pytest.approx(float(heads.errors(after)[checks[1].name].mean()))
    assert all(c.low <= c.high for c in checks)


def test_a_student_agrees_more_with_the_teacher_on_changed_pictures_and_moves_little(
    predictor: AttributePredictor,
) -> None:
    crops, model = noise(40, 3), predictor.model
    said = answers(model, crops).mean(0)
    dark = (crops // 3).astype(np.uint8)
    darker = Learning(steps=25, batch=16, rate=3e-3, change=Photometry(share=1.0, occlusion=0, brightness=0.4, noise=0))
    taught = student(model, model, crops, darker)
    before, after = (np.square(answers(m, dark)[0] - said).mean() for m in (model, taught))
    assert after < before
    same = dict(model.named_parameters())
    moved = {n for n, p in taught.named_parameters() if not torch.allclose(p, same[n])}
    assert moved
    assert all("norm" in name and name.startswith("trunk.") for name in moved)
    assert not any(p.requires_grad for p in taught.parameters())


def test_heads_judge_yes_and_no_as_well(predictor: AttributePredictor) -> None:
    yes = {"perceived_gender": np.ones(6), "nothing of the kind": np.ones(6)}
    heads = Heads(noise(6, 1), np.random.default_rng(0).uniform(-0.8, 0.8, (6, 68, 2)), np.full(6, 30.0), yes)
    found = heads.errors(predictor.model)
    assert "log loss of nothing of the kind on rendered heads" not in found
    assert (found["log loss of perceived_gender on rendered heads"] > 0).all()


def run(place: Path, out: Path, monkeypatch: pytest.MonkeyPatch, passed: bool) -> Used:
    check = Check("a check", 0.2, 0.1, -0.15, -0.05, passed)
    empty = Heads(noise(1), np.zeros((1, 68, 2)), np.zeros(1))
    monkeypatch.setattr(Heads, "drawn", classmethod(lambda cls, count, predictor: empty))
    monkeypatch.setattr(adapt_unlabelled, "moved", lambda p, crops, heads, learning: (0.3, (check,), p.model))
    return adapt_unlabelled.adapt_unlabelled(place / "faces", out, weights=place / "base", device="cpu", crops=True)


def test_only_what_passes_is_written(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = run(place, tmp_path / "no", monkeypatch, False)
    assert not refused.accepted
    assert not (tmp_path / "no").exists()
    assert "nothing was written" in refused.lines()[-1]
    accepted = run(place, tmp_path / "yes", monkeypatch, True)
    assert accepted.accepted
    new = AttributePredictor(tmp_path / "yes", device="cpu")
    assert "moved by 30%" in new.card.trained_on
    assert new.card.scores[-1]["interval"] == [0.05, 0.15]
    assert len(Analyzer(predictor=new)(noise(1)[0], crops=True)) == 1
    with pytest.raises(OutputError, match="not an empty folder"):
        run(place, tmp_path / "yes", monkeypatch, True)


def test_a_handful_of_pictures_is_too_few(place: Path, tmp_path: Path) -> None:
    write_faces(tmp_path / "few", 3)
    with pytest.raises(InputError, match="at least 40"):
        adapt_unlabelled.adapt_unlabelled(
            tmp_path / "few", tmp_path / "o", weights=place / "base", device="cpu", crops=True
        )
