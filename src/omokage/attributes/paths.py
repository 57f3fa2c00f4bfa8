"""The modules that lie between the picture and the numbers of one attribute, as one chain: what explanations walk."""

from __future__ import annotations

import torch
from torch import nn

from omokage.attributes.branches import OwnStage, SharedReadout, merged
from omokage.attributes.model import AttributeNetwork, SubNetwork
from omokage.nn.folding import folded
from omokage.nn.trunk import ResidualTrunk


def path_to(model: AttributeNetwork, name: str) -> tuple[nn.Sequential, nn.Linear]:
    """The chain (b, 3, n, n) -> (b, hidden) behind an attribute, and the rows of its heads alone."""
    category, rows = rows_of(model, name)
    part = model.categories[category]
    if isinstance(part, SharedReadout):
        lent = [folded(model.categories[donor]) for donor in part.donors]
        squeezes, denses = [d.squeeze for d in lent], [d.dense for d in lent]
        body = nn.Sequential(model.trunk, merged(squeezes, denses).to(part.heads.weight))  # type: ignore[arg-type]
        heads = part.heads
    elif isinstance(part, OwnStage):
        assert isinstance(model.trunk, ResidualTrunk)
        assert isinstance(part.reader, SubNetwork)
        begin = model.trunk.units[: model.trunk.ends[-2] + 1]
        body = nn.Sequential(begin, part.units, part.reader.squeeze, part.reader.flatten, part.reader.dense)
        heads = part.reader.heads
    else:
        assert isinstance(part, SubNetwork)
        body = nn.Sequential(model.trunk, part.squeeze, part.flatten, part.dense)
        heads = part.heads
    return body, _copied(heads, rows)


def _copied(heads: nn.Linear, rows: slice) -> nn.Linear:
    """A copy of some rows of a linear layer."""
    readout = nn.Linear(heads.in_features, rows.stop - rows.start).to(heads.weight)
    with torch.no_grad():
        readout.weight.copy_(heads.weight[rows])
        readout.bias.copy_(heads.bias[rows])
    return readout


def rows_of(model: AttributeNetwork, name: str) -> tuple[str, slice]:
    """The category of an attribute, and where its raw numbers lie among those of the category's sub-network."""
    category = next(c for c, names in model.members.items() if name in names)
    first = 0
    for other in model.members[category]:
        if other == name:
            break
        first += model.widths[other]
    return category, slice(first, first + model.widths[name])
