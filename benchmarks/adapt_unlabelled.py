"""Getting used to shifted pictures without labels: what the check says, and what labels say that it never saw.

The crops of `benchmarks/adapt.py` are changed in two ways, **grey, low resolution** (28 px across, JPEG 40) and **side
light** (a ramp from 0.12 to 1.5 of the light across the face). 400 of them give the statistics, teach the student and
check; on 500 others the labels judge: area under the curve before and after, and the interval of the difference over
people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from omokage.attributes.model import AttributeNetwork
from omokage.attributes.predict import AttributePredictor
from omokage.data.photometry import compressed
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import area_under_curve
from omokage.nn.pictures import normalise
from omokage.pipeline.adapt_student import Learning
from omokage.pipeline.adapt_unlabelled import Heads, moved

Image = NDArray[np.uint8]
USED, JUDGED, HEADS = 400, 500, 40
WAYS: Mapping[str, Learning | None] = {"statistics": None, "student": Learning()}
LABELS = {"perceived_gender": ("gender", "female"), "smiling": ("smile", "1"), "eyeglasses": ("glasses", "1")}


def grey_low(crop: Image) -> Image:
    small = cv2.resize(crop, (28, 28), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    back = cv2.resize(compressed(grey, 40), crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(back, np.uint8)


def side_light(crop: Image) -> Image:
    ramp = np.linspace(0.12, 1.5, crop.shape[1])[None, :, None]
    return np.clip(crop * ramp, 0, 255).astype(np.uint8)


SHIFTS: Mapping[str, Callable[[Image], Image]] = {
    "none": lambda crop: crop, "grey, low resolution": grey_low, "side light": side_light,
}  # fmt: skip


@torch.inference_mode()
def answers(model: AttributeNetwork, crops: Image) -> dict[str, NDArray[np.float64]]:
    """Log odds (n,) of the judged answers."""
    parts: dict[str, list[torch.Tensor]] = {name: [] for name in LABELS}
    for start in range(0, len(crops), 50):
        out = model.decode(model(normalise(torch.from_numpy(crops[start : start + 50]))))
        for name in LABELS:
            parts[name].append(out.shares[name])
    return {name: torch.cat(found).double().numpy() for name, found in parts.items()}


def unlabelled_part(
    rows: list[dict[str, str]], crops: Image, predictor: AttributePredictor
) -> Iterator[dict[str, Any]]:
    heads = Heads.drawn(HEADS, predictor)
    people = [row.get("person") or row["file"] for row in rows]
    order = np.random.default_rng(2).permutation(len(crops))
    used, judged = order[:USED], order[USED : USED + JUDGED]
    judged = np.array([k for k in judged if people[k] not in {people[u] for u in used}])
    for shift, change in SHIFTS.items():
        changed = np.stack([change(crop) for crop in crops])
        old = answers(predictor.model, changed[judged])
        for way, learning in WAYS.items():
            share, checks, after = moved(predictor, changed[used], heads, learning=learning)
            facts: dict[str, Any] = {"shift": shift, "way": way, "share": share}
            for c in checks:
                yield facts | {"check": c.name, "before": c.before, "after": c.after, "low": c.low, "high": c.high,
                               "passed": c.passed}  # fmt: skip
            new, accepted = answers(after, changed[judged]), all(c.passed for c in checks)
            for name, (column, yes) in LABELS.items():
                true = np.array([rows[k][column] == yes for k in judged])
                low, high = interval(
                    lambda o, n, t: area_under_curve(n, t) - area_under_curve(o, t), old[name], new[name], true,
                    groups=[people[k] for k in judged], draws=200,
                )  # fmt: skip
                yield facts | {
                    "answer": name, "n": len(judged), "before": area_under_curve(old[name], true),
                    "after": area_under_curve(new[name], true), "low": low, "high": high, "accepted": accepted,
                }  # fmt: skip
