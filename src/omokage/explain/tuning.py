"""Fine-tuning a small network on few labels, from where a linear probe left it.

Statistics of batch norms stay as they are: a few dozen pictures would only add noise to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from omokage.training.schedule import rate_at, set_rate

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Tuning:
    """How long and how far. Steps grow with the labels up to `most`; the rate falls as half a cosine."""

    rate: float = 5e-4
    decay: float = 0.02
    batch: int = 32
    passes: int = 20  # over the labels
    fewest: int = 60  # steps
    most: int = 400

    def steps(self, labels: int) -> int:
        return min(max(self.passes * labels // self.batch, self.fewest), self.most)


def fine_tuned(network: M, inputs: Tensor, targets: Tensor, tuning: Tuning | None = None, seed: int = 0) -> M:
    """`network` trained in place and returned in evaluation mode.

    `inputs` (n, views, ...) are several views of each picture, of which each step draws one; `targets` (n,) are class
    numbers (long) for a network of several outputs, or 0..1 (float) for one that says yes, or `targets` (n, 1) are
    values. Raises ValueError without labels.
    """
    how = tuning or Tuning()
    if not len(inputs):
        raise ValueError("nothing to learn from")
    device = next(network.parameters()).device
    network.requires_grad_(True).train()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.eval()
    optimizer = torch.optim.AdamW(network.parameters(), lr=how.rate, weight_decay=how.decay)
    steps, generator = how.steps(len(inputs)), torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # of dropout
        for step in range(steps):
            rows = torch.randint(len(inputs), (min(how.batch, 4 * len(inputs)),), generator=generator)
            views = torch.randint(inputs.shape[1], rows.shape, generator=generator)
            set_rate(optimizer, rate_at(step / steps, step, how.rate, 10))
            optimizer.zero_grad()
            said = network(inputs[rows, views].float().to(device))
            loss(said, targets[rows].to(device)).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return network.eval().requires_grad_(False)


def loss(said: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of classes, of yes/no, or squared error of values, by the form of the targets."""
    if targets.dim() == 2:
        return nn.functional.mse_loss(said, targets)
    if targets.dtype == torch.long:
        return nn.functional.cross_entropy(said, targets)
    return nn.functional.binary_cross_entropy_with_logits(said[:, 0], targets)


@torch.inference_mode()
def read_views(network: nn.Module, inputs: Tensor, batch: int = 64) -> Tensor:
    """Raw answers (n, k) to inputs (n, views, ...), averaged over the views."""
    device = next(network.parameters()).device
    parts = []
    for rows in torch.split(inputs, batch):
        seen = [network(rows[:, view].float().to(device)) for view in range(rows.shape[1])]
        parts.append(torch.stack(seen).mean(0).cpu())
    return torch.cat(parts)
