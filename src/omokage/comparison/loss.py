"""What the network is asked for: who it is (contrastive), and what changed (signed, with its own error).

Inter-personal: supervised contrastive loss (Khosla et al., NeurIPS 2020) over the batch, with codes of earlier batches
as further strangers (as in momentum contrast, He et al., CVPR 2020, without the second network). Intra-personal: the
distance between the predicted and the true signed change, which asks for direction and size at once.

That distance is squared, and counted in the usual size of each factor's change. With an absolute error the best answer
is the median, and the median change of a unit that moves in few pairs is nothing: weak evidence is then answered by 0
and never learnt from. A squared error asks for the mean, which stays in proportion to the evidence.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from omokage.comparison.config import COMPARED_UNITS, LossConfig
from omokage.comparison.data import Batch
from omokage.comparison.model import Changes, scales

_EYES = 3.0  # weight of each unit that is often asked for, against 1 of the others
_FAR = 2.0  # usual changes from which on an error counts linearly (Huber)
_LEAST = 0.03  # of a usual change, in units of `SCALES`
_MEMORY = 0.99  # of the usual changes from step to step
ASKED = ("browInnerUp", "browDown", "eyeBlink", "eyeWide", "jawOpen", "mouthSmile", "mouthFrown", "mouthPucker")


class ComparisonLoss(nn.Module):
    """Weighted sum of the parts. The queue of codes and the usual sizes of changes are part of its state, so that a
    resumed run is exact. Raises ValueError for an unknown `form`."""

    def __init__(self, config: LossConfig, identity: int) -> None:
        super().__init__()
        if config.form not in ("relative", "absolute"):
            raise ValueError(f"no such loss of changes: {config.form!r}")
        self.config = config
        self.register_buffer("queue", torch.zeros(config.queue, identity))
        self.register_buffer("owners", torch.full((config.queue,), -1, dtype=torch.long))
        self.register_buffer("at", torch.zeros((), dtype=torch.long))
        self.register_buffer("scales", scales())
        self.register_buffer("usual", torch.zeros(len(scales())))  # mean squared change, in units of `SCALES`
        self.register_buffer("seen", torch.zeros(len(scales())))  # steps that had the factor
        wanted = [_EYES if name.startswith(ASKED) else 1.0 for name in COMPARED_UNITS]
        units = torch.tensor(wanted) / sum(wanted) * config.units
        self.register_buffer("weights", torch.cat([units, torch.tensor([config.fatness, config.age])]))

    def forward(self, changes: Changes, codes: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its parts, all averaged. `changes` belong to `batch.pairs`, `codes` (b, identity) to its
        pictures."""
        config = self.config
        parts = self._intra(changes, batch)
        total = parts["units"] + parts["fatness"] + parts["age"] + config.spread * parts["spread"]
        if config.inter:
            parts["inter"] = self._inter(codes, batch.people)
            total = total + config.inter * parts["inter"]
        return total, parts

    def _intra(self, changes: Changes, batch: Batch) -> dict[str, Tensor]:
        target = batch.change / self.scales  # type: ignore[operator]
        known = torch.isfinite(target)
        target = torch.where(known, target, torch.zeros_like(target))
        mass = known * batch.weight[:, None]
        if self.config.form == "relative":
            size = self._usual(target, mass * (batch.people[batch.pairs[:, :1]] == batch.people[batch.pairs[:, 1:]]))
            error = 2 * F.huber_loss(changes.value / size, target / size, reduction="none", delta=_FAR) * mass
        else:
            error = F.smooth_l1_loss(changes.value, target, reduction="none", beta=0.1) * mass
        each = error.sum(0) / mass.sum(0).clamp(min=1e-6) * self.weights  # type: ignore[operator]
        sigma = changes.log_sigma.clamp(-6, 3)
        gap = (changes.value - target).abs().detach()
        spread = ((gap * torch.exp(-sigma) + sigma) * mass).sum() / mass.sum().clamp(min=1e-6)
        return {"units": each[:-2].sum(), "fatness": each[-2], "age": each[-1], "spread": spread}

    @torch.no_grad()
    def _usual(self, target: Tensor, own: Tensor) -> Tensor:
        """Root mean square change (factors,) between pictures of one person, over this step and those before."""
        total = own.sum(0)
        there = total > 0
        mean = (target.square() * own).sum(0) / total.clamp(min=1e-6)
        keep = (1 - 1 / (torch.as_tensor(self.seen) + 1)).clamp(max=_MEMORY)
        self.usual.copy_(torch.where(there, keep * self.usual + (1 - keep) * mean, self.usual))  # type: ignore[operator, arg-type]
        self.seen.add_(there.to(self.seen))  # type: ignore[operator, arg-type]
        return torch.as_tensor(self.usual).sqrt().clamp(min=_LEAST)

    def _inter(self, codes: Tensor, people: Tensor) -> Tensor:
        """Supervised contrastive loss; then the batch's codes take the oldest places of the queue. Who has a number
        below 0 is nobody's stranger and has no own pictures here."""
        others, owners = torch.cat([codes, self.queue.clone()]), torch.cat([people, self.owners])  # type: ignore[operator, list-item]
        logits = codes @ others.T / self.config.temperature
        own = torch.eye(len(codes), len(others), dtype=torch.bool, device=codes.device)
        usable = (owners >= 0)[None] & ~own
        logits = logits.masked_fill(~usable, -1e4)
        alike = (people[:, None] == owners[None]) & usable
        log_p = logits - torch.logsumexp(logits, 1, keepdim=True)
        loss = -(log_p * alike).sum(1) / alike.sum(1).clamp(min=1)
        known = people >= 0
        if len(self.queue):  # type: ignore[arg-type]
            self._enqueue(codes[known].detach(), people[known])
        return loss[known].sum() / known.sum().clamp(min=1)

    @torch.no_grad()
    def _enqueue(self, codes: Tensor, people: Tensor) -> None:
        size = len(self.queue)  # type: ignore[arg-type]
        places = (int(self.at) + torch.arange(len(codes), device=codes.device)) % size  # type: ignore[arg-type]
        self.queue[places] = codes  # type: ignore[operator]
        self.owners[places] = people  # type: ignore[operator]
        self.at.fill_((int(self.at) + len(codes)) % size)  # type: ignore[operator, arg-type]
