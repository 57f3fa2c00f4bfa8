"""The network that learns: encode the frames of an item, warp each source towards the target, weigh, compare."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from omokage.embeddings.config import DecoderConfig, EmbeddingConfig
from omokage.embeddings.decoder import LightDecoder, PublishedDecoder
from omokage.embeddings.flow import sample, to_size
from omokage.embeddings.model import FaceEncoder
from omokage.nn.pictures import normalise

_FALLBACK_SIDE = 16
_NONE_AT_FIRST = -2.0  # a share of 4 % beside three sources


@dataclass(frozen=True, slots=True, eq=False)
class Rebuilt:
    """`pictures` (b, targets, 3, size, size) in 0..1; `weights` (b, targets, sources [+ 1], size, size), which sum to
    1, the last one that of no source where the masks can reject; `none` (b, targets), its mean, else 0."""

    pictures: Tensor
    weights: Tensor
    none: Tensor


class Blend(nn.Module):
    """Several warped sources to one picture by a softmax over the frames in every pixel (Wiles et al. 2018, with the
    choice of masks that `DecoderConfig` describes)."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.masks = config.masks
        if config.masks == "reject":
            self.none = nn.Parameter(torch.tensor(_NONE_AT_FIRST))
            self.painted = nn.Parameter(torch.zeros(3, _FALLBACK_SIDE, _FALLBACK_SIDE))

    def forward(self, warped: Tensor, logits: Tensor, sources: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Warped sources (m, n, 3, s, s), logits (m, n, s, s) and the sources themselves to picture (m, 3, s, s),
        weights (m, n or n + 1, s, s) and share of none (m,)."""
        if self.masks == "none":
            weights = torch.full_like(logits, 1 / logits.shape[1])
            return warped.mean(1), weights, warped.new_zeros(len(warped))
        if self.masks != "reject":
            weights = torch.softmax(logits, 1)
            return (warped * weights[:, :, None]).sum(1), weights, warped.new_zeros(len(warped))
        nothing = self.none.expand(len(logits), 1, *logits.shape[2:])
        weights = torch.softmax(torch.cat([logits, nothing], 1), 1)
        colour = sources.mean((1, 3, 4))[:, :, None, None]
        fallback = (colour + to_size(self.painted[None], warped.shape[-1])).clamp(0, 1)
        taken = (warped * weights[:, :-1, None]).sum(1)
        return taken + fallback * weights[:, -1:], weights, weights[:, -1].mean((1, 2))


class FabNet(nn.Module):
    """Encoder, decoder and blend. `forward` takes the pictures that codes are read off and those that are warped."""

    def __init__(self, config: EmbeddingConfig) -> None:
        super().__init__()
        size, width = config.encoder.size, config.encoder.width
        self.encoder = FaceEncoder(config.encoder)
        light = config.decoder.kind == "light"
        decoder = LightDecoder if light else PublishedDecoder
        self.decoder: LightDecoder | PublishedDecoder = decoder(config.decoder, size, width)
        self.blend = Blend(config.decoder)
        self.align_corners = config.decoder.align_corners
        self.pose = config.decoder.pose

    def set_precision(self, precision: torch.dtype | None) -> None:
        """Of the encoder's trunk and the decoder's maps while training; None = float32."""
        self.encoder.precision = precision
        self.decoder.precision = precision

    def forward(self, seen: Tensor, clean: Tensor, targets: int) -> Rebuilt:
        """`seen` (b, n, size, size, 3) uint8 is encoded, `clean` is warped; each of the first `targets` frames is
        rebuilt from the n - 1 others."""
        b, n = seen.shape[:2]
        codes = self.encoder(normalise(seen.flatten(0, 1))).view(b, n, -1)
        pictures = as_pictures(clean)
        target = [t for t in range(targets) for s in range(n) if s != t]
        source = [s for t in range(targets) for s in range(n) if s != t]
        decoded = self.decoder(codes[:, source].flatten(0, 1), codes[:, target].flatten(0, 1))
        sources = pictures[:, source]
        warped = sample(sources.flatten(0, 1), decoded.grid, self.align_corners)
        each = (b * targets, n - 1)
        out, weights, none = self.blend(
            warped.view(*each, *warped.shape[1:]),
            decoded.logits.reshape(*each, *warped.shape[2:]),
            sources.reshape(*each, *warped.shape[1:]),
        )
        return Rebuilt(*(x.view(b, targets, *x.shape[1:]) for x in (out, weights, none)))


def as_pictures(crops: Tensor) -> Tensor:
    """uint8 crops (..., size, size, 3) as pictures (..., 3, size, size) in 0..1."""
    return crops.movedim(-1, -3).float() / 255
