"""Three stages in one loop: they run in order, an interrupted one goes on where it was, what is frozen stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dialogue_runs import STAGES, tiny, write_faces

from omokage.dialogue import train as training
from omokage.dialogue.data import Steps, corpus
from omokage.dialogue.predict import NativeModel, load
from omokage.dialogue.readings import NAMES
from omokage.dialogue.rows import IGNORED
from omokage.dialogue.tokenizer import Words
from omokage.errors import TrainingError
from omokage.training.run import RunFolder
from omokage.weights import registry


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_faces(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, faces: Path) -> Path:
    return training.train(tiny(tmp_path_factory.mktemp("run") / "out", faces))


def test_stages_run_in_order_and_are_scored(finished: Path) -> None:
    rows = RunFolder(finished).rows()
    assert list(dict.fromkeys(row["stage"] for row in rows)) == ["before", "align", "instruct", "specialise"]
    measures = {row["measure"] for row in rows if row["stage"] == "specialise"}
    assert {"general, color", "general, count", "general, shape", "general, position"} <= measures
    assert any(m.startswith("paraphrase") for m in measures)
    for name, stage in zip(("1-align", "2-instruct", "3-specialise"), STAGES, strict=True):
        steps = [row["step"] for row in RunFolder(finished / name).rows()]
        assert steps == list(range(1, stage.steps + 1))


def test_the_weights_answer(finished: Path) -> None:
    model = load(finished / "weights", "cpu")
    assert isinstance(model, NativeModel)
    crop = np.zeros((32, 32, 3), np.uint8)
    assert model.choose(crop, "Is the person smiling?", ("yes", "no")).sum() == pytest.approx(1)
    assert model.card.model == "dialogue"
    assert "tokenizer" in model.card.preprocessing


def test_what_is_frozen_stays(finished: Path) -> None:
    two, _ = registry.load(finished / "2-instruct" / "weights", "dialogue")
    three, _ = registry.load(finished / "3-specialise" / "weights", "dialogue")
    for name in two:
        same = torch.allclose(two[name].float(), three[name].float(), atol=1e-7)
        assert same or name.startswith("language."), name
    assert any(not torch.allclose(two[n], three[n]) for n in two if n.startswith("language."))


def test_a_killed_run_goes_on_as_if_nothing_had_been(faces: Path, finished: Path, tmp_path: Path) -> None:
    """All three stages in a process of their own, ended by SIGKILL in the middle of the second, then resumed."""
    out, here = tmp_path / "out", tmp_path / "here"
    code = "import sys; from pathlib import Path; from dialogue_runs import hang; hang(*map(Path, sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(out), str(faces), str(here)], cwd=Path(__file__).parent
    ) as run:
        until = time.monotonic() + 240
        while not here.exists() and run.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        run.send_signal(signal.SIGKILL)
    assert here.exists()
    assert run.returncode == -signal.SIGKILL
    assert (out / "1-align" / "weights" / "dialogue.json").is_file()
    assert not (out / "2-instruct" / "weights").exists()
    again = training.train(tiny(out, faces), resume=True)
    one, first = registry.load(finished / "weights", "dialogue")
    two, second = registry.load(again / "weights", "dialogue")
    for name in one:
        torch.testing.assert_close(one[name], two[name], atol=2e-3, rtol=2e-3)
    assert [row["step"] for row in RunFolder(again / "2-instruct").rows()] == [1, 2, 3, 4]
    assert [row["measure"] for row in first.scores] == [row["measure"] for row in second.scores]


def test_answers_about_one_person_alone_cannot_be_scored(tmp_path: Path) -> None:
    config = tiny(tmp_path / "run", write_faces(tmp_path / "faces", people=12))
    one_scored = replace(config, scored=1)
    with pytest.raises(TrainingError, match="fewer than two people are left to be scored"):
        training.train(one_scored)


def test_a_finished_run_is_not_written_over(faces: Path, finished: Path) -> None:
    with pytest.raises(TrainingError, match="already holds a run"):
        training.train(tiny(finished, faces))


def test_a_finished_stage_of_other_settings_is_not_taken_over(faces: Path, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished / "1-align", out / "1-align")  # as a run leaves it that ended in its second stage
    shutil.copy(finished / "tokenizer.json", out)
    with pytest.raises(TrainingError, match="1-align already holds a run"):
        training.train(tiny(out, faces))
    with pytest.raises(TrainingError, match=r"other settings \(decay was 0\.02, now 0\.5\)"):
        training.train(tiny(out, faces, decay=0.5), resume=True)
    assert not (out / "2-instruct").exists()


def test_a_tokenizer_that_no_stage_has_learnt_with_is_trained_anew(faces: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("of another run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_stage", _stopping)
        with pytest.raises(KeyboardInterrupt):
            training.train(tiny(tmp_path, faces))
    assert "of another run" not in (tmp_path / "tokenizer.json").read_text()


def _stopping(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_people_are_learnt_from_tuned_on_or_scored(faces: Path, tmp_path: Path) -> None:
    albums = training._albums(tiny(tmp_path / "out", faces))
    parts = [{t.person for t in album.truths} for album in (albums.learnt, albums.tuned, albums.scored) if album]
    assert len(parts) == 3
    assert all(parts)
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    for album in (albums.tuned, albums.scored):
        assert album is not None
        assert [t.image for t in album.truths] == list(range(len(album)))


def test_a_lent_encoder_is_centred(faces: Path, tmp_path: Path) -> None:
    """Its readings' zeros move to where facts are a toss-up, and only on pictures to learn from."""
    config = replace(tiny(tmp_path / "out", faces), init="")
    album = training._albums(config).learnt
    assert album is not None
    model = training.model_of(config, STAGES[0], Words.trained(corpus(album, 0, 400), 600))
    before = model.projector.shift.clone()
    training._centre(model, album, config)
    changed = (model.projector.shift != before) | (model.projector.slope != 1)
    told = {NAMES[k] for k in changed.nonzero().flatten().tolist()}
    assert {"smiling", "glasses", "hat", "female woman"} <= told
    assert "makeup" not in told


