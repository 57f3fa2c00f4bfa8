"""Train the finder on composed scenes: one visible loop."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from omokage.errors import TrainingError
from omokage.faces.config import ARCHITECTURE, FinderConfig, scene_source
from omokage.faces.network import FinderNet, decode
from omokage.faces.publish import publish
from omokage.faces.scenes import SceneSource
from omokage.faces.targets import finder_loss, targets
from omokage.training.average import WeightAverage
from omokage.training.checkpoint import load_checkpoint, save_checkpoint
from omokage.training.device import pick_device, seed_everything
from omokage.training.run import RunFolder
from omokage.training.schedule import Budget, rate_at, set_rate
from omokage.weights.registry import Card, load

Batch = tuple[Tensor, Tensor]


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


def train(config: FinderConfig, resume: bool = False) -> Card:
    """Train, then calibrate and score on held-out people; the run folder `config.out` gets log, checkpoint and weights.

    Raises TrainingError when the folder already holds a run and `resume` is off, or when the loss stops being a number.
    """
    torch.set_num_threads(config.threads)
    seed_everything(config.seed)
    device = pick_device(config.device)
    run = RunFolder(config.out)
    run.begin(config, resume)
    net = FinderNet(*ARCHITECTURE).to(device)
    if config.init:
        net.load_state_dict(load(config.init, "finder")[0])
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
    return publish(config, average.model, run.path)


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
