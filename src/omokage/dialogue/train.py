"""One loop for every stage: what trains, from which rows, at which rates is the stage's data.

``train(config)`` runs the stages in order, each in its own folder below ``out`` with its own log, checkpoints and
weights; with ``resume=True`` finished stages are kept, and an interrupted one goes on from its last checkpoint with the
batches that an undisturbed run would have had. Several processes share a run when ``torchrun`` starts them.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from omokage.data.splits import held_out, position
from omokage.dialogue import evaluate
from omokage.dialogue.album import Album, read_albums
from omokage.dialogue.config import SOURCES, DataConfig, DialogueConfig, Stage
from omokage.dialogue.data import Batch, Steps, corpus
from omokage.dialogue.loss import answer_loss
from omokage.dialogue.model import DialogueNetwork, adopt, architecture, rebuilt
from omokage.dialogue.predict import NativeModel
from omokage.dialogue.questions import part_of
from omokage.dialogue.readings import centred
from omokage.dialogue.tokenizer import Words
from omokage.errors import TrainingError
from omokage.media.files import whole_file
from omokage.nn.pictures import normalise
from omokage.training import device as devices
from omokage.training.average import WeightAverage
from omokage.training.loop import Course, Learner, add_slope, move
from omokage.training.meter import Meter
from omokage.training.ranges import check_ranges
from omokage.training.run import RunFolder, commit_of
from omokage.training.schedule import rate_at
from omokage.training.stream import batches
from omokage.weights import registry

_TUNED = 0.35  # of the held-out people: temperatures are found on them, everything else is scored on the others
_CENTRED = 1500  # pictures on which the readings' zeros are found


def train(config: DialogueConfig, resume: bool = False) -> Path:
    """Run all stages and return the run folder; the last stage's weights are in its ``weights``. Raises what `errors`
    lists."""
    check_ranges(config)
    device = devices.pick_device(config.device)
    torch.set_num_threads(config.threads)
    processes = devices.join_processes(device)
    log = RunFolder(config.out)
    out = log.path
    if (out / "weights" / "dialogue.json").exists() and not resume:
        raise TrainingError(f"{out} already holds a run: go on with it (--resume) or give another folder")
    if not _begun(config, resume) and processes.first:
        (out / "tokenizer.json").unlink(missing_ok=True)  # what no stage has learnt with may be of other settings
    albums = _albums(config)
    learnt = albums.learnt
    words = _words(config, learnt, out) if processes.first else None
    devices.agree(0.0, device)  # the others read the tokenizer that the first process has kept by now
    words = words or _words(config, learnt, out)
    previous = ""
    for number, stage in enumerate(config.stages, 1):
        folder = RunFolder(out / f"{number}-{stage.name}")
        if not _finished(folder):
            if processes.first:
                folder.begin(config, resume, config.data.folders, stage)
            _stage(config, replace(stage, parent=stage.parent or previous), folder, log, albums, words, processes)
            devices.agree(0.0, device)  # the next stage begins from what the first process has written by now
        previous = str(folder.path / "weights")
    if processes.first:
        tensors, card = registry.load(previous, "dialogue")
        registry.save(out / "weights", tensors, card)
    devices.leave_processes()
    return out


def _begun(config: DialogueConfig, resume: bool) -> bool:
    """Whether stages were begun in the run folder. Raises TrainingError where they are not to go on, or were begun with
    other settings."""
    stages = sorted(path for path in Path(config.out).glob("[0-9]*-*") if path.is_dir())
    begun = [f for f in map(RunFolder, stages) if f.checkpoint.exists() or _finished(f)]
    for folder in begun:
        folder.check(config, resume, config.data.folders)
    return bool(begun)


def _finished(folder: RunFolder) -> bool:
    return (folder.path / "weights" / "dialogue.json").exists()


@dataclass(frozen=True, slots=True)
class Albums:
    """Pictures to learn from, to find temperatures on, and to score on; None without faces. Nobody has learnt from the
    people of the last two, the lent trunk included."""

    learnt: Album | None = None
    tuned: Album | None = None
    scored: Album | None = None


def use_of(person: str, data: DataConfig) -> str:
    """What a run uses a person for: ``learnt``, ``tuned``, ``scored``, or nothing."""
    if held_out([person], data.held_out, data.split_seed)[0]:
        return "tuned" if position(person, 311) < _TUNED else "scored"
    return "learnt" if part_of(person) == "train" else ""


def _albums(config: DialogueConfig) -> Albums:
    data = config.data
    if not data.folders:
        return Albums()
    learnt = read_albums(data.folders, lambda person: use_of(person, data) == "learnt", data.limit)
    apart = read_albums(data.folders, lambda person: use_of(person, data) in ("tuned", "scored"), config.scored)
    places: dict[str, list[int]] = {"tuned": [], "scored": []}
    for place, truth in enumerate(apart.truths):
        places[use_of(truth.person, data)].append(place)
    parted = all(places.values())
    tuned, scored = (apart.some(places[use]) if parted else apart for use in ("tuned", "scored"))
    if len({truth.person for truth in scored.truths}) < 2:  # answers are scored beside those about somebody else
        raise TrainingError("fewer than two people are left to be scored: give more records or a larger held_out")
    return Albums(learnt, tuned, scored)


def _words(config: DialogueConfig, album: Album | None, out: Path) -> Words:
    """The tokenizer of the run, of its first stage's parent, or trained now and kept."""
    parent = config.stages[0].parent
    if parent:
        return Words.from_json(registry.read_card(parent, "dialogue").preprocessing["tokenizer"])
    kept = out / "tokenizer.json"
    if kept.is_file():
        return Words.from_json(kept.read_text(encoding="utf-8"))
    words = Words.trained(corpus(album, config.seed), config.network.vocabulary)
    RunFolder(out)
    with whole_file(kept) as file:
        file.write(words.to_json())
    return words


