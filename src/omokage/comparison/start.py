"""The weights that a run starts from: SET or SET:part, where a set may hold several networks that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from omokage.weights import registry


def start(word: str, model: str, parts: Sequence[str]) -> tuple[str, str, Mapping[str, Tensor]]:
    """The set, the part and the tensors that `word` names: SET is the set's `model` where it has one of its own, else
    its attributes network; SET:part says which of `parts`. Raises WeightsError when there is none."""
    name, _, part = word.partition(":") if word.endswith(tuple(f":{p}" for p in parts)) else (word, "", "")
    place = registry.folder_of(name)
    part = part or (model if (place / f"{model}.json").is_file() else "attributes")
    return name, part, registry.load(place, "attributes" if part == "attributes" else model)[0]
