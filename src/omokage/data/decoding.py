"""The pictures and segmentations that records hold as JPEG or PNG, as arrays."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.errors import RecordError


def picture_of(code: bytes, name: str) -> NDArray[np.uint8]:
    """RGB (h, w, 3) of the record `name`. Raises RecordError when it cannot be decoded."""
    return np.ascontiguousarray(_decoded(code, cv2.IMREAD_COLOR, f"the picture of record {name!r}")[..., ::-1])


def head_of(code: bytes, name: str, shape: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
    """255 where the segmentation of the record `name` shows the person (h, w). Raises RecordError when it cannot be
    decoded, or is not of the `shape` of its picture."""
    what = f"the segmentation of record {name!r}"
    classes = _decoded(code, cv2.IMREAD_GRAYSCALE, what)
    if shape is not None and classes.shape[:2] != shape[:2]:
        raise RecordError(f"{what} is not as large as its picture; render or convert its shard again")
    return np.where(classes > 0, np.uint8(255), np.uint8(0))


def _decoded(code: bytes, how: int, what: str) -> NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(code, np.uint8), how) if code else None
    if found is None:
        raise RecordError(f"{what} cannot be decoded; render or convert its shard again")
    return np.asarray(found, np.uint8)
