"""The native network: a face encoder, an MLP projector to visual tokens, and a small decoder-only language model.

The arrangement is LLaVA's (Liu et al., NeurIPS 2023), as Face-MLLM (Sun et al., 2024) uses it; sizes are ours, small
enough to train on one CPU core. Visual tokens are one per cell of the trunk's map, so that a word like "mouth" can
point at a place, and a few per reader: what a sub-network of the attributes room knows before it answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from omokage.dialogue.config import NetworkConfig
from omokage.dialogue.rows import Rows, attention
from omokage.errors import MissingExtraError
from omokage.nn.blocks import ConvUnit, DenseUnit
from omokage.nn.trunk import ResidualTrunk

try:
    from transformers import LlamaConfig, LlamaModel
except ImportError as error:
    raise MissingExtraError("asking about a face in words", "dialogue") from error


_GEOMETRY = "continuous-local-face"


class Reader(nn.Module):
    """A sub-network of the attributes room without its answers: (b, width, n, n) to (b, features)."""

    def __init__(self, width: int, cells: int, squeeze: int, features: int, linear: bool) -> None:
        super().__init__()
        self.squeeze = ConvUnit(width, squeeze, 1)
        self.flatten = nn.Flatten()
        size = squeeze * cells
        self.dense: nn.Module = nn.Linear(size, features) if linear else DenseUnit(size, features)

    def forward(self, found: Tensor) -> Tensor:
        out: Tensor = self.dense(self.flatten(self.squeeze(found)))
        return out


class FaceEncoder(nn.Module):
    """Trunk and readers: pictures (b, 3, s, s) to a map (b, width, n, n) and the readers' features."""

    def __init__(self, network: NetworkConfig) -> None:
        super().__init__()
        self.trunk = ResidualTrunk(network.stem, network.widths, network.blocks)
        self.cells = (network.size // self.trunk.stride) ** 2
        self.width = self.trunk.width_out
        self.readers = nn.ModuleDict(
            {
                name: Reader(self.width, self.cells, squeeze, features, name == _GEOMETRY)
                for name, squeeze, features in network.readers
            }
        )

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        found = self.trunk(images)
        return found, [reader(found) for reader in self.readers.values()]


class Projector(nn.Module):
    """Map and features as visual tokens (b, n * n + readers * tokens_each, hidden), by one small MLP for cells and one
    each for the readers."""

    def __init__(self, network: NetworkConfig, width: int, cells: int) -> None:
        super().__init__()
        hidden = network.hidden
        self.cell = _mlp(width, hidden)
        self.each = network.tokens_each
        self.faces = nn.ModuleList([_mlp(width, hidden, self.each) for _, _, width in network.readers])
        self.count = cells + len(self.faces) * self.each
        self.place = nn.Parameter(torch.randn(self.count, hidden) * 0.02)
        self.drop = nn.Dropout1d(network.dropout)

    def forward(self, found: Tensor, features: Sequence[Tensor]) -> Tensor:
        cells = self.cell(found.flatten(2).transpose(1, 2))
        faces = [mlp(x).view(len(x), self.each, -1) for mlp, x in zip(self.faces, features, strict=True)]
        out: Tensor = self.drop(torch.cat([cells, *faces], 1) + self.place)
        return out


def _mlp(width: int, hidden: int, count: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, count * hidden))


