"""Runs of seconds: exact resume after a kill, two stages, several processes, what a run leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch
from fabnet_runs import ENCODER, tiny, write_drawn_tracks

from omokage.embeddings.config import CurriculumConfig, DecoderConfig, EncoderConfig, TracksConfig
from omokage.embeddings.model import load_encoder
from omokage.embeddings.train import train
from omokage.errors import TrainingError
from omokage.weights import registry

_CHILD = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from fabnet_runs import tiny
from omokage.embeddings.train import train
train(tiny(Path({tracks!r}), Path({out!r}), steps={steps}))
"""


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_tracks(tmp_path_factory.mktemp("tracks"))


def rows(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def losses(run: Path) -> dict[int, float]:
    return {r["step"]: r["last_loss"] for r in rows(run) if "last_loss" in r}


def child(tracks: Path, out: Path, steps: int) -> str:
    return _CHILD.format(tests=str(Path(__file__).parent), tracks=str(tracks), out=str(out), steps=steps)


def test_a_killed_run_goes_on_as_if_nothing_had_been(tracks: Path, tmp_path: Path) -> None:
    steps = 30
    train(tiny(tracks, tmp_path / "whole", steps))
    out = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", child(tracks, out, steps)])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (out / "checkpoint.safetensors").exists():
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert max(losses(out)) < steps
    train(tiny(tracks, out, steps), resume=True)
    whole, killed = losses(tmp_path / "whole"), losses(out)
    assert set(whole) == set(killed) == set(range(1, steps + 1))
    assert killed == whole
    one, _ = registry.load(tmp_path / "whole" / "weights", "encoder")
    two, _ = registry.load(out / "weights", "encoder")
    assert all((one[name] == two[name]).all() for name in one)


def test_what_a_run_leaves_behind(tracks: Path, tmp_path: Path) -> None:
    run = train(tiny(tracks, tmp_path / "run", recipe="a test"))
    log = rows(run)
    assert log[0]["event"] == "data"
    assert sum(log[0]["frames"]) == 120
    step = next(r for r in log if "last_loss" in r)
    assert step["window"] == [0.0, 0.5]
    assert {"loss", "kept", "none", "rate", "images_per_second", "waited"} <= set(step)
    looks = [r["held_out"] for r in log if "held_out" in r]
    assert len(looks) == 2
    assert set(looks[0]) == {"error", "none", "best_source", "mean_source"}
    # a row shows two sources, the target, the reconstruction, and three weights
    assert cv2.imread(str(run / "pictures" / "step-0000002.png")).shape == (8 * 32, 7 * 32, 3)
    assert (run / "pictures" / "final.png").exists()
    card = registry.read_card(run / "weights", "encoder")
    assert card.recipe == "a test"
    assert [row["measure"].split(", ")[0] for row in card.scores] == ["reconstruction error"] * 2
    assert all({"interval", "baseline", "n", "date"} <= set(row) for row in card.scores)
    assert load_encoder(run / "weights").config == ENCODER


def test_a_run_learns_to_move_pixels(tracks: Path, tmp_path: Path) -> None:
    """The drawn people only shift: after some steps the network does better than copying the mean of the sources."""
    still = replace(TracksConfig().geometry, small_shift=0.0, small_scale=0.0, small_turn=0.0, large_share=0.0)
    data = TracksConfig((str(tracks),), held_out=0.3, sources=2, workers=0, photometric=False, geometry=still)
    encoder = replace(ENCODER, widths=(16, 32))
    run = train(tiny(tracks, tmp_path / "run", 150, data=data, encoder=encoder, batch=8, rate=4e-3, check_every=0))
    score = registry.read_card(run / "weights", "encoder").scores[1]
    assert score["measure"].endswith("mean of the sources")
    assert score["value"] < 0.5 * score["baseline"]


def test_the_published_second_stage_starts_from_the_first_and_rests_the_flow(tracks: Path, tmp_path: Path) -> None:
    settings = {
        "encoder": EncoderConfig(size=32, trunk="published", base=4),
        "decoder": DecoderConfig("published", "bounded", pose=0, base=4, align_corners=True),
        "curriculum": CurriculumConfig("batch", "plateau", patience=0), "optimizer": "sgd", "drop": "paper",
        "average": 0.0, "check_every": 1,
    }  # fmt: skip
    first = train(tiny(tracks, tmp_path / "one", **settings))
    data = TracksConfig((str(tracks),), held_out=0.3, sources=3, targets=1, workers=0, photometric=False)
    second = train(tiny(tracks, tmp_path / "two", **settings, data=data, init=str(first), freeze_flow=True))
    from safetensors.torch import load_file

    before, after = (load_file(run / "checkpoint.safetensors") for run in (first, second))
    flow = [k for k in before if k.startswith("model/decoder.flow.") and "running" not in k and "num_b" not in k]
    assert flow
    assert all(torch.equal(before[k], after[k]) for k in flow)
    mask = "model/decoder.mask.2.weight"
    assert not torch.equal(before[mask], after[mask])
    assert int(after["curriculum/stage"]) >= int(before["curriculum/stage"])


def test_runs_that_cannot_be_are_refused(tracks: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="has no checkpoint"):
        train(tiny(tracks, tmp_path / "a", init=str(tmp_path / "nothing")))
    with pytest.raises(TrainingError, match="a flow that can rest"):
        train(tiny(tracks, tmp_path / "b", freeze_flow=True))
    with pytest.raises(TrainingError, match="no training data"):
        tiny(tracks, tmp_path / "c", data=TracksConfig())
    with pytest.raises(TrainingError, match="targets in turn"):
        tiny(tracks, tmp_path / "d", data=TracksConfig((str(tracks),), sources=1, targets=3))
    with pytest.raises(TrainingError, match="pose part"):
        tiny(tracks, tmp_path / "e", decoder=DecoderConfig(pose=256))
    with pytest.raises(TrainingError, match="does not divide"):
        tiny(tracks, tmp_path / "f", decoder=DecoderConfig("published", pose=8))
    with pytest.raises(TrainingError, match="at least 2 items"):
        tiny(tracks, tmp_path / "g", batch=1)
    run = train(tiny(tracks, tmp_path / "h", 2))
    with pytest.raises(TrainingError, match="already holds a run"):
        train(tiny(tracks, run))


def test_two_processes_share_a_run(tracks: Path, tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text(child(tracks, tmp_path / "run", 3))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert sorted(losses(tmp_path / "run")) == [1, 2, 3]
    assert (tmp_path / "run" / "weights" / "encoder.safetensors").exists()
