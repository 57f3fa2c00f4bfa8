"""Run folders and checkpoints: nothing overwritten, nothing half written, nothing foreign accepted."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from omokage.errors import OutputError, TrainingError
from omokage.training.checkpoint import load_checkpoint, save_checkpoint
from omokage.training.run import RunFolder, as_json


@dataclass(frozen=True)
class _Config:
    rate: float = 0.1
    widths: tuple[int, ...] = (1, 2)


def _trained(width: int = 3) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))
    optimizer = torch.optim.AdamW(model.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(4, 2)).square().mean().backward()
        optimizer.step()
    return model, optimizer


def test_checkpoint_round_trip_goes_on_exactly(tmp_path: Path) -> None:
    model, optimizer = _trained()
    save_checkpoint(tmp_path / "c.safetensors", {"model": model}, optimizer, {"step": 3})
    other, fresh = _trained()
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    assert load_checkpoint(tmp_path / "c.safetensors", {"model": other}, fresh) == {"step": 3}
    for m, o in ((model, optimizer), (other, fresh)):
        torch.manual_seed(7)
        o.zero_grad()
        m(torch.randn(4, 2)).square().mean().backward()
        o.step()
    for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_foreign_and_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    model, optimizer = _trained()
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {"model": model}, optimizer, {})
    other, fresh = _trained(width=4)
    with pytest.raises(TrainingError, match="another network"):
        load_checkpoint(path, {"model": other}, fresh)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match="damaged"):
        load_checkpoint(path, {"model": model}, optimizer)


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.begin(_Config(), resume=False)
    folder.checkpoint.write_bytes(b"x")
    with pytest.raises(TrainingError, match="already holds a run"):
        folder.begin(_Config(), resume=False)
    folder.begin(_Config(), resume=True)


def test_log_rows_come_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.log(step=1, loss=0.123456789)
    folder.log(step=2)
    assert folder.rows() == [{"step": 1, "loss": 0.123457}, {"step": 2}]


def test_a_file_in_the_way_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the run folder"):
        RunFolder(tmp_path / "file" / "run")


def test_configurations_become_json() -> None:
    assert as_json({"c": _Config(), "p": Path("x")}) == {"c": {"rate": 0.1, "widths": [1, 2]}, "p": "x"}
