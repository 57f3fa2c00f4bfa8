"""Pictures beside each other with a letter above each, as raters of heat maps see them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.media.files import whole_file

Image = NDArray[np.uint8]
_SIDE, _HEAD, _GAP = 336, 34, 10


def beside(pictures: Sequence[tuple[str, Image]]) -> Image:
    """RGB pictures (n, n, 3) of any size in one row on white, each with its letter."""
    row = np.full((_SIDE + _HEAD, len(pictures) * (_SIDE + _GAP) - _GAP, 3), 255, np.uint8)
    for k, (letter, image) in enumerate(pictures):
        x = k * (_SIDE + _GAP)
        row[_HEAD:, x : x + _SIDE] = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
        cv2.putText(row, letter, (x + _SIDE // 2 - 10, _HEAD - 8), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2)
    return row


def write_png(path: Path, image: Image) -> None:
    """Write an RGB picture, whole or not at all. Raises OutputError."""
    _, code = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))
    with whole_file(path, binary=True) as file:
        file.write(code.tobytes())
