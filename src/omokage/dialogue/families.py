"""How the families of Hugging Face vision-language models take a picture: prompt, number of image tokens, pixels.

Preprocessing is this project's own (one square picture, no tiles), so that no processor class and no torchvision is
needed: a face crop has no more detail than the vision towers' input. Families that are not listed say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.dialogue.conversation import Image, Turn
from omokage.errors import InputError

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
_UNSUPPORTED = (
    "its processor needs torchvision, and its picture grid preprocessing of its own that omokage does not have"
)


@dataclass(frozen=True, slots=True)
class Family:
    """One family. `asked` and `answered` are a turn's two halves, `picture` what stands for the picture (``{image}``
    are its tokens); `stacked`: pixels have an axis for the number of pictures; `mean` and `std` of colours 0..1."""

    asked: str
    answered: str
    picture: str
    stacked: bool
    mean: Sequence[float]
    std: Sequence[float]


# Prompts as the families' model cards and processors of transformers 5 give them.
FAMILIES: Mapping[str, Family] = {
    "llava": Family("USER: {picture}{question} ASSISTANT:", " {answer}</s>", "{image}\n", False, CLIP_MEAN, CLIP_STD),
    "smolvlm": Family(
        "User:{picture}{question}<end_of_utterance>\nAssistant:", " {answer}<end_of_utterance>\n",
        "<fake_token_around_image><global-img>{image}<fake_token_around_image>", True, HALF, HALF,
    ),
    "idefics3": Family(
        "User:{picture}{question}<end_of_utterance>\nAssistant:", " {answer}<end_of_utterance>\n",
        "<fake_token_around_image><global-img>{image}<fake_token_around_image>", True, HALF, HALF,
    ),
    "internvl": Family(
        "<|im_start|>user\n{picture}{question}<|im_end|>\n<|im_start|>assistant\n", "{answer}<|im_end|>\n",
        "<img>{image}</img>\n", False, IMAGENET_MEAN, IMAGENET_STD,
    ),
}  # fmt: skip


def family_of(model_type: str, name: str) -> Family:
    """The family of a model type. Raises InputError for one that cannot be fed."""
    if model_type in FAMILIES:
        return FAMILIES[model_type]
    why = _UNSUPPORTED if model_type.startswith("qwen") else "omokage does not know how it takes a picture"
    raise InputError(
        f"{name} is a model of the type {model_type!r} and is not supported: {why}; take one of the families "
        f"{', '.join(FAMILIES)}"
    )


def picture_side(config: Any) -> int:
    """The side of the vision tower's input in pixels."""
    side = config.vision_config.image_size
    return int(side[0] if isinstance(side, list | tuple) else side)


def picture_tokens(config: Any) -> int:
    """How many image tokens one picture is."""
    vision = config.vision_config
    patch = vision.patch_size[0] if isinstance(vision.patch_size, list | tuple) else vision.patch_size
    cells: int = (picture_side(config) // int(patch)) ** 2
    if config.model_type == "llava":
        return cells + int(config.vision_feature_select_strategy == "full" and vision.model_type == "clip_vision_model")
    if config.model_type == "internvl":
        return int(cells * config.downsample_ratio**2)
    return int(cells // config.scale_factor**2)


def picture_token(config: Any) -> int:
    """The id of the token that stands for a piece of a picture."""
    found = getattr(config, "image_token_id", None)
    return int(found if found is not None else config.image_token_index)


def colours(family: Family, folder: Path) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and spread of the colours as the checkpoint's ``preprocessor_config.json`` says, else as its family does."""
    path = folder / "preprocessor_config.json"
    said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return said.get("image_mean", family.mean), said.get("image_std", family.std)


def pixels(image: Image, side: int, mean: Sequence[float], std: Sequence[float]) -> NDArray[np.float32]:
    """RGB uint8 (h, w, 3) as (3, side, side); a picture that is no square is squeezed into one."""
    how = cv2.INTER_AREA if min(image.shape[:2]) > side else cv2.INTER_CUBIC
    small = cv2.resize(image, (side, side), interpolation=how).astype(np.float32) / 255
    return np.ascontiguousarray(((small - np.array(mean, np.float32)) / np.array(std, np.float32)).transpose(2, 0, 1))


def written(
    family: Family, image_text: str, question: str, options: Sequence[str], history: Sequence[Turn], answer: str = ""
) -> str:
    """The whole conversation as text; the picture (`image_text`, empty without one) goes before the first question."""
    parts = []
    picture = family.picture.format(image=image_text) if image_text else ""
    for turn in history:
        parts.append(family.asked.format(picture=picture, question=asking(turn.question, turn.options)))
        parts.append(family.answered.format(answer=turn.answer))
        picture = ""
    parts.append(family.asked.format(picture=picture, question=asking(question, options)))
    return "".join(parts) + answer


def asking(question: str, options: Sequence[str]) -> str:
    """A question with its options in words, as such models were taught to be asked."""
    return f"{question}\nAnswer with one of: {', '.join(options)}." if options else question
