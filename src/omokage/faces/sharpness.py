"""How sharp a face crop is, 0..1: the no-reference blur metric of Crete, Dolmiere, Ladret and Nicolas, *The Blur
Effect* (SPIE 2007), turned round so that more is sharper.

The face is blurred once more; a sharp one loses most of its pixel-to-pixel variation, a blurred one has little to lose.
The measure does not depend on contrast or brightness. It is taken on the face brought to 80 pixels, so a small face
that was enlarged counts as what it is: blurred.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.faces.align import crop_box
from omokage.results import Box

SIDE = 80  # pixels of the face's larger side at which the measure is defined
_WINDOW = 9  # pixels of the second blur
_NOISE = 0.6  # pixels: takes grain off, which would count as sharpness


def sharpness(pixels: NDArray[np.uint8], box: Box) -> float:
    """Sharpness (0 blurred .. 1 sharp) of the face in `box` of an RGB uint8 picture (h, w, 3).

    Of the two directions the blurrier one counts, since motion blurs in one only. A flat face has sharpness 0.
    """
    grey = cv2.cvtColor(crop_box(pixels, box, SIDE, 1.0).image, cv2.COLOR_RGB2GRAY)
    face = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _NOISE)
    return min(_one_way(face, (_WINDOW, 1), 1), _one_way(face, (1, _WINDOW), 0))


def _one_way(face: NDArray[np.floating], window: tuple[int, int], axis: int) -> float:
    again = cv2.blur(face, window)
    steps, left = (np.abs(np.diff(picture, axis=axis)) for picture in (face, again))
    total = float(steps.sum())
    return float(np.maximum(steps - left, 0).sum()) / total if total > 0.05 * steps.size else 0.0
