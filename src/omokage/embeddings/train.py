"""One visible loop: cut crops, step, average, look at held-out people, write pictures, checkpoint, write the encoder.

``train(config)`` is all of it; with ``resume=True`` it goes on from the last checkpoint with the losses that an
undisturbed run would have had. Several processes share a run when ``torchrun`` starts them.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from omokage.embeddings.config import EmbeddingConfig
from omokage.embeddings.curriculum import Curriculum
from omokage.embeddings.data import Batch, Items, Side, Steps, held_out_batches, split
from omokage.embeddings.loss import item_losses
from omokage.embeddings.model import save_encoder
from omokage.embeddings.network import FabNet, as_pictures
from omokage.embeddings.reconstruction import Reconstruction, reconstruction, write_pictures
from omokage.embeddings.start import start_from
from omokage.embeddings.store import TrackStore, open_store
from omokage.errors import TrainingError
from omokage.training import device as devices
from omokage.training.average import WeightAverage
from omokage.training.loop import Course, Learner, descend
from omokage.training.meter import Meter
from omokage.training.ranges import check_ranges
from omokage.training.run import RunFolder, commit_of
from omokage.training.schedule import rate_at, set_rate
from omokage.training.stream import batches

_SHOWN = 8  # held-out items on a sheet of reconstructions


def train(config: EmbeddingConfig, resume: bool = False) -> Path:
    """Run to the end and return the run folder; the encoder is in its ``weights``. Raises what `errors` lists."""
    check_ranges(config)
    device = devices.pick_device(config.device)
    torch.set_num_threads(config.threads)
    processes = devices.join_processes(device)
    folder = RunFolder(config.out)
    if processes.first:
        folder.begin(config, resume, config.data.folders)
    devices.seed_everything(config.seed)
    training, validation = split(_store(config, folder, processes, device), config.data)
    if processes.first:
        folder.log(event="data", people=[len(s.people) for s in (training, validation)],
                   frames=[s.frames for s in (training, validation)])  # fmt: skip
    model = _model(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.set_precision(devices.reduced_precision(config.precision, device))
    curriculum = Curriculum.of(config).to(device)
    origin = start_from(config.init, model, curriculum, training, config.seed)
    watch = Watch(config, validation, folder)
    average = _loop(config, model, curriculum, training, watch, processes, device, resume)
    if processes.first:
        finish(config, average, watch, origin)
    devices.leave_processes()
    return folder.path


def _store(
    config: EmbeddingConfig, folder: RunFolder, processes: devices.Processes, device: torch.device
) -> TrackStore:
    """The crops; the first process cuts them while the others wait."""
    cache = Path(config.data.cache) if config.data.cache else folder.path / "crops"

    def opened() -> TrackStore:
        encoder, data = config.encoder, config.data
        return open_store(data.folders, cache, encoder.size, encoder.margin, data.limit)

    store = opened() if processes.first else None
    devices.agree(0.0, device)
    return store or opened()


def _model(config: EmbeddingConfig) -> FabNet:
    """A fresh network; in the second stage its flow decoder rests."""
    model = FabNet(config)
    if config.freeze_flow:
        resting = model.decoder.flow_parameters()
        if not resting:
            raise TrainingError("only the published decoder has a flow that can rest: set freeze_flow=False")
        for parameter in resting:
            parameter.requires_grad_(False)
    return model


def build_optimizer(config: EmbeddingConfig, model: FabNet) -> torch.optim.Optimizer:
    """AdamW, or plain stochastic gradient descent with momentum, over what learns: the encoder, then the rest."""
    encoder = {id(p) for p in model.encoder.parameters()}
    learnt = [p for p in model.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in learnt if id(p) in encoder], "share": config.encoder_rate},
        {"params": [p for p in learnt if id(p) not in encoder], "share": 1.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, config.rate, config.momentum, weight_decay=config.decay)
    return torch.optim.AdamW(groups, config.rate, weight_decay=config.decay)


def _loop(
    config: EmbeddingConfig, model: FabNet, curriculum: Curriculum, training: Side, watch: Watch,
    processes: devices.Processes, device: torch.device, resume: bool,
) -> FabNet:  # fmt: skip
    """Step until the budget is used; returns the averaged model."""
    optimizer = build_optimizer(config, model)
    learner = Learner(model, WeightAverage(model, config.average), optimizer, {"curriculum": curriculum})
    course = Course(config, learner, watch.folder, resume, processes)
    steps = Steps(Items(training, config.data), config.batch, config.seed, processes.rank, processes.world)
    meter, pace = Meter(), Pace(config.batch * (config.data.sources + 1) * processes.world)
    with course.running(), closing(batches(steps, course.step, config.data.workers)) as stream:
        while (progress := course.progress()) < 1:
            began = time.monotonic()
            batch = next(stream)
            waited = time.monotonic() - began
            with course.stepping():
                course.seed(config.seed)
                set_rate(optimizer, rate_of(config, curriculum, progress, course.step))
                parts = step_once(model, curriculum, optimizer, batch, config, progress, processes.world)
                course.stepped()
                meter.add(parts)
                pace.add(waited)
                if course.due(config.log_every):
                    window, rate = list(curriculum.window(progress)), optimizer.param_groups[-1]["lr"]
                    means = {**meter.means(), "last_loss": float(parts["loss"]), **pace.means()}
                    course.log(window=window, rate=rate, **means)
                if config.check_every and course.step % config.check_every == 0:
                    error = watch.look(learner.average.model, course.step) if processes.first else 0.0
                    curriculum.look(devices.agree(error, device))
                if course.due(config.save_every):
                    course.save()
    course.save()
    return learner.average.model


def rate_of(config: EmbeddingConfig, curriculum: Curriculum, progress: float, step: int) -> float:
    """The learning rate of a step: a cosine to nothing, or the published steps by ten."""
    if config.drop == "cosine":
        return rate_at(progress, step, config.rate, config.warmup)
    return rate_at(0.0, step, config.rate, config.warmup) * 0.1**curriculum.drops


def step_once(
    model: FabNet, curriculum: Curriculum, optimizer: torch.optim.Optimizer, batch: Batch, config: EmbeddingConfig,
    progress: float, world: int = 1,
) -> dict[str, Tensor]:  # fmt: skip
    """One optimizer step. Returns the full-range loss, the share of targets that took part, and that of no source.

    Raises TrainingError when the loss is no longer a number.
    """
    device = next(model.parameters()).device
    seen, clean, frames = (x.to(device, non_blocking=True) for x in batch)
    targets = config.data.targets
    model.train()
    rebuilt = model(seen, clean, targets)
    losses = item_losses(rebuilt, as_pictures(clean[:, :targets]), config.loss).flatten()
    kept = curriculum.choose(losses, _numbers(frames, targets), progress)
    total = losses[kept].mean()
    descend(model, optimizer, total, config.clip, world)
    return {"loss": losses.detach().mean(), "kept": kept.float().mean(), "none": rebuilt.none.detach().mean()}


def _numbers(frames: Tensor, targets: int) -> Tensor:
    """Frame numbers (b, n) as rows of a target and its sources (b * targets, n), in the order of the losses."""
    order = [[t, *(s for s in range(frames.shape[1]) if s != t)] for t in range(targets)]
    return frames[:, order].flatten(0, 1)


class Pace:
    """How fast the steps go, and how much of the time they wait for the loader."""

    def __init__(self, pictures: int) -> None:
        self.pictures = pictures
        self._clear()

    def _clear(self) -> None:
        self.count, self.waited, self.began = 0, 0.0, time.monotonic()

    def add(self, waited: float) -> None:
        self.count += 1
        self.waited += waited

    def means(self) -> dict[str, float]:
        """Since this was last asked: `images_per_second`, and `waited`, the share of the time without a batch."""
        seconds = max(time.monotonic() - self.began, 1e-9)
        out = {"images_per_second": self.count * self.pictures / seconds, "waited": self.waited / seconds}
        self._clear()
        return out


class Watch:
    """Looks at held-out people and leaves numbers and pictures in the run folder."""

    def __init__(self, config: EmbeddingConfig, validation: Side, folder: RunFolder) -> None:
        self.config, self.folder = config, folder
        self.items = Items(validation, config.data)

    def look(self, model: FabNet, step: int) -> float:
        """The reconstruction error of `check_items` items, in the log; the first of them as ``pictures/step-*.png``."""
        found = self.measure(model, self.config.check_items)
        copied = {"best_source": float(found.best_source.mean()), "mean_source": float(found.mean_source.mean())}
        held_out = {"error": found.error, "none": float(found.none.mean()), **copied}
        self.folder.log(step=step, held_out={k: float(f"{v:.6g}") for k, v in held_out.items()})
        self.show(model, f"step-{step:07d}")
        return found.error

    def measure(self, model: FabNet, count: int) -> Reconstruction:
        return reconstruction(model, held_out_batches(self.items, count, self.config.data.sources))

    def show(self, model: FabNet, name: str) -> None:
        crops, _ = next(held_out_batches(self.items, _SHOWN, self.config.data.sources))
        write_pictures(self.folder.path / "pictures" / f"{name}.png", model, crops)


def finish(config: EmbeddingConfig, model: FabNet, watch: Watch, origin: str = "") -> None:
    """Measure on held-out people, write the encoder with its card, a last sheet of pictures, and the end of the log.

    `origin` says what the run began with, and stands in the card.
    """
    found = watch.measure(model, 4 * config.check_items)
    scores = found.scores(f"held-out people, {config.trained_on}")
    save_encoder(
        watch.folder.path / "weights", model.encoder, set=config.set, recipe=config.recipe, commit=commit_of(),
        made=date.today().isoformat(),
        trained_on=config.trained_on + (f", begun from {origin}" if origin else ""),
        licences={"code": "Apache-2.0", "weights": config.weights_licence, "training_data": config.data_licence},
        scores=scores, limits=list(config.limits),
    )  # fmt: skip
    watch.show(model, "final")
    watch.folder.log(event="done", scores=scores)
