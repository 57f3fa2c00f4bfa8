"""How far a reconstruction is from its target."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from omokage.embeddings.config import LossConfig
from omokage.embeddings.network import Rebuilt


def absolute_error(pictures: Tensor, targets: Tensor, scales: int = 1) -> Tensor:
    """Mean absolute error of each picture: two (..., 3, size, size) to (...,).

    With more than one scale it is averaged over pictures halved 0, 1, ... times: bilinear sampling moves a pixel only
    towards its direct neighbours, and at coarser scales these are further away.
    """
    lead = pictures.shape[:-3]
    a, b = pictures.flatten(0, -4), targets.flatten(0, -4)
    total = (a - b).abs().mean((1, 2, 3))
    for _ in range(scales - 1):
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        total = total + (a - b).abs().mean((1, 2, 3))
    return (total / scales).view(lead)


def item_losses(rebuilt: Rebuilt, targets: Tensor, config: LossConfig) -> Tensor:
    """What is minimised, for each target (b, targets): the error and the price of what no source explains."""
    return absolute_error(rebuilt.pictures, targets, config.scales) + config.none_price * rebuilt.none
