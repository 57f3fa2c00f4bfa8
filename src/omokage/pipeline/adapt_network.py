"""The shipped network with one more attribute: the probe or the fine-tuned part as a sub-network of its own.

An ordinal attribute is answered as a distribution over bins. A linear value v with error s becomes one exactly: the log
odds (c - m)(v - m) / s^2 - (c - m)^2 / (2 s^2) of the bin at c (m: middle of the range) are linear in v and are those
of a normal distribution around v, cut to the range.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from omokage.attributes.branches import OwnStage, last_stage
from omokage.attributes.config import bin_count, form
from omokage.attributes.model import AttributeNetwork, SubNetwork
from omokage.attributes.predict import AttributePredictor
from omokage.explain.adapt import Answer, Fit, Rows, codes_of
from omokage.explain.labels import Label
from omokage.explain.tuning import Tuning, fine_tuned, read_views
from omokage.metrics.logistic import probability
from omokage.nn.linear import softmax
from omokage.nn.probe import Kind, fit_probe
from omokage.schema import Attribute, AttributeSchema

Floats = NDArray[np.float64]
_IMPOSSIBLE = -30.0  # log odds of a class without a label, in place of minus infinity


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Raw numbers = features (n, d) @ weight (d, k) + bias (k,): log odds of classes, of yes (k = 1), or a value."""

    weight: Floats
    bias: Floats


def line_of(fit: Fit) -> Line:
    """A probe as one affine map of unstandardised features. Raises ValueError for a constant answer."""
    probe = fit.probe
    if probe is None:
        raise ValueError("a constant answer has no line")
    weight = probe.weight / probe.scale[:, None]
    bias = np.maximum(probe.bias, _IMPOSSIBLE) - probe.mean @ weight
    if probe.kind == "nominal" and len(probe.classes) == 2:
        return Line(weight[:, 1:] - weight[:, :1], bias[1:] - bias[:1])
    return Line(weight, bias)


def heads_of(attribute: Attribute, line: Line, sigma: float = 1.0) -> nn.Linear:
    """The layer whose raw numbers `AttributeNetwork.decode` understands; `sigma` is the error of a value."""
    weight, bias = line.weight, line.bias
    if form(attribute) == "bins":
        count = bin_count(attribute)
        centres = np.linspace(attribute.low, attribute.high, count) - (middle := (attribute.low + attribute.high) / 2)
        spread = max(sigma, 0.6 * (attribute.high - attribute.low) / (count - 1)) ** 2  # bins must see the bell
        weight = weight @ centres[None] / spread
        bias = (centres * (bias - middle) - centres**2 / 2) / spread
    layer = nn.Linear(*weight.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.T.copy()))
        layer.bias.copy_(torch.from_numpy(bias))
    return layer


def attribute_of(label: Label) -> Attribute:
    """The schema's entry of a label; ratings are named as what they are."""
    count = 1 if label.ratings is None else label.ratings.shape[1]
    source = f"rated impressions of a photograph, {count} raters" if count > 1 else "the user's labels"
    unit = "" if label.kind == "nominal" else "rating" if count > 1 else "the labels' own"
    return Attribute(
        label.name, label.kind, "holistic", "face", label.classes, label.low, label.high, unit=unit, labels_from=source,
        own=True,
    )  # fmt: skip


