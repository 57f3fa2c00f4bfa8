"""The trunk of DMTL (Han et al., TPAMI 2018): AlexNet's five convolutions, batch norm after each, and two dense layers.

The paper's body gives no layer widths in what could be read of it; those of AlexNet (Krizhevsky et al., 2012) are
taken. AlexNet's first convolution has a stride of 4 for pictures of 224 px; pictures here are about half as wide, so
the stride is 2 and every later map has AlexNet's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from omokage.nn.blocks import ConvUnit, DenseUnit

ALEXNET_WIDTHS = (96, 256, 384, 384, 256)
ALEXNET_DENSE = (4096, 4096)


class AlexTrunk(nn.Module):
    """Pictures (b, 3, size, size) to one vector per picture, shaped as a map of one cell: (b, dense[-1], 1, 1).

    `stem` and `widths` are the channels of the five convolutions (11x11, 5x5, 3x3, 3x3, 3x3; max-pooling after the
    first, second and fifth), `dense` the widths of the layers that follow. `width_out` and `stride` tell a builder
    what comes out: one cell that stands for the whole picture. Raises ValueError when there are not five convolutions,
    no dense layer, or too small a picture.
    """

    def __init__(self, size: int, stem: int, widths: Sequence[int], dense: Sequence[int], dropout: float = 0.5) -> None:
        super().__init__()
        if len(widths) != 4 or not dense:
            raise ValueError(f"5 convolutions and dense layers are needed, not {1 + len(widths)} and {len(dense)}")
        if size < 32:
            raise ValueError(f"pictures of {size} px vanish in this trunk: take at least 32")
        first, second, third, fourth = widths
        self.units = nn.Sequential(
            ConvUnit(3, stem, 11, 2),
            nn.MaxPool2d(3, 2),
            ConvUnit(stem, first, 5),
            nn.MaxPool2d(3, 2),
            ConvUnit(first, second),
            ConvUnit(second, third),
            ConvUnit(third, fourth),
            nn.MaxPool2d(3, 2),
            nn.Flatten(),
        )
        edges = [fourth * _cells(size) ** 2, *dense]
        self.dense = nn.Sequential(*(DenseUnit(a, b, dropout) for a, b in pairwise(edges)))
        self.as_map = nn.Unflatten(1, (dense[-1], 1, 1))
        self.width_out, self.stride = dense[-1], size

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.as_map(self.dense(self.units(x)))
        return out


def _cells(size: int) -> int:
    """Side of the last map: the strided convolution halves, each max-pooling of 3 with stride 2 takes (n - 3) // 2 +
    1."""
    side = (size + 1) // 2
    for _ in range(3):
        side = (side - 3) // 2 + 1
    return side
