"""Features laid side by side, as a module that relevance can pass through."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


class Join(nn.Module):
    """Features (b, k1), (b, k2), ... as (b, k1 + k2 + ...)."""

    def forward(self, *features: Tensor) -> Tensor:
        return torch.cat(features, 1)


@dataclass(frozen=True, slots=True)
class Split:
    """Every feature keeps the relevance that it has behind a `Join`."""

    conserves: bool = True

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        return torch.split(relevance, [part.shape[1] for part in inputs], 1)
