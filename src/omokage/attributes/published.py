"""The measures of published work, of a trained attribute network on a record folder of a test split.

CelebA and LFWA: mean of the 40 plain accuracies, with the balanced mean and the majority answer beside it. MORPH II,
LFW+ and ChaLearn LAP 2015: mean absolute error of age and CS(5), with always giving the median beside them; the
eps-error where the set publishes the spread of its raters; accuracy of perceived gender.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.attributes import calibration
from omokage.attributes.config import DataConfig
from omokage.attributes.data import Crops
from omokage.attributes.model import rebuilt
from omokage.attributes.readings import Readings, read
from omokage.attributes.sources import read_source
from omokage.data.records import read_shard, shards
from omokage.metrics import published
from omokage.schema import AttributeSchema
from omokage.weights import registry


def published_scores(weights: str | Path, records: str | Path) -> list[dict[str, Any]]:
    """Rows with `measure`, `value`, `baseline` and `n` for whatever the network reads and the records have labels of.

    Raises WeightsError for weights that cannot be loaded and RecordError for a damaged record folder.
    """
    tensors, card = registry.load(weights, "attributes")
    schema = AttributeSchema.from_json(card.schema)
    model = rebuilt(schema, card.architecture)
    model.load_state_dict(tensors)
    config = DataConfig(folders=(str(records),))
    readings = read(model, Crops([read_source(records, schema)], schema, model.network, config))
    rows = _yes_no(schema, readings)
    if "age" in readings.outputs.bins:
        rows += _age(schema, readings, card.calibration, _spread(Path(records)))
    if "perceived_gender" in readings.outputs.shares:
        rows += _one("perceived gender accuracy", readings, "perceived_gender")
    return rows


def _row(measure: str, value: float, baseline: float, n: int) -> dict[str, Any]:
    return {"measure": measure, "value": round(value, 4), "baseline": round(baseline, 4), "n": n}


def _columns(readings: Readings, names: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities and truth (n, names)."""
    logits = np.stack([readings.outputs.shares[name].double().numpy() for name in names], 1)
    truth = np.stack([readings.targets[name][:, 0].double().numpy() for name in names], 1)
    return 1 / (1 + np.exp(-logits)), truth


def _yes_no(schema: AttributeSchema, readings: Readings) -> list[dict[str, Any]]:
    """Every yes/no attribute, and the two means over them."""
    names = tuple(a.name for a in schema if a.classes == ("no", "yes"))
    if not names:
        return []
    scores = published.attribute_scores(names, *_columns(readings, names))
    rows = [_row(f"{s.name} accuracy", s.accuracy, s.majority, s.count) for s in scores]
    if scores:
        most = max(s.count for s in scores)
        majority = float(np.mean([s.majority for s in scores]))
        rows.append(_row(f"mean accuracy of {len(scores)}", published.mean_accuracy(scores), majority, most))
    two_sided = [s for s in scores if s.balanced is not None]
    if two_sided:
        most = max(s.count for s in two_sided)
        mean = published.mean_balanced_accuracy(two_sided)
        rows.append(_row(f"mean balanced accuracy of {len(two_sided)}", mean, 0.5, most))
    return rows


def _one(measure: str, readings: Readings, name: str) -> list[dict[str, Any]]:
    scores = published.attribute_scores((name,), *_columns(readings, (name,)))
    return [_row(measure, s.accuracy, s.majority, s.count) for s in scores]


def _age(schema: AttributeSchema, readings: Readings, fitted: Any, spread: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Age measures; pictures whose label is only a bin do not count."""
    truth = readings.targets["age"][:, 0].double().numpy()
    known = np.isfinite(truth)
    if not known.any():
        return []
    mean, *_ = calibration.summary(schema["age"], readings.outputs.bins["age"], fitted)
    years = mean.double().numpy()[known]
    truth, spread = truth[known], spread[known]
    trivial = np.full_like(truth, np.median(truth))
    n = len(truth)
    mae, within = published.age_mae, published.cumulative_score
    rows = [
        _row("age MAE, years", mae(years, truth), mae(trivial, truth), n),
        _row("age CS(5)", within(years, truth), within(trivial, truth), n),
    ]
    if np.isfinite(spread).all():
        rows.append(
            _row(
                "age eps-error",
                published.eps_error(years, truth, spread),
                published.eps_error(trivial, truth, spread),
                n,
            )
        )
    return rows


def _spread(folder: Path) -> NDArray[np.float64]:
    """The raters' spread of age of every record in order, NaN where a set has none."""
    values = [v for path in shards(folder) for v in read_shard(path, ["age_std"]).column("age_std").to_pylist()]
    return np.array([np.nan if v is None else v for v in values], np.float64)
