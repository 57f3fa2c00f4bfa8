"""Rendered heads cut out of their records, ready to be pasted into scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.decoding import head_of, picture_of
from omokage.data.records import read_shard, shards
from omokage.errors import RecordError

_COLUMNS = ("id", "person", "image", "segmentation", "landmarks", "box")


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One rendered picture (n, n, 3) with the head's alpha (n, n) uint8, its box (4,) and landmarks (68, 2) in pixels.

    `open_edges` tells on which of top, right, bottom, left the head is cut off by the picture's edge.
    """

    image: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    box: NDArray[np.float64]
    landmarks: NDArray[np.float32]
    open_edges: tuple[bool, bool, bool, bool]

    @property
    def whole(self) -> bool:
        """Whether only the lower edge cuts the head, so that it can be pasted anywhere."""
        top, right, _, left = self.open_edges
        return not (top or right or left)


def read_heads(
    folders: Sequence[Path], limit: int | None = None, held_out: bool = False, every: int = 20
) -> list[Head]:
    """The heads of record folders. One person in `every` is held out: `held_out` returns those, otherwise the others.

    Who is held out follows from the person's name alone, so that folders may grow.

    `limit` bounds the heads of each folder. Raises RecordError when a record lacks a segmentation, landmarks or a box.
    """
    heads: list[Head] = []
    for folder in folders:
        taken = 0
        for path in shards(folder):
            for row in read_shard(path, _COLUMNS).to_pylist():
                if (crc32(row["person"].encode()) % every == 0) != held_out or (limit is not None and taken >= limit):
                    continue
                heads.append(_head(row, path))
                taken += 1
    return heads


def _head(row: dict[str, object], path: Path) -> Head:
    if row["segmentation"] is None or row["landmarks"] is None or row["box"] is None:
        raise RecordError(
            f"{path} has records without segmentation, landmarks or box; render them with  omokage render"
        )
    image = picture_of(_bytes(row["image"]), str(row["id"]))
    inside = head_of(_bytes(row["segmentation"]), str(row["id"]), image.shape)
    rims = (inside[0], inside[:, -1], inside[-1], inside[:, 0])
    top, right, bottom, left = (bool((rim > 0).mean() > 0.03) for rim in rims)
    # Shrink by a pixel, then feather: the outermost pixels already hold a share of the old background.
    inside = cv2.erode(inside, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    alpha = cv2.GaussianBlur(inside, (0, 0), 0.8, borderType=cv2.BORDER_REPLICATE)
    landmarks = np.asarray(row["landmarks"], np.float32).reshape(68, 2)
    box = np.asarray(row["box"], np.float64)
    return Head(image, np.asarray(alpha, np.uint8), box, landmarks, (top, right, bottom, left))


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


def faceless(head: Head, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The head's picture with nothing that makes a face: its inner part blurred away, covered with hair, or turned
    over.
    """
    image = head.image.copy()
    low, high = head.landmarks[17:].min(0), head.landmarks[17:].max(0)
    reach = np.maximum((high - low) * 0.12, 2)
    size = image.shape[0]
    x0, y0 = np.clip(low - reach, 0, size - 3).astype(int)
    x1, y1 = np.clip(high + reach, [x0 + 2, y0 + 2], size).astype(int)
    part = image[y0:y1, x0:x1]
    kind = rng.integers(3)
    if kind == 0:
        smooth = cv2.GaussianBlur(part, (0, 0), max(2.0, (x1 - x0) * 0.35))
        fill = np.clip(smooth + rng.normal(0, 4, part.shape), 0, 255)
    elif kind == 1:
        strands = cv2.GaussianBlur(rng.normal(0, 60, part.shape[:2]).astype(np.float32), (0, 0), 0.7, sigmaY=6.0)
        fill = np.clip(image[2 : size // 3].mean((0, 1)) * 0.6 + strands[..., None], 0, 255)
    else:  # patches of the same skin in the wrong places
        bands = [np.array_split(band, 3, 1) for band in np.array_split(part, 3, 0)]
        flat = [tile for band in bands for tile in band]
        swapped = [cv2.resize(flat[k], tile.shape[1::-1]) for k, tile in zip(rng.permutation(9), flat, strict=True)]
        rows = [np.hstack(swapped[r : r + 3]) for r in (0, 3, 6)]
        fill = cv2.GaussianBlur(np.vstack(rows), (0, 0), max(0.8, (x1 - x0) * 0.06)).astype(float)
    weight: NDArray[np.float32] = np.zeros((y1 - y0, x1 - x0), np.float32)
    centre = (int(x1 - x0) // 2, int(y1 - y0) // 2)
    cv2.ellipse(weight, centre, (max(1, int(centre[0] * 0.92)), max(1, int(centre[1] * 0.92))), 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(weight, (0, 0), max(1.0, (x1 - x0) * 0.04))[..., None]
    image[y0:y1, x0:x1] = np.clip(part * (1 - soft) + fill * soft, 0, 255).astype(np.uint8)
    return image
