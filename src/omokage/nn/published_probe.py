"""The probe as FAb-Net publishes it (Wiles et al., BMVC 2018): batch norm, a linear layer without bias, descent.

Values are fitted with squared error, classes with independent sigmoids (the published AffectNet head). Once trained,
batch norm and layer are one affine map, which is what is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from omokage.nn.probe import Kind, Link, Probe, Task


@dataclass(frozen=True, slots=True)
class Descent:
    """Stochastic gradient descent: rate, momentum, batch size and epochs; the rate drops tenfold after 2/3 of them.

    The published code does not hold these numbers; they are this project's own.
    """

    rate: float = 0.01
    momentum: float = 0.9
    batch: int = 32
    epochs: int = 60


def fit_published_probe(
    features: ArrayLike,
    targets: ArrayLike,
    kind: Kind,
    descent: Descent | None = None,
    seed: int = 0,
    classes: Sequence[str] | None = None,
) -> Probe:
    """Fit batch norm and linear layer on features (n, d); labels as for `fit_probe`.

    Values are standardised while fitting. Raises ValueError as `fit_probe` does, and with fewer than two pictures.
    """
    x, task, how = np.asarray(features, np.float32), Task.of(targets, kind, classes), descent or Descent()
    if x.ndim != 2 or len(x) != len(task) or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"{len(task)} labels need at least two rows of finite features (n, d), not {x.shape}")
    nominal = kind == "nominal"
    shift, spread = (0.0, 1.0) if nominal else (task.values.mean(0), np.maximum(task.values.std(0), 1e-12))
    aims = np.eye(len(task.classes))[task.codes] if nominal else (task.values - shift) / spread
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        norm, layer = nn.BatchNorm1d(x.shape[1]), nn.Linear(x.shape[1], aims.shape[1], bias=False)
        _descend(nn.Sequential(norm, layer), torch.from_numpy(x), torch.from_numpy(aims).float(), nominal, how)
    if norm.running_mean is None or norm.running_var is None:
        raise AssertionError("batch norm keeps its statistics")
    scale = (norm.running_var.double() + norm.eps).sqrt().numpy()
    weight = layer.weight.detach().double().numpy().T
    bias = norm.bias.detach().double().numpy() @ weight * spread + shift
    weight = norm.weight.detach().double().numpy()[:, None] * weight * spread
    low, high = (np.zeros(len(bias)), np.ones(len(bias))) if nominal else (task.values.min(0), task.values.max(0))
    link: Link = "sigmoid" if nominal else "values"
    unknown, centre = np.full(len(bias), np.nan), norm.running_mean.double().numpy()
    return Probe(kind, link, centre, scale, weight, bias, low, high, unknown, task.classes, labels=len(x))


def _descend(model: nn.Module, x: Tensor, aims: Tensor, nominal: bool, how: Descent) -> None:
    """Train in place; a batch of one picture, which batch norm cannot use, is left out."""
    measure = nn.BCEWithLogitsLoss() if nominal else nn.MSELoss()
    optimiser = torch.optim.SGD(model.parameters(), lr=how.rate, momentum=how.momentum)
    drop = torch.optim.lr_scheduler.MultiStepLR(optimiser, [max(1, 2 * how.epochs // 3)], 0.1)
    for _ in range(how.epochs):
        for rows in torch.split(torch.randperm(len(x)), how.batch):
            if len(rows) < 2:
                continue
            optimiser.zero_grad()
            measure(model(x[rows]), aims[rows]).backward()
            optimiser.step()
        drop.step()
    model.eval()
