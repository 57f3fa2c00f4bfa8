"""The face encoder: trunk and sub-networks of the attributes room, whose weights it is lent."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from omokage.dialogue.config import NetworkConfig
from omokage.dialogue.readings import LAYOUT, readings
from omokage.nn.blocks import ConvUnit, DenseUnit
from omokage.nn.trunk import ResidualTrunk


class Reader(nn.Module):
    """A sub-network of the attributes room: (b, width, n, n) to features and to its raw answers (b, outputs); without
    a hidden layer the answers are the features."""

    def __init__(self, width: int, cells: int, squeeze: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.squeeze = ConvUnit(width, squeeze, 1)
        self.flatten = nn.Flatten()
        self.dense: nn.Module = DenseUnit(squeeze * cells, hidden) if hidden else nn.Identity()
        self.heads = nn.Linear(hidden or squeeze * cells, outputs)
        self.width = hidden or outputs

    def forward(self, found: Tensor) -> tuple[Tensor, Tensor]:
        features = self.dense(self.flatten(self.squeeze(found)))
        raw = self.heads(features)
        return raw if isinstance(self.dense, nn.Identity) else features, raw


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the encoder gives of pictures: a map (b, width, n, n), features of each reader, readings (b, names) before
    the tanh."""

    found: Tensor
    features: list[Tensor]
    readings: Tensor


class FaceEncoder(nn.Module):
    """Trunk and readers of the attributes room, for pictures (b, 3, s, s)."""

    def __init__(self, network: NetworkConfig) -> None:
        super().__init__()
        self.trunk = ResidualTrunk(network.stem, network.widths, network.blocks)
        self.cells = (network.size // self.trunk.stride) ** 2
        self.width = self.trunk.width_out
        made = {
            name: Reader(self.width, self.cells, squeeze, hidden, sum(width for _, width in LAYOUT[name]))
            for name, squeeze, hidden in network.readers
        }
        self.readers = nn.ModuleDict(made)
        self.widths = [reader.width for reader in made.values()]

    def forward(self, images: Tensor) -> Seen:
        found = self.trunk(images)
        read = {name: reader(found) for name, reader in self.readers.items()}
        return Seen(
            found, [features for features, _ in read.values()], readings({k: raw for k, (_, raw) in read.items()})
        )
