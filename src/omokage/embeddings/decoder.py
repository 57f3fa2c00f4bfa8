"""What turns the codes of a source and a target frame into a flow and into logits that say where it can be trusted.

`LightDecoder` is this project's: one body for both, at half the crop's resolution or less, as flows are smooth.
`PublishedDecoder` is FAb-Net's (Wiles et al. 2018): two bodies of the same shape at full resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from omokage.embeddings.config import DecoderConfig
from omokage.embeddings.flow import GlobalFlow, identity_grid, to_size
from omokage.nn.blocks import Add, ConvUnit


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """`grid`: places (n, size, size, 2) in the source that each pixel is taken from; `logits` (n, 1, size, size)."""

    grid: Tensor
    logits: Tensor


class LightDecoder(nn.Module):
    """Codes (n, width) of sources and targets to `Decoded`.

    The pose part of the codes gives a smooth global flow, the rest a local one of at most `reach`; without a pose part
    the whole code gives the local one.
    """

    grid: Tensor

    def __init__(self, config: DecoderConfig, size: int, width: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.precision: torch.dtype | None = None
        cells, first = max(size // 16, 2), config.widths[0]
        self.shape = (first, cells, cells)
        self.source = nn.Linear(width - config.pose, first * cells**2)
        self.target = nn.Linear(width - config.pose, first * cells**2)
        self.add = Add()
        body: list[nn.Module] = [nn.BatchNorm2d(first), nn.ReLU()]
        for before, wide in zip(config.widths, config.widths[1:], strict=False):
            body += [nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), ConvUnit(before, wide)]
        self.body = nn.Sequential(*body)
        self.head = nn.Conv2d(config.widths[-1], 3, 3, padding=1)
        nn.init.normal_(self.head.weight, std=1e-3)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        self.whole = GlobalFlow(config.pose, size) if config.pose else None
        self.register_buffer("grid", identity_grid(size, size, config.align_corners), persistent=False)

    def forward(self, source: Tensor, target: Tensor) -> Decoded:
        pose = self.config.pose
        seed = self.add(self.source(source[:, pose:]), self.target(target[:, pose:])).unflatten(1, self.shape)
        if self.precision is not None and self.training:
            with torch.autocast(seed.device.type, self.precision):
                maps = self.body(seed)
            maps = maps.float()
        else:
            maps = self.body(seed)
        # The head stays in float32: in bfloat16 a flow is rounded to a good part of a pixel.
        raw = self.head(maps)
        local = to_size(self.config.reach * torch.tanh(raw[:, :2]), self.size)
        grid = self.grid + local.permute(0, 2, 3, 1)
        if self.whole is not None:
            grid = grid + self.whole(source[:, :pose], target[:, :pose])
        return Decoded(grid, _bounded(to_size(raw[:, 2:], self.size), self.config))

    def flow_parameters(self) -> list[nn.Parameter]:
        """Nothing: flow and masks share their body, so the flow cannot rest while the masks learn."""
        return []


class PublishedDecoder(nn.Module):
    """FAb-Net's two decoders: blocks of ReLU, bilinear doubling and a 3x3 convolution, from one cell to the full crop.

    The flow is the identity plus a tanh, clamped to the picture; "bounded" logits end in a tanh, too. `size` must be a
    power of two of at least 16.
    """

    grid: Tensor

    def __init__(self, config: DecoderConfig, size: int, width: int) -> None:
        super().__init__()
        self.config = config
        self.precision: torch.dtype | None = None
        self.flow = _published_body(size, width, config.base, 2)
        self.mask = _published_body(size, width, config.base, 1)
        self.register_buffer("grid", identity_grid(size, size, config.align_corners), persistent=False)

    def forward(self, source: Tensor, target: Tensor) -> Decoded:
        codes = torch.cat([source, target], 1)[:, :, None, None]
        if self.precision is not None and self.training:
            with torch.autocast(codes.device.type, self.precision):
                flow, logits = self.flow(codes), self.mask(codes)
            flow, logits = flow.float(), logits.float()
        else:
            flow, logits = self.flow(codes), self.mask(codes)
        grid = (self.grid + torch.tanh(flow).permute(0, 2, 3, 1)).clamp(-1, 1)
        return Decoded(grid, _bounded(logits, self.config))

    def flow_parameters(self) -> list[nn.Parameter]:
        """What rests in the second stage."""
        return list(self.flow.parameters())


def _bounded(logits: Tensor, config: DecoderConfig) -> Tensor:
    """The logits, in -1..1 where the masks are "bounded"."""
    return torch.tanh(logits) if config.masks == "bounded" else logits


def _published_body(size: int, width: int, base: int, out: int) -> nn.Sequential:
    """Doublings from 1 x 1 to size x size; widths 8 x base, then 4, 2, 1 x base and `out`; batch norm on all but the
    last."""
    doublings = size.bit_length() - 1
    widths = [8 * base] * (doublings - 4) + [4 * base, 2 * base, base, out]
    layers: list[nn.Module] = []
    before = 2 * width
    for k, wide in enumerate(widths):
        layers += [nn.ReLU(), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)]
        layers.append(nn.Conv2d(before, wide, 3, padding=1))
        if k < doublings - 1:
            layers.append(nn.BatchNorm2d(wide))
        before = wide
    return nn.Sequential(*layers)
