"""VoxCeleb1 and VoxCeleb2 as pictures of faces at about one a second: what FAb-Net was trained on.

VoxCeleb (Nagrani, Chung, Xie, Zisserman, 2017-2018): annotations CC BY 4.0, the videos are their owners'; interviews of
celebrities from the web, one speaker's face cut out by its authors. Known problems: identities come from face
recognition and hold some wrong people, VoxCeleb2's development identities are mostly male and speak mostly English.

The cut that FAb-Net reads lies inside these pictures: 190 of 256 pixels, a little above the middle. Records carry it
as a box, so that a crop with the usual margin shows the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from omokage.data.readers.source import Source
from omokage.data.records import Record
from omokage.data.splits import position
from omokage.errors import InputError

SPLITS = ("train", "val", "test", "all")
VOXCELEB_SOURCE = Source("voxceleb", "VoxCeleb: annotations CC BY 4.0, videos of their owners; research")
# Resized to 256, padded left, top, right, bottom by 20, 80, 20, 30, the middle 190: centre (128, 103) of 256. A crop is
# 1.3 times as wide as its box.
_CENTRE, _SIDE = (128 / 256, 103 / 256), 190 / 256 / 1.3
_SHARES = {"train": (0.0, 0.7), "val": (0.7, 0.8), "test": (0.8, 1.0), "all": (0.0, 1.0)}
_PICTURES = (".jpg", ".jpeg", ".png")


def read_voxceleb(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream the pictures, person by person, in the order of a track; `split` is one of `SPLITS`.

    Layouts: VoxCeleb1's ``<name>/1.6/<video>/<frame>.jpg`` and, for VoxCeleb2 cut into pictures,
    ``<id>/<video>/<track>/<frame>.jpg``. Identities are divided 70/10/20 as in FAb-Net, but by a hash of their names:
    the published split went by the order of a directory listing. Frame numbers count as seconds, in order. Labels:
    ``box`` (the published cut) and ``groups`` (``track``, ``frame``). Raises InputError for a folder without such
    pictures and UnreadableError for a damaged one.
    """
    low, high = _SHARES[split]
    found = 0
    for person in sorted(p for p in folder.iterdir() if p.is_dir()):
        tracks: dict[str, list[Path]] = {}
        for path in sorted(p for p in person.rglob("*") if p.suffix.lower() in _PICTURES):
            name = _track(path.relative_to(person))
            if name:
                tracks.setdefault(name, []).append(path)
        found += len(tracks)
        if low <= position(person.name) < high:
            for name, paths in tracks.items():
                yield from _records(person.name, name, paths)
    if not found:
        raise InputError(
            f"{folder} holds no pictures as <id>/<video>/<track>/<frame>.jpg or <name>/1.6/<video>/<frame>.jpg; "
            "unpack VoxCeleb's face pictures there, or cut tracks out of its videos with  omokage tracks"
        )


def _track(path: Path) -> str:
    """``video`` or ``video/track`` of a picture's path below its person; empty for another layout."""
    parts = path.parts[:-1]
    if len(parts) == 2:
        return parts[1] if parts[0] == "1.6" else "/".join(parts)
    return ""


def _records(person: str, track: str, paths: list[Path]) -> Iterator[Record]:
    """The frames of one track; numbers in names are ordered as numbers."""
    ordered = sorted(paths, key=lambda p: (int(p.stem) if p.stem.isdigit() else 0, p.stem))
    for k, path in enumerate(ordered):
        groups = json.dumps({"track": track, "frame": k}, sort_keys=True)
        record = VOXCELEB_SOURCE.record(path, f"voxceleb-{person}-{track}-{path.stem}", person, {"groups": groups})
        w, h = record.width, record.height
        x, y, half = _CENTRE[0] * w, _CENTRE[1] * h, _SIDE * max(w, h) / 2
        box = [x - half, y - half, x + half, y + half]
        yield Record(record.id, person, record.source, record.image, w, h, {**record.labels, "box": box},
                     record.provenance)  # fmt: skip
