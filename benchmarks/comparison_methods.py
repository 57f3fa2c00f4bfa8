"""Ways to say what changed between two crops, and whether they show one person: the network and what it must beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from omokage.attributes.predict import AttributePredictor
from omokage.comparison.album import Album
from omokage.comparison.config import COMPARED_UNITS, DataConfig, NetworkConfig
from omokage.comparison.data import Crops, all_pairs, labels_of
from omokage.comparison.predict import Comparer
from omokage.metrics.verification import equal_error
from omokage.results import FaceAnalysis, FaceCrop

Floats = NDArray[np.float64]
Image = NDArray[np.uint8]


class Answers:
    """Values and strengths of evidence (m, factors) of one method on the pairs of an album."""

    def __init__(self, value: Floats, strength: Floats, low: Floats | None = None, high: Floats | None = None) -> None:
        self.value, self.strength, self.low, self.high = value, strength, low, high


def by_comparer(
    comparer: Comparer, crops: Sequence[NDArray[np.uint8]], pairs: NDArray[np.int64], controlled: bool = False
) -> Answers:
    """Strength is what calls go by: how rarely pairs without a change look as different, then the value. `controlled`:
    the heads are held and lit alike."""
    ends = [tuple(row) for row in pairs.tolist()]
    found = comparer.compare(comparer.see(crops), ends, [controlled] * len(ends))
    strength = 1 - found.no_change + 1e-6 * np.abs(found.value)
    return Answers(found.value, strength, found.low, found.high)


def by_attributes(reader: AttributePredictor, crops: Sequence[NDArray[np.uint8]], pairs: NDArray[np.int64]) -> Answers:
    """The difference of two answers of the attributes room."""
    faces = reader.predict([FaceCrop(c, np.eye(2, 3), None, 1.0) for c in crops])  # type: ignore[arg-type]
    state = np.array([state_of(face) for face in faces])
    value = state[pairs[:, 1]] - state[pairs[:, 0]]
    return Answers(value, np.abs(value))


def state_of(face: FaceAnalysis) -> list[float]:
    age = face.age.years if face.age is not None else np.nan
    return [*(face.units[name] for name in COMPARED_UNITS), face.scalars["fatness"].value, age]


def exact_crops(album: Album, comparer: Comparer) -> list[Image]:
    cutter = Crops(album, NetworkConfig(size=comparer.size, margin=comparer.margin), DataConfig())
    return [cutter.exact(i) for i in range(len(album))]


def linear_probe(reader: AttributePredictor, album: Album, comparer: Comparer) -> Callable[..., Answers]:
    """Ridge regression from differences of the attribute trunk's pooled features (192 numbers), learnt on an album."""

    @torch.inference_mode()
    def features(crops: Sequence[NDArray[np.uint8]]) -> Floats:
        rows = []
        for k in range(0, len(crops), 64):
            inputs = reader.prepare([FaceCrop(c, np.eye(2, 3), None, 1.0) for c in crops[k : k + 64]])  # type: ignore[arg-type]
            rows.append(reader.model.trunk(inputs).mean((2, 3)).double().cpu().numpy())
        return np.concatenate(rows)

    x, pairs = features(exact_crops(album, comparer)), all_pairs(album)
    truth = np.nan_to_num(labels_of(album, pairs)[0].astype(np.float64))
    gap = x[pairs[:, 1]] - x[pairs[:, 0]]
    weight = np.linalg.solve(gap.T @ gap + 1e-2 * len(gap) * np.eye(gap.shape[1]), gap.T @ truth)

    def answer(crops: Sequence[NDArray[np.uint8]], ends: NDArray[np.int64]) -> Answers:
        found = features(crops)
        value = (found[ends[:, 1]] - found[ends[:, 0]]) @ weight
        return Answers(value, np.abs(value))

    return answer


def check_errors(
    comparer: Comparer, crops: Sequence[NDArray[np.uint8]], alike: NDArray[np.int64], apart: NDArray[np.int64]
) -> dict[str, float]:
    """Equal error rates of the check and of a classical one, what the shipped limit does, and how far its probability
    (either answer as likely beforehand) can be believed: means of both kinds and the Brier score (0.25 for a coin)."""
    seen = comparer.see(crops)
    a, b = (comparer.compare(seen, [tuple(r) for r in p.tolist()]).same_person for p in (alike, apart))
    old = [classical(crops, p) for p in (alike, apart)]
    return {
        "equal error": equal_error(a, b), "classical equal error": equal_error(*old), "pairs": len(a) + len(b),
        "kept at the limit": float((a >= comparer.same_limit).mean()),
        "strangers let through at the limit": float((b >= comparer.same_limit).mean()),
        "limit": comparer.same_limit, "mean probability, same": float(a.mean()),
        "mean probability, strangers": float(b.mean()),
        "Brier score": float(((1 - a) ** 2).mean() / 2 + (b**2).mean() / 2),
    }  # fmt: skip


def classical(crops: Sequence[NDArray[np.uint8]], pairs: NDArray[np.int64]) -> Floats:
    """Likeness of histograms of local binary patterns over 7 x 7 cells (Ahonen et al., PAMI 2006), chi squared."""
    codes = np.array([_patterns(c) for c in crops])
    a, b = codes[pairs[:, 0]], codes[pairs[:, 1]]
    return -np.asarray(((a - b) ** 2 / (a + b + 1e-9)).sum(1))


def _patterns(crop: NDArray[np.uint8]) -> Floats:
    from skimage.feature import local_binary_pattern

    grey = cv2.equalizeHist(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY))
    found = local_binary_pattern(grey, 8, 2, "nri_uniform").astype(np.int64)
    n = found.shape[0] // 7
    cells = [
        np.bincount(found[r * n : (r + 1) * n, c * n : (c + 1) * n].ravel(), minlength=59)
        for r in range(7)
        for c in range(7)
    ]
    return np.asarray(np.concatenate(cells) / (n * n), np.float64)
