"""The network: a trunk and a code of length 1 whose cosine to another says how alike two people look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from omokage.comparison.verification.config import NetworkConfig
from omokage.nn.blocks import ConvUnit
from omokage.nn.trunk import ResidualTrunk


class VerificationNetwork(nn.Module):
    """RGB (b, 3, size, size), each channel (value - 127.5) / 127.5, to codes (b, code) of length 1."""

    def __init__(self, network: NetworkConfig) -> None:
        super().__init__()
        self.network = network
        self.precision: torch.dtype | None = None  # of the trunk while training; None = float32
        self.trunk = ResidualTrunk(network.stem, network.widths, network.blocks)
        cells = (network.size // self.trunk.stride) ** 2
        self.squeeze = ConvUnit(self.trunk.width_out, network.squeeze, 1)
        self.flatten = nn.Flatten()
        self.code = nn.Linear(network.squeeze * cells, network.code)
        # Features are positive, so that all codes would begin side by side.
        self.centre = nn.BatchNorm1d(network.code, affine=False)

    def forward(self, images: Tensor) -> Tensor:
        if self.precision is None or not self.training:
            found = self.trunk(images)
        else:
            with torch.autocast(images.device.type, self.precision):
                found = self.trunk(images)
        code = self.centre(self.code(self.flatten(self.squeeze(found.float()))))
        return nn.functional.normalize(code, dim=1)


def adopt(model: VerificationNetwork, tensors: Mapping[str, Tensor]) -> list[str]:
    """Start from weights of this kind, or from the trunk of the attributes room; returns the names that were set."""
    own = model.state_dict()
    found = {name: t for name, t in tensors.items() if name in own and t.shape == own[name].shape}
    model.load_state_dict({**own, **found})
    return sorted(found)


def architecture(model: VerificationNetwork) -> dict[str, Any]:
    """The arguments that rebuild a model, for its card."""
    return {"network": asdict(model.network)}


def rebuilt(arguments: Mapping[str, Any]) -> VerificationNetwork:
    """The model that `architecture` described."""
    network: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in arguments["network"].items()}
    return VerificationNetwork(NetworkConfig(**network))
