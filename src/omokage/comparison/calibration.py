"""What the network's numbers are worth, fitted on held-out people; plain JSON that travels in the weight card.

Intervals are split conformal with the network's own spread as the unit (Lei et al., JASA 2018): the 5 to 95 percent
interval is the value plus and minus `margin` spreads. The probability that nothing changed is a conformal p-value: the
share of pairs whose day alone differs (light, camera, pose) that look at least as different. Named differences,
nuisance and the same-person check are logistic regressions (Platt, 1999) on the network's logits and on the codes'
cosine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.comparison.config import FACTORS, LOOKS, NUISANCE
from omokage.comparison.readings import Readings
from omokage.metrics.logistic import fit_logistic

Floats = NDArray[np.float64]
LEVEL = 0.9
SAME_KEPT = 0.95  # share of same-person pairs that the check lets through at its limit
_FEWEST = 30
_STEPS = np.concatenate([np.linspace(0, 0.9, 19), np.linspace(0.91, 0.99, 9), [0.993, 0.996, 0.998, 0.999, 1.0]])


def fit(readings: Readings) -> dict[str, Any]:
    """Margins, tails of pairs without a change, lines of the logistic regressions, the limit of the same-person check.

    What has too few labelled pairs is left out.
    """
    out: dict[str, Any] = {"pairs": len(readings), "still": int(readings.still.sum()), "margin": {}, "tail": {}}
    ratio = np.abs(readings.value - readings.change) / readings.sigma
    size = np.abs(readings.value) / readings.sigma
    for k, name in enumerate(FACTORS):
        known = np.isfinite(readings.change[:, k])
        if known.sum() >= _FEWEST:
            level = min(1.0, LEVEL * (known.sum() + 1) / known.sum())
            out["margin"][name] = round(float(np.quantile(ratio[known, k], level)), 4)
        if readings.still.sum() >= _FEWEST:
            out["tail"][name] = [round(float(v), 4) for v in np.quantile(size[readings.still, k], _STEPS)]
    for kind, names in (("looks", LOOKS), ("nuisance", NUISANCE)):
        logits, truth = getattr(readings, kind), getattr(readings, f"{kind}_true")
        out[kind] = {}
        for k, name in enumerate(names):
            known = np.isfinite(truth[:, k])
            if known.sum() >= _FEWEST and 0 < truth[known, k].mean() < 1:
                out[kind][name] = _line(logits[known, k], truth[known, k])
    alike, apart = readings.alike, readings.apart
    if min(len(alike), len(apart)) >= _FEWEST:
        truth = np.concatenate([np.ones(len(alike)), np.zeros(len(apart))])
        line = _line(np.concatenate([alike, apart]), truth, even=True)
        out["same"] = {"line": line, "limit": round(float(_odds(np.quantile(alike, 1 - SAME_KEPT), line)), 4)}
    return out


def _line(score: Floats, truth: Floats, even: bool = False) -> list[float]:
    """Slope and offset of a logistic regression on one score; with `even` both answers weigh the same."""
    inputs = np.column_stack([score, np.ones(len(score))])
    if even:
        rng = np.random.default_rng(0)
        count = max(int(truth.sum()), int((1 - truth).sum()))
        rows = np.concatenate([rng.choice(np.flatnonzero(truth == side), count) for side in (0, 1)])
        inputs, truth = inputs[rows], truth[rows]
    weights = fit_logistic(inputs, truth > 0.5, [0.0, 0.0], [1e-3, 1e-3], 60, stride=2)
    return [round(float(v), 5) for v in weights]


def _odds(score: Any, line: list[float]) -> Any:
    return 1 / (1 + np.exp(-np.clip(line[0] * score + line[1], -30, 30)))


def intervals(value: Floats, sigma: Floats, fitted: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Low and high ends (m, factors) of the 5 to 95 percent interval."""
    margin = np.array([fitted["margin"].get(name, 1.645) for name in FACTORS])
    return value - margin * sigma, value + margin * sigma


def no_change(value: Floats, sigma: Floats, fitted: Mapping[str, Any]) -> Floats:
    """p-values (m, factors): how often pairs without a change look at least as different. 1 where nothing was
    fitted."""
    out = np.ones_like(value)
    for k, name in enumerate(FACTORS):
        tail = fitted.get("tail", {}).get(name)
        if tail:
            above = 1 - np.interp(np.abs(value[:, k]) / sigma[:, k], np.maximum.accumulate(tail), _STEPS)
            out[:, k] = (above * fitted["still"] + 1) / (fitted["still"] + 1)
    return np.minimum(out, 1.0)


def chances(kind: str, logits: Floats, fitted: Mapping[str, Any]) -> Floats:
    """Probabilities (m, n) of named differences (`kind` = "looks") or of nuisance, calibrated where that was fitted."""
    names = LOOKS if kind == "looks" else NUISANCE
    lines = [fitted.get(kind, {}).get(name, [1.0, 0.0]) for name in names]
    return np.stack([_odds(logits[:, k], line) for k, line in enumerate(lines)], 1)


def same_person(cosine: Floats, fitted: Mapping[str, Any]) -> Floats:
    """Probability (m,) that both show one person, when either answer is as likely beforehand."""
    return np.asarray(_odds(cosine, fitted.get("same", {}).get("line", [6.0, -3.0])))