def model_of(config: DialogueConfig, stage: Stage, words: Words, learnt: Album | None = None) -> DialogueNetwork:
    """The network that a stage starts from; a lent encoder's readings are centred on pictures of `learnt`.

    Raises WeightsError or TrainingError where its parent does not fit.
    """
    if stage.parent:
        tensors, card = registry.load(stage.parent, "dialogue")
        return rebuilt(card.architecture, tensors)
    model = DialogueNetwork(config.network, len(words))
    model.name_readings(words)
    if config.init:
        tensors, _ = registry.load(config.init, "attributes")
        if adopt(model, tensors) < len(model.encoder.state_dict()):
            raise TrainingError(
                f"the attributes network of {config.init!r} does not fit this encoder: give weights with the trunk and "
                "sub-networks that the recipe's network names"
            )
        if learnt is not None:
            _centre(model, learnt, config)
    return model


@torch.no_grad()
def _centre(model: DialogueNetwork, album: Album, config: DialogueConfig) -> None:
    """Move every reading's zero to where its fact is a toss-up, on pictures as training shows them."""
    rng = np.random.default_rng((config.seed, 4))
    places = rng.choice(len(album), min(len(album), _CENTRED), replace=False)
    model.eval()
    found = []
    for first in range(0, len(places), 32):
        crops = [album.crop(int(i), config.network, config.data, rng) for i in places[first : first + 32]]
        found.append(model.encoder(normalise(torch.from_numpy(np.stack(crops)))).readings)
    slope, shift = centred(torch.cat(found), [album.truths[i] for i in places])
    model.projector.slope.copy_(slope)
    model.projector.shift.copy_(shift)


def _stage(
    config: DialogueConfig, stage: Stage, folder: RunFolder, log: RunFolder, albums: Albums, words: Words,
    processes: devices.Processes,
) -> None:  # fmt: skip
    """Train one stage, score it, write its weights."""
    device = devices.pick_device(config.device)
    devices.seed_everything(config.seed, *stage.name.encode())
    begun = folder.checkpoint.exists()
    model = model_of(config, stage, words, None if begun else albums.learnt).to(device)
    model.precision = devices.reduced_precision(config.precision, device)
    model.freeze(frozenset(name for name, _ in stage.rates))
    if processes.first and not stage.parent and not begun:
        _scored(config, model, "before", log, albums, words)
    steps = Steps(albums.learnt, words, config, stage, processes.rank, processes.world)
    average = _loop(config, stage, model, steps, folder, processes)
    if processes.first:
        rows, found = _scored(config, average, stage.name, log, albums, words)
        _save(config, stage, average, words, rows, found, folder.path / "weights")
        folder.checkpoint.unlink()  # the stage is done; the next one begins from its weights


