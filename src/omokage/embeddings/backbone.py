"""The published encoder's convolutions (FAb-Net, Wiles et al. 2018), for any crop side that is a power of two."""

from __future__ import annotations

from torch import Tensor, nn

_SLOPE = 0.2


class Rescale(nn.Module):
    """A prepared picture (-1..1) as the published network's input (0..1)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 0.5 + 0.5


class PublishedTrunk(nn.Module):
    """Convolutions 4x4 of stride 2 until one cell is left: (b, 3, size, size) -> (b, width, 1, 1).

    Widths grow from `base` by doubling to 8 x `base` and stay (32-64-128-256-256-256-256-256 at 256 px); leaky ReLU of
    slope 0.2 between, batch norm on all but the first and the last layer, nothing after the last.
    """

    def __init__(self, size: int, base: int, width: int) -> None:
        super().__init__()
        count = size.bit_length() - 1
        layers: list[nn.Module] = [Rescale()]
        before = 3
        for k in range(count):
            last = k == count - 1
            wide = width if last else base * 2 ** min(k, 3)
            if k:
                layers.append(nn.LeakyReLU(_SLOPE))
            layers.append(nn.Conv2d(before, wide, 4, 2, 1))
            if 0 < k < count - 1:
                layers.append(nn.BatchNorm2d(wide))
            before = wide
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out
