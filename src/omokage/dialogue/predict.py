"""The native model behind the door of `conversation.DialogueModel`: probabilities of options, answers in words.

model = load("synthetic")
model.choose(crop, "Is the person smiling?", ("yes", "no"))       # array([0.97, 0.03])
"".join(model.generate(crop, "Describe the face."))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.dialogue.conversation import Asked, DialogueModel, Image, Turn
from omokage.dialogue.loss import segment_scores
from omokage.dialogue.matching import KINDS, kind_of
from omokage.dialogue.model import DialogueNetwork, Look, rebuilt
from omokage.dialogue.rows import Segment, pack, prompt_of, segment_of
from omokage.dialogue.tokenizer import END, MARKS, Words
from omokage.errors import InputError, WeightsError
from omokage.faces.align import stacked
from omokage.nn.folding import folded
from omokage.nn.linear import softmax
from omokage.nn.pictures import normalise
from omokage.nn.surroundings import opening, undisturbed
from omokage.training.device import pick_device
from omokage.weights import registry

_PACKED = 16  # questions about one picture that share its visual tokens


def load(weights: str | Path = "synthetic", device: str = "auto") -> DialogueModel:
    """A model that answers: of a weight set or folder with a dialogue card, else of a Hugging Face folder or id.

    A folder with ``config.json`` or a name of the form ``owner/model`` goes to `hub.HubModel`; nothing is downloaded
    that is not already on this machine unless the user says so there. Raises WeightsError and MissingExtraError.
    """
    from omokage.dialogue import hub

    if hub.is_hub(weights):
        return hub.HubModel(str(weights), device)
    return NativeModel(weights, device)


class NativeModel:
    """The small model of a weight set. Raises WeightsError for unknown or damaged weights."""

    @opening()
    def __init__(self, weights: str | Path = "synthetic", device: str = "auto") -> None:
        tensors, self.card = registry.load(weights, "dialogue")
        try:
            self._setup(rebuilt(self.card.architecture, tensors), Words.from_json(self.card.preprocessing["tokenizer"]))
            # What log-probabilities are divided by, for each of `matching.KINDS`.
            self.temperature: dict[str, float] = {
                kind: float(self.card.calibration["temperature"][kind]) for kind in KINDS
            }
        except (KeyError, RuntimeError, TypeError) as error:
            first = " ".join(str(error).split())[:120]
            raise WeightsError(
                f"the dialogue weights {weights} do not fit this version ({first}): train them anew"
            ) from error
        self.device = pick_device(device)
        self.network.to(self.device)

    def _setup(self, network: DialogueNetwork, words: Words) -> None:
        self.network, self.words = folded(network), words

    @classmethod
    def of(cls, network: DialogueNetwork, words: Words) -> NativeModel:
        """The same from a network in memory, as training has it."""
        made = cls.__new__(cls)
        made._setup(network, words)
        made.device, made.temperature = next(network.parameters()).device, dict.fromkeys(KINDS, 1.0)
        made.card = registry.Card("dialogue", "unsaved", {}, {})
        return made

    @property
    def id(self) -> str:
        return self.card.id

    @property
    def size(self) -> int:
        return self.network.network.size

    @property
    def margin(self) -> float:
        return self.network.network.margin

    def choose(
        self, image: Image | None, question: str, options: Sequence[str], history: Sequence[Turn] = ()
    ) -> NDArray[np.float64]:
        """Probabilities (options,) from the log-probabilities of each option's tokens. Raises InputError."""
        return self.choose_many([Asked(image, question, tuple(options), tuple(history))])[0]

    @undisturbed()
    @torch.inference_mode()
    def choose_many(self, asked: Sequence[Asked], batch: int = 32) -> list[NDArray[np.float64]]:
        """`choose` for many questions; those about one and the same picture array, one after another, share its
        tokens."""
        found: list[NDArray[np.float64]] = []
        groups = _groups(asked)
        for first in range(0, len(groups), batch):
            found += self._some(groups[first : first + batch])
        return found

    def _some(self, groups: Sequence[Sequence[Asked]]) -> list[NDArray[np.float64]]:
        rows = [[part for one in group for part in self._options(one)] for group in groups]
        look = self._look([group[0].image for group in groups])
        packed = pack(rows, [group[0].image is not None for group in groups]).to(self.device)
        logits, at = self.network.read(look, packed)
        scores = segment_scores(logits, at, packed).double().cpu().numpy()
        found = []
        for group, line in zip(groups, scores, strict=True):
            start = 0
            for one in group:
                logp = line[start : start + len(one.options)] / self.temperature[kind_of(one.question, one.options)]
                found.append(softmax(logp))
                start += len(one.options)
        return found

    def _options(self, asked: Asked) -> list[Segment]:
        """One segment for each option, as if it were the answer."""
        if not asked.question.strip():
            raise InputError("the question is empty; ask something, for example 'Is the person smiling?'")
        if len(asked.options) < 2:
            raise InputError(f"a closed question needs at least two options, not {list(asked.options)}")
        turns = [Turn(asked.question, option, asked.options) for option in asked.options]
        parts = [segment_of(self.words, [*asked.history, turn], last_only=True) for turn in turns]
        self._fits(max(len(part.ids) for part in parts))
        return parts

    def _fits(self, length: int, more: int = 0) -> None:
        room = self.network.network.positions - self.network.visual - more
        if length > room:
            raise InputError(
                f"the conversation is {length} tokens long and this model reads {room}: ask a shorter question or "
                "begin anew"
            )

    def _look(self, images: Sequence[Image | None]) -> Look:
        """What the network sees of pictures, zeros where there is none."""
        shown = [i for i, image in enumerate(images) if image is not None]
        tokens = torch.zeros(len(images), self.network.visual, self.network.network.hidden, device=self.device)
        values = torch.zeros(len(images), len(self.network.called), device=self.device)
        if shown:
            crops = stacked([np.asarray(images[i], np.uint8) for i in shown], self.size)
            look = self.network.see(normalise(torch.from_numpy(crops).to(self.device)))
            tokens[shown], values[shown] = look.tokens, look.readings
        return Look(tokens, values)

    def generate(
        self, image: Image | None, prompt: str, max_tokens: int = 64, history: Sequence[Turn] = (),
        options: Sequence[str] = (),
    ) -> Iterator[str]:  # fmt: skip
        """The most likely answer, piece by piece. Raises InputError for an empty or over-long prompt."""
        if not prompt.strip():
            raise InputError("the question is empty; ask something, for example 'Describe the face.'")
        ids = prompt_of(self.words, prompt, tuple(options), history)
        self._fits(len(ids), max_tokens)
        return self._pieces(image, ids, max_tokens)

    def _pieces(self, image: Image | None, ids: list[int], max_tokens: int) -> Iterator[str]:
        model = self.network.language
        with undisturbed(), torch.inference_mode():
            text = model.embed_tokens(torch.tensor([ids], device=self.device))
            look = self._look([image])
            self.network.look(look.readings)
            parts = [text] if image is None else [look.tokens, text]
            visual = 0 if image is None else self.network.visual
            inputs = torch.cat(parts, 1)
            places = torch.arange(self.network.visual - visual, self.network.visual + len(ids), device=self.device)[
                None
            ]
            out = model(
                inputs_embeds=inputs, position_ids=places, attention_mask=self._prefix(visual, len(ids)), use_cache=True
            )
        made: list[int] = []
        told = ""
        while len(made) < max_tokens:
            with undisturbed(), torch.inference_mode():
                logits = self.network.logits(out.last_hidden_state[:, -1]).float()
                logits[:, [mark for mark in range(len(MARKS)) if mark != END]] = -torch.inf
                token = int(logits.argmax(1))
            if token == END:
                return
            made.append(token)
            now = self.words.decode(made)
            if not now.endswith("�") and now != told:  # a letter of several bytes may still be under way
                yield now[len(told) :]
                told = now
            with undisturbed(), torch.inference_mode():
                self.network.look(look.readings)  # another question may have been asked meanwhile
                out = model(
                    input_ids=torch.tensor([[token]], device=self.device), past_key_values=out.past_key_values,
                    position_ids=places[:, -1:] + len(made), use_cache=True,
                )  # fmt: skip

    def _prefix(self, visual: int, text: int) -> Tensor:
        """Visual tokens see each other, text sees what came before: what is added to the attention (1, 1, n, n)."""
        total = visual + text
        allowed = torch.ones(total, total, dtype=torch.bool, device=self.device).tril()
        allowed[:visual, :visual] = True
        mask = torch.zeros(1, 1, total, total, device=self.device)
        return mask.masked_fill_(~allowed, torch.finfo(mask.dtype).min)


def _groups(asked: Sequence[Asked]) -> list[list[Asked]]:
    """Neighbours about the same picture together, so many that their options fit a row."""
    groups: list[list[Asked]] = []
    for one in asked:
        same = bool(groups) and groups[-1][0].image is one.image
        if same and sum(len(a.options) for a in groups[-1]) + len(one.options) <= 2 * _PACKED:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def accepted(text: str, options: Sequence[str]) -> int | None:
    """Which option an answer in words is, None where it is none of them: a parse failure."""
    told = " ".join(text.lower().split()).rstrip(".")
    known: dict[str, Any] = {" ".join(o.lower().split()): i for i, o in enumerate(options)}
    found: int | None = known.get(told)
    return found
