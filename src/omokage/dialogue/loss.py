"""What is learnt: the next token of every answer, and how often the first one is right."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from omokage.dialogue.rows import Rows


def answer_loss(logits: Tensor, at: Tensor, rows: Rows, kinds: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]:
    """Weighted mean cross-entropy over the answers' tokens, and the mean of each of `kinds` for the log.

    `logits` (n, vocabulary) and `at` (n, 2) are the network's. A kind that the batch does not hold is left out.
    """
    target, weight = rows.target[at[:, 0], at[:, 1]], rows.weight[at[:, 0], at[:, 1]]
    each = F.cross_entropy(logits, target, reduction="none")
    total = (each * weight).sum() / weight.sum().clamp(min=1e-6)
    kind = rows.kind[at[:, 0], at[:, 1]]
    parts = {name: each[kind == k].mean().detach() for k, name in enumerate(kinds) if bool((kind == k).any())}
    return total, parts


def segment_scores(logits: Tensor, at: Tensor, rows: Rows) -> Tensor:
    """Sum of the targets' log-probabilities of every segment, (r, segments)."""
    target = rows.target[at[:, 0], at[:, 1]]
    each = torch.log_softmax(logits, 1).gather(1, target[:, None])[:, 0]
    number = rows.segment[at[:, 0], at[:, 1]] - 1
    out = torch.zeros(len(rows.ids), int(rows.segment.max()), dtype=each.dtype, device=each.device)
    return out.index_put((at[:, 0], number), each, accumulate=True)
