"""What the network's numbers are worth: temperatures, stretched intervals and spreads, fitted on held-out people.

Temperature scaling (Guo et al., ICML 2017) for probabilities; split conformal intervals of ordinal attributes (Romano
et al., NeurIPS 2019, with their scaled score), from 5 to 95 percent; spreads scaled so that 68 percent of errors are
within one. A label that is only a bin counts with the bin's probability, and an interval is right about it when it
reaches the bin: nine in ten do, and fewer than that would hold the exact value, which nobody labelled (the card has
that share for rendered people, whose values are known). All of it is plain JSON and travels in the weight card.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from omokage.attributes.model import Located, bin_centres, pose_of_rotation
from omokage.attributes.readings import Readings
from omokage.schema import Attribute, AttributeSchema

LOW, HIGH = 0.05, 0.95
_TEMPERATURES = tuple(float(t) for t in np.exp(np.linspace(np.log(0.4), np.log(4), 41)))
_CONFIDENT = 1.645  # standard errors: 95 percent, one-sided
_FEWEST = 20  # labelled pictures below which nothing is fitted


def fit(schema: AttributeSchema, readings: Readings) -> dict[str, Any]:
    """Temperatures, stretches and spread scales by attribute name, for those with enough labelled pictures."""
    out: dict[str, Any] = {"temperature": {}, "stretch": {}, "spread": {}, "pictures": len(readings)}
    outputs, targets = readings.outputs, readings.targets
    for name, logits in outputs.bins.items():
        attribute, target = schema[name], targets[name]
        exact = torch.isfinite(target[:, 0])
        binned = torch.isfinite(target[:, 1:]).all(1) & ~exact
        known = exact if exact.sum() >= binned.sum() else binned
        if known.sum() >= _FEWEST:
            cost = _bin_cost if known is exact else _mass_cost
            true = target[known, 0] if known is exact else target[known, 1:]
            heat = _best(lambda t, x=logits[known], a=attribute, y=true, f=cost: f(x / t, a, y))
            out["temperature"][name] = heat
            low, high = (true, true) if known is exact else (true[:, 0], true[:, 1])
            out["stretch"][name] = stretch(attribute, logits[known] / heat, low, high)
    for name, logits in outputs.classes.items():
        known = torch.isfinite(targets[name]).all(1)
        if known.sum() >= _FEWEST:
            x, y = logits[known], targets[name][known]
            out["temperature"][name] = _best(lambda t, x=x, y=y: float(-(y * F.log_softmax(x / t, 1)).sum(1).mean()))
    for name, logits in outputs.shares.items():
        known = torch.isfinite(targets[name][:, 0])
        if known.sum() >= _FEWEST and name != "quality":  # exact crops are all good: `evaluate.read_quality` has others
            out["temperature"][name] = fit_share(logits[known], targets[name][known, 0])
    for name, located in outputs.located.items():
        known = torch.isfinite(targets[name]).all(1)
        if known.sum() >= _FEWEST:
            out["spread"][name] = spread_scale(located, targets[name], known)
    return out


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """`first`, with what `second` knows instead: the fit on rendered people, and the one on photographs where they
    have labels."""
    out = dict(first)
    for kind in ("temperature", "stretch", "spread"):
        out[kind] = {**first.get(kind, {}), **second.get(kind, {})}
    return out


def fit_share(logits: Tensor, true: Tensor) -> float:
    """The temperature of a share from logits (n,) and labels (n,) in 0..1."""
    return _best(lambda t: float(F.binary_cross_entropy_with_logits(logits / t, true)))


def _best(cost: Any) -> float:
    """The temperature with the least cost."""
    return round(min(_TEMPERATURES, key=cost), 4)


def _bin_cost(logits: Tensor, attribute: Attribute, true: Tensor) -> float:
    """Mean negative log of the mass that a distribution puts near the true value (three bins: labels are finer than
    bins)."""
    step = (attribute.high - attribute.low) / (logits.shape[1] - 1)
    near = (bin_centres(attribute) - true[:, None]).abs() <= 1.5 * step
    return float(-torch.logsumexp(F.log_softmax(logits, 1).masked_fill(~near, -30), 1).mean())


def _mass_cost(logits: Tensor, attribute: Attribute, bounds: Tensor) -> float:
    """Mean negative log of the mass inside the bins `bounds` (b, 2; high excluded)."""
    return float(-torch.logsumexp(F.log_softmax(logits, 1).masked_fill(~_inside(attribute, bounds), -30), 1).mean())


def _inside(attribute: Attribute, bounds: Tensor) -> Tensor:
    """Which of an attribute's values (b, bins) lie in each bin of `bounds` (b, 2; high excluded)."""
    centres = bin_centres(attribute, bounds.device)
    return (centres >= bounds[:, :1]) & (centres < bounds[:, 1:])