def test_a_stage_alone_begins_at_its_parent(faces: Path, finished: Path, tmp_path: Path) -> None:
    stage = replace(STAGES[2], parent=str(finished / "2-instruct" / "weights"), steps=2)
    out = training.train(tiny(tmp_path / "out", faces, stages=(stage,)))
    assert list(dict.fromkeys(row["stage"] for row in RunFolder(out).rows())) == ["specialise"]


def test_accumulated_gradients_are_those_of_one_larger_batch(faces: Path, tmp_path: Path) -> None:
    """Two batches added up move the weights as their mean does."""
    config = tiny(tmp_path / "out", faces)
    album = training._albums(config).learnt
    words = Words.trained(corpus(album, 0, 400), config.network.vocabulary)
    steps = Steps(album, words, config, STAGES[1])
    batches = [steps[0], steps[1]]
    grads = []
    for way in ("accumulated", "by hand"):
        torch.manual_seed(0)
        model = training.model_of(config, STAGES[1], words)
        model.freeze(frozenset({"language"}))  # no dropout between the two ways
        optimizer = torch.optim.SGD(model.language.parameters(), 0.0)
        if way == "accumulated":
            training.step_once(model, optimizer, batches, replace(config, clip=1e9))
        else:
            for batch in batches:
                training.step_once(model, optimizer, [batch], replace(config, clip=1e9))
                grads.append([p.grad.clone() for p in model.language.parameters() if p.grad is not None])
            whole = [(a + b) / 2 for a, b in zip(*grads[1:], strict=True)]
            for mine, mean in zip(grads[0], whole, strict=True):
                torch.testing.assert_close(mine, mean, atol=1e-5, rtol=1e-3)
            return
        grads.append([p.grad.clone() for p in model.language.parameters() if p.grad is not None])


def test_batches_are_the_same_every_time_and_differ_between_processes(faces: Path, tmp_path: Path) -> None:
    config = tiny(tmp_path / "out", faces)
    album = training._albums(config).learnt
    words = Words.trained(corpus(album, 0, 400), config.network.vocabulary)
    one, two = (Steps(album, words, config, STAGES[2])[3] for _ in range(2))
    assert torch.equal(one.images, two.images)
    assert torch.equal(one.rows.ids, two.rows.ids)
    other = Steps(album, words, config, STAGES[2], rank=1, world=2)[3]
    assert one.rows.ids.shape != other.rows.ids.shape or not torch.equal(one.rows.ids, other.rows.ids)
    assert ((one.rows.target == IGNORED) | (one.rows.segment > 0)).all()


def test_two_processes_share_all_stages(faces: Path, tmp_path: Path) -> None:
    """The second one waits at the end of each stage until the first has written what the next begins from."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\nfrom dialogue_runs import tiny\nfrom omokage.dialogue.train import train\n"
        f"train(tiny(Path({str(tmp_path / 'out')!r}), Path({str(faces)!r})))\n"
    )
    (tmp_path / "child.py").write_text(code)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, str(tmp_path / "child.py")], capture_output=True, text=True, timeout=540,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    log = RunFolder(tmp_path / "out").rows()
    assert list(dict.fromkeys(row["stage"] for row in log)) == ["before", "align", "instruct", "specialise"]
    assert len({(row["stage"], row["measure"]) for row in log}) == len(log), "one process alone scores"
    for name, stage in zip(("1-align", "2-instruct", "3-specialise"), STAGES, strict=True):
        assert [row["step"] for row in RunFolder(tmp_path / "out" / name).rows()] == list(range(1, stage.steps + 1))
