"""Is a found box a face? A second opinion from what the attribute network saw in it.

A finder looks at thousands of places and must be generous to miss nobody. The attribute network then looks twice at
each box: a real face gives sharp landmarks that stay where they are when the crop is cut again around them, and a high
`quality`; a false one does not. `FaceCheck` weighs this evidence by a logistic regression that was fitted on rendered
scenes (`pipeline.train`); the faces table's `score` is its probability.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omokage.errors import WeightsError
from omokage.metrics.logistic import probability
from omokage.results import Detection, FaceAnalysis
from omokage.weights.registry import Card, load

EVIDENCE = (
    "finder score", "quality, first look", "quality, second look", "landmark spread", "landmark shift",
    "no second look",
)  # fmt: skip
_TYPICAL_SHIFT = -3.0  # log of what real faces show; stands for a shift that could not be seen


@dataclass(frozen=True, slots=True, eq=False)
class FaceCheck:
    """`line` (7,): a weight for each of `EVIDENCE` and a constant. A box is a face from probability `limit` on.

    `proposals` is the finder score from which boxes are worth a look.
    """

    line: NDArray[np.float64]
    limit: float
    proposals: float
    card: Card | None = None

    @classmethod
    def open(cls, weights: str | Path) -> FaceCheck:
        """The check of a weight set. Raises WeightsError when it has none, it is damaged or weighs other evidence."""
        tensors, card = load(weights, "check")
        if tuple(card.architecture.get("evidence", ())) != EVIDENCE:
            raise WeightsError(
                f"the check {card.id} was fitted by another version of omokage; fit it again with  omokage train "
                "check.shipped"
            )
        known = card.calibration
        line = tensors["line"].double().numpy()
        return cls(line, float(known["limit"]), float(known["proposals"]), card)

    def probability(self, detection: Detection, first: FaceAnalysis, second: FaceAnalysis) -> float | None:
        """Of being a face, 0..1; None when the network did not give the evidence (no landmark spread or quality)."""
        known = evidence(detection, first, second)
        if known is None:
            return None
        return float(probability(known @ self.line[:-1] + self.line[-1]))


def evidence(detection: Detection, first: FaceAnalysis, second: FaceAnalysis) -> NDArray[np.float64] | None:
    """The numbers (6,) of `EVIDENCE`: log odds, logs of lengths over the face's size, and 1 where the first look was so
    bad that there was no second (`second` is then `first` itself); None when the network does not give them.
    """
    qualities = (first.quality, second.quality)
    if first.landmarks is None or second.landmarks is None or second.landmark_sigma is None or None in qualities:
        return None
    size = float(np.ptp(second.landmarks, axis=0).max())
    if not math.isfinite(size) or size <= 0:
        return None
    spread = float(second.landmark_sigma.mean()) / size
    skipped = second is first
    moved = float(np.linalg.norm(first.landmarks - second.landmarks, axis=1).mean()) / size
    shift = _TYPICAL_SHIFT if skipped else math.log(moved + 3e-3)
    odds = [log_odds(p, 1e-3) for p in (detection.score, *qualities) if p is not None]
    return np.array([*odds, math.log(spread + 1e-3), shift, float(skipped)])


def log_odds(p: float, edge: float) -> float:
    """ln(p / (1 - p)) with p kept `edge` away from 0 and 1."""
    p = min(max(p, edge), 1 - edge)
    return math.log(p / (1 - p))
