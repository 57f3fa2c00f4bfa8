"""What a face looks like, for linking: a patch of 24 x 24 pixels, compared by normalised correlation and mean colour.

This is no identity: it tells whether the same face was here a moment ago, in about 0.1 ms, and nothing over minutes. A
change of 1 is what consecutive frames of one face seldom exceed; two people mostly differ by 3 and more.
"""

from __future__ import annotations

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.faces.align import crop_box
from omokage.results import Box

SIDE = 24
_MARGIN = 1.3  # of the box: hair and jaw are in, which tell people apart better than the middle of the face
_SLACK = 2  # pixels of the patch that a box may be off
_CORRELATION, _COLOUR = 0.12, 12.0  # loss of correlation, and levels of mean colour, that count as a change of 1


def look(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The patch (24, 24, 3) of a face in an RGB frame."""
    return crop_box(pixels, box, SIDE, _MARGIN).image


def change(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> float:
    """How much a face's look changed between two patches, from 0 on; see the module for the scale."""
    inner = np.ascontiguousarray(before[_SLACK:-_SLACK, _SLACK:-_SLACK])
    if min(float(inner.std()), float(now.std())) < 2.0:  # a flat patch correlates with anything or nothing
        alike = 1.0
    else:
        alike = float(cv2.matchTemplate(now, inner, cv2.TM_CCOEFF_NORMED).max())
    colour = float(np.abs(before.mean((0, 1)) - now.mean((0, 1))).max())
    return (1.0 - alike) / _CORRELATION + colour / _COLOUR


def packed(patch: NDArray[np.uint8]) -> str:
    """A patch as text, for JSON."""
    return base64.b64encode(patch.tobytes()).decode("ascii")


def unpacked(text: str) -> NDArray[np.uint8]:
    """The patch that `packed` wrote."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(SIDE, SIDE, 3)
