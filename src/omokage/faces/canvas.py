"""A scene while it is being composed: pictures blended in one over the other, and which face each pixel still shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from omokage.faces.photographic import photographic

Rng = np.random.Generator
SMALLEST = 11.0  # pixels: smaller faces are neither asked for nor punished
_SEEN = 0.55  # a face with a smaller share in sight is neither asked for nor punished
_GONE = 0.12  # and one with less than this is not there at all


@dataclass(frozen=True, slots=True, eq=False)
class FaceScene:
    """A picture (n, n, 3), the boxes of its faces (k, 4), and of faces that do not count either way (m, 4)."""

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    ignored: NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Canvas:
    """A scene while it is being composed; `owner` says which face a pixel shows (-1: none)."""

    picture: NDArray[np.uint8]
    owner: NDArray[np.int16]
    boxes: list[NDArray[np.float64]] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)  # pixels of each face's box when it was pasted

    @classmethod
    def on(cls, picture: NDArray[np.uint8]) -> Canvas:
        return cls(picture, np.full(picture.shape[:2], -1, np.int16))

    def paste(
        self, image: NDArray[np.uint8], alpha: NDArray[np.uint8], x: int, y: int, box: NDArray[np.float64] | None
    ) -> None:
        """Blend a picture in at (x, y); `box` (scene pixels) makes it a face, None makes it a thing that may hide
        faces.
        """
        size = self.picture.shape[0]
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + image.shape[1], size), min(y + image.shape[0], size)
        if x1 <= x0 or y1 <= y0:
            return
        share = alpha[y0 - y : y1 - y, x0 - x : x1 - x]
        top, under = image[y0 - y : y1 - y, x0 - x : x1 - x], self.picture[y0:y1, x0:x1]
        weight = share[..., None].astype(np.float32) / 255
        under[:] = (under + (top.astype(np.float32) - under) * weight + 0.5).astype(np.uint8)
        self.owner[y0:y1, x0:x1][share > 127] = -1
        if box is not None:
            self._own(len(self.boxes), box, share, x0, y0)

    def _own(self, face: int, box: NDArray[np.float64], share: NDArray[np.uint8], x: int, y: int) -> None:
        bx0, by0, bx1, by1 = np.round(box).astype(int)
        part = (slice(max(by0 - y, 0), max(by1 - y, 0)), slice(max(bx0 - x, 0), max(bx1 - x, 0)))
        owner = self.owner[y : y + share.shape[0], x : x + share.shape[1]][part]
        owner[share[part] > 127] = face
        self.boxes.append(box)
        self.shown.append(int((share[part] > 127).sum()))

    def finish(self, rng: Rng) -> FaceScene:
        """Sort the faces into wanted and ignored by size and by what is in sight, and take the photograph."""
        size = self.picture.shape[0]
        wanted: list[NDArray[np.float64]] = []
        ignored: list[NDArray[np.float64]] = []
        for face, (box, shown) in enumerate(zip(self.boxes, self.shown, strict=True)):
            inside = np.clip(box, 0, size)
            in_frame = (inside[2] - inside[0]) * (inside[3] - inside[1]) / ((box[2] - box[0]) * (box[3] - box[1]))
            if in_frame <= 0.02:
                continue
            unhidden = (self.owner == face).sum() / max(1, shown)
            if unhidden < _GONE:
                continue
            good = max(box[2:] - box[:2]) >= SMALLEST and in_frame * unhidden >= _SEEN
            (wanted if good else ignored).append(box)
        kinds = (np.array(k, np.float32).reshape(-1, 4) for k in (wanted, ignored))
        return FaceScene(photographic(self.picture, rng), *kinds)
