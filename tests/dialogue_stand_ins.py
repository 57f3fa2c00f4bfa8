"""Truths without pictures, drawn at random, and a language model that reads its answers off them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from omokage.dialogue.conversation import Asked, Image, Turn
from omokage.dialogue.facts import Truth
from omokage.dialogue.held_out import UNSEEN
from omokage.dialogue.matching import asked_for
from omokage.dialogue.phrases import TRAIN
from omokage.dialogue.reply import YES_NO
from omokage.dialogue.templates import OPTION_WORDS


def random_truths(count: int = 300, seed: int = 3) -> list[Truth]:
    """Facts that are independent coin tosses, a tenth of them unknown."""
    rng = np.random.default_rng(seed)
    names = (*TRAIN, *UNSEEN)
    found = []
    for k in range(count):
        facts = {n: bool(rng.random() < 0.4) for n in names if rng.random() > 0.1}
        choices = {kind: list(words)[int(rng.integers(len(words)))] for kind, words in OPTION_WORDS.items()}
        found.append(Truth(k, f"person-{k}", facts, choices))
    return found


class Saying:
    """A model whose probability of "yes" for a recognised fact is fixed; of choices it prefers the first option."""

    id, size, margin = "stand-in/dialogue@0", 32, 1.3

    def __init__(self, yes: float = 0.9, words: str = "a face .", card: object | None = "shipped") -> None:
        self.yes, self.words, self.asked = yes, words, list[Asked]()
        if card is not None:
            self.card = card  # what tells the project's own model from larger ones

    def choose(
        self, image: Image | None, question: str, options: Sequence[str], history: Sequence[Turn] = ()
    ) -> NDArray[np.float64]:
        return self.choose_many([Asked(image, question, tuple(options), tuple(history))])[0]

    def choose_many(self, asked: Sequence[Asked], batch: int = 32) -> list[NDArray[np.float64]]:
        self.asked += asked
        return [self._one(one) for one in asked]

    def _one(self, asked: Asked) -> NDArray[np.float64]:
        meant = asked_for(asked.question, asked.options)
        if asked.options == YES_NO:
            value = meant.facts[0][1] if meant is not None and meant.facts else True
            yes = self.yes if value else 1 - self.yes
            return np.array([yes, 1 - yes])
        rest = (1 - self.yes) / (len(asked.options) - 1)
        return np.array([self.yes, *[rest] * (len(asked.options) - 1)])

    def generate(
        self, image: Image | None, prompt: str, max_tokens: int = 64, history: Sequence[Turn] = ()
    ) -> Iterator[str]:
        self.asked.append(Asked(image, prompt, ()))
        yield from (piece + " " for piece in self.words.split(" "))
