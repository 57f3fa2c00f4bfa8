"""Batch norms folded into the layer before them: the same answers with fewer operations, for inference only."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

from omokage.nn.blocks import ConvUnit, DenseUnit

M = TypeVar("M", bound=nn.Module)


def folded(model: M) -> M:
    """A copy of `model` in evaluation mode whose `ConvUnit` and `DenseUnit` norms are folded into their weights."""
    model = copy.deepcopy(model).eval()
    for unit in model.modules():
        if isinstance(unit, ConvUnit) and isinstance(unit.norm, nn.BatchNorm2d):
            scale, shift = _affine(unit.norm)
            old = unit.conv
            size, stride, padding = old.kernel_size, old.stride, old.padding
            new = nn.Conv2d(old.in_channels, old.out_channels, size, stride, padding)  # type: ignore[arg-type]
            new.weight = nn.Parameter(old.weight.detach() * scale[:, None, None, None])
            new.bias = nn.Parameter(shift)
            unit.conv, unit.norm = new, nn.Identity()
        elif isinstance(unit, DenseUnit) and isinstance(unit.norm, nn.BatchNorm1d):
            scale, shift = _affine(unit.norm)
            unit.linear.weight = nn.Parameter(unit.linear.weight.detach() * scale[:, None])
            unit.linear.bias = nn.Parameter(unit.linear.bias.detach() * scale + shift)
            unit.norm = nn.Identity()
    return model.eval().requires_grad_(False)


def _affine(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """The scale and shift per channel that a norm applies in evaluation mode."""
    assert norm.running_var is not None
    assert norm.running_mean is not None
    scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias.detach() - norm.running_mean * scale
