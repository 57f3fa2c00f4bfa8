"""What is learnt: among the options of a closed question the right one, and the next token of every answer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from omokage.dialogue.rows import Rows

SPEAKING = 0.3  # weight of saying it in words beside choosing right


def answer_loss(logits: Tensor, at: Tensor, rows: Rows, kinds: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean cross-entropy among the options where they part, plus `SPEAKING` times that over all tokens of the answers;
    and for the log the first as ``choice``, the second for each of `kinds`.

    `logits` (n, vocabulary) and `at` (n, 2) are the network's. A kind that the batch does not hold is left out. Among
    the options alone the loss begins at chance: how answers are worded costs hundreds of steps to learn, and choosing
    does not have to wait for it.
    """
    target, weight = rows.target[at[:, 0], at[:, 1]], rows.weight[at[:, 0], at[:, 1]]
    each = F.cross_entropy(logits, target, reduction="none")
    total = SPEAKING * (each * weight).sum() / weight.sum().clamp(min=1e-6)
    kind = rows.kind[at[:, 0], at[:, 1]]
    parts = {name: each[kind == k].mean().detach() for k, name in enumerate(kinds) if bool((kind == k).any())}
    if len(rows.choices):
        choice = -choice_scores(logits, at, rows).mean()
        total = total + choice
        parts["choice"] = choice.detach()
    return total, parts


def choice_scores(logits: Tensor, at: Tensor, rows: Rows) -> Tensor:
    """Log-probability (m,) of the right token among those that the options leave, at every place where they part."""
    index = torch.full(rows.ids.shape, -1, dtype=torch.long, device=logits.device)
    index[at[:, 0], at[:, 1]] = torch.arange(len(at), device=logits.device)
    own = logits[index[rows.choice_at[:, 0], rows.choice_at[:, 1]]]
    among = own.gather(1, rows.choices.clamp(min=0)).masked_fill(rows.choices < 0, -torch.inf)
    return torch.log_softmax(among, 1)[:, 0]


def segment_scores(logits: Tensor, at: Tensor, rows: Rows) -> Tensor:
    """Log-probability (r, segments) of every segment's answer, decoded under the constraint of its options."""
    each = choice_scores(logits, at, rows)
    row, token = rows.choice_at[:, 0], rows.choice_at[:, 1]
    out = torch.zeros(len(rows.ids), int(rows.segment.max()), dtype=each.dtype, device=each.device)
    return out.index_put((row, rows.segment[row, token] - 1), each, accumulate=True)
