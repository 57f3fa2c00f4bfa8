"""Train the finder on composed scenes: one visible loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from omokage.errors import TrainingError
from omokage.faces.heads import read_heads
from omokage.faces.network import FinderNet, decode
from omokage.faces.scenes import SceneSource
from omokage.faces.targets import finder_loss, targets
from omokage.media.image import read_image
from omokage.training.average import WeightAverage
from omokage.training.checkpoint import load_checkpoint, save_checkpoint
from omokage.training.device import pick_device, seed_everything
from omokage.training.run import RunFolder
from omokage.training.schedule import Budget, rate_at, set_rate

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class FinderConfig:
    """One training run.

    `records` are folders of rendered records (every 20th person stays out of training), `scenes` is how many scenes are
    drawn in all; `minutes` above 0 ends the run by the clock instead.
    """

    records: tuple[str, ...] = ("runs/records-wide", "runs/records")
    backdrops: str = ""  # a folder of square pictures without a face, at least `size` pixels; half of them held out
    out: str = "runs/finder"
    scenes: int = 120_000
    minutes: float = 0.0
    size: int = 192
    batch: int = 32
    rate: float = 2e-3
    warmup: int = 100
    decay: float = 1e-4
    box_weight: float = 1.5
    average: float = 0.998  # of the weights, per step
    bank: int = 500  # clutter pictures
    limit: int | None = None  # heads per folder
    seed: int = 0
    workers: int = 1
    threads: int = 1
    device: str = "auto"
    save_every: int = 250

    @property
    def steps(self) -> int:
        return max(1, self.scenes // self.batch)


def scene_source(config: FinderConfig, held_out: bool = False) -> SceneSource:
    """The scenes of a run: training heads, or those of the held-out people on other backgrounds."""
    heads = read_heads([Path(folder) for folder in config.records], config.limit, held_out)
    files = sorted(Path(config.backdrops).glob("*.*")) if config.backdrops else []
    pictures = [read_image(path) for path in files[held_out::2]]
    return SceneSource(heads, config.size, config.bank, config.seed + 1000 * held_out, pictures)


class SceneBatches(IterableDataset[Batch]):
    """Endless batches (n, 3, size, size) uint8 and their targets; scene k of a seed is always the same scene."""

    def __init__(self, source: SceneSource, config: FinderConfig, first_step: int = 0) -> None:
        self.source = source
        self.config = config
        self.first_step = first_step

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        if worker:
            cv2.setNumThreads(0)  # a loader process is one core
        step = self.first_step + (worker.id if worker else 0)
        while True:
            numbers = range(step * self.config.batch, (step + 1) * self.config.batch)
            scenes = [self.source.draw(np.random.default_rng((self.config.seed, 2, k))) for k in numbers]
            pictures = np.stack([scene.image for scene in scenes]).transpose(0, 3, 1, 2)
            wanted = np.stack([targets(scene) for scene in scenes])
            yield torch.from_numpy(np.ascontiguousarray(pictures)), torch.from_numpy(wanted)
            step += worker.num_workers if worker else 1


def train(config: FinderConfig, resume: bool = False) -> FinderNet:
    """Train and return the averaged network; progress and checkpoints go to the run folder `config.out`.

    Raises TrainingError when the folder already holds a run and `resume` is off, or when the loss stops being a number.
    """
    torch.set_num_threads(config.threads)
    seed_everything(config.seed)
    device = pick_device(config.device)
    run = RunFolder(config.out)
    run.begin(config, resume)
    net = FinderNet().to(device)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = WeightAverage(net, config.average)
    optimizer = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=config.decay)
    parts = {"net": net, "average": average.model}
    facts = (
        load_checkpoint(run.checkpoint, parts, optimizer) if run.checkpoint.exists() else {"step": 0, "seconds": 0.0}
    )
    step, budget = int(facts["step"]), Budget(config.steps, config.minutes, facts["seconds"])
    ahead = 4 if config.workers else None
    loader = DataLoader(
        SceneBatches(scene_source(config), config, step), None, num_workers=config.workers, prefetch_factor=ahead
    )
    batches = iter(loader)
    while budget.progress(step) < 1:
        set_rate(optimizer, rate_at(budget.progress(step), step, config.rate, config.warmup))
        score, box = train_step(net, next(batches), optimizer, config.box_weight, step)
        average.update(net, step)
        step += 1
        if step % 25 == 0:
            run.log(step=step, score_loss=score, box_loss=box, seconds=budget.seconds)
        if step % config.save_every == 0 or budget.progress(step) >= 1:
            save_checkpoint(run.checkpoint, parts, optimizer, {"step": step, "seconds": budget.seconds})
    return average.model


def train_step(
    net: FinderNet, batch: Batch, optimizer: torch.optim.Optimizer, box_weight: float, step: int
) -> tuple[float, float]:
    """One optimiser step; returns score loss and box loss. Raises TrainingError when they stop being numbers."""
    device = next(net.parameters()).device
    pictures = batch[0].to(device=device, dtype=torch.float32, memory_format=torch.channels_last) / 255
    logits, boxes = decode(net(pictures))
    score_loss, box_loss = finder_loss(logits, boxes, batch[1].to(device))
    loss = score_loss + box_weight * box_loss
    if not torch.isfinite(loss):
        raise TrainingError(f"the loss became {loss.item()} at step {step}; start again with a lower rate")
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimizer.step()
    return score_loss.item(), box_loss.item()