def _loop(
    config: DialogueConfig, stage: Stage, model: DialogueNetwork, steps: Steps, folder: RunFolder,
    processes: devices.Processes,
) -> DialogueNetwork:  # fmt: skip
    """Step until the budget is used; returns the averaged model."""
    device = next(model.parameters()).device
    parts, rates = dict(model.parts()), dict(stage.rates)
    optimizer = torch.optim.AdamW(
        [{"params": list(parts[name].parameters()), "lr": rate} for name, rate in rates.items()],
        weight_decay=config.decay, betas=(0.9, 0.98),
    )  # fmt: skip
    learner = Learner(model, WeightAverage(model, config.average), optimizer)
    course = Course(stage, learner, folder, True, processes)
    meter, start = Meter(), course.step * config.accumulate
    with course.running(), closing(batches(steps, start, config.data.workers)) as stream:
        while (progress := course.progress()) < 1:
            course.seed(config.seed)
            drawn = [next(stream).to(device) for _ in range(config.accumulate)]
            with course.stepping():
                for group, peak in zip(optimizer.param_groups, rates.values(), strict=True):
                    group["lr"] = rate_at(progress, course.step, peak, config.warmup)
                meter.add(step_once(model, optimizer, drawn, config, processes.world))
                course.stepped()
                if course.due(config.log_every):
                    course.log(stage=stage.name, **meter.means())
                if course.due(config.save_every):
                    course.save()
    course.save()
    return learner.average.model


def step_once(
    model: DialogueNetwork, optimizer: torch.optim.Optimizer, drawn: list[Batch], config: DialogueConfig, world: int = 1
) -> dict[str, Tensor]:
    """One optimizer step over the batches of `drawn`; returns the mean loss and that of each source, over the batches
    that held it. Raises TrainingError when the loss is no longer a number."""
    model.train()
    optimizer.zero_grad(set_to_none=True)
    seen: dict[str, list[Tensor]] = {}
    for batch in drawn:
        logits, at = model(normalise(batch.images), batch.rows)
        total, parts = answer_loss(logits, at, batch.rows, SOURCES)
        add_slope(total / len(drawn))
        for name, value in {"loss": total.detach(), **parts}.items():
            seen.setdefault(name, []).append(value)
    move(model, optimizer, config.clip, world)
    return {name: torch.stack(values).mean() for name, values in seen.items()}


def _scored(
    config: DialogueConfig, model: DialogueNetwork, name: str, log: RunFolder, albums: Albums, words: Words
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """What the model can do now, into the run's own log; and its temperatures."""
    asked = NativeModel.of(model, words)
    if albums.tuned is not None and name != "before":
        asked.temperature = evaluate.fit_temperatures(asked, albums.tuned, 60 * config.asked)
    rows = evaluate.score(asked, albums.scored, config.asked, config.scenes)
    for row in rows:
        log.log(stage=name, **row)
    return rows, asked.temperature


def _save(
    config: DialogueConfig, stage: Stage, model: DialogueNetwork, words: Words, rows: list[dict[str, Any]],
    temperature: dict[str, float], out: Path,
) -> None:  # fmt: skip
    today = date.today().isoformat()
    card = registry.Card(
        model="dialogue", set=config.set, architecture=architecture(model),
        preprocessing={
            "size": model.network.size, "margin": model.network.margin, "mean": 127.5, "std": 127.5,
            "tokenizer": words.to_json(),
        },
        schema=[{"name": name} for name in evaluate.SPLITS], calibration={"temperature": temperature},
        recipe=config.recipe, commit=commit_of(), made=today, trained_on=f"{config.trained_on}; stage {stage.name}",
        licences={"code": "Apache-2.0", "weights": config.weights_licence, "training_data": config.data_licence},
        scores=[
            {**{k: json.loads(json.dumps(v)) for k, v in row.items()}, "set": "held-out rendered people", "date": today}
            for row in rows
        ],
        limits=list(config.limits),
    )  # fmt: skip
    registry.save(out, model.state_dict(), card)
