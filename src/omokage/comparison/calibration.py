"""What the network's numbers are worth, fitted on held-out people; plain JSON that travels in the weight card.

Intervals are conformal given the size of the true change (label-conditional: Vovk et al., Algorithmic Learning in a
Random World, 2005): they hold every size that would have shown such a value in 90 of 100 pairs, so that they cover
changes as often as they cover nothing. Most pairs hold no change of a factor, and an interval that is right for most
pairs can miss nearly all that did change. The probability that a factor did not change is a conformal p-value: the
share of pairs without a change of this factor that look at least as different. In some of them the day alone differs
(light, camera, pose), in others expression, hair or another factor too: a smile makes a face look heavier to a network,
and must not be called weight. Pairs taken under controlled conditions (the head held and lit alike) have a table of
their own: the same answer says more of them. The same-person check is a logistic regression (Platt, 1999) on the codes'
cosine.

Both look at the value over the network's own spread to a power of 0, 0.5 or 1, whichever calls more true changes at the
same rate of false ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.comparison.config import COMPARED_UNITS, FACTORS
from omokage.comparison.readings import Cosines, Readings
from omokage.metrics.logistic import fit_logistic, probability
from omokage.metrics.verification import even_limit

Floats = NDArray[np.float64]
LEVEL = 0.9
CALL = 0.05  # a change is called where pairs without one look so different less often than this
STEPS: Mapping[str, float] = {**dict.fromkeys(COMPARED_UNITS, 0.2), "fatness": 0.5, "age": 8.0}  # small changes
LARGEST: Mapping[str, float] = {**dict.fromkeys(COMPARED_UNITS, 1.0), "fatness": 2.5, "age": 91.0}  # that can be
POWERS = (0.0, 0.5, 1.0)
_FEWEST = 30
_SMALLEST = 0.25  # of a small change, from which on a change is one at all
_UNFITTED = [[-np.inf, np.inf, -1.645, 1.645]]
_STEPS = np.concatenate([np.linspace(0, 0.9, 19), np.linspace(0.91, 0.99, 9), [0.993, 0.996, 0.998, 0.999, 1.0]])


def fit(readings: Readings) -> dict[str, Any]:
    """Powers of the spread, errors by size of the change, tails and numbers of pairs without a change of a factor, the
    line of the same-person check and its limit: at it as many pairs of one person are declined as pairs of people
    alike in sex, skin and age are let through.

    What has too few labelled pairs is left out.
    """
    power = _powers(readings)
    out: dict[str, Any] = {"pairs": len(readings), "power": power, **_tables(readings, power)}
    same = fit_same(readings.cosines)
    return out if same is None else {**out, "same": same}


def fit_same(cosines: Cosines, passing: float = 0.0) -> dict[str, Any] | None:
    """The line of the same-person check and its limit, which lets a share `passing` of people alike in sex, skin and
    age pass; at 0 as many of these pass as pairs of one person are declined. None where too few pairs tell."""
    alike, apart, hard = cosines.alike, cosines.apart, cosines.hard
    if min(len(alike), len(apart), len(hard)) < _FEWEST:
        return None
    truth = np.concatenate([np.ones(len(alike)), np.zeros(len(apart))])
    line = _line(np.concatenate([alike, apart]), truth)
    limit = float(np.quantile(hard, 1 - passing)) if passing else even_limit(alike, hard)
    return {"line": line, "limit": round(float(_odds(limit, line)), 4)}


def fit_controlled(readings: Readings, fitted: Mapping[str, Any]) -> dict[str, Any]:
    """Errors and tails of pairs taken under controlled conditions, for the key ``controlled`` of `fitted`. What too few
    of them tell is as for all pairs."""
    tables = _tables(readings, fitted["power"])
    return {"pairs": len(readings), "power": fitted["power"],
            **{key: {**fitted[key], **found} for key, found in tables.items()}}  # fmt: skip


def _tables(readings: Readings, power: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """`margin`, `tail` and `unchanged` by factor, of values over the spread to a power."""
    margin, tail, unchanged = {}, {}, {}
    scale = readings.sigma ** _powered(power)
    size = np.abs(readings.value) / scale
    errors, units = (readings.value - readings.change) / scale, slice(0, len(COMPARED_UNITS))
    known, unmoved = np.isfinite(readings.change), readings.unchanged
    moved = readings.change[:, units][known[:, units]]
    pooled = _margins(errors[:, units][known[:, units]], moved, COMPARED_UNITS[0])
    for k, name in enumerate(FACTORS):
        there, rest = known[:, k], unmoved[:, k]
        if there.sum() >= _FEWEST:
            rows = _margins(errors[there, k], readings.change[there, k], name)
            # A unit that moved in too few pairs is taken to err as units do on the whole.
            rare = name in COMPARED_UNITS and len(rows) < 2
            margin[name] = [*rows, *(row for row in pooled if row[1] > 0)] if rare else rows
        if rest.sum() >= _FEWEST:
            tail[name] = [round(float(v), 4) for v in np.quantile(size[rest, k], _STEPS)]
            unchanged[name] = int(rest.sum())
    return {"margin": margin, "tail": tail, "unchanged": unchanged}


def _powers(readings: Readings) -> dict[str, float]:
    """For the units together, fatness and age: the power of the spread that calls most true changes while 5 percent of
    the pairs without one are called. 0 where too few pairs tell."""
    parts = {"units": range(len(COMPARED_UNITS)), "fatness": [len(FACTORS) - 2], "age": [len(FACTORS) - 1]}
    real = np.abs(np.nan_to_num(readings.change)) >= 0.99 * np.array([STEPS[name] for name in FACTORS])
    unmoved = readings.unchanged
    out = {}
    for name, ks in parts.items():
        told = [k for k in ks if unmoved[:, k].sum() >= _FEWEST and real[:, k].any()]
        called = [sum(_called(readings, real, unmoved, k, power) for k in told) for power in POWERS]
        out[name] = POWERS[int(np.argmax(called))]
    return out


def _called(readings: Readings, real: NDArray[np.bool_], unmoved: NDArray[np.bool_], k: int, power: float) -> int:
    """How many `real` changes of factor `k` are larger than 95 percent of the pairs without one (`unmoved`)."""
    size = np.abs(readings.value[:, k]) / readings.sigma[:, k] ** power
    return int((size[real[:, k]] > np.quantile(size[unmoved[:, k]], 1 - CALL)).sum())


def _powered(power: Mapping[str, float]) -> Floats:
    """The power of the spread (factors,); 1 where none was fitted."""
    return np.array([power.get(name if name in ("fatness", "age") else "units", 1.0) for name in FACTORS])


def _margins(errors: Floats, change: Floats, name: str) -> list[list[float]]:
    """Rows of (least change, largest change, 5 and 95 percent error towards larger changes) for no change, small and
    large ones, up to the largest that can be: those beyond all that were seen are taken to err as large ones do. Small
    and large ones are one row where too few pairs had large ones; no row where too few had any."""
    size, towards = np.abs(change), errors * np.where(change < 0, -1.0, 1.0)
    small, middle = _SMALLEST * STEPS[name], 2 * STEPS[name]
    top = max(LARGEST[name], float(size.max(initial=0.0)))
    parted = (size > middle).sum() >= _FEWEST
    rows = []
    for low, high in ((0.0, 0.0), (small, middle), (middle, top)) if parted else ((0.0, 0.0), (small, top)):
        there = size < 1e-3 if high == 0 else (size >= low) & (size <= high)
        count = int(there.sum())
        if count < _FEWEST:
            continue
        level = min(1.0, LEVEL * (count + 1) / count)
        if high == 0:
            reach = float(np.quantile(np.abs(towards[there]), level))
            ends = np.array([-reach, reach])
        else:
            ends = np.quantile(towards[there], [(1 - level) / 2, (1 + level) / 2])
        rows.append([round(float(v), 4) for v in (low, high, *ends)])
    return rows


def _line(score: Floats, truth: Floats) -> list[float]:
    """Slope and offset of a logistic regression on one score; both answers weigh the same."""
    rng = np.random.default_rng(0)
    count = max(int(truth.sum()), int((1 - truth).sum()))
    rows = np.concatenate([rng.choice(np.flatnonzero(truth == side), count) for side in (0, 1)])
    inputs, truth = np.column_stack([score, np.ones(len(score))])[rows], truth[rows]
    weights = fit_logistic(inputs, truth > 0.5, [0.0, 0.0], [1e-3, 1e-3], 60, stride=2)
    return [round(float(v), 5) for v in weights]


def _odds(score: Any, line: list[float]) -> Any:
    return probability(line[0] * score + line[1])


def told(
    value: Floats, sigma: Floats, fitted: Mapping[str, Any], controlled: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Ends of the intervals and p-values (m, factors); those of `controlled` pairs (m,) come from the table of such
    pairs, where one was fitted."""
    low, high = intervals(value, sigma, fitted)
    p = no_change(value, sigma, fitted)
    if "controlled" in fitted and controlled.any():
        table = fitted["controlled"]
        low[controlled], high[controlled] = intervals(value[controlled], sigma[controlled], table)
        p[controlled] = no_change(value[controlled], sigma[controlled], table)
    return low, high, p


