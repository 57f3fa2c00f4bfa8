"""Any vision-language model of the Hugging Face families in `families`, behind the same door as the native one.

Folders and models that are already in the local cache are opened; nothing is ever downloaded from here. An adapter
folder that `lora.save` wrote opens together with the model that it belongs to.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.dialogue import families
from omokage.dialogue.conversation import Asked, Image, Turn
from omokage.errors import InputError, MissingExtraError, WeightsError
from omokage.nn.linear import softmax
from omokage.nn.surroundings import opening, undisturbed
from omokage.training.device import pick_device

try:
    from transformers import AutoConfig, AutoModelForImageTextToText, AutoTokenizer
except ImportError as error:
    raise MissingExtraError("asking about a face in words", "dialogue", error) from error

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_MARGIN = 1.6  # such models have learnt from whole heads, not from tight crops


def is_hub(weights: str | Path) -> bool:
    """Whether a name means a Hugging Face model: a folder with its files, or ``owner/model`` that is no folder here."""
    folder = Path(weights)
    if folder.is_dir():
        return (folder / "config.json").is_file() or (folder / "adapter_config.json").is_file()
    return _ID.fullmatch(str(weights)) is not None


class HubModel:
    """One vision-language model. Raises WeightsError where it is not on this machine or damaged, InputError where its
    family is not supported.

    `size` is the side of the vision tower's input. Weights load in bfloat16 on CUDA, in float32 on a CPU.
    """

    @opening()
    def __init__(self, name: str, device: str = "auto") -> None:
        self.id = name
        self.device = pick_device(device)
        base, adapter = _base(name)
        self.config = self._opened(AutoConfig, base)
        self.family = families.family_of(self.config.model_type, name)
        self.tokenizer = self._opened(AutoTokenizer, base)
        dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.model: Any = self._opened(AutoModelForImageTextToText, base, dtype=dtype).to(self.device).eval()
        if adapter:
            self.model = _adapted(self.model, adapter)
        self.size, self.margin = families.picture_side(self.config), _MARGIN
        self.mean, self.std = families.colours(self.family, Path(base))

    def _opened(self, kind: Any, base: str, **settings: Any) -> Any:
        try:
            return kind.from_pretrained(base, local_files_only=True, trust_remote_code=False, **settings)
        except (OSError, ValueError, KeyError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise WeightsError(
                f"the model {base} cannot be opened ({first}); omokage downloads nothing by itself: fetch it with  "
                f"hf download {base}  or name a folder that holds it"
            ) from error

    def choose(
        self, image: Image | None, question: str, options: Sequence[str], history: Sequence[Turn] = ()
    ) -> NDArray[np.float64]:
        """Probabilities (options,) from the log-probabilities of each option's tokens. Raises InputError."""
        if len(options) < 2:
            raise InputError(f"a closed question needs at least two options, not {list(options)}")
        told = [self._without_marks(option) for option in options]
        if not all(option.strip() for option in told):
            raise InputError(f"an option of {list(options)} is empty; give each at least one word")
        prompt = self.encoded(image, question, told, history)
        return softmax(np.array([self._score(image, prompt, self.told(option)) for option in told]))

    def choose_many(self, asked: Sequence[Asked], batch: int = 1) -> list[NDArray[np.float64]]:
        """`choose` for many questions, one after another."""
        return [self.choose(a.image, a.question, a.options, a.history) for a in asked]

    def encoded(self, image: Image | None, question: str, options: Sequence[str], history: Sequence[Turn]) -> list[int]:
        """The conversation's tokens up to where the model answers. Raises InputError when it is empty or too long."""
        if not question.strip():
            raise InputError("the question is empty; ask something, for example 'Is the person smiling?'")
        clean = self._without_marks
        before = [Turn(clean(t.question), clean(t.answer), tuple(map(clean, t.options))) for t in history]
        tokens = self._picture_mark * families.picture_tokens(self.config) if image is not None else ""
        text = families.written(self.family, tokens, clean(question), [clean(option) for option in options], before)
        ids: list[int] = self.tokenizer(text).input_ids
        room = int(getattr(self.config.get_text_config(), "max_position_embeddings", 2048))
        if len(ids) >= room:
            raise InputError(f"the conversation is {len(ids)} tokens long and {self.id} reads {room}: ask less")
        return ids

    @property
    def _picture_mark(self) -> str:
        return str(self.tokenizer.convert_ids_to_tokens(families.picture_token(self.config)))

    def _without_marks(self, text: str) -> str:
        return _plain(text, self._picture_mark)

    def told(self, answer: str) -> list[int]:
        """The tokens of an answer."""
        ids: list[int] = self.tokenizer(answer, add_special_tokens=False).input_ids
        return ids

    def inputs(self, image: Image | None, ids: Sequence[int]) -> dict[str, Tensor]:
        """What the model's forward pass takes."""
        found = {"input_ids": torch.tensor([list(ids)], device=self.device)}
        found["attention_mask"] = torch.ones_like(found["input_ids"])
        if image is not None:
            x = torch.from_numpy(families.pixels(image, self.size, self.mean, self.std)).to(self.device)
            x = x.to(next(self.model.parameters()).dtype)[None]
            found["pixel_values"] = x[None] if self.family.stacked else x
        return found

    @undisturbed()
    @torch.inference_mode()
    def _score(self, image: Image | None, prompt: list[int], option: list[int]) -> float:
        logits = self.model(**self.inputs(image, [*prompt, *option])).logits[0].float()
        logp = torch.log_softmax(logits[len(prompt) - 1 : -1], 1)
        return float(logp.gather(1, torch.tensor(option, device=self.device)[:, None]).sum())

    def generate(
        self, image: Image | None, prompt: str, max_tokens: int = 64, history: Sequence[Turn] = (),
        options: Sequence[str] = (),
    ) -> Iterator[str]:  # fmt: skip
        """The most likely answer, piece by piece. Raises InputError for an empty or over-long prompt."""
        return self._pieces(image, self.encoded(image, prompt, options, history), max_tokens)

    def _pieces(self, image: Image | None, ids: list[int], max_tokens: int) -> Iterator[str]:
        ends = {self.tokenizer.eos_token_id, *_ends(self.model)}
        with undisturbed(), torch.inference_mode():
            out = self.model(**self.inputs(image, ids), use_cache=True)
        made: list[int] = []
        told = ""
        while len(made) < max_tokens:
            token = int(out.logits[0, -1].argmax())
            if token in ends:
                return
            made.append(token)
            now = self.tokenizer.decode(made, skip_special_tokens=True)
            if not now.endswith("�") and len(now) > len(told):
                yield now[len(told) :]
                told = now
            with undisturbed(), torch.inference_mode():
                out = self.model(
                    input_ids=torch.tensor([[token]], device=self.device),
                    attention_mask=torch.ones(1, len(ids) + len(made), dtype=torch.long, device=self.device),
                    past_key_values=out.past_key_values, use_cache=True,
                )  # fmt: skip


def _base(name: str) -> tuple[str, str]:
    """The model and the adapter (or nothing) that a name means. Raises WeightsError for a damaged adapter."""
    path = Path(name) / "adapter_config.json"
    if not path.is_file():
        return name, ""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["base_model_name_or_path"]), name
    except (OSError, KeyError, ValueError) as error:
        raise WeightsError(f"the adapter {name} does not say which model it belongs to; train it again") from error


def _plain(text: str, picture: str) -> str:
    """The text without what would stand for a picture or end a turn: neither a question nor an option may change the
    conversation."""
    return re.sub(r"<\|?/?[\w-]{1,40}\|?>", " ", text.replace(picture, " "))


def _adapted(model: Any, folder: str) -> Any:
    """A model with the adapters of a folder. Raises WeightsError where they do not fit."""
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtraError("an adapted vision-language model", "dialogue", error) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return PeftModel.from_pretrained(model, folder).eval()
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise WeightsError(f"the adapter {folder} does not fit its model ({error}); train it again") from error


def _ends(model: Any) -> set[int]:
    said = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    return set(said) if isinstance(said, list | tuple) else {said} if said is not None else set()
