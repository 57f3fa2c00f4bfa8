"""Record folders as an album: pictures that stay encoded, what is known of each, crops as the pipeline cuts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omokage.data import photometry, transforms
from omokage.data.decoding import picture_of
from omokage.data.records import face_outline, read_shard, shards
from omokage.dialogue.config import DataConfig, NetworkConfig
from omokage.dialogue.conversation import Image
from omokage.dialogue.facts import COLUMNS, Truth, truth_of
from omokage.errors import RecordError
from omokage.faces.align import roll_of


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """`n` pictures: encoded, the outline of the face in each (68 landmarks, or the corners of its box, in pixels), and
    the truth, whose `image` is the place in the album."""

    codes: list[bytes]
    outline: list[NDArray[np.float64]]
    truths: list[Truth]

    def __len__(self) -> int:
        return len(self.codes)

    def some(self, places: Sequence[int]) -> Album:
        """The pictures of these places alone, counted anew."""
        truths = [replace(self.truths[i], image=k) for k, i in enumerate(places)]
        return Album([self.codes[i] for i in places], [self.outline[i] for i in places], truths)

    def picture(self, i: int) -> Image:
        """RGB (h, w, 3). Raises RecordError when it cannot be decoded."""
        return picture_of(self.codes[i], f"{i} of the album")

    def crop(
        self, i: int, network: NetworkConfig, data: DataConfig | None = None, rng: Generator | None = None
    ) -> Image:
        """The crop (size, size, 3); with `rng` jittered and changed as photographs are."""
        points = self.outline[i]
        lean = roll_of(points) if len(points) == 68 else 0.0
        jitter = transforms.Jitter() if rng is None or data is None else transforms.drawn(rng, data.geometry)
        affine = transforms.crop_affine(points, network.size, network.margin, lean, jitter)
        crop = transforms.warp(self.picture(i), affine, network.size)
        return crop if rng is None or data is None else photometry.photographed(crop, rng, data.photometry)


def read_albums(folders: Sequence[str], keep: Any = None, limit: int = 0) -> Album:
    """The pictures of all folders for whose person `keep(person)` is true, at most `limit` of each folder. Raises
    RecordError for damaged shards, and when nothing is left."""
    album = Album([], [], [])
    for folder in folders:
        before = len(album)
        for path in shards(Path(folder)):
            for row in read_shard(path, ("id", "person", "image", "box", "outline", *COLUMNS)).to_pylist():
                if limit and len(album) - before >= limit:
                    break
                if keep is None or keep(row["person"]):
                    album.codes.append(row["image"])
                    album.outline.append(face_outline(row))
                    album.truths.append(truth_of(len(album.truths), row["person"], row))
            if limit and len(album) - before >= limit:
                break
    if not len(album):
        raise RecordError(f"no picture in {', '.join(folders) or 'no folder'} is left to use; give more records")
    return album
