"""What a stage has learnt and what it has forgotten: questions on held-out people, and the fixed scenes without a face.

Every closed question is asked three times: with its picture, with none, and with the picture of another person, which
both must fall to chance. Wording is never training's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.dialogue import shapes
from omokage.dialogue.album import Album
from omokage.dialogue.config import NetworkConfig
from omokage.dialogue.conversation import Asked, Example, Image
from omokage.dialogue.predict import NativeModel, accepted
from omokage.dialogue.questions import Questioner
from omokage.metrics.classification import balanced_accuracy, calibration_error

SPLITS = ("paraphrase", "unseen_combination", "unseen_attribute")
YES = frozenset({"yes", "true", "right", "it is so"})
NO = frozenset({"no", "false", "wrong", "it is not so"})
Floats = NDArray[np.float64]


def meaning(answer: str) -> str:
    """An answer as the class that it stands for: all ways to say yes are one."""
    told = answer.lower()
    return "yes" if told in YES else "no" if told in NO else told


def answers(
    model: NativeModel, examples: Sequence[Example], images: Sequence[Image | None]
) -> tuple[list[str], Floats, Floats]:
    """The chosen option of each question, its probability (n,), and the right option's (n,)."""
    asked = [Asked(image, e.question, e.options) for e, image in zip(examples, images, strict=True)]
    each = model.choose_many(asked)
    chosen = [e.options[int(p.argmax())] for e, p in zip(examples, each, strict=True)]
    right = [float(p[e.options.index(e.answer)]) for e, p in zip(examples, each, strict=True)]
    return chosen, np.array([float(p.max()) for p in each]), np.array(right)


def by_attribute(examples: Sequence[Example], chosen: Sequence[str]) -> dict[str, float]:
    """Balanced accuracy of each attribute; where only one answer occurs the attribute is left out."""
    groups: dict[str, list[int]] = {}
    for i, example in enumerate(examples):
        groups.setdefault(example.attribute, []).append(i)
    found = {}
    for name, members in groups.items():
        true = [meaning(examples[i].answer) for i in members]
        if len(set(true)) > 1:
            found[name] = balanced_accuracy([meaning(chosen[i]) for i in members], true)
    return found


def fit_temperature(model: NativeModel, album: Album, count: int, seed: int = 5) -> float:
    """The temperature at which right options are most probable, on training's wording about held-out people."""
    examples = list(Questioner(album.truths, seed).training(count, "validation"))
    crops = Crops(album, model.network.network)
    each = model.choose_many([Asked(crops[e.image], e.question, e.options) for e in examples])
    logs = [(np.log(np.clip(p, 1e-12, 1)), e.options.index(e.answer)) for p, e in zip(each, examples, strict=True)]
    grid = np.geomspace(0.5, 3.0, 36)
    losses = [float(np.mean([np.logaddexp.reduce(logp / t) - logp[k] / t for logp, k in logs])) for t in grid]
    return float(grid[int(np.argmin(losses))])


def score(model: NativeModel, album: Album | None, per_attribute: int, scenes: int = 150) -> list[dict[str, Any]]:
    """Rows for the log and the card: `measure`, `value`, `n`, `baseline`, and for faces `without` and `other`."""
    rows = general(model, scenes)
    for split in SPLITS if album is not None else ():
        assert album is not None
        examples = Questioner(album.truths, 11).measuring(split, per_attribute)
        if not examples:
            continue
        rows.append(_split_row(model, album, split, examples))
    return rows


def _split_row(model: NativeModel, album: Album, split: str, examples: list[Example]) -> dict[str, Any]:
    examples = sorted(examples, key=lambda e: int(e.image))
    crops = Crops(album, model.network.network)
    others = others_of(album, examples)
    ways: Mapping[str, list[Image | None]] = {
        "with": [crops[e.image] for e in examples],
        "without": [None] * len(examples),
        "other": [crops[i] for i in others],
    }
    value: dict[str, float] = {}
    each: dict[str, float] = {}
    ece = 0.0
    for way, images in ways.items():
        chosen, sure, _ = answers(model, examples, images)
        scores = by_attribute(examples, chosen)
        value[way] = float(np.mean(list(scores.values())))
        if way == "with":
            each = scores
            ece = calibration_error(sure, [c == e.answer for c, e in zip(chosen, examples, strict=True)])
    return {
        "measure": f"{split.replace('_', ' ')}, balanced accuracy", "value": value["with"], "n": len(examples),
        "baseline": 0.5, "without": value["without"], "other": value["other"], "calibration_error": ece,
        "each": {name: round(v, 3) for name, v in each.items()},
    }  # fmt: skip


def general(model: NativeModel, count: int) -> list[dict[str, Any]]:
    """The fixed scenes without a face: accuracy of each kind of question."""
    asked = shapes.fixed_set(count, model.size)
    examples = [example for _, example in asked]
    chosen, _, _ = answers(model, examples, [image for image, _ in asked])
    rows = []
    for task in shapes.TASKS:
        members = [i for i, e in enumerate(examples) if e.attribute == task]
        right = [chosen[i] == examples[i].answer for i in members]
        chance = float(np.mean([1 / len(examples[i].options) for i in members]))
        rows.append(
            {"measure": f"general, {task}", "value": float(np.mean(right)), "n": len(right), "baseline": chance}
        )
    return rows


def parse_failures(model: NativeModel, album: Album, examples: Sequence[Example]) -> float:
    """Share of free answers that are none of the options offered."""
    crops = Crops(album, model.network.network)
    told = ["".join(model.generate(crops[e.image], e.question, 12, options=e.options)) for e in examples]
    return float(np.mean([accepted(t, e.options) is None for t, e in zip(told, examples, strict=True)]))


def others_of(album: Album, examples: Sequence[Example]) -> list[int]:
    """For each question the picture of somebody else, all pictures as often as before as far as people allow."""
    places = [int(e.image) for e in examples]
    shift = len(places) // 2
    moved = places[shift:] + places[:shift]
    people = [truth.person for truth in album.truths]
    return [
        m if people[m] != people[p] else next(i for i in range(len(album)) if people[i] != people[p])
        for p, m in zip(places, moved, strict=True)
    ]


class Crops(dict[int | str, Image]):
    """Crops by place, each cut once: the same array for every question about it, so that questions are packed."""

    def __init__(self, album: Album, network: NetworkConfig) -> None:
        super().__init__()
        self.album, self.network = album, network

    def __missing__(self, place: int | str) -> Image:
        self[place] = self.album.crop(int(place), self.network)
        return self[place]
