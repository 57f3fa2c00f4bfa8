"""What the network is asked for: each picture nearest to its own person's prototype, by a margin (CosFace: Wang et al.,
CVPR 2018), and photographs of strangers far from each other.

Rendered people teach what stays when light, pose, hair and years change. Nobody is on two photographs, so these teach
only what sets real people apart (the uniformity of Wang and Isola, ICML 2020, without its alignment): two cuts of one
photograph as a pair of one person taught the network to know photographs by their hair and light.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from omokage.comparison.verification.config import LossConfig


class VerificationLoss(nn.Module):
    """Weighted sum of both parts. Prototypes and the queue of photographs' codes are part of its state, so that a
    resumed run is exact."""

    queue: Tensor
    filled: Tensor
    steps: Tensor

    def __init__(self, config: LossConfig, people: int, width: int) -> None:
        super().__init__()
        self.config = config
        self.prototypes = nn.Parameter(F.normalize(torch.randn(people, width), dim=1))
        self.register_buffer("queue", torch.zeros(config.queue, width))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, codes: Tensor, people: Tensor, strangers: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its parts. `codes` (b, width) of `people` (b,) by number, `strangers` (s, width)."""
        parts = {"people": self._people(codes, people)}
        total = parts["people"]
        if len(strangers) and self.config.strangers:
            parts["strangers"] = self._strangers(strangers)
            total = total + self.config.strangers * parts["strangers"]
        self.steps.add_(1)
        return total, parts

    def _people(self, codes: Tensor, people: Tensor) -> Tensor:
        ripe = min(1.0, int(self.steps) / self.config.ramp) if self.config.ramp else 1.0
        cosine = codes @ F.normalize(self.prototypes, dim=1).T
        own = F.one_hot(people, len(self.prototypes)).to(cosine)
        return F.cross_entropy(self.config.scale * (cosine - ripe * self.config.margin * own), people)

    def _strangers(self, codes: Tensor) -> Tensor:
        """Log of the mean likeness to the others of the batch and the queue, which the codes then join."""
        earlier = self.queue[: min(int(self.filled), len(self.queue))].clone()
        logits = codes @ torch.cat([codes, earlier]).T / self.config.temperature
        itself = torch.eye(len(codes), logits.shape[1], dtype=torch.bool, device=codes.device)
        apart = torch.logsumexp(logits.masked_fill(itself, -1e4), 1).mean() - math.log(max(1, logits.shape[1] - 1))
        self._enqueue(codes.detach())
        return apart

    @torch.no_grad()
    def _enqueue(self, codes: Tensor) -> None:
        size = len(self.queue)
        if not size:
            return
        places = (int(self.filled) + torch.arange(len(codes), device=codes.device)) % size
        self.queue[places] = codes
        self.filled.add_(len(codes))
