"""The native network: a face encoder, an MLP projector to visual tokens, and a small decoder-only language model.

The arrangement is LLaVA's (Liu et al., NeurIPS 2023), as Face-MLLM (Sun et al., 2024) uses it; sizes are ours, small
enough to train on one CPU core, and so is that every layer glances at the picture (`Glancing`). Visual tokens are one
per cell of the trunk's map, so that a word like "mouth" can point at a place, and one per reader: what a sub-network of
the attributes room knows before it answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A picture as the language model gets it: visual tokens (b, n, hidden) and a glance for each of its layers (b,
    layers, hidden)."""

    tokens: Tensor
    glances: Tensor


class Projector(nn.Module):
    """Map and features as visual tokens (b, n * n + readers * tokens_each, hidden), by one small MLP for cells and one
    each for the readers; and, linearly, as one glance a layer."""

    def __init__(self, network: NetworkConfig, width: int, cells: int) -> None:
        super().__init__()
        self.hidden, self.each = network.hidden, network.tokens_each
        widths = [features for _, _, features in network.readers]
        self.cell_norm = nn.LayerNorm(width)
        self.norms = nn.ModuleList([nn.LayerNorm(features) for features in widths])
        self.cell = _mlp(width, self.hidden)
        self.faces = nn.ModuleList([_mlp(features, self.hidden, self.each) for features in widths])
        self.squeeze = nn.Linear(width, network.cell_squeeze)
        self.glance = nn.Linear(sum(widths) + cells * network.cell_squeeze, network.layers * self.hidden)
        self.count = cells + len(widths) * self.each
        self.place = nn.Parameter(torch.randn(self.count, self.hidden) * 0.02)
        self.drop = nn.Dropout1d(network.dropout)

    def forward(self, found: Tensor, features: Sequence[Tensor]) -> Look:
        cells = self.cell_norm(found.flatten(2).transpose(1, 2))
        known = [norm(x) for norm, x in zip(self.norms, features, strict=True)]
        faces = [mlp(x).view(len(x), self.each, -1) for mlp, x in zip(self.faces, known, strict=True)]
        tokens = self.drop(torch.cat([self.cell(cells), *faces], 1) + self.place)
        glances = self.glance(torch.cat([*known, self.squeeze(cells).flatten(1)], 1))
        return Look(tokens, glances.view(len(found), -1, self.hidden))


def _mlp(width: int, hidden: int, count: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, count * hidden))


class Glancing(nn.Module):
    """A layer of the language model, after which every token asks the picture: what it holds times what is seen.

    The product of words and picture (Kim et al., Hadamard product for low-rank bilinear pooling, ICLR 2017) is what
    attention alone finds only after very many questions; a small model on a small machine has not that many.
    """

    def __init__(self, layer: nn.Module, hidden: int) -> None:
        super().__init__()
        self.layer = layer
        self.norm = nn.RMSNorm(hidden)
        self.ask, self.tell = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden, bias=False)
        nn.init.normal_(self.tell.weight, std=0.02)
        self.glance: Tensor | None = None  # (b, hidden), of the pictures that the next pass is about

    def forward(self, hidden_states: Tensor, **arguments: Any) -> Tensor:
        out: Tensor = self.layer(hidden_states, **arguments)
        if self.glance is None:
            return out
        told: Tensor = self.tell(self.ask(self.norm(out)) * self.glance[:, None])
        return out + told


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
        self.language.layers = nn.ModuleList([Glancing(layer, network.hidden) for layer in self.language.layers])
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

    def see(self, images: Tensor) -> Look:
        """What the language model gets of prepared pictures (b, 3, s, s)."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and "encoder" in self.learning):
            found, features = self.encoder(images)
        out: Look = self.projector(found, features)
        return out

    def forward(self, images: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
        """Logits (n, vocabulary) at the `n` places of `rows` that have a target, and the places (n, 2) as row and
        token. `images` (r, 3, s, s) has a picture for each row; those of rows without one are not looked at."""
        with torch.autocast(images.device.type, self.precision, enabled=self.training and self.precision is not None):
            return self.read(self.see(images), rows)

    def read(self, look: Look, rows: Rows) -> tuple[Tensor, Tensor]:
        """The same from what `see` gave for each row."""
        visual = self.visual
        text = self.language.embed_tokens(rows.ids)
        inputs = torch.cat([look.tokens.to(text.dtype), text], 1)
        places = torch.arange(visual, device=rows.ids.device).expand(len(rows.ids), -1)
        positions = torch.cat([places, rows.place + visual], 1)
        allowed = attention(rows, visual)
        mask = torch.zeros(allowed.shape, dtype=inputs.dtype, device=inputs.device)
        mask.masked_fill_(~allowed, torch.finfo(inputs.dtype).min)
        self.glance(look.glances * rows.seen[:, None, None])
        out = self.language(inputs_embeds=inputs, attention_mask=mask, position_ids=positions, use_cache=False)
        self.glance(None)
        at = (rows.target >= 0).nonzero()
        picked = out.last_hidden_state[at[:, 0], at[:, 1] + visual]
        return self.logits(picked).float(), at

    def glance(self, glances: Tensor | None) -> None:
        """The pictures that the next passes are about (b, layers, hidden); None: no picture."""
        for number, layer in enumerate(self.language.layers):
            layer.glance = None if glances is None else glances[:, number]

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
