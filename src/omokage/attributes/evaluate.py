"""Scores on held-out people, each with a bootstrap interval over people and the trivial answer's score beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.attributes import calibration as calibrating
from omokage.attributes.data import Crops, Steps
from omokage.attributes.model import AttributeNetwork, pose_of_rotation
from omokage.attributes.readings import Readings, read
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import accuracy, area_under_curve, balanced_accuracy, calibration_error
from omokage.metrics.landmarks import normalised_error
from omokage.metrics.regression import angle_error, correlation, coverage, mean_absolute_error
from omokage.nn.pictures import normalise
from omokage.schema import Attribute, AttributeSchema

_DRAWS = 200
_SURE = (0.35, 0.65)  # labels between are left out where a yes or no is needed

Score = dict[str, Any]


def quick(model: AttributeNetwork, crops: Crops, limit: int = 1000) -> dict[str, float]:
    """The main numbers without intervals, for the log of a run."""
    rows = score(model.schema, read(model, crops, limit), {}, draws=0)
    return {f"{row['measure']}": round(float(row["value"]), 4) for row in rows}


def score(schema: AttributeSchema, readings: Readings, fitted: Mapping[str, Any], draws: int = _DRAWS) -> list[Score]:
    """Rows with `measure`, `value`, `interval`, `n`, `baseline` for every attribute that has labels."""
    scorer = _Scorer(readings, draws)
    for name, located in readings.outputs.points.items():
        count = located.value.shape[1]
        truth = readings.targets[name].view(-1, count, 2).numpy()
        mean_shape = np.broadcast_to(np.nanmean(truth, 0), truth.shape) if np.isfinite(truth).any() else truth
        error, trivial = (normalised_error(p, truth) * 100 for p in (located.value.numpy(), mean_shape))
        scorer.mean(f"{name} error, % of box size", error, trivial)
    for name, located in readings.outputs.rotations.items():
        angles = pose_of_rotation(located.value).numpy()
        truth = pose_of_rotation(readings.targets[name].view(-1, 3, 3)).numpy()
        for k, axis in enumerate(("yaw", "pitch", "roll")):
            middle = np.nanmedian(truth[:, k]) if np.isfinite(truth).any() else 0.0
            scorer.mean(
                f"{axis} error, degrees", angle_error(angles[:, k], truth[:, k]), angle_error(truth[:, k], middle)
            )
    for name, located in readings.outputs.vectors.items():
        truth = readings.targets[name].numpy()
        middle = np.nanmedian(truth, 0) if np.isfinite(truth).any() else truth
        error = np.abs(located.value.numpy() - truth).mean(1)
        scorer.mean(f"{name} error", error, np.abs(truth - middle).mean(1))
    for name in readings.outputs.bins:
        _ordinal(schema, name, readings, fitted, scorer)
    for name, logits in readings.outputs.classes.items():
        truth = readings.targets[name].numpy()
        top = logits.argmax(1).numpy()
        scorer.pairs(f"{name} accuracy", accuracy, top, truth.argmax(1), np.isfinite(truth).all(1), most_frequent)
        scorer.pairs(f"{name} balanced accuracy", balanced_accuracy, top, truth.argmax(1), np.isfinite(truth).all(1),
                     lambda t: 1 / len(np.unique(t)))  # fmt: skip
    for name, logits in readings.outputs.shares.items():
        truth = readings.targets[name][:, 0].numpy()
        with np.errstate(invalid="ignore"):
            known = np.isfinite(truth) & ((truth < _SURE[0]) | (truth > _SURE[1]))
        p = calibrating.probability(name, logits, fitted).numpy()
        if known.any() and 0 < (truth[known] > 0.5).sum() < known.sum():
            scorer.pairs(f"{name} AUC", area_under_curve, p, truth > 0.5, known, lambda _: 0.5)
            scorer.pairs(f"{name} calibration error", calibration_error, p, truth > 0.5, known, lambda _: float("nan"))
    return scorer.rows + score_spreads(readings, fitted, draws)


def score_spreads(readings: Readings, fitted: Mapping[str, Any], draws: int = _DRAWS) -> list[Score]:
    """How many of the errors stay below the calibrated spread, for everything located: 0.68 is right."""
    scorer = _Scorer(readings, draws)
    for name, at in readings.outputs.located.items():
        target = readings.targets[name]
        known = torch.isfinite(target).all(1)
        below = calibrating.errors(at.value, target) <= calibrating.spread(name, at, fitted)
        share = torch.where(known, below.float().mean(1), torch.nan).numpy()
        scorer.mean(f"{name} errors below sigma (0.68 is right)", share, np.full(len(share), np.nan))
    return scorer.rows


@torch.inference_mode()
def read_quality(model: AttributeNetwork, crops: Crops, count: int = 600, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits and labels (count,) of `quality` on changed crops of held-out people, half of them without a good face."""
    device = next(model.parameters()).device
    mixed = Crops(crops.sources, crops.schema, crops.network, replace(crops.config, negatives=0.5))
    steps = Steps(mixed, min(50, count), seed)
    logits, labels = [], []
    for step in range(-(-count // steps.batch)):
        images, flat = steps[step]
        logits.append(model(normalise(images.to(device)))["quality"][:, 0].float().cpu())
        labels.append(mixed.layout.unpack(flat)["quality"][:, 0])
    return torch.cat(logits), torch.cat(labels)


def score_quality(logits: Tensor, true: Tensor) -> list[Score]:
    """How well faces are told from other crops, and how many faces pass a threshold that 2 % of others pass."""
    p, good = logits.numpy(), true.numpy()
    sure = (good > 0.9) | (good < 0.1)
    p, face = p[sure], good[sure] > 0.5
    if not face.any() or face.all():
        return []

    def kept(p: NDArray[np.float32], face: NDArray[np.bool_]) -> float:
        both = bool(face.any()) and not bool(face.all())
        return float((p[face] > np.quantile(p[~face], 0.98)).mean()) if both else float("nan")

    measures: tuple[tuple[str, Callable[..., float], float], ...] = (
        ("quality AUC", area_under_curve, 0.5),
        ("faces kept at 2 % others", kept, 0.02),
    )
    rows: list[Score] = []
    for measure, function, trivial in measures:
        low, high = interval(function, p, face, draws=_DRAWS)
        value = {"value": round(function(p, face), 4), "interval": [round(low, 4), round(high, 4)]}
        rows.append({"measure": measure, **value, "n": len(p), "set": "changed crops", "baseline": trivial})
    return rows


def _ordinal(
    schema: AttributeSchema, name: str, readings: Readings, fitted: Mapping[str, Any], scorer: _Scorer
) -> None:
    """Error, correlation, interval coverage and width; for labels that are only a bin, how many bins the answer is
    off."""
    truth = readings.targets[name][:, 0].numpy()
    known = np.isfinite(truth)
    mean, low, high, _ = (t.numpy() for t in calibrating.summary(schema[name], readings.outputs.bins[name], fitted))
    _binned(schema[name], readings.targets[name].numpy(), (mean, low, high), scorer)
    if not known.any():
        return
    unit = f", {schema[name].unit}" if schema[name].unit == "years" else ""
    scorer.pairs(f"{name} error{unit}", mean_absolute_error, mean, truth, known,
                 lambda t: float(np.abs(t - np.median(t)).mean()))  # fmt: skip
    scorer.pairs(f"{name} correlation", correlation, mean, truth, known, lambda _: 0.0)
    bounds = np.stack([low, high], 1)
    scorer.pairs(f"{name} in its 5-95 % interval", partial(_covered), bounds, truth, known, lambda _: 0.9)
    scorer.mean(f"{name} interval width{unit}", np.where(known, high - low, np.nan), np.full(len(truth), np.nan))


def _binned(
    attribute: Attribute, target: NDArray[np.float32], said: tuple[NDArray[np.float32], ...], scorer: _Scorer
) -> None:
    """Within one bin (mean over the bins, so that a frequent one does not decide), and whether the interval reaches
    the true bin. `target` (n, 3) holds value, low and high; rows with a value are left to `_ordinal`."""
    mean, low, high = said
    bounds = target[:, 1:]
    known = np.isfinite(bounds).all(1) & ~np.isfinite(target[:, 0])
    if not known.any():
        return
    bins = np.unique(bounds[known], axis=0)
    if (np.diff(bins[:, 0]) <= 0).any() or (bins[1:, 0] < bins[:-1, 1]).any():
        return  # overlapping bins have no order in which one could be next to another

    def nth(values: NDArray[np.float32]) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(bins[:, 0], values, side="right") - 1, np.int64)

    true = nth(np.where(known, bounds[:, 0], bins[0, 0]))
    near = (np.abs(nth(mean) - true) <= 1).astype(float)
    reach = ((low < bounds[:, 1]) & (high >= bounds[:, 0])).astype(float)
    unit = f", {attribute.unit}" if attribute.unit == "years" else ""
    name = attribute.name
    best = max(_over_bins((np.abs(true[known] - b) <= 1).astype(float), true[known]) for b in range(len(bins)))
    scorer.pairs(f"{name} within one bin, mean over the bins", _over_bins, near, true, known, lambda _: best)
    scorer.pairs(f"{name} interval reaches the bin", lambda r, _: float(r.mean()), reach, true, known, lambda _: 0.9)
    width = np.where(known, high - low, np.nan)
    scorer.mean(f"{name} interval width{unit}, labels in bins", width, np.full(len(width), np.nan))


def _over_bins(right: NDArray, true: NDArray) -> float:
    """Mean over the bins that occur of the share that is right."""
    return float(np.mean([right[true == b].mean() for b in np.unique(true)]))


def _covered(bounds: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    return coverage(bounds[:, 0], bounds[:, 1], true)


def most_frequent(true: NDArray[np.int64]) -> float:
    """Accuracy of always giving the most frequent class."""
    return float(np.unique(true, return_counts=True)[1].max() / len(true))


class _Scorer:
    """Collects rows; intervals draw people, not pictures."""

    def __init__(self, readings: Readings, draws: int) -> None:
        self.people, self.draws = np.array(readings.people), draws
        self.rows: list[Score] = []

    def mean(self, measure: str, values: NDArray, trivial: NDArray) -> None:
        """A score that is the mean of a value per picture; pictures without one (NaN) are left out."""
        known = np.isfinite(values)
        if known.any():
            baseline = float(np.nanmean(trivial)) if np.isfinite(trivial).any() else float("nan")
            self._add(measure, lambda v: float(v.mean()), (values[known],), known, baseline)

    def pairs(
        self, measure: str, function: Callable[..., float], predicted: NDArray, true: NDArray, known: NDArray,
        trivial: Callable[[NDArray], float],
    ) -> None:  # fmt: skip
        """A score of predictions against labels."""
        if known.any():
            self._add(measure, function, (predicted[known], true[known]), known, trivial(true[known]))

    def _add(
        self, measure: str, function: Callable[..., float], arrays: tuple[NDArray, ...], known: NDArray, baseline: float
    ) -> None:
        row: Score = {
            "measure": measure,
            "value": round(function(*arrays), 4),
            "n": int(known.sum()),
            "set": "held-out rendered people",
        }
        if self.draws:
            low, high = interval(function, *arrays, groups=list(self.people[known]), draws=self.draws)
            row["interval"] = [round(low, 4), round(high, 4)]
        row["baseline"] = None if np.isnan(baseline) else round(baseline, 4)
        self.rows.append(row)
