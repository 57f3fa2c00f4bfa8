"""The weight set that holds new attributes beside the shipped networks: calibrated, with schema and card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from omokage.attributes import calibration
from omokage.attributes.config import form
from omokage.attributes.model import Outputs, architecture
from omokage.attributes.predict import AttributePredictor
from omokage.attributes.readings import Readings
from omokage.explain.adapt import Fit, Learnt, codes_of
from omokage.explain.ratings import Ceiling
from omokage.explain.scores import GroupScore, Score
from omokage.pipeline.adapt_network import Line, extended, heads_of
from omokage.pipeline.analyzer import open_check
from omokage.schema import Attribute, AttributeSchema
from omokage.training.run import commit_of
from omokage.weights import registry

RATED = "Rated impressions of photographs: what raters say of a picture, never a trait of the person in it."


@dataclass(frozen=True, slots=True, eq=False)
class AdaptedLabel:
    """One new attribute: what was learnt, how good it is, how good it could be, and how it does in each group. With a
    budget `spent` on differential privacy all of this is of probes without it, which the set does not hold."""

    attribute: Attribute
    learnt: Learnt
    scores: tuple[Score, ...]
    ceiling: Ceiling | None
    groups: tuple[GroupScore, ...]
    spent: float = 0.0  # epsilon; 0: none was asked for


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What goes into the weight file for one attribute."""

    fit: Fit
    module: nn.Module | None
    sigma: float
    calibration: Mapping[str, Any]
    spent: float = 0.0  # epsilon of differential privacy; 0: none was asked for
    delta: float = 0.0


def sigma_of(learnt: Learnt) -> float:
    """Root mean square error of a number about held-out people; 1 for classes."""
    if learnt.label.kind == "nominal":
        return 1.0
    return float(np.sqrt(np.mean((learnt.held_out["chosen"][:, 0] - learnt.label.values.astype(float)) ** 2)))


def calibrated(attribute: Attribute, learnt: Learnt, sigma: float) -> dict[str, Any]:
    """Temperature and stretch of the answers about held-out people, in the form of the attributes room's card."""
    said, label = learnt.held_out["chosen"], learnt.label
    out = Outputs({}, {}, {}, {}, {}, {})
    kind, name = form(attribute), attribute.name
    if kind == "bins":
        with torch.no_grad():
            logits = heads_of(attribute, Line(np.ones((1, 1)), np.zeros(1)), sigma)(torch.from_numpy(said).float())
        values = torch.from_numpy(label.values.astype(float)).float()[:, None]
        targets = torch.cat([values, torch.full((len(values), 2), float("nan"))], 1)
        outputs = replace(out, bins={name: logits})
    else:
        codes = torch.from_numpy(codes_of(label))
        p = torch.from_numpy(said).clamp(1e-6, 1 - 1e-6)
        if kind == "share":
            outputs, targets = replace(out, shares={name: torch.logit(p[:, 1])}), codes.double()[:, None]
        else:
            targets = nn.functional.one_hot(codes, len(label.classes)).double()
            outputs = replace(out, classes={name: torch.log(p)})
    found = calibration.fit(AttributeSchema((attribute,)), Readings(outputs, {name: targets}, learnt.people))
    return {name: found.get(name, {}) for name in ("temperature", "stretch")}


def write_set(
    out: Path,
    weights: str | Path,
    predictor: AttributePredictor,
    labels: Sequence[AdaptedLabel],
    parts: Sequence[Part],
) -> registry.Card:
    """Write the set `out`: the finder and the check of `weights` as they are, the predictor's network with more
    attributes. Returns the card of the latter. Raises OutputError, WeightsError."""
    pieces = [(found.attribute, part.fit, part.module) for found, part in zip(labels, parts, strict=True)]
    network, tensors = extended(predictor, pieces, [part.sigma for part in parts])
    known = dict(predictor.calibration)
    for part in parts:
        known = calibration.merged(known, part.calibration)
    base = predictor.card
    names = ", ".join(found.attribute.name for found in labels)
    counts = ", ".join(f"{len(found.learnt.label)} pictures of {len(set(found.learnt.people))} people for "
                       f"{found.attribute.name}" for found in labels)  # fmt: skip
    card = replace(
        base, set=out.name, architecture=architecture(network), schema=json.loads(network.schema.to_json()),
        calibration=known, recipe=f"omokage adapt (labels {names}), on {base.id}", commit=commit_of(),
        made=date.today().isoformat(), trained_on=f"{base.trained_on}; then labels of the user: {counts}",
        licences={**base.licences, "labels": "the user's own"},
        scores=[*base.scores, *(row for f, p in zip(labels, parts, strict=True) if not p.spent for row in _rows(f))],
        limits=[*base.limits, *(text for f, p in zip(labels, parts, strict=True) for text in _limits(f, p)),
                *_spent_together(parts)],
    )  # fmt: skip
    finder = registry.copy_model(weights, "finder", out) if registry.has_model(weights, "finder") else None
    saved = registry.save(out, tensors, card)
    if finder is not None and (check := open_check(None, weights)) is not None and check.card is not None:
        # The network answers what it answered, so that the check holds for it as well.
        registry.copy_model(weights, "check", out, {**check.card.preprocessing, "of": [finder.id, saved.id]})
    return saved


def _rows(found: AdaptedLabel) -> list[Mapping[str, Any]]:
    """The card's scores: what was kept, beside the trivial answer, the landmarks and the raters."""
    trivial = {s.measure: s.value for s in found.scores if s.method == "trivial"}
    shown = [s for s in found.scores if s.method in ("chosen", "landmarks") and np.isfinite(s.value)]
    said = {"chosen": "", "landmarks": ", linear model on landmarks"}
    rows: list[Mapping[str, Any]] = [
        {
            "measure": f"{found.attribute.name}: {s.measure}{said[s.method]}", "value": round(s.value, 4),
            "interval": [round(s.low, 4), round(s.high, 4)], "n": s.pictures, "baseline": round(trivial[s.measure], 4),
            "set": f"held-out people among the labels, {s.labels} labels learnt", "date": date.today().isoformat(),
        }
        for s in shown
    ]  # fmt: skip
    if (best := found.ceiling) is not None:
        rows.append({
            "measure": f"{found.attribute.name}: ceiling, {best.measure}", "value": round(best.value, 4),
            "interval": [round(best.low, 4), round(best.high, 4)], "n": best.pictures,
            "set": f"{best.raters:.1f} raters a picture", "date": date.today().isoformat(),
        })  # fmt: skip
    return rows


def _spent_together(parts: Sequence[Part]) -> list[str]:
    """What all labels tell about one person adds up."""
    if sum(part.spent > 0 for part in parts) < 2:
        return []
    epsilon, delta = sum(part.spent for part in parts), sum(part.delta for part in parts)
    return [f"All labels together: epsilon {epsilon:.3g} at delta {delta:.1g} for one picture of each person."]


def _limits(found: AdaptedLabel, part: Part) -> list[str]:
    name, count = found.attribute.name, len(found.learnt.label)
    texts = [f"{name}: learnt from {count} pictures; other cameras, places or groups of people may differ."]
    if found.ceiling is not None or found.attribute.unit == "rating":
        texts.append(f"{name}: {RATED}")
    if not part.calibration.get("temperature") and not part.calibration.get("stretch"):
        texts.append(f"{name}: not calibrated.")
    if part.spent:
        texts.append(
            f"{name}: differentially private for one picture of each person, epsilon {part.spent:.3g} at delta "
            f"{part.delta:.1g}; the range, the class names and which pictures show a face count as public."
        )
    return texts
