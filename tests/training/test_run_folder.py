"""Run folders and checkpoints: nothing overwritten, nothing half written, nothing foreign accepted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from omokage.data.records import Record, write_shard
from omokage.errors import OutputError, TrainingError
from omokage.training.average import WeightAverage
from omokage.training.checkpoint import load_checkpoint, save_checkpoint
from omokage.training.loop import Course, Learner
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


@dataclass(frozen=True)
class _Data:
    folders: tuple[str, ...] = ("a",)
    limits: tuple[int, ...] = ()
    workers: int = 1


@dataclass(frozen=True)
class _Part:
    name: str
    steps: int = 3


@dataclass(frozen=True)
class _Whole:
    data: _Data = _Data()
    stages: tuple[_Part, ...] = (_Part("one"), _Part("two"))
    weights: Mapping[str, float] = field(default_factory=lambda: {"age": 1.0})
    rate: float = 0.1
    minutes: float = 1.0
    out: str = "x"
    limits: tuple[str, ...] = ("words",)


def _begun(path: Path, config: Any = None) -> RunFolder:
    folder = RunFolder(path)
    folder.begin(config or _Whole(), resume=False)
    folder.checkpoint.write_bytes(b"x")
    return folder


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"rate": 0.2}, r"other settings \(rate was 0\.1, now 0\.2\): go on with the same ones"),
        ({"data": _Data(("b",))}, r'data\.folders was \["a"\], now \["b"\]'),
        ({"data": _Data(limits=(3,))}, r"data\.limits was \[\], now \[3\]"),
        ({"weights": {"age": 1.0, "hair": 1.0}}, "weights was"),
        ({"stages": (_Part("one"), _Part("three"))}, 'stages.name was "two", now "three"'),
        ({"stages": (_Part("one"),)}, "stages was"),
    ],
)
def test_a_run_does_not_go_on_with_other_settings(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    folder = _begun(tmp_path / "run")
    before = (folder.path / "config.json").read_text()
    with pytest.raises(TrainingError, match=why):
        folder.begin(replace(_Whole(), **change), resume=True)
    assert (folder.path / "config.json").read_text() == before


def test_a_run_may_go_on_longer_elsewhere_and_in_newer_code(tmp_path: Path) -> None:
    folder = _begun(tmp_path / "run")
    stages = (_Part("one", 9), _Part("two", 9))
    other = _Whole(_Data(workers=4), stages, minutes=9.0, out="y", limits=("other words",))
    folder.begin(other, resume=True)
    assert json.loads((folder.path / "config.json").read_text())["config"]["minutes"] == 9
    older = _begun(tmp_path / "older", _Config())
    older.begin(_Newer(), resume=True)
    with pytest.raises(TrainingError, match=r"rate was 0\.1, now 0\.3"):
        older.begin(_Newer(0.3), resume=True)


@dataclass(frozen=True)
class _Newer(_Config):
    clip: float = 1.0


@pytest.mark.parametrize(
    ("text", "why"),
    [("{", "is damaged"), ("[]", "is damaged"), ('{"config": "x"}', "is damaged"), ("", "is damaged"),
     (None, "says how the run began, is missing")],
)  # fmt: skip
def test_a_damaged_note_of_the_settings_is_said_so(tmp_path: Path, text: str | None, why: str) -> None:
    folder = _begun(tmp_path / "run")
    (folder.path / "config.json").unlink()
    if text is not None:
        (folder.path / "config.json").write_text(text)
    with pytest.raises(TrainingError, match=rf"config\.json.* {why}"):
        folder.begin(_Whole(), resume=True)


def test_a_run_does_not_go_on_on_other_records(tmp_path: Path) -> None:
    shard = tmp_path / "records" / "0.parquet"
    records = (str(shard.parent),)

    def written(person: str) -> None:
        write_shard(shard, [Record("a", person, "x", b"code", 1, 1)])

    written("p")
    folder = RunFolder(tmp_path / "run")
    folder.begin(_Whole(), False, records)
    folder.checkpoint.write_bytes(b"x")
    folder.begin(_Whole(), True, records)
    written("q")
    with pytest.raises(TrainingError, match=r"records does not hold the records that the run in .* began with"):
        folder.begin(_Whole(), True, records)
    noted = json.loads((folder.path / "config.json").read_text())
    del noted["records"]  # as older runs left it
    (folder.path / "config.json").write_text(json.dumps(noted))
    folder.begin(_Whole(), True, records)


@dataclass(frozen=True)
class _Long:
    steps: int
    minutes: float = 0.0


def test_a_run_does_not_go_back_to_fewer_steps(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.begin(_Long(60), False)
    model, optimizer = _trained()
    save_checkpoint(folder.checkpoint, {"model": model}, optimizer, {"step": 54})
    with pytest.raises(TrainingError, match="is at step 54 already"):
        folder.begin(_Long(20), True)
    assert json.loads((tmp_path / "config.json").read_text())["config"]["steps"] == 60
    for longer in (_Long(54), _Long(80), _Long(0, 2.0)):
        folder.begin(longer, True)


@pytest.mark.parametrize("name", ["weights/attributes.json", "finder.safetensors"])
def test_finished_weights_are_not_overwritten(tmp_path: Path, name: str) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    for resume in (False, True):
        with pytest.raises(TrainingError, match="holds finished weights"):
            folder.begin(_Whole(), resume)


def test_a_folder_without_a_name_is_refused() -> None:
    with pytest.raises(OutputError, match="name one with out="):
        RunFolder("")


@pytest.mark.parametrize("facts", ["[3]", "7", "{}"])
def test_a_checkpoint_without_its_facts_is_damaged(tmp_path: Path, facts: str) -> None:
    folder = RunFolder(tmp_path)
    model, optimizer = _trained()
    learner = Learner(model, WeightAverage(model, 0.5), optimizer)
    Course(_Long(9), learner, folder, resume=False).save()
    with safe_open(folder.checkpoint, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    save_file(tensors, folder.checkpoint, {"facts": facts})
    with pytest.raises(TrainingError, match="is damaged"):
        Course(_Long(9), learner, folder, resume=True)


def test_log_rows_come_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.log(step=1, loss=0.123456789)
    folder.log(step=2)
    assert folder.rows() == [{"step": 1, "loss": 0.123457}, {"step": 2}]


def test_a_cut_line_and_steps_made_again_leave_one_row_a_step(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.log(event="data")
    for step in (1, 2):
        folder.log(step=step, seconds=1.0, loss=1.0)
    folder.log(step=2, held_out={"age": 3})
    with folder.log_path.open("a") as file:
        file.write('{"step": 3, "lo')
    folder.log(step=2, seconds=2.0, loss=2.0)
    folder.log(event="done")
    assert folder.rows() == [
        {"event": "data"}, {"step": 1, "seconds": 1.0, "loss": 1.0}, {"step": 2, "seconds": 2.0, "loss": 2.0},
        {"step": 2, "held_out": {"age": 3}}, {"event": "done"},
    ]  # fmt: skip


def test_a_file_in_the_way_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the run folder"):
        RunFolder(tmp_path / "file" / "run")


def test_configurations_become_json() -> None:
    assert as_json({"c": _Config(), "p": Path("x")}) == {"c": {"rate": 0.1, "widths": [1, 2]}, "p": "x"}
