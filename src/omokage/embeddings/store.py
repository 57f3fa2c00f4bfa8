"""Track records as aligned crops in one memory-mapped file: decoded once, shared by all processes, flat in memory.

A stored crop shows a little more than the encoder's, in the same scale, so that a training crop can stray and the exact
crop is its middle, unchanged. A track is what `person` and the record column `groups` say (`track`, else `group`); its
frames are in the order of `time_s`, else `frame`, else as they come.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from omokage.data.decoding import picture_of
from omokage.data.records import read_shard, shards
from omokage.errors import OutputError, RecordError
from omokage.faces.align import crop_box, crop_landmarks
from omokage.results import Box

Image = NDArray[np.uint8]
_ROOM = 0.14  # of the crop's side, stored around it on each side
THUMB = 16  # side of the grey thumbnails that tell how much two frames differ
_COLUMNS = ("id", "person", "image", "landmarks", "outline", "box", "groups")


@dataclass(frozen=True, slots=True, eq=False)
class TrackStore:
    """`frames` (n, stored, stored, 3) uint8; `thumbs` (n, 256), grey, mean 0 and deviation 1 each; `tracks`: numbers of
    the frames of each, in time; `people`: whose each track is. `size` is the encoder's crop side."""

    frames: NDArray[np.uint8]
    thumbs: NDArray[np.float16]
    tracks: list[NDArray[np.int64]]
    people: list[str]
    size: int

    def exact(self, frame: int) -> Image:
        """The crop (size, size, 3) as the pipeline cuts it."""
        edge = room(self.size)
        return np.asarray(self.frames[frame, edge : edge + self.size, edge : edge + self.size])


def room(size: int) -> int:
    """Pixels that a stored crop has on each side of the exact one."""
    return max(1, round(_ROOM * size))


def open_store(folders: Sequence[str], cache: Path, size: int, margin: float, limit: int = 0) -> TrackStore:
    """The crops of all records in the folders, cut now or found in `cache` from an earlier run.

    Raises RecordError for folders without shards and for damaged shards or pictures, OutputError when the cache cannot
    be written.
    """
    parts = [part for folder in folders for part in _parts(Path(folder), limit)]
    name = _fingerprint(parts, size, margin)
    frames, thumbs, index = (cache / f"{name}-{kind}" for kind in ("frames.npy", "thumbs.npy", "tracks.json"))
    if not index.exists():
        try:
            cache.mkdir(parents=True, exist_ok=True)
            _build(parts, frames, thumbs, index, size, margin)
        except OSError as error:
            raise OutputError(
                f"cannot write crops into {cache}: {error.strerror or error}; free space or set data.cache"
            ) from error
    facts = json.loads(index.read_text(encoding="utf-8"))
    tracks = [np.array(track, np.int64) for track in facts["tracks"]]
    return TrackStore(np.load(frames, mmap_mode="r"), np.load(thumbs, mmap_mode="r"), tracks, facts["people"], size)


def _parts(folder: Path, limit: int) -> list[tuple[Path, int]]:
    """The shards of a folder, each with how many of its rows are taken: at most `limit` in all where it is above 0."""
    parts, left = [], limit or 1 << 62
    for path in shards(folder):
        try:
            rows = min(pq.read_metadata(path).num_rows, left)
        except Exception as error:  # pyarrow raises a different error for each way in which a file can be cut short
            raise RecordError(f"{path} cannot be read as a record shard: {error}") from error
        parts.append((path, rows))
        left -= rows
    if left == (limit or 1 << 62):
        raise RecordError(f"{folder} holds no record to learn from")
    return [(path, rows) for path, rows in parts if rows]


def _fingerprint(parts: Sequence[tuple[Path, int]], size: int, margin: float) -> str:
    """Changes with the shards and with how they are cut."""
    seen = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns, rows) for path, rows in parts]
    return hashlib.sha256(json.dumps([seen, size, margin, _ROOM, THUMB]).encode()).hexdigest()[:16]


def _build(
    parts: Sequence[tuple[Path, int]], frames: Path, thumbs: Path, index: Path, size: int, margin: float
) -> None:
    """Write the three files; the index comes last, so that a killed build is not mistaken for a whole one."""
    stored = size + 2 * room(size)
    count = sum(rows for _, rows in parts)
    members: dict[tuple[str, str], list[tuple[float, int]]] = {}
    # Another process may have mapped the files of the same name: they are replaced, never written into.
    partial, partial_thumbs = (path.with_suffix(f".{os.getpid()}.tmp") for path in (frames, thumbs))
    small = np.lib.format.open_memmap(partial_thumbs, "w+", np.dtype(np.float16), (count, THUMB * THUMB))
    with partial.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, stored, stored, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for k, row in enumerate(_rows(parts)):
            crop = _crop(row, stored, margin * stored / size)
            file.write(crop.tobytes())
            small[k] = thumbnail(crop, room(size))
            key, when = track_of(row)
            members.setdefault(key, []).append((when, k))
    os.replace(partial, frames)
    small.flush()
    os.replace(partial_thumbs, thumbs)
    facts = {
        "people": [person for person, _ in members],
        "tracks": [[k for _, k in sorted(found)] for found in members.values()],
    }
    unfinished = index.with_suffix(".tmp")
    unfinished.write_text(json.dumps(facts), encoding="utf-8")
    os.replace(unfinished, index)


def _rows(parts: Sequence[tuple[Path, int]]) -> Iterator[dict[str, Any]]:
    """Record rows, one shard in memory at a time."""
    for path, count in parts:
        for batch in read_shard(path, _COLUMNS).slice(0, count).to_batches(max_chunksize=64):
            yield from batch.to_pylist()


def track_of(row: dict[str, Any]) -> tuple[tuple[str, str], float]:
    """(person, track) of a record row, and when in its track it is. Raises RecordError for damaged groups."""
    try:
        groups = json.loads(row.get("groups") or "{}")
        name = groups.get("track", groups.get("group", ""))
        when = float(groups.get("time_s", groups.get("frame", 0)))
    except (ValueError, TypeError, AttributeError) as error:
        raise RecordError(f"the groups of record {row['id']!r} are no JSON object of a track ({error})") from error
    return (row["person"], str(name)), when


def _crop(row: dict[str, Any], side: int, margin: float) -> Image:
    """The picture's face as the pipeline crops it: by landmarks, known or placed, else by its box, else what fills the
    picture."""
    image = picture_of(row["image"], row["id"])
    points = row["landmarks"] if row.get("landmarks") is not None else row.get("outline")
    if points is not None:
        return crop_landmarks(image, np.asarray(points, np.float64).reshape(68, 2), side, margin).image
    h, w = image.shape[:2]
    box = row["box"] if row.get("box") is not None else (0.15 * w, 0.2 * h, 0.85 * w, 0.95 * h)
    return crop_box(image, Box(*(float(v) for v in box)), side, margin).image


def thumbnail(crop: Image, edge: int) -> NDArray[np.float16]:
    """The exact crop in grey, small, with its own mean and contrast taken out (256,)."""
    inside = crop[edge : crop.shape[0] - edge, edge : crop.shape[1] - edge]
    grey = cv2.cvtColor(np.ascontiguousarray(inside), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    return np.asarray((small - small.mean()) / (small.std() + 1.0), np.float16)
