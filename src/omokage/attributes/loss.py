"""What the network is trained to do, per attribute and masked where a picture lacks the label.

The paper's choice (squared error for ordinal, cross-entropy for nominal attributes, one weight per category) is
`ordinal="squared"` with `categories`; beside it label distributions (Gao et al., 2017), cumulative links (CORAL, Cao et
al., 2020) and learned balancing by homoscedastic uncertainty (Kendall et al., CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from omokage.attributes.config import LossConfig, form
from omokage.attributes.model import AttributeNetwork, Located, Outputs, bin_centres, pose_of_rotation
from omokage.schema import Attribute


class AttributeLoss(nn.Module):
    """Weighted sum over attributes, and each attribute's own loss for the log.

    `targets` come from `data.Layout.unpack`: (b, width) by name, NaN where unknown. A picture without a label adds
    nothing; the mean of an attribute is over its labelled pictures, or over a quarter of the batch when fewer have it,
    so that rare labels do not drown the rest in noise.
    """

    def __init__(self, model: AttributeNetwork, config: LossConfig) -> None:
        super().__init__()
        self.schema, self.config = model.schema, config
        self.category = {name: c for c, group in model.schema.categories().items() for name in (a.name for a in group)}
        self.log_variance = nn.ParameterDict()
        if config.balance == "learned":
            self.log_variance.update(
                {c.replace("-", "_"): nn.Parameter(torch.zeros(())) for c in model.schema.categories()}
            )

    def forward(self, outputs: Outputs, targets: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The total and the parts before weighting."""
        parts = {a.name: masked_mean(self._rows(a, outputs, targets[a.name]), targets[a.name]) for a in self.schema}
        sums: dict[str, Tensor] = {}
        for attribute in self.schema:
            name, category = attribute.name, self.category[attribute.name]
            weight = self.config.attributes.get(name, self.config.forms[form(attribute)])
            sums[category] = sums.get(category, torch.zeros((), device=parts[name].device)) + weight * parts[name]
        total = torch.zeros((), device=next(iter(parts.values())).device)
        for category, part in sums.items():
            part = part * self.config.categories.get(category, 1.0)
            if self.log_variance:
                s = self.log_variance[category.replace("-", "_")]
                part = torch.exp(-s) * part + s
            total = total + part
        return total, parts

    def _rows(self, attribute: Attribute, out: Outputs, target: Tensor) -> Tensor:
        """The loss of each picture (b,); rows without a label may hold anything finite."""
        name, kind = attribute.name, form(attribute)
        target = torch.nan_to_num(target, nan=0.0) if kind != "bins" else target
        if kind == "points":
            return points_loss(out.points[name], target.view(-1, attribute.size // 2, 2), self.config.spread)
        if kind == "rotation":
            return rotation_loss(out.rotations[name], target.view(-1, 3, 3), self.config.spread)
        if kind == "vector":
            return vector_loss(out.vectors[name], target, name == "gaze", self.config.spread)
        if kind == "bins":
            return ordinal_loss(attribute, out.bins[name], target, self.config)
        if kind == "classes":
            counts = target.new_tensor([self.config.classes.get(c, 1.0) for c in attribute.classes])
            return -(counts * target * F.log_softmax(out.classes[name], 1)).sum(1)
        return F.binary_cross_entropy_with_logits(out.shares[name], target[:, 0], reduction="none")


def masked_mean(rows: Tensor, target: Tensor) -> Tensor:
    """Mean of `rows` (b,) over the pictures with any finite target, counting at least a quarter of the batch; 0 without
    any."""
    known = torch.isfinite(target).any(1)
    zero = torch.zeros((), device=rows.device, dtype=rows.dtype)
    return torch.where(known, rows, zero).sum() / known.sum().clamp(min=len(rows) / 4)


def spread_loss(error: Tensor, log_sigma: Tensor) -> Tensor:
    """Laplace negative log-likelihood of the sizes of errors that are taken as given: trains the spread, not the
    value."""
    log_sigma = log_sigma.clamp(-7, 5)
    return error.detach() * torch.exp(-log_sigma) + log_sigma


def points_loss(out: Located, target: Tensor, weight: float) -> Tensor:
    """Mean absolute error of the points (b,), and the spread of each."""
    distance = (out.value.detach() - target).norm(dim=2)
    return (out.value - target).abs().mean((1, 2)) + 0.1 * weight * spread_loss(distance, out.log_sigma).mean(1)


def rotation_loss(out: Located, target: Tensor, weight: float) -> Tensor:
    """Frobenius distance of the matrices (b,), and the spread of each angle in degrees."""
    distance = ((out.value - target).pow(2).sum((1, 2)) + 1e-4).sqrt()
    with torch.no_grad():  # the angles only teach the spread; their gradients are infinite at +-90 degrees
        error = (pose_of_rotation(out.value) - pose_of_rotation(target)).abs()
        error = torch.minimum(error, 360 - error)
    return distance + weight * spread_loss(error, out.log_sigma).mean(1)


def vector_loss(out: Located, target: Tensor, degrees: bool, weight: float) -> Tensor:
    """Squared error (b,); for degrees a robust error in thirtieths of a radian-like unit, and its spread."""
    if not degrees:
        return (out.value - target).pow(2).mean(1)
    error = (out.value - target).abs()
    return 0.02 * (error / 10).clamp(max=4).mean(1) + 0.02 * weight * spread_loss(error, out.log_sigma).mean(1)


def ordinal_loss(attribute: Attribute, logits: Tensor, target: Tensor, config: LossConfig) -> Tensor:
    """Loss (b,) of an ordinal attribute; target columns are value, low and high of a bin (high excluded), NaN where
    unknown."""
    centres = bin_centres(attribute, logits.device)
    log_p = F.log_softmax(logits, 1)
    value = target[:, :1]
    in_bin = (centres >= target[:, 1:2]) & (centres < target[:, 2:3])
    mass = torch.logsumexp(log_p.masked_fill(~in_bin, -30.0), 1)
    exact = torch.isfinite(value[:, 0])
    value = torch.where(exact[:, None], value, torch.zeros_like(value)).clamp(attribute.low, attribute.high)
    span = attribute.high - attribute.low
    error = (log_p.exp() * centres).sum(1) - value[:, 0]
    if config.ordinal == "squared":
        rows = (error / span).pow(2) * 20
    elif config.ordinal == "coral":
        rows = coral_rows(log_p, centres, value)
    else:
        spread = config.age_spread if attribute.unit == "years" else config.other_spread * span
        soft = torch.softmax(-(((centres - value) / spread) ** 2) / 2, 1)
        rows = -(soft * log_p).sum(1) + 4 * error.abs() / span
    return torch.where(exact, rows, -mass)


def coral_rows(log_p: Tensor, centres: Tensor, value: Tensor) -> Tensor:
    """Mean binary cross-entropy (b,) of "above the k-th step" for every step (Cao et al., 2020)."""
    below = log_p.exp().cumsum(1)[:, :-1].clamp(1e-6, 1 - 1e-6)
    above = (value > (centres[:-1] + centres[1:]) / 2).float()
    return -(above * torch.log1p(-below) + (1 - above) * below.log()).mean(1) * 5