def intervals(value: Floats, sigma: Floats, fitted: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Low and high ends (m, factors) of the 5 to 95 percent interval: the least and the largest change with which the
    value is not out of the ordinary. The value itself always lies within."""
    scale = sigma ** _powered(fitted.get("power", {}))
    low, high = value.copy(), value.copy()
    for k, name in enumerate(FACTORS):
        rows = fitted["margin"].get(name, _UNFITTED)
        for least, most, down, up in rows:
            for sign in (1.0, -1.0):
                v = sign * value[:, k]
                near = np.maximum(v - up * scale[:, k], least)
                far = np.minimum(v - down * scale[:, k], most)
                there = near <= far
                ends = np.where(sign > 0, near, -far), np.where(sign > 0, far, -near)
                low[:, k] = np.where(there, np.minimum(low[:, k], ends[0]), low[:, k])
                high[:, k] = np.where(there, np.maximum(high[:, k], ends[1]), high[:, k])
    return low, high


def no_change(value: Floats, sigma: Floats, fitted: Mapping[str, Any]) -> Floats:
    """p-values (m, factors): how often pairs without a change of the factor look at least as different. 1 where
    nothing was fitted."""
    out = np.ones_like(value)
    size = np.abs(value) / sigma ** _powered(fitted.get("power", {}))
    for k, name in enumerate(FACTORS):
        tail = fitted.get("tail", {}).get(name)
        if tail:
            above = 1 - np.interp(size[:, k], np.maximum.accumulate(tail), _STEPS)
            count = fitted["unchanged"][name]
            out[:, k] = (above * count + 1) / (count + 1)
    return np.minimum(out, 1.0)


def same_person(cosine: Floats, fitted: Mapping[str, Any]) -> Floats:
    """Probability (m,) that both show one person, when either answer is as likely beforehand."""
    return np.asarray(_odds(cosine, fitted.get("same", {}).get("line", [6.0, -3.0])))
