"""How much footage is enough: the score of a probe over the minutes of video that an encoder learnt from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from omokage.embeddings.evaluate import ALL, ProbeConfig, ProbeScore, evaluate
from omokage.embeddings.labelled import LabelledFaces
from omokage.embeddings.predict import Encoder
from omokage.errors import InputError


@dataclass(frozen=True, slots=True)
class FootageScore:
    """A probe's score with an encoder that learnt from `minutes` of video (0 = untrained)."""

    minutes: float
    score: ProbeScore


def footage_curve(
    encoders: Mapping[float, Encoder], faces: LabelledFaces, labels: int = ALL, config: ProbeConfig | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[FootageScore]:  # fmt: skip
    """Scores of encoders by the minutes that each learnt from, every task of `faces`, all with `labels` labels.

    Train the encoders alike on parts of one collection, by people (`data.splits.held_out`). Raises InputError without
    encoders or for negative minutes.
    """
    if not encoders or min(encoders) < 0:
        raise InputError("a curve over footage needs encoders with the minutes, 0 or more, that each learnt from")
    own = config or ProbeConfig()
    one = ProbeConfig((labels,), own.folds, own.draws, own.seed, own.protocol)
    found: list[FootageScore] = []
    for minutes in sorted(encoders):
        found += [FootageScore(minutes, score) for score in evaluate([encoders[minutes]], faces, one, progress)]
    return found


def minutes_needed(curve: list[FootageScore], task: str, measure: str, within: float = 0.02) -> float | None:
    """The least minutes from which on no longer footage scores better by more than the share `within`; None when the
    curve has fewer than two points, or its last point is still that much better than every earlier one."""
    points = [(f.minutes, f.score) for f in curve if (f.score.task, f.score.measure) == (task, measure)]
    if len(points) < 2:
        return None
    for at, (minutes, score) in enumerate(points[:-1]):
        later = [p.value for _, p in points[at + 1 :] if math.isfinite(p.value)]
        gains = [(v - score.value) if score.higher_is_better else (score.value - v) for v in later]
        if gains and max(gains) <= within * abs(score.value):
            return minutes
    return None
