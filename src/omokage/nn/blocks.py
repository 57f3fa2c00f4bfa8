"""Convolution, dense and residual units made of explicit modules only.

Nothing here calls a functional form or a bare ``+``: a method that walks the modules (relevance propagation, folding,
export) meets every operation that the network performs.
"""

from __future__ import annotations

from torch import Tensor, nn


class Add(nn.Module):
    """The sum of two tensors of one shape, as a module: where a skip connection meets its block."""

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return left + right


class ConvUnit(nn.Module):
    """Convolution, batch norm and, unless `relu` is False, a ReLU: (b, in, h, w) -> (b, out, h / stride, w /
    stride)."""

    def __init__(self, width_in: int, width_out: int, kernel: int = 3, stride: int = 1, relu: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width_in, width_out, kernel, stride, kernel // 2, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(width_out)
        self.relu: nn.Module = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self.norm(self.conv(x)))
        return out


class ResidualUnit(nn.Module):
    """Two 3x3 convolutions and a skip (a 1x1 convolution where the shape changes), joined by an explicit `Add`."""

    def __init__(self, width_in: int, width_out: int, stride: int = 1) -> None:
        super().__init__()
        self.first = ConvUnit(width_in, width_out, stride=stride)
        self.second = ConvUnit(width_out, width_out, relu=False)
        same = width_in == width_out and stride == 1
        self.skip: nn.Module = nn.Identity() if same else ConvUnit(width_in, width_out, 1, stride, relu=False)
        self.add = Add()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self.add(self.second(self.first(x)), self.skip(x)))
        return out


class DenseUnit(nn.Module):
    """Linear layer, batch norm, ReLU and dropout: (b, in) -> (b, out)."""

    def __init__(self, width_in: int, width_out: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = nn.Linear(width_in, width_out)
        self.norm: nn.Module = nn.BatchNorm1d(width_out)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.dropout(self.relu(self.norm(self.linear(x))))
        return out
