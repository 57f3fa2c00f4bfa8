"""OpenCV's frontal Haar cascade behind the Finder protocol: needs no weights of ours, finds upright frontal faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.results import Box, Detection

# The cascade answers with a square; these shares of its side (medians over rendered heads) cut it to brows-to-chin,
# ear-to-ear.
_LEFT, _TOP, _RIGHT, _BOTTOM = 0.05, 0.17, 0.95, 1.10


class HaarFinder:
    """Viola and Jones' cascade as OpenCV ships it. Scores are the vote count squashed to 0..1: ranks, not
    probabilities.
    """

    def __init__(self, smallest: int = 20, votes: int = 4) -> None:
        folder = Path(cv2.__file__).parent / "data"
        self.cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))
        self.smallest = smallest
        self.votes = votes

    def find(self, image: NDArray[np.uint8]) -> list[Detection]:
        """The faces of one RGB picture (h, w, 3), largest first."""
        grey = cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        least = (self.smallest, self.smallest)
        squares, _, weights = self.cascade.detectMultiScale3(
            grey, 1.1, self.votes, minSize=least, outputRejectLevels=True
        )
        faces = []
        for (x, y, side, _), weight in zip(squares, np.ravel(weights), strict=True):
            box = Box(x + _LEFT * side, y + _TOP * side, x + _RIGHT * side, y + _BOTTOM * side)
            faces.append(Detection(box, float(1 / (1 + np.exp(-float(weight) / 2)))))
        return sorted(faces, key=lambda face: -face.box.area)

    def find_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """The faces of each picture, one after the other."""
        return [self.find(image) for image in images]
