"""What the parts of this room hand to each other: a question with its true answer, a talk about one picture, and the
door that every language model answers through. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Example:
    """One question about one picture with its true answer.

    `image` is the picture's place in an album or its record id, `task` the family of questions (``attributes``,
    ``expression``, ``caption``, ...), `attribute` what is asked for. A closed question has `options`, one of which is
    the answer; an open one has none. `split` says what the example may be used for (``train``, ``validation``,
    ``unseen_combination``, ``unseen_attribute``, ...). Raises ValueError when the answer is none of the options.
    """

    image: int | str
    task: str
    attribute: str
    question: str
    options: tuple[str, ...]
    answer: str
    split: str = "train"

    def __post_init__(self) -> None:
        if self.options and self.answer not in self.options:
            raise ValueError(f"{self.answer!r} is none of the options {self.options} of {self.question!r}")


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer in a conversation; `options` are those that the asker offered (none: open)."""

    question: str
    answer: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns about one picture (`image` as in `Example`; None: words alone), in order; at least one."""

    image: int | str | None
    turns: tuple[Turn, ...]
    task: str = ""
    split: str = "train"

    @classmethod
    def of(cls, example: Example) -> Conversation:
        """A conversation of one turn."""
        turn = Turn(example.question, example.answer, example.options)
        return cls(example.image, (turn,), example.task, example.split)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One closed question for `DialogueModel.choose_many`. `image`: RGB uint8 (h, w, 3); None asks without a
    picture."""

    image: Image | None
    question: str
    options: tuple[str, ...]
    history: tuple[Turn, ...] = ()


@runtime_checkable
class DialogueModel(Protocol):
    """A language model that sees. `size` and `margin` say how to cut the face's crop that it is shown
    (``faces.align.crop_landmarks(image, landmarks, size, margin)``); other sizes are resized."""

    @property
    def id(self) -> str:
        """The weights' id, or the Hugging Face id or folder."""
        ...

    @property
    def size(self) -> int: ...

    @property
    def margin(self) -> float: ...

    def choose(
        self, image: Image | None, question: str, options: Sequence[str], history: Sequence[Turn] = ()
    ) -> NDArray[np.float64]:
        """Probabilities (options,) that sum to 1, from the model's own token log-probabilities. Raises InputError for
        fewer than two options, an empty question, or a conversation that is too long for the model."""
        ...

    def choose_many(self, asked: Sequence[Asked], batch: int = 32) -> list[NDArray[np.float64]]:
        """`choose` for many questions at once."""
        ...

    def generate(
        self, image: Image | None, prompt: str, max_tokens: int = 64, history: Sequence[Turn] = ()
    ) -> Iterator[str]:
        """The most likely answer in words, piece by piece as it is made; the joined pieces are the answer."""
        ...
