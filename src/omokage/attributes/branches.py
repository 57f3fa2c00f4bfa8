"""What reads attributes that were learnt later than the network: from few labels, without a change to its answers."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from omokage.nn.blocks import ConvUnit, DenseUnit
from omokage.nn.trunk import ResidualTrunk


class SharedReadout(nn.Module):
    """Heads on what other sub-networks, the `donors`, make of the map: a linear probe that costs next to nothing."""

    def __init__(self, donors: Sequence[str], width_in: int, width_out: int) -> None:
        super().__init__()
        self.donors = tuple(donors)
        self.heads = nn.Linear(width_in, width_out)

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = self.heads(hidden)
        return out


class OwnStage(nn.Module):
    """A sub-network that has the trunk's last stage for itself; reads the map before that stage."""

    def __init__(self, units: nn.Sequential, reader: nn.Module) -> None:
        super().__init__()
        self.units, self.reader = units, reader

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.reader(self.units(features))
        return out


def last_stage(trunk: nn.Module) -> nn.Sequential:
    """A copy of a residual trunk's last stage. Raises ValueError for another trunk, or one of a single stage."""
    if not isinstance(trunk, ResidualTrunk) or len(trunk.ends) < 2:
        raise ValueError("only a residual trunk of two stages or more can lend its last one")
    return nn.Sequential(*copy.deepcopy(list(trunk.units)[trunk.ends[-2] + 1 :]))


@torch.no_grad()
def merged(squeezes: Sequence[ConvUnit], denses: Sequence[DenseUnit]) -> nn.Sequential:
    """Several sub-networks' way from the map to their hidden numbers as one: squeeze, flatten, dense. Their norms must
    be folded. Its dense layer holds a block for each and zeros between them: for explanations, not for speed."""
    convs = [unit.conv for unit in squeezes]
    squeeze = ConvUnit(convs[0].in_channels, sum(conv.out_channels for conv in convs), 1)
    squeeze.conv = nn.Conv2d(convs[0].in_channels, sum(conv.out_channels for conv in convs), 1)
    squeeze.conv.weight.copy_(torch.cat([conv.weight for conv in convs]))
    squeeze.conv.bias.copy_(torch.cat([_bias(conv) for conv in convs]))  # type: ignore[union-attr]
    layers = [unit.linear for unit in denses]
    dense = DenseUnit(sum(layer.in_features for layer in layers), sum(layer.out_features for layer in layers))
    dense.linear.weight.copy_(torch.block_diag(*(layer.weight for layer in layers)))  # type: ignore[no-untyped-call]
    dense.linear.bias.copy_(torch.cat([layer.bias for layer in layers]))
    squeeze.norm, dense.norm = nn.Identity(), nn.Identity()
    return nn.Sequential(squeeze, nn.Flatten(), dense)


def _bias(conv: nn.Conv2d) -> Tensor:
    return torch.zeros(conv.out_channels) if conv.bias is None else conv.bias
