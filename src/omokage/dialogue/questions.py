"""Question-answer pairs from truths: balanced so that words alone tell nothing, and apart by task, wording and people.

For every question first the words are drawn and, on their own, the wanted answer; then a picture for which it is right.
So an answer without the picture, or with another person's, is right by chance only.

Three things are held out of training, as data here: the wording in `held_out.TEST` and `templates.MEASURING`; the facts
of `held_out.UNSEEN`; and the pairs of facts of `HELD_OUT_PAIRS`, which no training question and no training caption's
sentence joins. People are held out by `part_of`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omokage.data.splits import position
from omokage.dialogue.conversation import Example
from omokage.dialogue.facts import Truth
from omokage.dialogue.held_out import ASIDE, TEST, UNSEEN
from omokage.dialogue.phrases import OPPOSITE, TRAIN, Phrase
from omokage.dialogue.templates import (
    JOINED,
    MEASURING,
    OPTION_WORDS,
    TRAINING,
    WANTED,
    Frames,
    ask,
    ask_both,
    choose,
)

Part = Literal["train", "validation", "test"]
# What an example may be used for: `train`; `validation` (training's wording); measuring on wording never trained:
# `paraphrase` (trained facts), `unseen_combination`, `unseen_attribute`.
SPLITS = ("train", "validation", "paraphrase", "unseen_combination", "unseen_attribute")

TASKS: Mapping[str, tuple[str, ...]] = {
    "attributes": (
        "smiling", "mouth_open", "eyes_closed", "eyeglasses", "sunglasses", "face_mask", "wearing_hat", "beard",
        "stubble", "bald", "bangs", "gray_hair", "black_hair", "blond_hair", "brown_hair", "long_hair",
        "wearing_lipstick", "full_face", "occluded", "nose_covered", "chin_covered", "forehead_covered",
        "cheeks_covered", "brows_covered", "facial_hair",
    ),
    "pose": (
        "turned_left", "turned_right", "head_up", "head_down", "looks_left", "looks_right", "looks_down",
    ),
    "action_units": ("brows_raised", "brows_lowered", "eyes_wide", "nose_wrinkled"),
    "gender": ("female",),
    "age": tuple(f"older_{a}" for a in (20, 30, 40, 50, 60)),
    "expression": tuple(
        f"expression_{e}" for e in ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
    ),
}  # fmt: skip
TASK_OF = {name: task for task, names in TASKS.items() for name in names} | dict.fromkeys(UNSEEN, "attributes")
CHOICE_TASK = {
    "expression": "expression", "hair_colour": "attributes", "gender": "gender", "age": "age",
    "eyewear": "attributes", "direction": "pose",
}  # fmt: skip

# Facts that questions join two by two; those of one tuple say the same or exclude each other.
_JOINABLE = (
    ("smiling",), ("mouth_open",), ("eyes_closed",), ("eyeglasses", "sunglasses"), ("wearing_hat", "bald", "bangs"),
    ("beard", "stubble", "wearing_lipstick", "female"), ("gray_hair", "black_hair", "blond_hair", "brown_hair"),
    ("long_hair",), ("full_face",), ("occluded",), ("turned_left",), ("turned_right",), ("older_40",),
)  # fmt: skip
_APART = {frozenset(("turned_left", "turned_right"))}
NAMED_HELD_OUT = (
    ("eyeglasses", "smiling"), ("wearing_hat", "beard"), ("gray_hair", "eyeglasses"), ("mouth_open", "eyes_closed"),
    ("female", "long_hair"),
)  # fmt: skip
_HELD_OUT_SHARE = 0.22


def all_pairs() -> list[tuple[str, str]]:
    """Every two facts that a question may join, each pair in alphabetical order."""
    found = []
    for one, other in combinations(_JOINABLE, 2):
        found += [tuple(sorted((a, b))) for a in one for b in other if frozenset((a, b)) not in _APART]
    return [(a, b) for a, b in found]


HELD_OUT_PAIRS = frozenset(
    pair
    for pair in all_pairs()
    if pair in {tuple(sorted(p)) for p in NAMED_HELD_OUT} or position("+".join(pair), 7) < _HELD_OUT_SHARE
)


def part_of(person: str) -> Part:
    """Which part a person belongs to: nine tenths train, the rest half and half; fixed by the name alone."""
    place = position(person, 2410)
    return "train" if place < 0.9 else "validation" if place < 0.95 else "test"


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the kinds of training questions."""

    single: float = 0.62
    combination: float = 0.2
    choice: float = 0.18
    negative: float = 0.16  # of the single ones: denied
    opposite: float = 0.3  # of the single ones that have an `OPPOSITE`: asked for in its words
    tasks: Mapping[str, float] = field(
        default_factory=lambda: {
            "attributes": 0.52, "pose": 0.14, "action_units": 0.09, "gender": 0.06, "age": 0.07, "expression": 0.12,
        }
    )  # fmt: skip


