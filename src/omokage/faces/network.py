"""The finder's network: a small fully convolutional net that says at every cell "a face is centred here, and this is
its box".

A strided stem, four stages with outputs at strides 8, 16, 32 and 64, a top-down pathway (feature pyramid, Lin et al.
2017) and one anchor-free head per stride (FCOS, Tian et al. 2019). Every operation is a module, so that the network can
be exported, fused or propagated through.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32, 64)
_PRIOR = 0.01  # a cell's face probability before training: most cells are background (focal loss, Lin et al. 2017)


class Add(nn.Module):
    """Sum of two tensors as a module."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class ConvUnit(nn.Sequential):
    """Convolution, batch norm, ReLU; `groups` = channels makes it depthwise."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class Separable(nn.Module):
    """Residual block: a depthwise and a pointwise convolution beside the identity."""

    def __init__(self, channels: int, kernel: int = 5) -> None:
        super().__init__()
        self.spatial = ConvUnit(channels, channels, kernel, groups=channels)
        self.mix = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.add = Add()
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.add(x, self.mix(self.spatial(x))))
        return out


class Head(nn.Module):
    """One stride's answers (batch, 5, h, w): face logit, log distances from the cell to left, top, right, bottom."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.tower = Separable(channels, 3)
        self.score = nn.Conv2d(channels, 1, 1)
        self.box = nn.Conv2d(channels, 4, 1)
        nn.init.constant_(self.score.bias, -math.log((1 - _PRIOR) / _PRIOR))  # type: ignore[arg-type]
        nn.init.constant_(self.box.bias, math.log(2.0))  # type: ignore[arg-type]
        nn.init.normal_(self.box.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        x = self.tower(x)
        return torch.cat([self.score(x), self.box(x)], 1)


class FinderNet(nn.Module):
    """RGB (batch, 3, h, w) in 0..1, sides multiples of 64 -> one (batch, 5, h/s, w/s) map for each stride s in
    `STRIDES`.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (48, 96, 128, 128), pyramid: int = 48) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvUnit(3, 16, 3, 2), ConvUnit(16, 24, 3, 2))
        inputs = (24, *widths[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(ConvUnit(a, b, 3, 2), *(Separable(b) for _ in range(depth)))
            for a, b, depth in zip(inputs, widths, (2, 3, 3, 2), strict=True)
        )
        self.lateral = nn.ModuleList(
            nn.Sequential(nn.Conv2d(w, pyramid, 1, bias=False), nn.BatchNorm2d(pyramid)) for w in widths
        )
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.merge = nn.ModuleList(Add() for _ in widths[:-1])
        self.heads = nn.ModuleList(Head(pyramid) for _ in widths)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        levels = []
        for stage, lateral in zip(self.stages, self.lateral, strict=True):
            x = stage(x)
            levels.append(lateral(x))
        for i in reversed(range(len(self.merge))):
            levels[i] = self.merge[i](levels[i], self.up(levels[i + 1]))
        return [head(level) for head, level in zip(self.heads, levels, strict=True)]


def decode(maps: list[Tensor]) -> tuple[Tensor, Tensor]:
    """All cells of all strides: face logits (batch, cells), boxes (batch, cells, 4) x0, y0, x1, y1 in input pixels."""
    logits, boxes = [], []
    for stride, level in zip(STRIDES, maps, strict=True):
        height, width = level.shape[2:]
        x = (torch.arange(width, device=level.device) + 0.5) * stride
        y = (torch.arange(height, device=level.device) + 0.5) * stride
        reach = level[:, 1:].clamp(-4, 4).exp() * stride
        edges = [x - reach[:, 0], y[:, None] - reach[:, 1], x + reach[:, 2], y[:, None] + reach[:, 3]]
        logits.append(level[:, 0].flatten(1))
        boxes.append(torch.stack(edges, -1).flatten(1, 2))
    return torch.cat(logits, 1), torch.cat(boxes, 1)


def fused(net: FinderNet) -> FinderNet:
    """Fold each batch norm into the convolution before it, in place: same answers, fewer operations."""
    net.eval()
    for module in net.modules():
        if isinstance(module, nn.Sequential):
            for i in range(len(module) - 1):
                conv, norm = module[i], module[i + 1]
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    module[i] = torch.nn.utils.fusion.fuse_conv_bn_eval(conv, norm)
                    module[i + 1] = nn.Identity()
    return net
