"""Batches of pictures with packed conversations, each a pure function of (seed, process, step).

Questions come out of a pool: for a few hundred pictures at a time the questioner draws words first and pictures after,
so that words alone tell nothing; what it drew is then sorted by picture and packed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import Dataset

from omokage.dialogue import shapes
from omokage.dialogue.album import Album
from omokage.dialogue.captions import CAPTION_PROMPTS, caption
from omokage.dialogue.config import SOURCES, DialogueConfig, Stage
from omokage.dialogue.conversation import Example, Image, Turn
from omokage.dialogue.questions import Questioner
from omokage.dialogue.rows import Rows, Segment, pack, segment_of
from omokage.dialogue.tokenizer import Words

SCENE_PROMPT = "What is in the picture?"
_CHUNK = 768  # pictures of one pool
_CAPTION_WEIGHT = 0.25  # of a caption's token: there are many, and most follow from the one before


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pictures (r, size, size, 3) uint8 and the rows that go with them."""

    images: Tensor
    rows: Rows

    def to(self, device: torch.device) -> Batch:
        return Batch(self.images.to(device, non_blocking=True), self.rows.to(device))


class Steps(Dataset[Batch]):
    """The batches of one stage; item k is that of step k in process `rank` of `world`."""

    def __init__(
        self, album: Album | None, words: Words, config: DialogueConfig, stage: Stage, rank: int = 0, world: int = 1
    ) -> None:
        self.album, self.words, self.config, self.stage = album, words, config, stage
        self.rank, self.world = rank, world
        shares = np.array([share for _, share in stage.mix])
        self._sources, self._shares = [name for name, _ in stage.mix], shares / shares.sum()
        self._seed = (config.seed, *stage.name.encode())
        self._pool: tuple[int, list[tuple[int, list[Example]]]] = (-1, [])

    def __getitem__(self, step: int) -> Batch:
        images, rows = [], []
        for r in range(self.config.rows):
            index = (step * self.world + self.rank) * self.config.rows + r
            rng = np.random.default_rng((*self._seed, 1, index))
            source = self._sources[int(rng.choice(len(self._sources), p=self._shares))]
            image, segments = getattr(self, f"_{source}")(index, rng, SOURCES.index(source))
            images.append(torch.from_numpy(image))
            rows.append(self._fitting(segments))
        return Batch(torch.stack(images), pack(rows, [True] * len(rows)))

    def _fitting(self, segments: Sequence[Segment]) -> list[Segment]:
        """The segments that are no longer than the language model can read."""
        longest = self.config.network.positions // 2
        cut = [replace(s, ids=s.ids[:longest], targets=s.targets[:longest], choices=()) for s in segments[:1]]
        return [s for s in segments if len(s.ids) <= longest] or cut

    def _crop(self, place: int, rng: Generator) -> Image:
        assert self.album is not None
        return self.album.crop(place, self.config.network, self.config.data, rng)

    def _drawn(self, index: int) -> tuple[int, list[Example]]:
        """A picture and the questions that the pool has about it."""
        chunk, place = divmod(index, _CHUNK)
        if self._pool[0] != chunk:
            self._pool = (chunk, self._filled(chunk))
        pool = self._pool[1]
        return pool[place % len(pool)]

    def _filled(self, chunk: int) -> list[tuple[int, list[Example]]]:
        assert self.album is not None
        rng = np.random.default_rng((*self._seed, 2, chunk))
        places = rng.choice(len(self.album), min(_CHUNK, len(self.album)), replace=False)
        asker = Questioner([self.album.truths[i] for i in places], int(rng.integers(2**31)))
        each = self.config.data.questions
        found: dict[int, list[Example]] = {}
        for example in asker.training(len(places) * each):
            found.setdefault(int(example.image), []).append(example)
        pool = [(i, asked[k : k + each]) for i, asked in found.items() for k in range(0, len(asked), each)]
        return [pool[i] for i in rng.permutation(len(pool))]

    def _questions(self, index: int, rng: Generator, kind: int) -> tuple[Image, list[Segment]]:
        place, asked = self._drawn(index)
        return self._crop(place, rng), [segment_of(self.words, [turn_of(e)], kind=kind) for e in asked]

    def _talks(self, index: int, rng: Generator, kind: int) -> tuple[Image, list[Segment]]:
        place, asked = self._drawn(index)
        turns, size = [turn_of(e) for e in asked], self.config.data.turns
        talks = [turns[k : k + size] for k in range(0, len(turns), size)]
        return self._crop(place, rng), [segment_of(self.words, talk, kind=kind) for talk in talks]

    def _captions(self, index: int, rng: Generator, kind: int) -> tuple[Image, list[Segment]]:
        assert self.album is not None
        place = int(rng.integers(len(self.album)))
        told = [self._told(place, rng, kind) for _ in range(3)]
        return self._crop(place, rng), told

    def _told(self, place: int, rng: Generator, kind: int) -> Segment:
        assert self.album is not None
        prompt = CAPTION_PROMPTS[int(rng.integers(len(CAPTION_PROMPTS)))]
        text = caption(self.album.truths[place], int(rng.integers(2**31)))
        return segment_of(self.words, [Turn(prompt, text)], _CAPTION_WEIGHT, kind)

    def _scenes(self, index: int, rng: Generator, kind: int) -> tuple[Image, list[Segment]]:
        image, things = shapes.drawn(rng, self.config.network.size)
        asked = shapes.questions(things, rng, index)
        order = rng.permutation(len(asked))[: self.config.data.scene_questions]
        return image, [segment_of(self.words, [turn_of(asked[i])], kind=kind) for i in order]

    def _scene_captions(self, index: int, rng: Generator, kind: int) -> tuple[Image, list[Segment]]:
        image, things = shapes.drawn(rng, self.config.network.size)
        turns = [Turn(SCENE_PROMPT, shapes.caption(things, rng)) for _ in range(3)]
        return image, [segment_of(self.words, [turn], _CAPTION_WEIGHT, kind) for turn in turns]


def turn_of(example: Example) -> Turn:
    """A question with its true answer."""
    return Turn(example.question, example.answer, example.options)


def corpus(album: Album | None, seed: int, count: int = 4000) -> list[str]:
    """Texts that the tokenizer is trained on: questions, options, captions, in training's wording only."""
    rng = np.random.default_rng((seed, 9))
    texts: list[str] = [SCENE_PROMPT, *CAPTION_PROMPTS]
    for number in range(count // 8):
        _, things = shapes.drawn(rng, 16)
        texts.append(shapes.caption(things, rng))
        texts += [text for e in shapes.questions(things, rng, number) for text in (e.question, *e.options)]
    if album is not None:
        some = rng.choice(len(album), min(len(album), 1000), replace=False)
        asked = Questioner([album.truths[i] for i in some], seed).training(count)
        texts += [text for e in asked for text in (e.question, *e.options)]
        texts += [caption(album.truths[i], int(rng.integers(2**31))) for i in some]
    return texts
