"""The native network: the face trunk, an MLP projector to visual tokens, and a small decoder-only language model.

The arrangement is LLaVA's (Liu et al., NeurIPS 2023), as Face-MLLM (Sun et al., 2024) uses it; sizes are ours, small
enough to train on one CPU core. Visual tokens are one per cell of the trunk's map, so that a word like "mouth" can
point at a place, and a few of the whole face through a bottleneck, which is how faces are read well elsewhere here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from omokage.dialogue.config import NetworkConfig
from omokage.dialogue.rows import Rows, attention
from omokage.errors import MissingExtraError
from omokage.nn.blocks import ConvUnit
from omokage.nn.trunk import ResidualTrunk

try:
    from transformers import LlamaConfig, LlamaForCausalLM
except ImportError as error:
    raise MissingExtraError("asking about a face in words", "dialogue") from error


class Projector(nn.Module):
    """The trunk's map (b, width, n, n) as visual tokens (b, n * n + whole, hidden)."""

    def __init__(self, network: NetworkConfig, width: int, cells: int) -> None:
        super().__init__()
        hidden = network.hidden
        self.norm = nn.LayerNorm(width)
        self.cell = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.squeeze = ConvUnit(width, network.squeeze, 1)
        self.face = nn.Sequential(
            nn.Flatten(),
            nn.Linear(network.squeeze * cells, network.bottleneck),
            nn.LayerNorm(network.bottleneck),
            nn.GELU(),
            nn.Linear(network.bottleneck, network.whole * hidden),
        )
        self.place = nn.Parameter(torch.randn(cells + network.whole, hidden) * 0.02)
        self.drop = nn.Dropout1d(network.dropout)
        self.count, self.whole = cells + network.whole, network.whole

    def forward(self, found: Tensor) -> Tensor:
        cells = self.cell(self.norm(found.flatten(2).transpose(1, 2)))
        face = self.face(self.squeeze(found)).view(len(found), self.whole, -1)
        return self.drop(torch.cat([cells, face], 1) + self.place)  # type: ignore[no-any-return]


class DialogueNetwork(nn.Module):
    """Pictures and rows of conversations to logits. Input as the attributes room's: RGB (b, 3, size, size), each
    channel (value - 127.5) / 127.5."""

    def __init__(self, network: NetworkConfig, vocabulary: int) -> None:
        super().__init__()
        self.network, self.vocabulary = network, vocabulary
        self.precision: torch.dtype | None = None  # while training; None = float32
        self.encoder = ResidualTrunk(network.stem, network.widths, network.blocks)
        cells = (network.size // self.encoder.stride) ** 2
        self.projector = Projector(network, self.encoder.width_out, cells)
        self.language = LlamaForCausalLM(language_config(network, vocabulary))
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
            found = self.encoder(images)
        out: Tensor = self.projector(found)
        return out

    def forward(self, images: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
        """Logits (n, vocabulary) at the `n` places of `rows` that have a target, and the places (n, 2) as row and
        token. `images` (r, 3, s, s) has a picture for each row; those of rows without one are not looked at."""
        with torch.autocast(images.device.type, self.precision, enabled=self.training and self.precision is not None):
            tokens = self.see(images)
            return self.read(tokens, rows)

    def read(self, tokens: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
        """The same from visual tokens (r, visual, hidden)."""
        visual, model = self.visual, self.language.model
        text = model.embed_tokens(rows.ids)
        inputs = torch.cat([tokens.to(text.dtype), text], 1)
        places = torch.arange(visual, device=rows.ids.device).expand(len(rows.ids), -1)
        positions = torch.cat([places, rows.place + visual], 1)
        allowed = attention(rows, visual)
        mask = torch.zeros(allowed.shape, dtype=inputs.dtype, device=inputs.device)
        mask.masked_fill_(~allowed, torch.finfo(inputs.dtype).min)
        out = model(inputs_embeds=inputs, attention_mask=mask, position_ids=positions, use_cache=False)
        at = (rows.target >= 0).nonzero()
        picked = out.last_hidden_state[at[:, 0], at[:, 1] + visual]
        return self.language.lm_head(picked).float(), at


def language_config(network: NetworkConfig, vocabulary: int) -> LlamaConfig:
    """The language model as a transformers configuration: a small Llama with tied embeddings."""
    return LlamaConfig(
        vocab_size=vocabulary, hidden_size=network.hidden, intermediate_size=network.intermediate,
        num_hidden_layers=network.layers, num_attention_heads=network.heads, num_key_value_heads=network.heads,
        max_position_embeddings=network.positions, tie_word_embeddings=True, attn_implementation="sdpa",
        pad_token_id=0, bos_token_id=None, eos_token_id=1,
    )  # fmt: skip


def adopt(model: DialogueNetwork, tensors: Mapping[str, Tensor]) -> int:
    """Take the trunk out of the attributes room's weights; returns how many tensors fitted."""
    own = model.encoder.state_dict()
    named = {name.removeprefix("trunk."): t for name, t in tensors.items() if name.startswith("trunk.")}
    found = {name: t for name, t in named.items() if name in own and own[name].shape == t.shape}
    model.encoder.load_state_dict({**own, **found})
    return len(found)


def normalise(images: Tensor) -> Tensor:
    """uint8 (b, size, size, 3) as the network's input: float (b, 3, size, size), channels last in memory."""
    return images.permute(0, 3, 1, 2).float().sub_(127.5).div_(127.5)


def weights_of(model: DialogueNetwork) -> dict[str, Tensor]:
    """What is written to a file: everything once (the output layer is the embedding)."""
    return {k: t for k, t in model.state_dict().items() if k != "language.lm_head.weight"}


def architecture(model: DialogueNetwork) -> dict[str, Any]:
    """The arguments that rebuild a model, for its card."""
    return {"network": asdict(model.network), "vocabulary": model.vocabulary}


def rebuilt(arguments: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> DialogueNetwork:
    """The model that `architecture` and `weights_of` described."""
    network: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in arguments["network"].items()}
    model = DialogueNetwork(NetworkConfig(**network), int(arguments["vocabulary"]))
    model.load_state_dict({**tensors, "language.lm_head.weight": tensors["language.model.embed_tokens.weight"]})
    return model
