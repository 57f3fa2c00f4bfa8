"""Tiny tracks and runs of seconds that the tests of the embeddings room's training share."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from omokage.data.records import Record, provenance, write_shard
from omokage.embeddings.config import (
    CurriculumConfig,
    DecoderConfig,
    EmbeddingConfig,
    EncoderConfig,
    TracksConfig,
)

SIDE = 48
ENCODER = EncoderConfig(size=32, stem=4, widths=(8, 8), blocks=(1, 1), squeeze=4)
DECODER = DecoderConfig(widths=(8, 8), pose=16)


def picture(person: int, frame: int) -> np.ndarray:
    """A disc with two dots in one person's colours (48, 48, 3), which wanders from frame to frame."""
    rng = np.random.default_rng(person)
    ground, disc = (tuple(int(v) for v in rng.integers(low, low + 100, 3)) for low in (0, 150))
    x, y = (int(v) for v in np.random.default_rng((person, frame)).integers(16, 32, 2))
    image = np.full((SIDE, SIDE, 3), ground, np.uint8)
    cv2.circle(image, (x, y), 10, disc, -1)
    for side in (-4, 4):
        cv2.circle(image, (x + side, y - 2), 2, (0, 0, 0), -1)
    return image


def record(person: int, frame: int, order: int | None = None) -> Record:
    """One frame; `order` is its time where it differs from its number."""
    when = frame if order is None else order
    groups = json.dumps({"track": f"t{person}", "time_s": when / 2})
    code = cv2.imencode(".png", picture(person, frame)[..., ::-1])[1].tobytes()
    labels = {"box": [8.0, 8.0, 40.0, 40.0], "groups": groups}
    name = f"p{person}"
    return Record(f"{name}-{frame}", name, "drawn", code, SIDE, SIDE, labels, provenance(by="test"))


def write_drawn_tracks(folder: Path, people: int = 20, frames: int = 6) -> Path:
    """A folder of record shards, one track a person, two shards."""
    half = people // 2
    for k, numbers in enumerate((range(half), range(half, people))):
        write_shard(folder / f"{k}.parquet", [record(p, f) for p in numbers for f in range(frames)])
    return folder


def tiny(folder: Path, out: Path, steps: int = 4, **changes: object) -> EmbeddingConfig:
    """A run of seconds on one process's data."""
    settings: dict[str, object] = {
        "encoder": ENCODER, "decoder": DECODER, "curriculum": CurriculumConfig(memory=256, recent=64),
        "data": TracksConfig(folders=(str(folder),), held_out=0.3, sources=2, workers=0), "steps": steps, "batch": 4,
        "warmup": 1, "log_every": 1, "check_every": 2, "check_items": 8, "save_every": 2, "precision": "full",
        "set": "test",
    }  # fmt: skip
    return EmbeddingConfig(str(out), **{**settings, **changes})  # type: ignore[arg-type]
