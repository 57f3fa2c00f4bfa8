"""Self-training without labels: a student learns to say of changed pictures what the network says of the plain ones.

The teacher is the network as it was: its answers to each picture, the mean over mirror and shifts, are the labels (Xie
et al., "Self-training with Noisy Student", CVPR 2020). The student sees the same pictures with other light, colours,
sharpness and noise, and may only move the gains and offsets of the trunk's batch norms (Wang et al., "Tent", ICLR 2021,
moves the same numbers): a few thousand of the network's millions, so that little can be forgotten.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from omokage.attributes.model import AttributeNetwork
from omokage.data.photometry import Photometry, photographed
from omokage.pipeline.adapt_views import answers, inputs_of, plain

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Learning:
    """How long and how far a student learns; `change` is what happens to its pictures."""

    steps: int = 60
    batch: int = 24
    rate: float = 1e-3
    places: float = 1.0  # weight of keeping landmarks, pose, gaze and units where the teacher sees them
    change: Photometry = field(default_factory=lambda: Photometry(share=1.0, occlusion=0.0))
    seed: int = 0


def student(
    model: AttributeNetwork, teacher: AttributeNetwork, crops: Image, learning: Learning | None = None
) -> AttributeNetwork:
    """A copy of `model` that learnt from what `teacher` says of crops (n, size, size, 3)."""
    how = learning or Learning()
    said = torch.from_numpy(answers(teacher, crops).mean(0)).float()
    spread = said.std(0).clamp_min(1e-3)
    with torch.no_grad():
        parts = [_places(teacher, inputs_of(teacher, crops[k : k + 64])) for k in range(0, len(crops), 64)]
    there = torch.cat(parts)
    new, rng = copy.deepcopy(model), np.random.default_rng(how.seed)
    optimizer = torch.optim.Adam(_movable(new), lr=how.rate)
    for _ in range(how.steps):
        rows = rng.integers(0, len(crops), how.batch)
        changed = np.stack([photographed(crops[k], rng, how.change) for k in rows])
        inputs = inputs_of(new, changed)
        away = (plain(new, inputs) - said[rows].to(inputs.device)) / spread.to(inputs.device)
        moved = _places(new, inputs) - there[rows]
        optimizer.zero_grad()
        loss = nn.functional.huber_loss(away, torch.zeros_like(away)) + how.places * moved.square().mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return new.eval().requires_grad_(False)


def _movable(model: AttributeNetwork) -> list[nn.Parameter]:
    """Gains and offsets of the trunk's batch norms; nothing else keeps a gradient."""
    model.eval().requires_grad_(False)
    norms = [part for part in model.trunk.modules() if isinstance(part, nn.BatchNorm2d)]
    found = [p for norm in norms for p in (norm.weight, norm.bias)]
    for parameter in found:
        parameter.requires_grad_(True)
    return found


def _places(model: AttributeNetwork, inputs: Tensor) -> Tensor:
    """What light must not move (n, k): landmarks, rotations and vectors."""
    out = model.decode(model(inputs))
    parts = [*out.points.values(), *out.rotations.values(), *out.vectors.values()]
    return torch.cat([part.value.flatten(1) for part in parts], 1)
