"""What a stage has learnt and what it has forgotten: questions on held-out people, and the fixed scenes without a face.

Every closed question is asked three times: with its picture, with none, and with the picture of another person, which
both must fall to chance. Wording is never training's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.dialogue import shapes
from omokage.dialogue.album import Album
from omokage.dialogue.config import NetworkConfig
from omokage.dialogue.conversation import Asked, DialogueModel, Example, Image
from omokage.dialogue.matching import KINDS, kind_of
from omokage.dialogue.predict import NativeModel, accepted
from omokage.dialogue.questions import Questioner
from omokage.dialogue.scoring import Given
from omokage.dialogue.scoring import score as score_of
from omokage.metrics.bootstrap import interval

SPLITS = ("paraphrase", "unseen_combination", "unseen_attribute")
WAYS = ("with", "without", "other")  # its own picture, none, that of somebody else


def answers(
    model: DialogueModel, examples: Sequence[Example], images: Sequence[Image | None], people: Sequence[str] = ()
) -> list[Given]:
    """The chosen option of each question with its probability."""
    asked = [Asked(image, e.question, e.options) for e, image in zip(examples, images, strict=True)]
    each = model.choose_many(asked)
    owners = people or [str(e.image) for e in examples]
    return [
        Given(e.attribute, e.answer, e.options[int(p.argmax())], float(p.max()), task=e.task, person=owner)
        for e, p, owner in zip(examples, each, owners, strict=True)
    ]


def three_ways(
    model: DialogueModel, album: Album, examples: Sequence[Example], ways: Sequence[str] = WAYS
) -> dict[str, list[Given]]:
    """The same questions with their picture, without any, and with that of another person; sorted by picture."""
    asked = sorted(examples, key=lambda e: int(e.image))
    crops = Crops(album, model.size, model.margin)
    people = [album.truths[int(e.image)].person for e in asked]
    shown: dict[str, list[Image | None]] = {
        "with": [crops[e.image] for e in asked],
        "without": [None] * len(asked),
        "other": [crops[i] for i in others_of(album, asked)],
    }
    return {way: answers(model, asked, shown[way], people) for way in ways}


def fit_temperatures(model: NativeModel, album: Album, count: int, seed: int = 5) -> dict[str, float]:
    """For each kind of question the temperature at which right options are most probable: on training's wording about
    people of `album`, and for what was never trained on the facts of `held_out.ASIDE`. A kind that nothing can be asked
    of keeps 1. `model` must have temperatures of 1."""
    asker = Questioner(album.truths, seed)
    examples = [*asker.training(count, "validation"), *asker.measuring("aside", count // 10)]
    crops = Crops(album, model.size, model.margin)
    asked = sorted(examples, key=lambda e: int(e.image))
    each = model.choose_many([Asked(crops[e.image], e.question, e.options) for e in asked])
    logs: dict[str, list[tuple[NDArray[np.float64], int]]] = {}
    for e, p in zip(asked, each, strict=True):
        pair = np.log(np.clip(p, 1e-12, 1)), e.options.index(e.answer)
        logs.setdefault(kind_of(e.question, e.options), []).append(pair)
    grid = np.geomspace(0.5, 8.0, 56)
    found: dict[str, float] = dict.fromkeys(KINDS, 1.0)
    for kind, pairs in logs.items():
        losses = [float(np.mean([np.logaddexp.reduce(logp / t) - logp[k] / t for logp, k in pairs])) for t in grid]
        found[kind] = float(grid[int(np.argmin(losses))])
    return found


def score(model: NativeModel, album: Album | None, per_attribute: int, scenes: int = 150) -> list[dict[str, Any]]:
    """Rows for the log and the card: `measure`, `value`, `n`, `baseline`, `low` and `high` (95 %), and for faces
    `without` and `other`."""
    rows = general(model, scenes)
    for split in SPLITS if album is not None else ():
        assert album is not None
        examples = Questioner(album.truths, 11).measuring(split, per_attribute)
        if not examples:
            continue
        rows.append(_split_row(model, album, split, examples))
    return rows


def _split_row(model: NativeModel, album: Album, split: str, examples: list[Example]) -> dict[str, Any]:
    ways = three_ways(model, album, examples)
    found = {way: score_of(given, 200 if way == "with" else 2) for way, given in ways.items()}
    own = found["with"]
    return {
        "measure": f"{split.replace('_', ' ')}, balanced accuracy", "value": own.balanced, "n": own.count,
        "low": own.low, "high": own.high,
        "baseline": own.chance, "without": found["without"].balanced, "other": found["other"].balanced,
        "calibration_error": own.calibration_error, "each": {name: round(v, 3) for name, v in own.each.items()},
    }  # fmt: skip


def general(model: DialogueModel, count: int) -> list[dict[str, Any]]:
    """The fixed scenes without a face: accuracy of each kind of question."""
    asked = shapes.fixed_set(count, model.size)
    examples = [example for _, example in asked]
    given = answers(model, examples, [image for image, _ in asked])
    rows = []
    for task in shapes.TASKS:
        members = [i for i, e in enumerate(examples) if e.attribute == task]
        right = [given[i].said == examples[i].answer for i in members]
        chance = float(np.mean([1 / len(examples[i].options) for i in members]))
        low, high = interval(lambda hits: float(hits.mean()), np.array(right))
        rows.append({"measure": f"general, {task}", "value": float(np.mean(right)), "n": len(right), "low": low,
                     "high": high, "baseline": chance})  # fmt: skip
    return rows


def parse_failures(model: NativeModel, album: Album, examples: Sequence[Example]) -> float:
    """Share of free answers that are none of the options offered."""
    crops = Crops(album, model.size, model.margin)
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

    def __init__(self, album: Album, size: int, margin: float) -> None:
        super().__init__()
        self.album, self.network = album, NetworkConfig(size=size, margin=margin)

    def __missing__(self, place: int | str) -> Image:
        self[place] = self.album.crop(int(place), self.network)
        return self[place]
