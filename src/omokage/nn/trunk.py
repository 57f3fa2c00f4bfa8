"""A small residual trunk for 112 px faces: 3 x 112 x 112 -> widths[-1] x 7 x 7 (a stride of 16)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from torch import Tensor, nn

from omokage.nn.blocks import ConvUnit, ResidualUnit


class ResidualTrunk(nn.Module):
    """A strided stem and one stage of residual units per entry of `widths`, each stage halving the map.

    `width_out` is the number of channels, `stride` how many input pixels one cell of the map stands for. Raises
    ValueError when `widths` and `blocks` differ in length.
    """

    def __init__(
        self, stem: int = 24, widths: Sequence[int] = (48, 96, 192), blocks: Sequence[int] = (2, 2, 2)
    ) -> None:
        super().__init__()
        if len(widths) != len(blocks):
            raise ValueError(f"{len(widths)} widths and {len(blocks)} block counts do not match")
        units: list[nn.Module] = [ConvUnit(3, stem, 3, 2)]
        width = stem
        for wide, count in zip(widths, blocks, strict=True):
            for k in range(count):
                units.append(ResidualUnit(width, wide, stride=2 if k == 0 else 1))
                width = wide
        self.units = nn.Sequential(*units)
        self.width_out = width
        self.widths = tuple(widths)
        self.ends = tuple(accumulate(blocks))  # the last unit of each stage
        self.stride = 2 ** (1 + len(widths))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.units(x)
        return out

    def stages(self, x: Tensor) -> list[Tensor]:
        """The map after each stage, finest first; the last one is what `forward` gives."""
        maps: list[Tensor] = []
        for k, unit in enumerate(self.units):
            x = unit(x)
            if k in self.ends:
                maps.append(x)
        return maps
