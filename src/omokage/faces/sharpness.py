"""How sharp a face crop is, 0..1: the no-reference blur metric of Crete, Dolmiere, Ladret and Nicolas, *The Blur
Effect* (SPIE 2007), turned round so that more is sharper.

The crop is blurred once more; a sharp one loses most of its pixel-to-pixel variation, a blurred one has little to lose.
The measure does not depend on contrast or brightness. It is taken on the crop as it will be stored, so a small face
that was enlarged counts as what it is: blurred.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW = 9  # pixels of the second blur at `_SIDE`
_SIDE = 128  # the measure is defined at this size
_NOISE = 0.6  # pixels: takes grain off, which would count as sharpness


def sharpness(crop: NDArray[np.uint8], margin: float = 1.0) -> float:
    """Sharpness (0 blurred .. 1 sharp) of the middle of a square RGB uint8 crop (n, n, 3) that shows `margin` faces.

    Of the two directions the blurrier one counts, since motion blurs in one only. A flat crop has sharpness 0. Raises
    ValueError unless the crop is RGB uint8.
    """
    if crop.ndim != 3 or crop.shape[2] != 3 or crop.dtype != np.uint8:
        raise ValueError(f"sharpness takes an RGB uint8 crop (n, n, 3), not {crop.dtype} {crop.shape}")
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    if grey.shape != (_SIDE, _SIDE):
        how = cv2.INTER_AREA if grey.shape[0] > _SIDE else cv2.INTER_LINEAR
        grey = cv2.resize(grey, (_SIDE, _SIDE), interpolation=how)
    edge = round(_SIDE * (1 - 1 / max(margin, 1.0)) / 2)
    face = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _NOISE)[edge : _SIDE - edge, edge : _SIDE - edge]
    return min(_one_way(face, (_WINDOW, 1), 1), _one_way(face, (1, _WINDOW), 0))


def _one_way(face: NDArray[np.floating], window: tuple[int, int], axis: int) -> float:
    again = cv2.blur(np.ascontiguousarray(face), window)
    steps, left = (np.abs(np.diff(picture, axis=axis)) for picture in (face, again))
    total = float(steps.sum())
    return float(np.maximum(steps - left, 0).sum()) / total if total > 0.05 * steps.size else 0.0
