"""What the finder should say at every cell of a scene, and the loss that compares it with what it says.

A face belongs to the stride whose size range it falls into (both, near a limit); the cells around its centre are asked
for it, the cells of a face that does not count are left alone, all others are background. Scores are trained by the
quality focal loss (Li et al. 2020), so that a high score also means a box that fits; boxes by generalised IoU
(Rezatofighi et al. 2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from omokage.faces.canvas import FaceScene
from omokage.faces.network import STRIDES

_LIMITS = ((0.0, 34.0), (34.0, 70.0), (70.0, 140.0), (140.0, 1e9))  # larger side of the face, pixels, for each stride
_OVERLAP = 1.2  # a face up to this factor beyond a limit belongs to both neighbours
UNASKED = -1.0  # the state of a cell that is left alone


def targets(scene: FaceScene) -> NDArray[np.float32]:
    """(cells, 5): state (1 face, 0 background, -1 left alone) and the face's box, for all strides in turn."""
    size = scene.image.shape[0]
    return np.concatenate([_stride(scene, size // s, s, *limits) for s, limits in zip(STRIDES, _LIMITS, strict=True)])


def _stride(scene: FaceScene, cells: int, stride: int, low: float, high: float) -> NDArray[np.float32]:
    result = np.zeros((cells, cells, 5), np.float32)
    middle = (np.arange(cells) + 0.5) * stride
    sides = (scene.boxes[:, 2:] - scene.boxes[:, :2]).max(1)
    for box in scene.ignored.astype(np.float64):
        result[_inside(middle, box)] = (UNASKED, 0, 0, 0, 0)
    for i in np.argsort(-sides):  # small faces last: where two claim a cell the smaller one keeps it
        box, side = scene.boxes[i].astype(np.float64), float(sides[i])
        if low / _OVERLAP <= side < high * _OVERLAP:
            centre, reach = (box[:2] + box[2:]) / 2, max(0.75 * stride, 0.16 * side)
            result[_inside(middle, np.concatenate([centre - reach, centre + reach]))] = (1, *box)
    return result.reshape(-1, 5)


def _inside(middle: NDArray[Any], box: NDArray[Any]) -> tuple[slice, slice]:
    """Rows and columns of the cells whose middle lies in the box."""
    x0, x1 = np.searchsorted(middle, (box[0], box[2]))
    y0, y1 = np.searchsorted(middle, (box[1], box[3]))
    return slice(int(y0), int(y1)), slice(int(x0), int(x1))


def generalised_iou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU of boxes (n, 4) pair by pair."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    common = (high - low).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - common
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    iou = common / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)


def finder_loss(logits: Tensor, boxes: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Score loss and box loss, each per face cell. Shapes (batch, cells), (batch, cells, 4) and (batch, cells, 5)."""
    state = wanted[..., 0]
    face = state == 1
    many = face.sum().clamp(min=1)
    iou, overlap = generalised_iou(boxes[face], wanted[..., 1:][face])
    goal = torch.zeros_like(logits)
    goal[face] = 0.5 + 0.5 * iou.detach().clamp(0, 1)  # half from the start: a young network's boxes never fit
    weight = (torch.sigmoid(logits).detach() - goal).abs() ** 2 * (state != UNASKED)
    score = (F.binary_cross_entropy_with_logits(logits, goal, reduction="none") * weight).sum() / many
    return score, (1 - overlap).sum() / many
