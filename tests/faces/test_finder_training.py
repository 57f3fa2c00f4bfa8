"""The loss against numbers worked out by hand, a tiny run from heads to weights, and its resumption."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from omokage.data.records import write_shard
from omokage.errors import TrainingError
from omokage.faces import publish as publishing
from omokage.faces.config import FinderConfig
from omokage.faces.finders import open_finder
from omokage.faces.targets import finder_loss, generalised_iou
from omokage.faces.train import train
from omokage.training.run import RunFolder


def test_generalised_iou_by_hand():
    a = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 2, 2]])
    b = torch.tensor([[0.0, 0, 2, 2], [2, 0, 3, 1], [1, 0, 3, 2]])
    iou, general = generalised_iou(a, b)
    torch.testing.assert_close(iou, torch.tensor([1.0, 0.0, 1 / 3]))
    torch.testing.assert_close(general, torch.tensor([1.0, -1 / 3, 1 / 3]))


def test_loss_is_low_for_right_answers_and_blind_where_unasked():
    wanted = torch.zeros(1, 4, 5)
    wanted[0, 0] = torch.tensor([1.0, 10, 10, 30, 30])
    wanted[0, 3, 0] = -1
    boxes = torch.tensor([[[10.0, 10, 30, 30]] * 4])
    right = finder_loss(torch.tensor([[9.0, -9, -9, 9]]), boxes, wanted)
    assert float(right[0]) < 1e-3
    assert float(right[1]) == pytest.approx(0, abs=1e-6)
    other = finder_loss(torch.tensor([[9.0, -9, -9, -9]]), boxes, wanted)
    assert float(other[0]) == float(right[0])
    wrong = finder_loss(torch.tensor([[-9.0, 9, -9, 9]]), boxes + 10, wanted)
    assert float(wrong[0]) > 10
    assert float(wrong[1]) == pytest.approx(1 - (100 / 700 - 200 / 900), abs=1e-5)


def test_loss_without_any_face_is_finite():
    score, box = finder_loss(torch.zeros(2, 3), torch.zeros(2, 3, 4), torch.zeros(2, 3, 5))
    assert torch.isfinite(score)
    assert float(box) == 0


def small(records, out, steps):
    return FinderConfig(
        records=(str(records),), out=str(out), scenes=8 * steps, batch=8, size=128, bank=6, workers=0, save_every=4,
        set="toy", recipe="test", rate=2e-3, warmup=4, average=0.8, log_every=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(toy_records, tmp_path_factory):
    """A run of 16 steps, published with few scenes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "SCENES", 12)
        out = tmp_path_factory.mktemp("run")
        return out, train(small(toy_records, out, 16))


def test_a_run_learns_and_ends_in_weights(finished):
    out, card = finished
    assert card.id.startswith("toy/finder@")
    assert {row["measure"] for row in card.scores} >= {"faces found", "face-free scenes with a false face"}
    assert 0 < card.calibration["filling"] < 1
    assert 0 < card.calibration["other"] < 1
    assert {"loss", "score_loss", "box_loss"} <= set(RunFolder(out).rows()[0])
    assert open_finder(out).find(np.zeros((100, 100, 3), np.uint8)) is not None


def test_a_resumed_run_ends_where_an_unbroken_one_does(finished, toy_records, tmp_path, monkeypatch):
    out, whole = finished
    config = small(toy_records, tmp_path, 16)
    with monkeypatch.context() as patch:
        patch.setattr("omokage.training.loop.save_checkpoint", _until(8))
        with pytest.raises(KeyboardInterrupt):
            train(config)
    monkeypatch.setattr(publishing, "SCENES", 12)
    with pytest.raises(TrainingError, match="already holds a run"):
        train(config)
    assert train(config, resume=True).sha256 == whole.sha256
    losses = [[(r["step"], r["last_loss"]) for r in RunFolder(f).rows()] for f in (out, tmp_path)]
    assert losses[0] == losses[1]
    assert [step for step, _ in losses[0]] == list(range(1, 17))


def _until(last):
    from omokage.training.checkpoint import save_checkpoint

    def save(path, modules, optimizer, facts):
        save_checkpoint(path, modules, optimizer, facts)
        if facts["step"] >= last:
            raise KeyboardInterrupt

    return save


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"limit": 0}, "no head in .* is there to learn from"),
        ({"held_out": ("empty",)}, "no head in empty is there to calibrate and score on"),
        ({"backdrops": "nowhere"}, "backdrops='nowhere' holds no pictures"),
    ],
)
def test_what_is_missing_is_said_before_the_first_step(toy_records, tmp_path, monkeypatch, change, why):
    monkeypatch.chdir(tmp_path)
    write_shard(tmp_path / "empty" / "0.parquet", [])
    with pytest.raises(TrainingError, match=why):
        train(replace(small(toy_records, "run", 2), **change))
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()
