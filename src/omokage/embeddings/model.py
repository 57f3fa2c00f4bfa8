"""The encoder: one face crop to 256 numbers. Its weights and card are written and read here.

`FaceEncoder` is all that is needed to embed a face; the decoders (`decoder`) exist only while it learns. Every
operation is a module, so that relevance can be followed through it and it can be folded and exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from omokage.embeddings.backbone import PublishedTrunk
from omokage.embeddings.config import EncoderConfig
from omokage.errors import WeightsError
from omokage.nn.blocks import ConvUnit
from omokage.nn.trunk import ResidualTrunk
from omokage.weights import registry

MODEL = "encoder"  # the name of weight file and card


class FaceEncoder(nn.Module):
    """Prepared crops (n, 3, size, size), each channel (value - 127.5) / 127.5, to codes (n, 256).

    Crops are those of `faces.align.crop_landmarks(image, landmarks, config.size, config.margin)`: upright, the
    attributes room's crop. `precision` is the trunk's while training (None = float32); evaluation is always float32.
    """

    def __init__(self, config: EncoderConfig = EncoderConfig()) -> None:  # noqa: B008 (frozen)
        super().__init__()
        self.config = config
        self.precision: torch.dtype | None = None
        if config.trunk == "residual":
            trunk = ResidualTrunk(config.stem, config.widths, config.blocks)
            cells = (config.size // trunk.stride) ** 2
            self.trunk: nn.Module = trunk
            self.squeeze: nn.Module = ConvUnit(trunk.width_out, config.squeeze, 1)
            self.code: nn.Module = nn.Linear(config.squeeze * cells, config.width)
        elif config.trunk == "published":
            self.trunk = PublishedTrunk(config.size, config.base, config.width)
            self.squeeze, self.code = nn.Identity(), nn.Identity()
        else:
            raise ValueError(f"no such trunk: {config.trunk!r}")
        self.flatten = nn.Flatten()

    def forward(self, images: Tensor) -> Tensor:
        reduced = self.precision if self.training else None
        if reduced is None:
            features = self.trunk(images)
        else:
            with torch.autocast(images.device.type, reduced):
                features = self.trunk(images)
            features = features.float()
        out: Tensor = self.code(self.flatten(self.squeeze(features)))
        return out


def encoder_card(encoder: FaceEncoder, **facts: Any) -> registry.Card:
    """A card that rebuilds this encoder; `facts` are the other fields of `weights.registry.Card`."""
    config = encoder.config
    preprocessing = {"size": config.size, "margin": config.margin, "mean": 127.5, "std": 127.5}
    return registry.Card(model=MODEL, architecture=asdict(config), preprocessing=preprocessing, **facts)


def save_encoder(folder: Path, encoder: FaceEncoder, **facts: Any) -> registry.Card:
    """Write ``encoder.safetensors`` (fp16) and ``encoder.json``; returns the completed card."""
    return registry.save(folder, encoder.state_dict(), encoder_card(encoder, **facts))


def load_encoder(weights: str | Path) -> FaceEncoder:
    """The encoder of a weights folder or a shipped set's name, ready to embed (eval mode). Raises WeightsError."""
    tensors, card = registry.load(weights, MODEL)
    return rebuilt(card.architecture, tensors)


def rebuilt(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> FaceEncoder:
    """The encoder that a card's `architecture` describes, with its weights. Raises WeightsError when they do not
    fit."""
    try:
        encoder = FaceEncoder(EncoderConfig.from_json(architecture))
        encoder.load_state_dict(dict(tensors))
    except (TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"the encoder's weights do not fit its card ({error}); restore the files or train again"
        ) from error
    return encoder.eval().requires_grad_(False)
