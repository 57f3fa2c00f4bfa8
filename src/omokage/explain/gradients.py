"""Relevance by gradients of the explained number: integrated gradients, and SmoothGrad."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from omokage.explain.target import Image, Target

BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Attributed:
    """Relevance of pictures (b, n, n), and what it should sum to (b,), or None where the method promises no sum."""

    relevance: Tensor
    total: Tensor | None


def gradient(target: Target, pictures: Tensor) -> Tensor:
    """The gradient of the score (b, 3, n, n) at prepared pictures."""
    found = []
    for part in torch.split(pictures, BATCH):
        with torch.enable_grad():
            at = part.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(target.score(target.raw(at)).sum(), at)
        found.append(slope)
    return torch.cat(found)


def plain(images: Image) -> Image:
    """What a picture is compared with: itself, blurred until no feature is left. Crops (b, n, n, 3)."""
    return np.stack([cv2.GaussianBlur(one, (0, 0), one.shape[0] / 6) for one in images])


def integrated(target: Target, images: Image, steps: int = 20, before: Image | None = None) -> Attributed:
    """Integrated gradients (Sundararajan et al., ICML 2017) to the crop from `before` (b, n, n, 3): an ordinary face,
    the photograph that it is compared with, or else the blurred crop; by the midpoint rule.

    The sum over a picture approaches the difference of the two scores, which is `total`.
    """
    x, start = target.prepare(images), target.prepare(plain(images) if before is None else before)
    way = (torch.arange(steps, device=x.device) + 0.5) / steps
    points = start[:, None] + way.reshape(1, -1, 1, 1, 1) * (x - start)[:, None]
    slope = gradient(target, points.flatten(0, 1)).reshape(len(x), steps, *x.shape[1:]).mean(1)
    with torch.no_grad():
        total = target.score(target.raw(x)) - target.score(target.raw(start))
    return Attributed(((x - start) * slope).sum(1), total)


def smoothed(
    target: Target, images: Image, copies: int = 16, noise: float = 0.1, seed: int = 0, before: Image | None = None
) -> Attributed:
    """SmoothGrad (Smilkov et al., 2017): the mean gradient of noisy copies, times how the crop differs from its blur,
    or from `before` (b, n, n, 3).

    `noise` is a standard deviation in shares of the input's range. Multiplying by the difference gives it a sign that
    means the same as in the other methods.
    """
    x = target.prepare(images)
    generator = torch.Generator(device=x.device).manual_seed(seed)
    spread = noise * float(x.max() - x.min())
    shape = (len(x), copies, *x.shape[1:])
    noisy = x[:, None] + spread * torch.randn(shape, generator=generator, device=x.device)
    slope = gradient(target, noisy.flatten(0, 1)).reshape(shape).mean(1)
    start = target.prepare(plain(images) if before is None else before)
    return Attributed(((x - start) * slope).sum(1), None)