def quantile(attribute: Attribute, logits: Tensor, level: float) -> Tensor:
    """The value (b,) below which a share `level` of each distribution lies; linear inside a bin."""
    centres = bin_centres(attribute, logits.device)
    half = (attribute.high - attribute.low) / (logits.shape[1] - 1) / 2
    p = torch.softmax(logits, 1)
    before = torch.cat([torch.zeros_like(p[:, :1]), p.cumsum(1)], 1)
    k = (before[:, 1:] < level).sum(1).clamp(max=p.shape[1] - 1)
    rows = torch.arange(len(p), device=p.device)
    inside = ((level - before[rows, k]) / p[rows, k].clamp(min=1e-9)).clamp(0, 1)
    found: Tensor = centres[k] - half + inside * 2 * half
    return found.clamp(attribute.low, attribute.high)


def _interval(attribute: Attribute, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The 5 percent point, the middle and the 95 percent point (b,) of each distribution."""
    bottom, middle, top = (quantile(attribute, logits, level) for level in (LOW, 0.5, HIGH))
    return bottom, middle, top


def stretch(attribute: Attribute, logits: Tensor, low: Tensor, high: Tensor) -> float:
    """What both arms of an interval, from the middle of a distribution to its 5 and 95 percent points, are multiplied
    with so that nine in ten intervals reach the truth, which lies in `low`..`high` (b,): one value, or a labelled bin.

    A factor and not a number of years, so that sure answers stay narrow. Nine in ten shall hold for other pictures with
    95 percent confidence, so that a few more than that are held here (normal bound of a share; at most 95 percent,
    which a few dozen pictures would pass).
    """
    bottom, middle, top = _interval(attribute, logits)
    below = (middle - high) / (middle - bottom).clamp(min=1e-3)
    above = (low - middle) / (top - middle).clamp(min=1e-3)
    needed = torch.maximum(below, above).clamp(min=0).numpy()
    held = HIGH - LOW
    level = min(held + (1 - held) / 2, held + _CONFIDENT * float(np.sqrt(held * (1 - held) / len(needed))))
    return round(float(np.quantile(needed, level)), 4)


def spread_scale(located: Located, target: Tensor, known: Tensor) -> float:
    """What spreads are multiplied with so that 68 percent of the errors lie within one."""
    error = errors(located.value[known], target[known])
    ratio = error / torch.exp(located.log_sigma[known].clamp(-7, 5))
    return round(float(np.quantile(ratio.numpy().ravel(), 0.68)), 4)


def errors(value: Tensor, target: Tensor) -> Tensor:
    """Distances of points, angle differences of rotations, absolute differences of vectors."""
    if value.dim() == 3 and value.shape[1:] == (3, 3):
        gap = (pose_of_rotation(value) - pose_of_rotation(target.view(-1, 3, 3))).abs()
        return torch.minimum(gap, 360 - gap)
    if value.dim() == 3:
        distance: Tensor = (value - target.view(value.shape)).pow(2).sum(2).sqrt()
        return distance
    return (value - target).abs()


def summary(
    attribute: Attribute, logits: Tensor, calibration: Mapping[str, Any]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mean (b,), 5 and 95 percent bounds (b,) and the distribution (b, bins) of an ordinal attribute, calibrated."""
    logits = logits / calibration.get("temperature", {}).get(attribute.name, 1.0)
    density = torch.softmax(logits, 1)
    mean = (density * bin_centres(attribute, logits.device)).sum(1)
    factor = calibration.get("stretch", {}).get(attribute.name, 1.0)
    bottom, middle, top = _interval(attribute, logits)
    low = torch.minimum((middle - factor * (middle - bottom)).clamp(min=attribute.low), mean)
    high = torch.maximum((middle + factor * (top - middle)).clamp(max=attribute.high), mean)
    return mean, low, high, density


def probability(name: str, logits: Tensor, calibration: Mapping[str, Any]) -> Tensor:
    """Calibrated probabilities of a share (b,) or of classes (b, classes)."""
    logits = logits / calibration.get("temperature", {}).get(name, 1.0)
    return torch.sigmoid(logits) if logits.dim() == 1 else torch.softmax(logits, 1)


def spread(name: str, located: Located, calibration: Mapping[str, Any]) -> Tensor:
    """What 68 percent of the `errors` of located values stay below, calibrated."""
    scale = float(calibration.get("spread", {}).get(name, 1.0))
    return torch.exp(located.log_sigma.clamp(-7, 5)) * scale
