"""Networks brought into a form that rules can work on, with the same answers: batch norms folded into their layers.

Every canonizer returns a copy; the network that was handed in is left as it was.
"""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import nn

from omokage.nn.folding import folded


def canonized(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode, without gradients, whose batch norms are part of the layer before them; the network
    itself where there is nothing to do.

    Units of `nn.blocks` are known as such; in an `nn.Sequential` a norm right behind a convolution or a linear layer is
    merged. A norm anywhere else stays, and propagation names it as a layer without a rule.
    """
    if not network.training and not any(_to_change(part) for part in network.modules()):
        return network
    network = folded(network)
    for part in network.modules():
        if getattr(part, "inplace", False):
            part.inplace = False  # type: ignore[assignment]  # it would overwrite what the record keeps
        if isinstance(part, nn.Sequential):
            _merge(part)
    return network


def _to_change(part: nn.Module) -> bool:
    return isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) or bool(getattr(part, "inplace", False))


def _merge(part: nn.Sequential) -> None:
    for before, name in pairwise(list(part._modules)):
        layer, norm = part._modules[before], part._modules[name]
        pair = (nn.Conv2d, nn.BatchNorm2d) if isinstance(layer, nn.Conv2d) else (nn.Linear, nn.BatchNorm1d)
        if not (isinstance(layer, pair[0]) and isinstance(norm, pair[1])) or norm.running_var is None:
            continue
        assert norm.running_mean is not None
        scale = torch.rsqrt(norm.running_var + norm.eps)
        shift = -norm.running_mean * scale
        if norm.affine:
            scale, shift = scale * norm.weight, shift * norm.weight + norm.bias
        merged = copy.deepcopy(layer)
        old = 0.0 if layer.bias is None else layer.bias
        merged.weight = nn.Parameter(layer.weight * scale.reshape(-1, *[1] * (layer.weight.dim() - 1)))
        merged.bias = nn.Parameter(old * scale + shift)
        part._modules[before], part._modules[name] = merged.requires_grad_(False), nn.Identity()
