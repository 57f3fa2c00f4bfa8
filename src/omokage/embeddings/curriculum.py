"""Which targets take part in a step: a window over ranks of difficulty that moves from easy to hard (FAb-Net, 2018).

Published: the ranks are those of the losses in the batch, so that difficulty depends on the batch. Here as an
alternative: a pair of frames keeps a running difficulty (its loss over the mean loss of that time), and an item is
ranked by its pairs among the items of late. All state is in buffers, so a checkpoint holds it.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

from omokage.embeddings.config import CurriculumConfig, EmbeddingConfig

_FORGET = 0.5  # share of a pair's new loss in its difficulty
_LEVEL_FORGET = 0.02  # share of a batch in the mean loss of late
_RELEASED_CALLS = 11  # stalls past the last window before the released code's scheduler drops the rate


class Curriculum(nn.Module):
    """Chooses targets by difficulty, and keeps count of stalls for the published pace."""

    memory: Tensor
    recent: Tensor
    cursor: Tensor
    level: Tensor
    stage: Tensor
    best: Tensor
    stalls: Tensor
    calls: Tensor

    def __init__(self, config: CurriculumConfig, drop: str = "cosine") -> None:
        super().__init__()
        self.config, self.drop = config, drop
        slots = config.memory if config.difficulty == "running" else 1
        self.register_buffer("memory", torch.full((slots,), torch.nan))
        self.register_buffer("recent", torch.full((config.recent if slots > 1 else 1,), torch.nan))
        self.register_buffer("cursor", torch.zeros((), dtype=torch.long))
        self.register_buffer("level", torch.tensor(torch.nan))
        self.register_buffer("stage", torch.zeros((), dtype=torch.long))
        self.register_buffer("best", torch.tensor(torch.inf))
        self.register_buffer("stalls", torch.zeros((), dtype=torch.long))
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    @classmethod
    def of(cls, config: EmbeddingConfig) -> Curriculum:
        return cls(config.curriculum, config.drop)

    def window(self, progress: float) -> tuple[float, float]:
        """The ranks that take part at `progress` 0..1 of the run."""
        config = self.config
        if config.difficulty == "off":
            return 0.0, 1.0
        low, high = config.first
        if config.pace == "plateau":
            moved = config.shift * int(self.stage)
            return round(low + moved, 6), round(high + moved, 6)
        share = min(progress / config.until, 1.0) if config.until > 0 else 1.0
        return low + share * (config.last[0] - low), high + share * (config.last[1] - high)

    @torch.no_grad()
    def choose(self, losses: Tensor, frames: Tensor, progress: float) -> Tensor:
        """True for the targets (m,) that take part; at least one. Remembers what it saw.

        `losses` (m,) and `frames` (m, 1 + sources): the target's frame number, then its sources'. Several processes
        share what they saw, so that all remember the same.
        """
        if self.config.difficulty == "off":
            return torch.ones_like(losses, dtype=torch.bool)
        losses, window = losses.detach().float(), self.window(progress)
        if self.config.difficulty == "batch":
            return in_window(ranks_within(losses), window)
        every, keys, own = _from_all(losses), pair_keys(_from_all(frames), len(self.memory)), _rank()
        self.level.copy_(torch.where(self.level.isnan(), every.mean(), self.level.lerp(every.mean(), _LEVEL_FORGET)))
        relative = every / self.level.clamp(min=1e-9)
        known = self.memory[keys]
        difficulty = torch.where(known.isnan().all(1), relative, known.nanmean(1))
        mine = difficulty[own * len(losses) : (own + 1) * len(losses)]
        past = self.recent[~self.recent.isnan()]
        ranks = ranks_within(mine) if len(past) < 8 * len(mine) else ranks_among(mine, past)
        self._remember(keys, known, relative, difficulty)
        return in_window(ranks, window)

    def _remember(self, keys: Tensor, known: Tensor, relative: Tensor, difficulty: Tensor) -> None:
        new = relative[:, None].expand_as(known)
        self.memory[keys] = torch.where(known.isnan(), new, known.lerp(new, _FORGET))
        places = (self.cursor + torch.arange(len(difficulty), device=difficulty.device)) % len(self.recent)
        self.recent[places] = difficulty
        self.cursor += len(difficulty)

    def look(self, loss: float) -> None:
        """Tell the full-range validation loss: the published pace counts looks without improvement.

        A stall moves the window; at the last window it lets the rate drop (`drops`).
        """
        if loss < float(self.best):
            self.best.fill_(loss)
            self.stalls.zero_()
            return
        self.stalls += 1
        if int(self.stalls) <= self.config.patience:
            return
        self.stalls.zero_()
        if self.config.pace == "plateau" and not self.finished:
            self.stage += 1
            self.best.fill_(torch.inf)
        else:
            self.calls += 1

    @property
    def drops(self) -> int:
        """How often the rate has dropped by ten: at each stall past the last window ("paper"), or at each eleventh
        ("released", whose scheduler is asked only at stalls and has its own patience of ten)."""
        return int(self.calls) // (1 if self.drop == "paper" else _RELEASED_CALLS)

    @property
    def finished(self) -> bool:
        """Whether the published pace is at its last window (high end at 0.85 or above)."""
        return self.config.difficulty == "off" or self.window(0.0)[1] >= 0.85


def ranks_within(values: Tensor) -> Tensor:
    """The rank 0..1 of each value (m,) in its batch, in the middle of its place."""
    order = values.argsort(stable=True)
    ranks = torch.empty_like(values)
    ranks[order] = (torch.arange(len(values), device=values.device, dtype=values.dtype) + 0.5) / len(values)
    return ranks


def ranks_among(values: Tensor, past: Tensor) -> Tensor:
    """The share of `past` (n,) below each value (m,)."""
    return torch.searchsorted(past.sort().values, values).to(values.dtype) / len(past)


def in_window(ranks: Tensor, window: tuple[float, float]) -> Tensor:
    """True (m,) for ranks in [low, high), 1 included at the end; where none is, for the nearest one."""
    low, high = window
    inside = (ranks >= low) & ((ranks < high) | (high >= 1.0))
    if not inside.any():
        inside[(ranks - (low + high) / 2).abs().argmin()] = True
    return inside


def pair_keys(frames: Tensor, slots: int) -> Tensor:
    """A slot 0..slots-1 for each pair of a target and one of its sources: (m, 1 + sources) to (m, sources).

    Knuth's multiplicative hash. Two pairs in one slot share their difficulty, which costs nothing but sharpness.
    """
    mixed = (frames[:, :1] * 1_000_003 + frames[:, 1:]) % (1 << 31)
    return ((mixed * 2_654_435_761) >> 12) % slots


def _rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def _from_all(tensor: Tensor) -> Tensor:
    """The tensors of all processes, first process first."""
    if not dist.is_initialized():
        return tensor
    parts = [torch.empty_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, tensor.contiguous())
    return torch.cat(parts)