class Questioner:
    """Asks about a fixed list of truths. Deterministic in `seed`; each call goes on with its random state.

    Raises ValueError when there is nothing to ask about.
    """

    def __init__(self, truths: Sequence[Truth], seed: int = 0, mix: Mix | None = None) -> None:
        if not truths:
            raise ValueError("there is no picture to ask about")
        self.truths, self.mix, self.rng = truths, mix or Mix(), random.Random(seed)
        names = sorted({name for truth in truths for name in truth.facts})
        self._column = {name: k for k, name in enumerate(names)}
        self._facts: NDArray[np.int8] = np.full((len(truths), len(names)), -1, np.int8)
        self._classes: dict[str, dict[str, list[int]]] = {}
        for row, truth in enumerate(truths):
            for name, value in truth.facts.items():
                self._facts[row, self._column[name]] = value
            for kind, answer in truth.choices.items():
                self._classes.setdefault(kind, {}).setdefault(answer, []).append(row)
        self._rows: dict[tuple[tuple[str, bool], ...], NDArray[np.int64]] = {}
        self._askable = {task: [n for n in members if self._both(n)] for task, members in TASKS.items()}
        self._pairs = [p for p in all_pairs() if all(n in self._column for n in p)]

    def rows(self, *wanted: tuple[str, bool]) -> NDArray[np.int64]:
        """The pictures for which all these facts have these values."""
        if wanted not in self._rows:
            if any(name not in self._column for name, _ in wanted):
                return np.zeros(0, np.int64)
            fits = [self._facts[:, self._column[name]] == int(value) for name, value in wanted]
            self._rows[wanted] = np.flatnonzero(np.logical_and.reduce(fits))
        return self._rows[wanted]

    def askable(self, name: str) -> bool:
        """Whether pictures with and without a fact are there."""
        return self._both(name)

    @property
    def askable_names(self) -> tuple[str, ...]:
        """All facts of `TASKS` with pictures of both kinds."""
        return tuple(name for members in self._askable.values() for name in members)

    @property
    def has_questions(self) -> bool:
        """Whether anything can be asked at all: a fact, or a choice with two classes."""
        return bool(self.askable_names) or any(len(classes) > 1 for classes in self._classes.values())

    def _both(self, name: str) -> bool:
        return all(len(self.rows((name, value))) for value in (False, True))

    def training(self, count: int, split: str = "train") -> Iterator[Example]:
        """`count` questions in training's wording, mixed as `mix` says."""
        made = 0
        for _ in range(20 * count):
            if made == count:
                return
            example = self._one(split)
            if example is not None:
                made += 1
                yield example

    def _one(self, split: str) -> Example | None:
        kind = self.rng.random() * (self.mix.single + self.mix.combination + self.mix.choice)
        if kind < self.mix.single:
            tasks = [t for t in self.mix.tasks if self._askable[t]]
            task = self.rng.choices(tasks, [self.mix.tasks[t] for t in tasks])[0] if tasks else None
            return self.single(self.rng.choice(self._askable[task]), TRAIN, TRAINING, split) if task else None
        if kind < self.mix.single + self.mix.combination:
            pairs = [p for p in self._pairs if p not in HELD_OUT_PAIRS]
            return self.combination(self.rng.choice(pairs), TRAIN, TRAINING, split) if pairs else None
        if not self._classes:
            return None
        kinds = sorted(self._classes)  # expressions are the hardest
        kind_ = self.rng.choices(kinds, [3.0 if k == "expression" else 1.0 for k in kinds])[0]
        return self.choice(kind_, TRAINING, split)

    def measuring(self, split: str, per_attribute: int) -> list[Example]:
        """Questions in wording that training never uses, as many for each fact, pair or choice: `paraphrase`,
        `unseen_combination` or `unseen_attribute`; or `aside`, about the facts of `held_out.ASIDE`. Raises ValueError
        for another split."""
        if split == "paraphrase":
            names = [n for members in self._askable.values() for n in members]
            asked = [self.single(n, TEST, MEASURING, split) for n in names for _ in range(per_attribute)]
            asked += [self.choice(k, MEASURING, split) for k in sorted(self._classes) for _ in range(per_attribute)]
        elif split == "unseen_combination":
            pairs = sorted(p for p in HELD_OUT_PAIRS if p in self._pairs)
            both = {n: TRAIN[n] + TEST[n] for n in TRAIN}
            asked = [self.combination(p, both, MEASURING, split) for p in pairs for _ in range(per_attribute)]
        elif split in ("unseen_attribute", "aside"):
            words = UNSEEN if split == "unseen_attribute" else ASIDE
            asked = [
                self.single(n, words, MEASURING, split) for n in words if self._both(n) for _ in range(per_attribute)
            ]
        else:
            raise ValueError(f"no measuring split called {split!r}")
        return [example for example in asked if example is not None]

    def single(self, name: str, words: Mapping[str, Sequence[Phrase]], frames: Frames, split: str) -> Example | None:
        """One question about one fact; the wanted answer is drawn first."""
        truth = self.rng.random() < 0.5
        rows = self.rows((name, truth))
        if not len(rows):
            return None
        negative = self.rng.random() < self.mix.negative
        turned = frames is TRAINING and name in OPPOSITE and self.rng.random() < self.mix.opposite
        phrase = self.rng.choice((OPPOSITE if turned else words)[name])
        text, options, answer = ask(self.rng, phrase, truth != turned, frames, negative)
        image = self.truths[int(rows[self.rng.randrange(len(rows))])].image
        return Example(image, TASK_OF.get(name, "attributes"), name, text, options, answer, split)

    def combination(
        self, pair: tuple[str, str], words: Mapping[str, Sequence[Phrase]], frames: Frames, split: str
    ) -> Example | None:
        """One question that joins two facts. Of the wrong cases those that differ in one fact come more often."""
        join = self.rng.choices(list(JOINED), (5, 2, 1.5, 1.5))[0]
        answer = self.rng.random() < 0.5
        one, other = pair if self.rng.random() < 0.5 else pair[::-1]
        cases = self._cases(one, other, join)
        if not (cases[True] and cases[False]):  # with one answer only, the words would tell it
            return None
        best = [case for case in cases[answer] if case[0] != case[1]] or cases[answer]
        case = self.rng.choice(best if self.rng.random() < 0.75 else cases[answer])
        rows = self.rows((one, case[0]), (other, case[1]))
        first, second = self.rng.choice(words[one]), self.rng.choice(words[other])
        text, options, right = ask_both(self.rng, first, second, join, answer, frames)
        image = self.truths[int(rows[self.rng.randrange(len(rows))])].image
        return Example(image, "combination", "+".join(pair), text, options, right, split)

    def _cases(self, one: str, other: str, join: str) -> dict[bool, list[tuple[bool, bool]]]:
        """The values of two facts that occur in a picture, by the answer that they give."""
        found: dict[bool, list[tuple[bool, bool]]] = {True: [], False: []}
        for case in ((True, True), (True, False), (False, True), (False, False)):
            if len(self.rows((one, case[0]), (other, case[1]))):
                found[WANTED[join](*case)].append(case)
        return found

    def choice(self, kind: str, frames: Frames, split: str) -> Example | None:
        """One question with two or more classes to choose from; right and wrong ones are drawn evenly."""
        present = [name for name in OPTION_WORDS[kind] if name in self._classes[kind]]
        if len(present) < 2:
            return None
        answer = self.rng.choice(present)
        others = [name for name in OPTION_WORDS[kind] if name in present and name != answer]
        size = len(others) if self.rng.random() < 0.5 else self.rng.randint(1, len(others))
        classes = [answer, *self.rng.sample(others, size)]
        self.rng.shuffle(classes)
        rows = self._classes[kind][answer]
        text, options, right = choose(self.rng, kind, answer, classes, frames)
        image = self.truths[rows[self.rng.randrange(len(rows))]].image
        return Example(image, CHOICE_TASK[kind], kind, text, options, right, split)
