"""How good the comparison is on held-out rendered people: sign, size, false calls, intervals, and the same-person
check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.comparison import calibration
from omokage.comparison.calibration import CALL, STEPS
from omokage.comparison.config import COMPARED_UNITS, FACTORS
from omokage.comparison.data import Crops
from omokage.comparison.model import ComparisonNetwork
from omokage.comparison.readings import Cosines, Readings, read
from omokage.data.splits import held_out
from omokage.errors import TrainingError
from omokage.metrics.ranks import rank_correlation
from omokage.metrics.verification import equal_error

Floats = NDArray[np.float64]
_FEWEST = 25
MEASURED = "held-out rendered people, crops changed"


def halves(model: ComparisonNetwork, albums: Sequence[Crops], seed: int) -> tuple[Readings, Readings]:
    """Readings of half of the held-out people, to fit on, and of the other half. Raises TrainingError when one is
    empty."""
    fit, test = (Readings.join([read(model, part) for part in side]) for side in parted(albums, seed))
    return fit, test


def parted(albums: Sequence[Crops], seed: int) -> tuple[list[Crops], list[Crops]]:
    """Half of the people of each album, and the other half; albums without two pictures of anybody are left out. Raises
    TrainingError when a half is empty."""
    parts: tuple[list[Crops], list[Crops]] = ([], [])
    for crops in albums:
        first = held_out(crops.album.people, 0.5, seed + 1)
        for side, mask in zip(parts, (first, ~first), strict=True):
            part = Crops(crops.album.only(mask), crops.network, crops.config)
            if any(len(group) > 1 for group in part.album.groups()):
                side.append(part)
    if not all(parts):
        raise TrainingError("too few people are held out to calibrate on: give more records or a larger held_out")
    return parts


def score(readings: Readings, fitted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of (measure, value, n, baseline) for a card."""
    rows: list[dict[str, Any]] = []
    low, high = calibration.intervals(readings.value, readings.sigma, fitted)
    p = calibration.no_change(readings.value, readings.sigma, fitted)
    for name, ks in (("units", range(len(COMPARED_UNITS))), ("fatness", [-2]), ("age", [-1])):
        parts = [_factor(readings, int(k), low, high, p) for k in ks]
        for measure in _MEASURES:
            values = [part[measure] for part in parts if measure in part]
            if values:
                mean = float(np.mean([v for v, _ in values]))
                rows.append(_row(f"{name}: {measure}", mean, sum(n for _, n in values), _BASE.get(measure)))
    return rows + check_rows(readings.cosines, fitted.get("same"))


def check_rows(cosines: Cosines, fitted: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Rows about the same-person check, as `calibration.fit_same` fitted it."""
    alike, rows = cosines.alike, []
    for kind, other in (("", cosines.apart), (", strangers alike in sex, skin and age", cosines.hard)):
        if len(alike) and len(other):
            rate = equal_error(alike, other)
            rows.append(_row(f"same person: equal error rate{kind}", rate, len(alike) + len(other), 0.5))
    if fitted is not None and len(alike) and len(cosines.hard):
        limit = fitted["limit"]
        kept, passed = (calibration.same_person(x, {"same": fitted}) >= limit for x in (alike, cosines.hard))
        rows.append(_row("same person: let through at the limit", float(kept.mean()), len(kept)))
        rows.append(_row("strangers alike: let through at the limit", float(passed.mean()), len(passed)))
    return rows


_FALSE, _DAY_ALONE = "called without a change", "called where the day alone differs"
_MEASURES = (
    "order, Spearman", "sign of called changes", "changes called", "inside the 5-95 % interval", "inside, changed",
    _FALSE, _DAY_ALONE, "mean absolute error", "mean absolute change",
)  # fmt: skip
_BASE = {
    "sign of called changes": 0.5, _FALSE: CALL, _DAY_ALONE: CALL, "order, Spearman": 0.0,
    "inside the 5-95 % interval": calibration.LEVEL, "inside, changed": calibration.LEVEL,
}  # fmt: skip


def _row(measure: str, value: float, n: int, baseline: float | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {"measure": measure, "value": round(value, 4), "n": n}
    return row if baseline is None else {**row, "baseline": baseline}


def _factor(readings: Readings, k: int, low: Floats, high: Floats, p: Floats) -> dict[str, tuple[float, int]]:
    """Measures of one factor with the number of pairs behind each; those with too few pairs are absent."""
    true, value = readings.change[:, k], readings.value[:, k]
    known = np.isfinite(true)
    real = known & (np.abs(true) >= 0.99 * STEPS[FACTORS[k]])
    called = p[:, k] < CALL
    out: dict[str, tuple[float, int]] = {}
    if real.sum() >= _FEWEST:
        held = (low[real, k] <= true[real]) & (true[real] <= high[real, k])
        out["inside, changed"] = float(held.mean()), int(real.sum())
    if known.sum() >= _FEWEST:
        inside = (low[known, k] <= true[known]) & (true[known] <= high[known, k])
        out["inside the 5-95 % interval"] = float(inside.mean()), int(known.sum())
        out["mean absolute error"] = float(np.abs(value - true)[known].mean()), int(known.sum())
        out["mean absolute change"] = float(np.abs(true[known]).mean()), int(known.sum())
    if real.sum() >= _FEWEST:
        out["order, Spearman"] = rank_correlation(value[real], true[real]), int(real.sum())
        out["changes called"] = float(called[real].mean()), int(real.sum())
        if (real & called).any():
            right = np.sign(value) == np.sign(true)
            out["sign of called changes"] = float(right[real & called].mean()), int((real & called).sum())
    for measure, there in ((_FALSE, readings.unchanged[:, k]), (_DAY_ALONE, readings.still)):
        if there.sum() >= _FEWEST:
            out[measure] = float(called[there].mean()), int(there.sum())
    return out
