"""A closer look at each landmark: what the trunk's finer maps show around the first guess moves it to its place.

One step of a cascade with features indexed by the shape (Cao et al., CVPR 2012; Sun et al., CVPR 2013) inside one
network: the head that sees the whole face guesses, the refiner reads nine cells around every guess and corrects it. It
starts as no correction at all, so a trained network without it can be gone on from.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from omokage.nn.blocks import Add, ConvUnit

_REACH = 0.05  # what 1 in the correction stands for, in halves of the crop


class PointRefiner(nn.Module):
    """Corrections of `count` points from maps of `widths` channels, finest first, each half the size of the one before.

    The maps are joined from the coarsest up (Lin et al., CVPR 2017) into one of `channels`; every point has its own
    linear reading of the 3 x 3 cells around it.
    """

    def __init__(self, widths: Sequence[int], count: int, channels: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(ConvUnit(width, channels, 1, relu=False) for width in widths)
        self.larger, self.add = nn.Upsample(scale_factor=2), Add()
        self.merge = ConvUnit(channels, channels, 3)
        self.weight = nn.Parameter(torch.zeros(count, 9 * channels, 3))
        steps = torch.tensor([-1.0, 0.0, 1.0])
        around = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).reshape(9, 2)
        self.register_buffer("around", around, persistent=False)

    def forward(self, maps: Sequence[Tensor], points: Tensor) -> Tensor:
        """(b, count, 3): what to add to x and y of `points` (b, count, 2; -1..1 across the crop) and to the log of
        their spread."""
        joined = self.laterals[-1](maps[-1])
        for lateral, one in zip(list(self.laterals)[-2::-1], list(maps)[-2::-1], strict=True):
            joined = self.add(lateral(one), self.larger(joined))
        field = self.merge(joined)
        cell = 2.0 / field.shape[-1]
        places = points.detach()[:, :, None] + cell * self.around.to(points)
        seen = F.grid_sample(field, places, padding_mode="border", align_corners=False)  # (b, channels, count, 9)
        flat = seen.permute(2, 0, 3, 1).flatten(2)  # (count, b, 9 * channels)
        moves = torch.bmm(flat, self.weight.to(flat)).permute(1, 0, 2)
        return moves * moves.new_tensor([_REACH, _REACH, 1.0])
