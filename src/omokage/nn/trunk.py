"""A small residual trunk: 3 x 112 x 112 -> widths[-1] x 7 x 7 (a stride of 16), or pictures twice as fine at nearly the
same price."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from torch import Tensor, nn

from omokage.nn.blocks import ConvUnit, ResidualUnit

STEM_KERNELS = {1: 3, 2: 7}  # side of the stem's kernel by `detail`


class ResidualTrunk(nn.Module):
    """A strided stem and one stage of residual units per entry of `widths`, each stage halving the map.

    With `detail` 2 the stem reads pictures of twice the side with a 7x7 kernel and a stride of 4, which holds every 3x3
    kernel on pictures halved by averaging (`nn.widening`): all later maps keep their size, so that fine skin and
    small movements cost one larger convolution.

    `width_out` is the number of channels, `stride` how many input pixels one cell of the map stands for. Raises
    ValueError when `widths` and `blocks` differ in length, or for another `detail`.
    """

    def __init__(
        self, stem: int = 24, widths: Sequence[int] = (48, 96, 192), blocks: Sequence[int] = (2, 2, 2), detail: int = 1
    ) -> None:
        super().__init__()
        if len(widths) != len(blocks):
            raise ValueError(f"{len(widths)} widths and {len(blocks)} block counts do not match")
        if detail not in STEM_KERNELS:
            raise ValueError(f"detail is 1 or 2, not {detail}")
        units: list[nn.Module] = [ConvUnit(3, stem, STEM_KERNELS[detail], 2 * detail)]
        width = stem
        for wide, count in zip(widths, blocks, strict=True):
            for k in range(count):
                units.append(ResidualUnit(width, wide, stride=2 if k == 0 else 1))
                width = wide
        self.units = nn.Sequential(*units)
        self.width_out = width
        self.widths = tuple(widths)
        self.ends = tuple(accumulate(blocks))  # the last unit of each stage
        self.stride = detail * 2 ** (1 + len(widths))

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
