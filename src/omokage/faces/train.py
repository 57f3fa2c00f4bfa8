"""Train the finder on composed scenes, then calibrate and score it."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from omokage.faces.config import ARCHITECTURE, FinderConfig, scene_source
from omokage.faces.network import FinderNet, decode
from omokage.faces.publish import publish
from omokage.faces.scenes import SceneSource
from omokage.faces.targets import finder_loss, targets
from omokage.training.average import WeightAverage
from omokage.training.device import pick_device, seed_everything
from omokage.training.loop import Learner, descend, run
from omokage.training.ranges import check_ranges
from omokage.training.run import RunFolder
from omokage.weights.registry import Card, load

Batch = tuple[Tensor, Tensor]
_CLIP = 5.0  # length of a gradient


class Steps(Dataset[Batch]):
    """Item k is the whole batch of step k: pictures (n, 3, size, size) uint8 and their targets (n, cells, 5)."""

    def __init__(self, source: SceneSource, config: FinderConfig) -> None:
        self.source, self.config = source, config

    def __getitem__(self, step: int) -> Batch:
        if get_worker_info():
            cv2.setNumThreads(0)  # a loader process is one core
        numbers = range(step * self.config.batch, (step + 1) * self.config.batch)
        scenes = [self.source.draw(np.random.default_rng((self.config.seed, 2, k))) for k in numbers]
        pictures = np.stack([scene.image for scene in scenes]).transpose(0, 3, 1, 2)
        wanted = np.stack([targets(scene) for scene in scenes])
        return torch.from_numpy(np.ascontiguousarray(pictures)), torch.from_numpy(wanted)


def train(config: FinderConfig, resume: bool = False) -> Card:
    """Train, then calibrate and score on held-out people; the run folder `config.out` gets log, checkpoint and weights.

    Raises TrainingError when the folder already holds a run and `resume` is off, when there are no heads to learn from
    or to score on, or when the loss stops being a number.
    """
    check_ranges(config)
    torch.set_num_threads(config.threads)
    seed_everything(config.seed)
    device = pick_device(config.device)
    folder = RunFolder(config.out)
    folder.begin(config, resume, (*config.records, *config.held_out))
    seen, unseen = (scene_source(config, held_out) for held_out in (False, True))  # what is missing is said now
    net = FinderNet(*ARCHITECTURE).to(device)
    if config.init:
        net.load_state_dict(load(config.init, "finder")[0])
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=config.decay)
    learner = Learner(net, WeightAverage(net, config.average), optimizer)
    average = run(
        config, learner, Steps(seen, config), config.workers,
        lambda batch: step_once(net, optimizer, batch, config.box_weight), folder, resume,
    )  # fmt: skip
    return publish(config, average, folder.path, unseen)


def step_once(
    net: FinderNet, optimizer: torch.optim.Optimizer, batch: Batch, box_weight: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """One optimizer step. Raises TrainingError when the loss is no longer a number."""
    device = next(net.parameters()).device
    pictures = batch[0].to(device=device, dtype=torch.float32, memory_format=torch.channels_last) / 255
    logits, boxes = decode(net(pictures))
    score_loss, box_loss = finder_loss(logits, boxes, batch[1].to(device))
    total = score_loss + box_weight * box_loss
    descend(net, optimizer, total, _CLIP)
    return total.detach(), {"score_loss": score_loss.detach(), "box_loss": box_loss.detach()}
