"""Conversations as rows of tokens: many questions about one picture share its visual tokens and do not see each other.

A row is one picture and its segments. A segment is a conversation, once per turn ``<ask> question <option> a <option> b
<answer> answer <end>`` (an open question has no options); only what follows ``<answer>`` is learnt. Packing sixteen
questions behind one picture costs a third of asking them one by one, with the same answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from omokage.dialogue.conversation import Turn
from omokage.dialogue.tokenizer import ANSWER, ASK, END, OPTION, PAD, Words

IGNORED = -100


@dataclass(frozen=True, slots=True)
class Segment:
    """Tokens of one conversation and, of the same length, what to learn at each place: the next token or `IGNORED`.

    `choices`: places where the options part, each with the tokens that they go on with, the right one first.
    """

    ids: tuple[int, ...]
    targets: tuple[int, ...]
    choices: tuple[tuple[int, tuple[int, ...]], ...] = ()
    weight: float = 1.0
    kind: int = 0  # which source it came from, for the log


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """`r` rows of `t` tokens. `segment` is 0 where there is nothing, else counts from 1; `place` is a token's place in
    its segment; `target` the next token or `IGNORED`; `weight` of each target; `kind` of each token; `seen` (r,)
    whether the row has a picture. `choices` (m, k) are the tokens among which the options decide, the right one first,
    -1 for none; `choice_at` (m, 2) row and token of each."""

    ids: Tensor
    segment: Tensor
    place: Tensor
    target: Tensor
    weight: Tensor
    kind: Tensor
    seen: Tensor
    choices: Tensor
    choice_at: Tensor

    def to(self, device: torch.device) -> Rows:
        return Rows(*(t.to(device, non_blocking=True) for t in self._tensors()))

    def _tensors(self) -> tuple[Tensor, ...]:
        some = self.ids, self.segment, self.place, self.target, self.weight, self.kind, self.seen
        return *some, self.choices, self.choice_at


def prompt_of(words: Words, question: str, options: Sequence[str] = (), history: Sequence[Turn] = ()) -> list[int]:
    """The tokens up to and including the mark after which the model answers."""
    ids: list[int] = []
    for turn in history:
        ids += [*prompt_of(words, turn.question, turn.options), *words.encode(turn.answer), END]
    offered = [token for option in options for token in (OPTION, *words.encode(option))]
    return [*ids, ASK, *words.encode(question), *offered, ANSWER]


def segment_of(
    words: Words, turns: Sequence[Turn], weight: float = 1.0, kind: int = 0, last_only: bool = False
) -> Segment:
    """A conversation as tokens; with `last_only` the answers before the last are context and nothing is learnt of
    them."""
    ids: list[int] = []
    targets: list[int] = []
    choices: list[tuple[int, tuple[int, ...]]] = []
    for number, turn in enumerate(turns):
        asked = prompt_of(words, turn.question, turn.options)
        answer = [*words.encode(turn.answer), END]
        ids += asked
        if not last_only or number == len(turns) - 1:
            targets += [*[IGNORED] * (len(asked) - 1), *answer, IGNORED]
            choices += [(len(ids) - 1 + k, among) for k, among in _parting(words, turn.options, answer)]
        else:
            targets += [IGNORED] * (len(asked) + len(answer))
        ids += answer
    return Segment(tuple(ids[:-1]), tuple(targets[:-1]), tuple(choices), weight, kind)


def _parting(words: Words, options: Sequence[str], answer: Sequence[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Where options that agree with the answer so far part, and the tokens that they go on with, the answer's first."""
    ways = [[*words.encode(option), END] for option in options]
    for k, token in enumerate(answer):
        after = {way[k] for way in ways if way[:k] == list(answer[:k]) and len(way) > k}
        if len(after) > 1:
            yield k, (token, *sorted(after - {token}))


def pack(rows: Sequence[Sequence[Segment]], seen: Sequence[bool]) -> Rows:
    """Rows of segments as tensors, padded to the longest row."""
    length = max(sum(len(s.ids) for s in row) for row in rows)
    shape = (len(rows), length)
    ids, segment, place, kind = (torch.full(shape, PAD, dtype=torch.long) for _ in range(4))
    target, weight = torch.full(shape, IGNORED, dtype=torch.long), torch.zeros(shape)
    choices: list[tuple[int, ...]] = []
    choice_at: list[tuple[int, int]] = []
    for r, row in enumerate(rows):
        at = 0
        for number, part in enumerate(row, 1):
            to = slice(at, at + len(part.ids))
            ids[r, to], target[r, to] = torch.tensor(part.ids), torch.tensor(part.targets)
            segment[r, to], place[r, to] = number, torch.arange(len(part.ids))
            weight[r, to], kind[r, to] = part.weight, part.kind
            choices += [among for _, among in part.choices]
            choice_at += [(r, at + k) for k, _ in part.choices]
            at = to.stop
    most = max((len(among) for among in choices), default=1)
    among_ = torch.tensor([[*among, *[-1] * (most - len(among))] for among in choices], dtype=torch.long)
    where = torch.tensor(choice_at, dtype=torch.long).view(-1, 2)
    return Rows(ids, segment, place, target, weight, kind, torch.tensor(list(seen)), among_.view(-1, most), where)


def attention(rows: Rows, visual: int) -> Tensor:
    """Who may look at whom, True where allowed (r, 1, visual + t, visual + t).

    Visual tokens see each other, text sees the picture (where there is one) and what came before in its own segment.
    Everything sees itself, so that no line of the softmax is empty.
    """
    count, length = rows.ids.shape
    total = visual + length
    allowed = torch.zeros(count, total, total, dtype=torch.bool, device=rows.ids.device)
    allowed[:, :, :visual] = rows.seen[:, None, None]
    same = (rows.segment[:, :, None] == rows.segment[:, None, :]) & (rows.segment[:, None, :] > 0)
    before = torch.ones(length, length, dtype=torch.bool, device=rows.ids.device).tril()
    allowed[:, visual:, visual:] = same & before
    allowed |= torch.eye(total, dtype=torch.bool, device=rows.ids.device)
    return allowed[:, None]
