"""Runs of seconds: exact resume after a kill, mixed sources, what ends up in the card."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest_attributes import SMALL, tiny_config

from omokage.attributes.train import train
from omokage.data.records import Record, write_shard
from omokage.errors import TrainingError
from omokage.weights import registry

_CHILD = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from conftest_attributes import tiny_config
from omokage.attributes.train import train
train(tiny_config((Path({records!r}),), Path({out!r}), steps={steps}), resume={resume})
"""


def _losses(run: Path) -> dict[int, float]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return {r["step"]: r["last_loss"] for r in rows if "last_loss" in r}


def test_a_killed_run_goes_on_as_if_nothing_had_been(records: Path, tmp_path: Path) -> None:
    steps = 24
    train(tiny_config((records,), tmp_path / "whole", steps))
    out = tmp_path / "killed"
    facts = {"tests": str(Path(__file__).parent), "records": str(records), "out": str(out), "steps": steps}
    child = subprocess.Popen([sys.executable, "-c", _CHILD.format(**facts, resume=False)])
    log = out / "log.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (log.exists() and len(log.read_text().splitlines()) > 5):
        assert child.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert max(_losses(out)) < steps
    assert (out / "checkpoint.safetensors").exists()
    train(tiny_config((records,), out, steps), resume=True)
    whole, killed = _losses(tmp_path / "whole"), _losses(out)
    assert set(whole) == set(killed) == set(range(1, steps + 1))
    assert all(killed[step] == whole[step] for step in whole)
    one, _ = registry.load(tmp_path / "whole" / "weights", "attributes")
    two, _ = registry.load(out / "weights", "attributes")
    assert all((one[name] == two[name]).all() for name in one)


def test_sources_with_different_labels_train_together(records: Path, unlabelled: Path, tmp_path: Path) -> None:
    run = train(tiny_config((records, unlabelled), tmp_path / "run"))
    _, card = registry.load(run / "weights", "attributes")
    assert [row["name"] for row in card.schema] == [a.name for a in SMALL]


def test_a_network_does_not_answer_what_nothing_taught_it(unlabelled: Path, tmp_path: Path) -> None:
    run = train(tiny_config((unlabelled,), tmp_path / "run"))
    card = registry.read_card(run / "weights", "attributes")
    assert [row["name"] for row in card.schema] == ["age", "perceived_gender", "quality"]


def test_records_without_labels_are_refused(records: Path, tmp_path: Path) -> None:
    from conftest_attributes import drawn_record

    full = drawn_record(1)
    write_shard(tmp_path / "bare" / "0.parquet", [Record("a", "p", "x", full.image, 48, 48)] * 9)
    with pytest.raises(TrainingError, match="no record carries a label"):
        train(tiny_config((tmp_path / "bare",), tmp_path / "run"))


def test_a_run_without_anybody_held_out_ends_before_it_steps(records: Path, tmp_path: Path) -> None:
    config = tiny_config((records,), tmp_path / "run")
    with pytest.raises(TrainingError, match="held out to calibrate on"):
        train(replace(config, data=replace(config.data, held_out=0.0)))
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_the_card_tells_what_was_done(weights: Path) -> None:
    card = registry.read_card(weights, "attributes")
    assert card.preprocessing["size"] == 32
    assert card.calibration["temperature"]["quality"] > 0
    assert {row["measure"] for row in card.scores} >= {"landmarks error, % of box size", "age error, years"}
    assert all(row["n"] > 0 and "baseline" in row for row in card.scores)


def test_another_run_is_not_overwritten_and_weights_can_start_one(records: Path, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="already holds a run"):
        train(tiny_config((records,), weights.parent))
    started = replace(tiny_config((records,), tmp_path / "from", 1), init=str(weights))
    assert (train(started) / "weights" / "attributes.safetensors").exists()


def test_two_processes_share_a_run(records: Path, tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    facts = {"tests": str(Path(__file__).parent), "records": str(records), "out": str(tmp_path / "run"), "steps": 3}
    script.write_text(_CHILD.format(**facts, resume=False))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    told = tmp_path / "told.txt"
    with told.open("w") as stream:  # a file: what a process said before it hung is not lost
        done = subprocess.run(
            command, stdout=stream, stderr=subprocess.STDOUT, timeout=540, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
    assert done.returncode == 0, told.read_text()[-6000:]
    assert sorted(_losses(tmp_path / "run")) == [1, 2, 3]
    assert (tmp_path / "run" / "weights" / "attributes.safetensors").exists()


def test_photographs_calibrate_and_score_what_they_have_labels_of(
    records: Path, photographs: Path, tmp_path: Path
) -> None:
    config = tiny_config((records, photographs), tmp_path / "run")
    config = replace(config, data=replace(config.data, photographs=0.4, balance=0.5, held_out=0.5))
    card = registry.read_card(train(config) / "weights", "attributes")
    sets = {row["measure"]: set() for row in card.scores}
    for row in card.scores:
        sets[row["measure"]].add(row["set"])
    rendered = "held-out rendered people"
    assert sets["landmarks error, % of box size"] == {rendered, f"{rendered}, crops changed as in training"}
    assert sets["age within one bin, mean over the bins"] == {"held-out photographs"}
    assert "age" in card.calibration["stretch"]
    assert "landmarks" in card.calibration["spread"]
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert log[0]["labelled"][1]["landmarks"] == 0


def test_impossible_mixtures_are_refused(records: Path, tmp_path: Path) -> None:
    config = tiny_config((records,), tmp_path)
    with pytest.raises(TrainingError, match="from 0 to below 1, not 1"):
        replace(config, data=replace(config.data, photographs=1.0))
    with pytest.raises(TrainingError, match="1 record folders but 2 limits"):
        replace(config, data=replace(config.data, limits=(3, 4)))
