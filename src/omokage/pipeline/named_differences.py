"""What else differs between two photographs: what the person wears or has done (glasses, hair, beard, make-up, closed
eyes, headwear), and what is only the day (light, pose, camera).

Two analyses of one face tell these; a comparison network that was asked for them too stayed near chance
(docs/log.md). `benchmarks/comparison_differences.py` measures what is told here. A yes/no attribute with probabilities
p and q differs with p (1 - q) + q (1 - p). Hair, light, pose and camera are distances: of hair lengths, of the shading
from side to side and from top to bottom, of head poses, of colour, sharpness and brightness. Their lines to
probabilities were fitted on rendered people by the same script, both answers weighing the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.faces.align import stacked
from omokage.metrics.logistic import probability
from omokage.results import FaceAnalysis

Image = NDArray[np.uint8]
# Attributes of which the one that differs most speaks.
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "glasses": ("eyeglasses", "sunglasses"), "beard": ("beard", "mustache", "5_o_clock_shadow"),
    "makeup": ("heavy_makeup", "wearing_lipstick"), "eyes_closed": ("eyes_closed",), "hat": ("wearing_hat",),
}  # fmt: skip
LINES: Mapping[str, tuple[float, float]] = {
    "hair": (24.7, -2.26), "light": (6.78, -1.19), "pose": (0.79, -7.17), "camera": (23.4, -4.44),
}  # fmt: skip
DAY = ("light", "pose", "camera")
STEADY = 5.0  # degrees between two poses below which the head is held alike
_SIZE = 112  # pixels of the crops that the lines were fitted on


class Picture(NamedTuple):
    """How one aligned crop is lit (2,) and was taken (5,), see `picture_of`."""

    shade: NDArray[np.float64]
    taken: NDArray[np.float64]


def looks_between(before: FaceAnalysis, after: FaceAnalysis) -> dict[str, float]:
    """Probabilities that each look differs; those that the analyses do not tell are absent."""
    found = {}
    for look, names in ATTRIBUTES.items():
        told = [n for n in names if n in before.attributes and n in after.attributes]
        both = [(before.attributes[n], after.attributes[n]) for n in told]
        if both:
            found[look] = max(p * (1 - q) + q * (1 - p) for p, q in both)
    return found | _likely(_hair(before, after))


def day_between(before: FaceAnalysis, after: FaceAnalysis, one: Picture, other: Picture) -> dict[str, float]:
    """Probabilities that light, pose (where the analyses tell it) and camera differ; `one` and `other` are of the
    aligned crops."""
    found = distances(before, after, one, other)
    return _likely({name: found[name] for name in DAY if name in found})


def controlled(before: FaceAnalysis, after: FaceAnalysis, one: Picture, other: Picture) -> bool:
    """Whether the head is held and lit alike, as in photographs under controlled conditions."""
    found = distances(before, after, one, other)
    return found.get("pose", STEADY) < STEADY and _likely({"light": found["light"]})["light"] < 0.5


def distances(before: FaceAnalysis, after: FaceAnalysis, one: Picture, other: Picture) -> dict[str, float]:
    """What the lines turn into probabilities: `hair` (0..1), `light` (log units of luminance), `pose` (degrees) and
    `camera`."""
    found = _hair(before, after)
    found["light"] = float(np.linalg.norm(one.shade - other.shade))
    found["camera"] = float(np.linalg.norm(one.taken - other.taken))
    if before.pose is not None and after.pose is not None:
        a, b = before.pose, after.pose
        found["pose"] = float(np.linalg.norm([a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll]))
    return found


def _hair(before: FaceAnalysis, after: FaceAnalysis) -> dict[str, float]:
    """The length says most; what a hat hides is no difference of hair."""
    a, b = before.scalars.get("hair_length"), after.scalars.get("hair_length")
    hidden = max(f.attributes.get("wearing_hat", 0.0) for f in (before, after)) >= 0.5
    return {} if a is None or b is None or hidden else {"hair": abs(a.value - b.value)}


def picture_of(crop: Image) -> Picture:
    """Of the middle of an aligned crop (n, n, 3): shading to the side and downwards, and how the camera took it: red
    and blue against green, sharpness, colourfulness, brightness, each in steps that matter about the same. Other sizes
    are resized first, as sharpness depends on it."""
    crop = stacked([crop], _SIZE)[0]
    middle = _part(crop, 0.125, 0.875, 0.125, 0.875)
    red, green, blue = np.log(middle.mean((0, 1)) + 0.02)
    grey = middle.mean(2)
    sharp = np.log(float(cv2.Laplacian(grey, cv2.CV_64F).std()) + 1e-3)
    colour = float((middle.max(2) - middle.min(2)).mean())
    bright = float(np.log(grey + 0.03).mean())
    face = np.log(_part(crop, 0.32, 0.82, 0.27, 0.73).mean(2) + 0.05)
    cells = cv2.resize(face, (3, 3), interpolation=cv2.INTER_AREA)
    shade = cells[:, 0].mean() - cells[:, 2].mean(), 0.5 * (cells[0].mean() - cells[2].mean())
    return Picture(np.array(shade), np.array([red - green, blue - green, 0.3 * sharp, 2 * colour, 0.5 * bright]))


def _part(crop: Image, top: float, bottom: float, left: float, right: float) -> NDArray[np.float64]:
    """A part of a crop, in shares of its side, as 0..1."""
    n = len(crop)
    return crop[round(top * n) : round(bottom * n), round(left * n) : round(right * n)].astype(np.float64) / 255


def _likely(found: Mapping[str, float]) -> dict[str, float]:
    return {name: float(probability(LINES[name][0] * gap + LINES[name][1])) for name, gap in found.items()}
