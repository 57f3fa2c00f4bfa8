"""Flows over a picture: where each pixel of the result is taken from.

Places are x, y in -1..1 across the picture. What -1 and 1 mean is `align_corners`: True, the centres of the outermost
pixels; False, their outer edges. Samplers have changed their default over the years, so it is said in every call.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def identity_grid(height: int, width: int, align_corners: bool, device: torch.device | None = None) -> Tensor:
    """Each pixel's own place: (height, width, 2), x first. Raises ValueError for sides below 2 with aligned corners."""
    if align_corners and min(height, width) < 2:
        raise ValueError(f"corners of a {height} x {width} picture cannot be aligned: it needs two pixels a side")
    across, down = (_places(n, align_corners, device) for n in (width, height))
    y, x = torch.meshgrid(down, across, indexing="ij")
    return torch.stack([x, y], -1)


def _places(count: int, align_corners: bool, device: torch.device | None) -> Tensor:
    """Pixel centres (count,) in -1..1."""
    if align_corners:
        return torch.linspace(-1, 1, count, device=device)
    return (torch.arange(count, device=device) * 2 + 1) / count - 1


def sample(pictures: Tensor, grid: Tensor, align_corners: bool) -> Tensor:
    """Pictures (n, c, h, w) read at the places of `grid` (n, h', w', 2), bilinearly; beyond the edge, the edge's
    value."""
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=align_corners)


def to_size(maps: Tensor, size: int) -> Tensor:
    """Maps (n, c, h, w) enlarged bilinearly to (n, c, size, size)."""
    if maps.shape[-1] == size and maps.shape[-2] == size:
        return maps
    return F.interpolate(maps, (size, size), mode="bilinear", align_corners=False)


class GlobalFlow(nn.Module):
    """Two code parts (n, part) each to one smooth flow (n, size, size, 2), quadratic in x and y; nothing at first.

    Its twelve numbers hold every shift, scale, turn and shear, and to first order what a turning ellipsoid does: its
    depth, which moves pixels sideways under yaw and up under pitch, is quadratic in place.
    """

    basis: Tensor

    def __init__(self, part: int, size: int, hidden: int = 128) -> None:
        super().__init__()
        self.first = nn.Linear(2 * part, hidden)
        self.relu = nn.ReLU()
        self.last = nn.Linear(hidden, 12)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        x, y = identity_grid(size, size, False).unbind(-1)
        basis = torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y])
        self.register_buffer("basis", basis, persistent=False)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        numbers = self.last(self.relu(self.first(torch.cat([source, target], 1)))).view(-1, 2, 6)
        return torch.einsum("nck,khw->nhwc", numbers, self.basis)
