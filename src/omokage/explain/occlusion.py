"""What hiding a part of the picture does to an answer: by named regions, and patch by patch (Zeiler and Fergus, 2014).

Whatever replaces the hidden part is a picture of its own. What counts is an ordinary face in its place (`ordinary`):
a blur lets dark glasses through, a flat colour is a thing that faces do not have, and inpainting continues the folds
around a smile. These three are tried beside it, and where their effects disagree, the network reacts to the fill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from omokage.explain.ordinary import ordinary
from omokage.explain.target import Image, Target, View

Mask = NDArray[np.bool_]
Fill = Callable[[Image, Mask], Image]
BATCH = 64


def _blur(image: Image, mask: Mask) -> Image:
    """A strong blur: the colours of the place without its detail."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), image.shape[0] / 10), np.uint8)


def _mean(image: Image, mask: Mask) -> Image:
    """The mean colour of the crop."""
    return np.broadcast_to(np.round(image.mean((0, 1))).astype(np.uint8), image.shape)


def _inpaint(image: Image, mask: Mask) -> Image:
    """What the surroundings suggest (Telea, 2004). Computed at half size, which loses nothing in so smooth a fill."""
    n = image.shape[0]
    half = max(n // 2, 8)
    small = cv2.resize(image, (half, half), interpolation=cv2.INTER_AREA)
    hole = cv2.resize(mask.astype(np.uint8) * 255, (half, half), interpolation=cv2.INTER_LINEAR)
    hole = cv2.dilate((hole > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    if hole.all():
        return _mean(image, mask)
    done = cv2.inpaint(small, hole, 3, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(done, (n, n), interpolation=cv2.INTER_LINEAR), np.uint8)


FILLS: Mapping[str, Fill] = {"blur": _blur, "mean": _mean, "inpaint": _inpaint}


def fills_for(view: View) -> Mapping[str, Fill]:
    """What hidden parts of a face are filled with, the fill that counts first: an ordinary face, beside it `FILLS`; or
    the photograph that this one is compared with alone."""
    before = view.before
    if before is not None:
        return {"before": lambda image, mask: before}
    return {"ordinary": lambda image, mask: ordinary(image, view.points, mask), **FILLS}


def blended(image: Image, other: Image, mask: Mask) -> Image:
    """`other` where `mask` is, `image` elsewhere, with a soft edge."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8)[..., None]
    return np.asarray(np.round(image * (1 - soft) + other * soft), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The explained number and the user's answer for a batch of pictures, (b,) each."""

    score: NDArray[np.float64]
    answer: NDArray[np.float64]


@torch.inference_mode()
def scores(target: Target, images: Sequence[Image]) -> Scores:
    """Score and answer of crops."""
    found = []
    for first in range(0, len(images), BATCH):
        raw = target.raw(target.prepare(np.stack(images[first : first + BATCH])))
        found.append(torch.stack([target.score(raw), target.answer(raw)]).double().cpu().numpy())
    score, answer = np.concatenate(found, 1)
    return Scores(score, answer)


def hide_each(
    target: Target, image: Image, masks: Mapping[str, Mask], fills: Mapping[str, Fill] = FILLS
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]], dict[str, Image]]:
    """For every named mask: score and answer by fill, and the picture of the first fill."""
    pictures = {
        (name, fill): blended(image, make(image, mask), mask)
        for name, mask in masks.items()
        for fill, make in fills.items()
    }
    got = scores(target, list(pictures.values()))
    score: dict[str, dict[str, float]] = {name: {} for name in masks}
    answer: dict[str, dict[str, float]] = {name: {} for name in masks}
    for (name, fill), s, a in zip(pictures, got.score, got.answer, strict=True):
        score[name][fill], answer[name][fill] = float(s), float(a)
    return score, answer, {name: pictures[name, next(iter(fills))] for name in masks}


def patch_map(
    target: Target, image: Image, patch: float = 0.18, step: float = 0.1, before: Image | None = None
) -> NDArray[np.float32]:
    """(n, n): what hiding a soft disc around each place takes from the score; sizes are shares of the crop's side.

    Discs are filled with the blurred crop, or with `before`. Between the places that were tried values are
    interpolated.
    """
    n = image.shape[0]
    at = np.linspace(0, n, max(round(1 / step), 2) + 1)
    ys, xs = np.mgrid[:n, :n] + 0.5
    discs = [(ys - y) ** 2 + (xs - x) ** 2 < (patch * n / 2) ** 2 for y in at for x in at]
    without = FILLS["blur"](image, discs[0]) if before is None else before
    got = scores(target, [image, *(blended(image, without, disc) for disc in discs)])
    drops = (got.score[0] - got.score[1:]).reshape(len(at), len(at)).astype(np.float32)
    # The grid's first and last points lie on the crop's edges: sample it at the pixel centres between them.
    place = ((np.arange(n) + 0.5) / n * (len(at) - 1)).astype(np.float32)
    mx, my = np.meshgrid(place, place)
    return np.asarray(cv2.remap(drops, mx, my, cv2.INTER_LINEAR), np.float32)
