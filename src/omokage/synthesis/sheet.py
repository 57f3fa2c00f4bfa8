"""Contact sheets: many heads on one page, to look at before training on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from omokage.media.files import whole_file

COLUMNS, TILE = 8, 128


def write_sheet(path: Path, pictures: Sequence[bytes], columns: int = COLUMNS) -> None:
    """Write encoded pictures as one PNG, `columns` a row, each scaled to 128 pixels. Raises OutputError."""
    tiles = []
    for code in pictures:
        picture = cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_COLOR)
        tiles.append(cv2.resize(picture, (TILE, TILE), interpolation=cv2.INTER_AREA))
    tiles += [np.full((TILE, TILE, 3), 255, np.uint8)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    _, data = cv2.imencode(".png", np.vstack(rows))
    with whole_file(path, binary=True) as file:
        file.write(data.tobytes())
