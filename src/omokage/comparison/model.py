"""The network: one trunk, a code that says who (inter-personal), and two states that meet (intra-personal).

What ComFace (Akamatsu et al., WACV 2025) publishes is the idea of two representations learnt together from synthetic
faces; its architecture is not public. Ours: the change from a to b is  d(b) - d(a) + g(a, b) - g(b, a)  with a linear
`d` and a network `g` in which both states meet, so that swapping the photographs flips every sign whatever the weights
are. What has no direction (the spread) is  g(a, b) + g(b, a). What else differs and what is only the day are not asked
of this network: two analyses tell them better (`pipeline.named_differences`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from omokage.comparison.config import COMPARED_UNITS, FACTORS, SCALES, NetworkConfig
from omokage.nn.blocks import Add, ConvUnit, DenseUnit
from omokage.nn.trunk import ResidualTrunk
from omokage.nn.widening import widened
from omokage.schema import UNITS


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is kept of a picture (b): its state (b, squeeze * cells + whole), its identity code (b, identity) of length
    1."""

    state: Tensor
    code: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What is said of pairs (b): signed changes and the natural log of their expected absolute error (b, factors), both
    in units of `SCALES`."""

    value: Tensor
    log_sigma: Tensor


class ComparisonNetwork(nn.Module):
    """`see` pictures once, then `compare` any two of them. Input as the attributes room's: RGB (b, 3, size, size),
    each channel (value - 127.5) / 127.5. Raises ValueError for an unknown kind of `intra`."""

    def __init__(self, network: NetworkConfig) -> None:
        super().__init__()
        if network.intra not in ("antisymmetric", "concatenated"):
            raise ValueError(f"no such comparison: {network.intra!r}")
        self.network = network
        self.precision: torch.dtype | None = None  # of the trunk while training; None = float32
        self.trunk = ResidualTrunk(network.stem, network.widths, network.blocks, network.detail)
        self.cells = (network.size // self.trunk.stride) ** 2
        width, state = self.trunk.width_out, network.squeeze * self.cells + network.whole
        self.squeeze = ConvUnit(width, network.squeeze, 1)
        self.whole_squeeze = ConvUnit(width, network.whole_squeeze, 1)
        self.whole = DenseUnit(network.whole_squeeze * self.cells, network.whole, network.dropout)
        self.flatten = nn.Flatten()
        self.direct = nn.Linear(state, len(FACTORS), bias=False)
        self.first = nn.Linear(state, network.view)
        self.second = nn.Linear(state, network.view, bias=False)
        self.meet = Add()
        self.bend = nn.ReLU()
        self.hidden = DenseUnit(network.view, network.hidden, network.dropout)
        self.heads = nn.Linear(network.hidden, 2 * len(FACTORS))
        self.identity_squeeze = ConvUnit(width, network.identity_squeeze, 1)
        self.identity = nn.Linear(network.identity_squeeze * self.cells, network.identity)
        # Features are positive, so that all codes would begin side by side, where a contrastive loss has no slope.
        self.centre = nn.BatchNorm1d(network.identity, affine=False)
        nn.init.zeros_(self.heads.weight)
        nn.init.normal_(self.direct.weight, std=1e-3)

    def maps(self, images: Tensor) -> Tensor:
        """The trunk's map (b, width, n, n), in `precision` while training."""
        if self.precision is None or not self.training:
            out: Tensor = self.trunk(images)
            return out
        with torch.autocast(images.device.type, self.precision):
            out = self.trunk(images)
        return out.float()

    def see(self, images: Tensor) -> Seen:
        """State and identity code of prepared pictures."""
        return self.read(self.maps(images))

    def read(self, found: Tensor) -> Seen:
        """The same from the trunk's maps."""
        code = self.centre(self.identity(self.flatten(self.identity_squeeze(found))))
        whole = self.whole(self.flatten(self.whole_squeeze(found)))
        return Seen(torch.cat([self.flatten(self.squeeze(found)), whole], 1), nn.functional.normalize(code, dim=1))

    def compare(self, before: Tensor, after: Tensor) -> Changes:
        """Changes from states `before` to states `after`, both as in `Seen`."""
        count, factors = len(before), len(FACTORS)
        both = self._met(torch.cat([before, after]), torch.cat([after, before]))
        there, back = both[:count], both[count:]
        sided = there[:, :factors], back[:, :factors]
        even = (there[:, factors:] + back[:, factors:]) / 2
        straight = self.direct(after) - self.direct(before)
        crossed = sided[0] - sided[1] if self.network.intra == "antisymmetric" else 2 * sided[0]
        return Changes(straight + crossed, even - 2)

    def _met(self, one: Tensor, other: Tensor) -> Tensor:
        """g(one, other): (b, 2 * factors)."""
        out: Tensor = self.heads(self.hidden(self.bend(self.meet(self.first(one), self.second(other)))))
        return out


def adopt(model: ComparisonNetwork, tensors: Mapping[str, Tensor]) -> list[str]:
    """Start from weights: of this room (all that fit), or of the attributes room; returns the names that were set.

    Of the attributes room come the trunk, the features behind its age and fatness, and, where its geometry reads
    expression units linearly off a map of the same width, that map with the rows of the units: the network then begins
    as the difference of two answers. A trunk with a wider stem or finer `detail` begins as the narrow one did.
    """
    own = model.state_dict()
    named = {new: t for name, t in tensors.items() if (new := _adopted_name(name)) in own}
    found = {name: t for name, old in named.items() if (t := _fitted(name, old, own[name])) is not None}
    heads = tensors.get(f"{_GEOMETRY}heads.weight")
    cells = own["squeeze.conv.weight"].shape[0] * model.cells
    if heads is not None and heads.shape[1] == cells and "squeeze.conv.weight" in found:
        rows = len(heads) - len(UNITS)  # landmarks come first in that head, units last
        direct = own["direct.weight"].clone()
        for k, name in enumerate(COMPARED_UNITS):
            direct[k, :cells] = heads[rows + UNITS.index(name)]
        found["direct.weight"] = direct
    model.load_state_dict({**own, **found})
    return sorted(found)


def _fitted(name: str, old: Tensor, fresh: Tensor) -> Tensor | None:
    """`old` as it is, or, of the trunk, carried into a wider or finer one; None when it does not fit."""
    return widened(old, fresh) if name.startswith("trunk.") or old.shape == fresh.shape else None


_GEOMETRY, _WHOLE = "categories.continuous-local-face.", "categories.ordinal-holistic."


def _adopted_name(name: str) -> str:
    """What a tensor of the attributes room is called here; other names stay."""
    for old, new in (
        (f"{_GEOMETRY}squeeze.", "squeeze."),
        (f"{_WHOLE}squeeze.", "whole_squeeze."),
        (f"{_WHOLE}dense.", "whole."),
    ):
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def scales() -> Tensor:
    """What 1 of the output stands for (factors,)."""
    return torch.tensor([SCALES[name] for name in FACTORS])


def architecture(model: ComparisonNetwork) -> dict[str, Any]:
    """The arguments that rebuild a model, for its card."""
    return {"network": asdict(model.network)}


def rebuilt(arguments: Mapping[str, Any]) -> ComparisonNetwork:
    """The model that `architecture` described."""
    network: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in arguments["network"].items()}
    return ComparisonNetwork(NetworkConfig(**network))
