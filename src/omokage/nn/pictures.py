"""Pictures as every network here takes them."""

from __future__ import annotations

from torch import Tensor


def normalise(images: Tensor) -> Tensor:
    """uint8 (b, size, size, 3) as a network's input: float (b, 3, size, size), each channel (value - 127.5) / 127.5,
    channels last in memory."""
    return images.permute(0, 3, 1, 2).float().sub_(127.5).div_(127.5)
