"""The native network: a face encoder, an MLP projector to visual tokens, and a small decoder-only language model.

The arrangement is LLaVA's (Liu et al., NeurIPS 2023), as Face-MLLM (Sun et al., 2024) uses it; sizes are ours, small
enough to train on one CPU core. Visual tokens are one per cell of the trunk's map, so that a word like "mouth" can
point at a place, and one per sub-network. Beside them every layer can look up single readings by their word
(`Looking`): with attention to visual tokens alone, half an hour of training did not learn to read a face at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from omokage.dialogue.config import NetworkConfig
from omokage.dialogue.encoder import FaceEncoder, Seen
from omokage.dialogue.readings import HUES, NAMES, coloured
from omokage.dialogue.rows import Rows, attention
from omokage.dialogue.tokenizer import Words
from omokage.errors import MissingExtraError

try:
    from transformers import LlamaConfig, LlamaModel
except ImportError as error:
    raise MissingExtraError("asking about a face in words", "dialogue", error) from error


_NAME = 8  # tokens that a reading's name may have
_FINE = 4  # pixels of the squares whose mean colours a cell knows


def names_of(network: NetworkConfig) -> tuple[str, ...]:
    """What the readings of a network are called."""
    return (*NAMES, *HUES) if network.colours else NAMES


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A picture as the language model gets it: visual tokens (b, n, hidden) and readings (b, names)."""

    tokens: Tensor
    readings: Tensor


