"""Carrying trained layers into a network that is wider or reads finer pictures, so that it begins as the old one did.

New output channels keep their fresh values and are read with zeros by the layer behind, after Net2Net (Chen,
Goodfellow, Shlens, ICLR 2016), whose copies are replaced by zeros here: nothing has to be divided.
"""

from __future__ import annotations

import torch
from torch import Tensor


def widened(old: Tensor, fresh: Tensor) -> Tensor | None:
    """`old` in the shape of `fresh`, or None when it does not fit.

    Rows (output channels) beyond those of `old` are those of `fresh`, columns (input channels) beyond them are 0. A 3x3
    kernel becomes the 7x7 kernel that does to pictures of twice the side what it did to them after averaging 2x2.
    """
    if old.shape == fresh.shape:
        return old
    if old.dim() == 4 and old.shape[2:] == (3, 3) and fresh.dim() == 4 and fresh.shape[2:] == (7, 7):
        old = finer(old)
    narrower = old.dim() == fresh.dim() and all(a <= b for a, b in zip(old.shape[:2], fresh.shape[:2], strict=True))
    if not narrower or old.shape[2:] != fresh.shape[2:]:
        return None
    out = fresh.clone()
    out[: len(old)] = 0
    out[tuple(slice(0, n) for n in old.shape[:2])] = old
    return out


def finer(kernel: Tensor) -> Tensor:
    """The 7x7 kernel (o, i, 7, 7) that at a stride of 4 and a padding of 3 equals averaging 2x2 and then `kernel`
    (o, i, 3, 3) at a stride of 2 and a padding of 1. Its first row and column are 0."""
    spread = kernel.repeat_interleave(2, 2).repeat_interleave(2, 3) / 4
    return torch.nn.functional.pad(spread, (1, 0, 1, 0))