class BranchTuner:
    """Fine-tunes a copy of one sub-network (and, for "stage", of the trunk's last stage) on maps of the pictures."""

    def __init__(
        self, predictor: AttributePredictor, label: Label, hidden: Mapping[str, Floats], maps: Tensor, stage: bool,
        people: Sequence[str], seed: int = 0, tuning: Tuning | None = None,
    ) -> None:  # fmt: skip
        self.predictor, self.label, self.hidden, self.maps = predictor, label, hidden, maps
        self.stage, self.people, self.seed, self.tuning = stage, people, seed, tuning
        values = label.values.astype(float) if label.kind == "ordinal" else np.zeros(1)
        self.centre, self.spread = float(values.mean()), max(float(values.std()), 1e-9)

    def __call__(self, rows: Rows, fit: Fit) -> Answer:
        """The fine-tuned network's answers about pictures, after learning the labels `rows`."""
        network = self.tuned(rows, fit)
        return lambda pictures: self._meant(read_views(network, self.maps[torch.from_numpy(pictures)]))

    def tuned(self, rows: Rows, fit: Fit) -> nn.Module:
        """A sub-network (or stage and sub-network) that has learnt the labels `rows`, with raw heads."""
        where = self.label.rows[rows]
        network = self._start(where, rows, fit)
        inputs, seed = self.maps[torch.from_numpy(where)], self.seed
        return fine_tuned(network.to(self.predictor.device), inputs, self._targets(rows), self.tuning, seed)

    def _start(self, where: Rows, rows: Rows, fit: Fit) -> nn.Module:
        """The sub-network that lends its numbers, with the heads of a probe on them."""
        donor, line = self._donor(where, rows, fit)
        reader = copy.deepcopy(self.predictor.model.categories[donor])
        assert isinstance(reader, SubNetwork)
        layer = nn.Linear(*line.weight.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(line.weight.T.copy()))
            layer.bias.copy_(torch.from_numpy(line.bias))
        reader.heads = layer
        return OwnStage(last_stage(self.predictor.model.trunk), reader) if self.stage else reader

    def _donor(self, where: Rows, rows: Rows, fit: Fit) -> tuple[str, Line]:
        """Of the sub-networks that the probe reads, the one on whose numbers alone a probe does best on held-out
        people, and that probe. Without a probe (a class is missing in a fold): the first one, and no opinion."""
        nominal, names = self.label.kind == "nominal", fit.reads or tuple(self.hidden)
        values = self.label.values[rows] if nominal else (self.label.values[rows] - self.centre) / self.spread
        kind: Kind = "nominal" if nominal else "continuous"
        people, classes = [self.people[k] for k in where], self.label.classes or None
        strength = [fit.probe.strength] if fit.probe is not None else [1.0]
        try:
            probes = {
                name: fit_probe(self.hidden[name][where], values, kind, people, strength, classes=classes)
                for name in names
            }
        except ValueError:
            width = len(self.label.classes) if len(self.label.classes) > 2 else 1
            return names[0], Line(np.zeros((self.hidden[names[0]].shape[1], width)), np.zeros(width))
        best = min(probes, key=lambda name: probes[name].loss)
        return best, line_of(Fit((best,), probes[best], fit.constant))

    def _targets(self, rows: Rows) -> Tensor:
        if self.label.kind == "ordinal":
            values = (self.label.values[rows].astype(float) - self.centre) / self.spread
            return torch.from_numpy(values).float()[:, None]
        codes = torch.from_numpy(codes_of(self.label)[rows])
        return codes.float() if len(self.label.classes) == 2 else codes

    def _meant(self, raw: Tensor) -> Floats:
        """Raw numbers as probabilities (n, classes) or values (n, 1)."""
        numbers = raw.double().numpy()
        if self.label.kind == "ordinal":
            return np.clip(numbers * self.spread + self.centre, self.label.low, self.label.high)
        if len(self.label.classes) == 2:
            yes = probability(numbers)
            return np.concatenate([1 - yes, yes], 1)
        return softmax(numbers)

    def finished(self, network: nn.Module, attribute: Attribute, sigma: float) -> nn.Module:
        """The network with heads as the attribute network reads them."""
        reader = network.reader if isinstance(network, OwnStage) else network
        assert isinstance(reader, SubNetwork)
        weight = reader.heads.weight.detach().double().cpu().numpy().T
        bias = reader.heads.bias.detach().double().cpu().numpy()
        if self.label.kind == "ordinal":
            weight, bias = weight * self.spread, bias * self.spread + self.centre
        reader.heads = heads_of(attribute, Line(weight, bias), sigma)
        return network.cpu()


def extended(
    predictor: AttributePredictor, parts: Sequence[tuple[Attribute, Fit, nn.Module | None]], sigmas: Sequence[float]
) -> tuple[AttributeNetwork, dict[str, Tensor]]:
    """The predictor's network with more attributes, each as a probe or as a fine-tuned module; and its tensors."""
    base = predictor.model
    branches = {name: dict(value) for name, value in base.network.branches.items()}
    for attribute, fit, module in parts:
        stage = {"stage": True} if isinstance(module, OwnStage) else {}
        branches[attribute.category] = {"donors": list(fit.reads)} if module is None else stage
    schema = AttributeSchema((*predictor.schema, *(attribute for attribute, _, _ in parts)))
    network = AttributeNetwork(schema, replace(base.network, branches=branches), base.ordinal)
    tensors = {name: t.detach().cpu() for name, t in base.state_dict().items()}
    for (attribute, fit, module), sigma in zip(parts, sigmas, strict=True):
        at = f"categories.{attribute.category}."
        if module is None:
            tensors |= {f"{at}heads.{n}": t for n, t in heads_of(attribute, line_of(fit), sigma).state_dict().items()}
        else:
            tensors |= {f"{at}{n}": t for n, t in module.state_dict().items()}
    network.load_state_dict(tensors)
    # Probes cancel large numbers against each other, which half precision would not: their heads are kept in full.
    return network.eval(), {n: t.double() if n.endswith(_HEADS) and _own(n, schema) else t for n, t in tensors.items()}


_HEADS = ("heads.weight", "heads.bias")


def _own(name: str, schema: AttributeSchema) -> bool:
    return any(a.own and name.startswith(f"categories.{a.category}.") for a in schema)