class Projector(nn.Module):
    """Map and features as visual tokens (b, n * n + readers, hidden), by one small MLP for cells and one each for the
    readers; what the readings are called and say (names, hidden), and where each has its zero.

    With `colours` a cell also knows the mean colours of its squares: the trunk learnt to see faces in any light, and
    keeps little of them.
    """

    def __init__(self, network: NetworkConfig, encoder: FaceEncoder) -> None:
        super().__init__()
        hidden = network.hidden
        self.cell = _mlp(encoder.width, hidden)
        self.faces = nn.ModuleList([_mlp(width, hidden) for width in encoder.widths])
        stride = encoder.trunk.stride
        self.fine = _mlp(3 * (stride // _FINE) ** 2, hidden, normed=False) if network.colours else None
        self.split = nn.PixelUnshuffle(stride // _FINE)
        self.count = encoder.cells + len(encoder.widths)
        self.place = nn.Parameter(torch.randn(self.count, hidden) * 0.02)
        self.drop = nn.Dropout1d(network.dropout)
        names = len(names_of(network))
        self.called = nn.Parameter(torch.zeros(names, hidden))  # beyond the words of the names
        self.says = nn.Parameter(torch.randn(1, hidden).expand(names, -1) * 0.02)
        self.slope, self.shift = nn.Parameter(torch.ones(len(NAMES))), nn.Parameter(torch.zeros(len(NAMES)))

    def forward(self, seen: Seen, images: Tensor) -> Look:
        cells = self.cell(seen.found.flatten(2).transpose(1, 2))
        values = torch.tanh(self.slope * seen.readings + self.shift)
        if self.fine is not None:
            squares = self.split(nn.functional.avg_pool2d(images, _FINE))
            cells = cells + self.fine(squares.flatten(2).transpose(1, 2))
            values = torch.cat([values, coloured(images)], 1)
        faces = [mlp(x)[:, None] for mlp, x in zip(self.faces, seen.features, strict=True)]
        return Look(self.drop(torch.cat([cells, *faces], 1) + self.place), values)


def _mlp(width: int, hidden: int, normed: bool = True) -> nn.Sequential:
    first = nn.LayerNorm(width) if normed else nn.Identity()
    return nn.Sequential(first, nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden))


class Looking(nn.Module):
    """A layer of the language model before which every token looks up the readings that its words name.

    Attention by cosine similarity between a token and the readings' names, with an empty place for tokens that name
    nothing: queries begin as the tokens themselves, so that a reading's own word finds it from the first step.
    """

    def __init__(self, layer: nn.Module, hidden: int) -> None:
        super().__init__()
        self.layer = layer
        self.ask = nn.Linear(hidden, hidden, bias=False)
        nn.init.eye_(self.ask.weight)
        self.sharp = nn.Parameter(torch.tensor(10.0))
        self.empty = nn.Parameter(torch.tensor(0.7))
        self.tell = nn.Parameter(torch.tensor(1.0))
        self.memory: tuple[Tensor, Tensor, Tensor] | None = None  # names, what they say, readings of each row

    def forward(self, hidden_states: Tensor, **arguments: Any) -> Tensor:
        if self.memory is not None:
            hidden_states = hidden_states + self.tell * self.looked_up(hidden_states, *self.memory)
        out: Tensor = self.layer(hidden_states, **arguments)
        return out

    def looked_up(self, tokens: Tensor, called: Tensor, says: Tensor, values: Tensor) -> Tensor:
        """What tokens (b, t, hidden) find (b, t, hidden)."""
        near = nn.functional.normalize(self.ask(tokens), dim=-1) @ nn.functional.normalize(called, dim=-1).T
        weight = torch.exp(self.sharp * (near - 1))
        weight = weight / (weight.sum(-1, keepdim=True) + torch.exp(self.sharp * (self.empty - 1)))
        return (weight * values[:, None]) @ says


class DialogueNetwork(nn.Module):
    """Pictures and rows of conversations to logits. Input as the attributes room's: RGB (b, 3, size, size), each
    channel (value - 127.5) / 127.5."""

    def __init__(self, network: NetworkConfig, vocabulary: int) -> None:
        super().__init__()
        self.network, self.vocabulary = network, vocabulary
        self.precision: torch.dtype | None = None  # while training; None = float32
        self.encoder = FaceEncoder(network)
        self.projector = Projector(network, self.encoder)
        self.language = LlamaModel(language_config(network, vocabulary))
        self.language.layers = nn.ModuleList([Looking(layer, network.hidden) for layer in self.language.layers])
        self.called = names_of(network)
        self.register_buffer("name_tokens", torch.zeros(len(self.called), _NAME, dtype=torch.long))
        self.register_buffer("name_shares", torch.zeros(len(self.called), _NAME))
        self.learning: frozenset[str] = frozenset()

    @property
    def visual(self) -> int:
        """How many tokens a picture is."""
        return int(self.projector.count)

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
            seen = self.encoder(images)
        out: Look = self.projector(seen, images)
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
        self.look(look.readings * rows.seen[:, None])
        out = self.language(inputs_embeds=inputs, attention_mask=mask, position_ids=positions, use_cache=False)
        self.look(None)
        at = (rows.target >= 0).nonzero()
        picked = out.last_hidden_state[at[:, 0], at[:, 1] + visual]
        return self.logits(picked).float(), at

    def look(self, values: Tensor | None) -> None:
        """The readings (b, names) of the pictures that the next pass is about; None: no picture."""
        memory = None if values is None else (self.names(), self.projector.says, values)
        for layer in self.language.layers:
            layer.memory = memory

    def names(self) -> Tensor:
        """What the readings are called (names, hidden): the mean of their words' tokens, wherever these have moved to
        since, and what was learnt beyond."""
        words = self.language.embed_tokens(self.name_tokens) * self.name_shares[..., None]  # type: ignore[index]
        out: Tensor = words.sum(1) + self.projector.called
        return out

    def name_readings(self, words: Words) -> None:
        """Call each reading by the tokens of its words."""
        count = len(self.called)
        tokens, shares = torch.zeros(count, _NAME, dtype=torch.long), torch.zeros(count, _NAME)
        for row, name in enumerate(self.called):
            ids = words.encode(name)[:_NAME]
            tokens[row, : len(ids)] = torch.tensor(ids)
            shares[row, : len(ids)] = 1 / len(ids)
        self.load_state_dict({"name_tokens": tokens, "name_shares": shares}, strict=False)

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
    """Take trunk and sub-networks out of the attributes room's weights; returns how many tensors fitted."""
    own = model.encoder.state_dict()
    named = {name.replace("categories.", "readers.", 1): t for name, t in tensors.items()}
    found = {name: t for name, t in named.items() if name in own and own[name].shape == t.shape}
    model.encoder.load_state_dict({**own, **found})
    return len(found)


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