class DialogueNetwork(nn.Module):
    """Pictures and rows of conversations to logits. Input as the attributes room's: RGB (b, 3, size, size), each
    channel (value - 127.5) / 127.5."""

    def __init__(self, network: NetworkConfig, vocabulary: int) -> None:
        super().__init__()
        self.network, self.vocabulary = network, vocabulary
        self.precision: torch.dtype | None = None  # while training; None = float32
        self.encoder = FaceEncoder(network)
        self.projector = Projector(network, self.encoder.width, self.encoder.cells)
        self.language = LlamaModel(language_config(network, vocabulary))
        self.learning: frozenset[str] = frozenset()

    @property
    def visual(self) -> int:
        """How many tokens a picture is."""
        return self.projector.count

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """The parts that a stage may train or freeze."""
        yield from (("encoder", self.encoder), ("projector", self.projector), ("language", self.language))

    def freeze(self, learning: frozenset[str]) -> None:
        """Only these parts learn; the norms of the others keep what they have seen."""
        self.learning = learning
        for name, part in self.parts():
            part.requires_grad_(name in learning)

    def train(self, mode: bool = True) -> DialogueNetwork:
        super().train(mode)
        for name, part in self.parts():
            if mode and name not in self.learning:
                part.eval()
        return self

    def see(self, images: Tensor) -> Tensor:
        """Visual tokens (b, visual, hidden) of prepared pictures."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and "encoder" in self.learning):
            found, features = self.encoder(images)
        out: Tensor = self.projector(found, features)
        return out

    def forward(self, images: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
        """Logits (n, vocabulary) at the `n` places of `rows` that have a target, and the places (n, 2) as row and
        token. `images` (r, 3, s, s) has a picture for each row; those of rows without one are not looked at."""
        with torch.autocast(images.device.type, self.precision, enabled=self.training and self.precision is not None):
            tokens = self.see(images)
            return self.read(tokens, rows)

    def read(self, tokens: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
        """The same from visual tokens (r, visual, hidden)."""
        visual = self.visual
        text = self.language.embed_tokens(rows.ids)
        inputs = torch.cat([tokens.to(text.dtype), text], 1)
        places = torch.arange(visual, device=rows.ids.device).expand(len(rows.ids), -1)
        positions = torch.cat([places, rows.place + visual], 1)
        allowed = attention(rows, visual)
        mask = torch.zeros(allowed.shape, dtype=inputs.dtype, device=inputs.device)
        mask.masked_fill_(~allowed, torch.finfo(inputs.dtype).min)
        out = self.language(inputs_embeds=inputs, attention_mask=mask, position_ids=positions, use_cache=False)
        at = (rows.target >= 0).nonzero()
        picked = out.last_hidden_state[at[:, 0], at[:, 1] + visual]
        return self.logits(picked).float(), at

    def logits(self, hidden: Tensor) -> Tensor:
        """What comes next (..., vocabulary) after hidden states (..., hidden): the output layer is the embedding."""
        return nn.functional.linear(hidden, self.language.embed_tokens.weight)


def language_config(network: NetworkConfig, vocabulary: int) -> LlamaConfig:
    """The language model as a transformers configuration: a small Llama with tied embeddings."""
    return LlamaConfig(
        vocab_size=vocabulary, hidden_size=network.hidden, intermediate_size=network.intermediate,
        num_hidden_layers=network.layers, num_attention_heads=network.heads, num_key_value_heads=network.heads,
        max_position_embeddings=network.positions, tie_word_embeddings=True, attn_implementation="sdpa",
        pad_token_id=0, bos_token_id=None, eos_token_id=1,
    )  # fmt: skip


def adopt(model: DialogueNetwork, tensors: Mapping[str, Tensor]) -> int:
    """Take trunk and readers out of the attributes room's weights; returns how many tensors fitted.

    Where a sub-network answers without a layer between (geometry), its answers are the reader's features.
    """
    own = model.encoder.state_dict()
    found = {}
    for name, t in tensors.items():
        new = name.replace("categories.", "readers.", 1)
        if new.startswith(f"readers.{_GEOMETRY}.heads."):
            new = new.replace(".heads.", ".dense.")
        if new in own and own[new].shape == t.shape:
            found[new] = t
    model.encoder.load_state_dict({**own, **found})
    return len(found)


def normalise(images: Tensor) -> Tensor:
    """uint8 (b, size, size, 3) as the network's input: float (b, 3, size, size), channels last in memory."""
    return images.permute(0, 3, 1, 2).float().sub_(127.5).div_(127.5)


def architecture(model: DialogueNetwork) -> dict[str, Any]:
    """The arguments that rebuild a model, for its card."""
    return {"network": asdict(model.network), "vocabulary": model.vocabulary}


def rebuilt(arguments: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> DialogueNetwork:
    """The model that `architecture` described, with its weights."""
    network: dict[str, Any] = {k: _tuples(v) for k, v in arguments["network"].items()}
    model = DialogueNetwork(NetworkConfig(**network), int(arguments["vocabulary"]))
    model.load_state_dict(tensors)
    return model


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list | tuple) else value
