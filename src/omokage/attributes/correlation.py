"""Known facts change the rest: ``given={"age": 70}`` moves the other answers by how the network's errors go together.

On held-out people the network errs on several attributes at once (who looks too young also looks too female, say). The
covariance of these errors is learnt; a fact fixes one error, and the others move to their expected value given it (the
Gaussian conditional mean). Off unless asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.attributes.calibration import summary
from omokage.attributes.model import Outputs
from omokage.attributes.readings import Readings
from omokage.errors import InputError
from omokage.schema import Attribute, AttributeSchema

_FEWEST = 50
_RIDGE = 0.02  # of the variance: keeps several facts at once stable


def learn_correlation(schema: AttributeSchema, readings: Readings) -> dict[str, Any]:
    """Names and the covariance of their errors (rows of numbers), over ordinal attributes, shares and classes."""
    columns = answers(schema, readings.outputs, {})
    truths = _truths(schema, readings)
    names = [n for n in columns if n in truths and int(torch.isfinite(truths[n]).sum()) >= _FEWEST]
    if not names:
        return {"names": [], "covariance": []}
    error = np.stack([(truths[n] - columns[n]).numpy() for n in names], 1)
    known = np.isfinite(error)
    centred = np.where(known, error - np.nanmean(error, 0), 0.0)
    together = known.T.astype(float) @ known
    covariance = np.where(together >= _FEWEST, centred.T @ centred / np.maximum(together, 1), 0.0)
    return {"names": names, "covariance": [[float(f"{v:.4g}") for v in row] for row in covariance]}


def answers(schema: AttributeSchema, outputs: Outputs, fitted: Mapping[str, Any]) -> dict[str, Tensor]:
    """One number (b,) per ordinal attribute and share, and per class of a nominal one (``expression.happiness``)."""
    out = {name: summary(schema[name], logits, fitted)[0] for name, logits in outputs.bins.items()}
    out.update({name: torch.sigmoid(logits) for name, logits in outputs.shares.items() if name != "quality"})
    for name, logits in outputs.classes.items():
        p = torch.softmax(logits, 1)
        out.update({f"{name}.{label}": p[:, k] for k, label in enumerate(schema[name].classes)})
    return out


def _truths(schema: AttributeSchema, readings: Readings) -> dict[str, Tensor]:
    """The true numbers under the same names, NaN where unknown."""
    out = {name: readings.targets[name][:, 0] for name in (*readings.outputs.bins, *readings.outputs.shares)}
    for name in readings.outputs.classes:
        out.update({f"{name}.{label}": readings.targets[name][:, k] for k, label in enumerate(schema[name].classes)})
    return out


def facts(schema: AttributeSchema, given: Mapping[str, float | str]) -> dict[str, float]:
    """Facts as numbers by answer name: ``{"expression": "happiness"}`` becomes one number per class. Raises
    InputError for what is no attribute, and for a value that the attribute cannot have."""
    out: dict[str, float] = {}
    for name, value in given.items():
        if name not in schema:
            raise InputError(
                f"given={name!r} is not an attribute of these weights; known are {', '.join(a.name for a in schema)}"
            )
        out.update(_fact(schema[name], value))
    return out


def _fact(attribute: Attribute, value: float | str) -> dict[str, float]:
    name, classes = attribute.name, attribute.classes
    if classes and value in classes:
        named = str(value)
        if len(classes) == 2:
            return {name: float(classes.index(named))}
        return {f"{name}.{label}": float(label == named) for label in classes}
    low, high = _range(attribute)
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if len(classes) <= 2 and low <= number <= high:
        return {name: number}
    share = f" or a number from {low:g} to {high:g} (how sure {classes[1]} is)" if len(classes) == 2 else ""
    allowed = f"one of {', '.join(classes)}{share}" if classes else f"a number from {low:g} to {high:g}"
    raise InputError(f"given {name}={value if isinstance(value, str) else f'{value:g}'} is not {allowed}; correct it")


def _range(attribute: Attribute) -> tuple[float, float]:
    """What a fact may be: ages beyond the network's own bins are facts, too."""
    if attribute.classes:
        return 0.0, 1.0
    return (0.0, 120.0) if attribute.name == "age" else (attribute.low, attribute.high)


def measured(
    schema: AttributeSchema, readings: Readings, fitted: Mapping[str, Any], given: Sequence[str] = ("age",)
) -> list[dict[str, Any]]:
    """What the truth about `given` does to the mean error of every other answer, as a ratio: below 1 it helps."""
    learnt = fitted.get("correlation", {})
    columns, truths = answers(schema, readings.outputs, fitted), _truths(schema, readings)
    rows: list[dict[str, Any]] = []
    for fact in given:
        if fact not in learnt.get("names", []):
            continue
        keep = torch.isfinite(truths[fact])
        here = {n: c[keep] for n, c in columns.items()}
        after = moved_rows(here, {fact: truths[fact][keep]}, learnt)
        ratios = []
        for name in learnt["names"]:
            known = torch.isfinite(truths[name][keep])
            if name == fact or not known.any():
                continue
            true = truths[name][keep][known]
            before = float((here[name][known] - true).abs().mean())
            ratios.append(float((after[name][known] - true).abs().mean()) / max(before, 1e-9))
        if ratios:
            value = {"value": round(float(np.mean(ratios)), 4), "n": int(keep.sum()), "baseline": 1.0}
            rows.append({"measure": f"error of the other answers given {fact}, relative", **value})
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """What facts do to the answers by name: `facts` have their own value, the others move `by` (b,)."""

    facts: Mapping[str, float]
    by: Mapping[str, Tensor]

    def of(self, name: str, i: int, value: float) -> float:
        """Answer `name` of face `i`, which is `value` without the facts."""
        if name in self.facts:
            return self.facts[name]
        return value + float(self.by[name][i]) if name in self.by else value


def moves(columns: Mapping[str, Tensor], known: Mapping[str, float], learnt: Mapping[str, Any]) -> Moves:
    """How facts move the answers (b,) by name. A fact that the network answers by itself moves nothing. Raises
    InputError for facts without a learnt covariance."""
    names = list(learnt.get("names", []))
    missing = [n for n in known if n not in names]
    if missing:
        raise InputError(
            f"these weights have no learnt correlation for {', '.join(missing)}; known are {', '.join(names)}"
        )
    after = moved_rows(columns, {n: torch.full_like(columns[n], v) for n, v in known.items()}, learnt)
    return Moves(known, {n: after[n] - columns[n] for n in columns if n not in known})


def moved_rows(
    columns: Mapping[str, Tensor], known: Mapping[str, Tensor], learnt: Mapping[str, Any]
) -> dict[str, Tensor]:
    """The answers (b,) by name after the facts (b,), which take their own value; each must be among the learnt
    names."""
    names: list[str] = list(learnt["names"])
    covariance = np.asarray(learnt["covariance"], np.float64)
    fixed = [names.index(n) for n in known]
    free = [k for k, n in enumerate(names) if n in columns and n not in known]
    among = covariance[np.ix_(fixed, fixed)]
    among = among + np.diag(_RIDGE * np.diag(among) + 1e-9)
    gain: NDArray[np.float64] = covariance[np.ix_(free, fixed)] @ np.linalg.inv(among)
    surprise = torch.stack([v - columns[n] for n, v in known.items()], 1).double()
    shift = surprise @ torch.from_numpy(gain).T
    out = {names[k]: columns[names[k]] + shift[:, j].float() for j, k in enumerate(free)}
    return {**columns, **out, **known}
