"""Drawn records and tiny runs for the tests of this room's training."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from omokage.data.records import Record, write_shard
from omokage.dialogue.config import DataConfig, DialogueConfig, NetworkConfig, Stage
from omokage.dialogue.readings import LAYOUT

SIDE = 48
READERS = tuple((name, 3, 0 if name == "continuous-local-face" else 6) for name in LAYOUT)
TINY = NetworkConfig(
    size=32, stem=4, widths=(6, 8), blocks=(1, 1), readers=READERS, hidden=16, layers=1, heads=2, intermediate=24,
    positions=256, vocabulary=600,
)  # fmt: skip
STAGES = (
    Stage("align", (("projector", 3e-3), ("language", 3e-3)), (("captions", 0.5), ("scene_captions", 0.5)), 3),
    Stage("instruct", (("projector", 3e-3), ("language", 3e-3)), (("questions", 0.6), ("scenes", 0.4)), 4),
    Stage("specialise", (("language", 2e-3),), (("questions", 0.6), ("talks", 0.2), ("scenes", 0.2)), 4),
)


def points() -> np.ndarray:
    """68 landmarks of a drawn face in the middle of the picture."""
    t = np.linspace(0, np.pi, 17)
    jaw = np.stack([24 - 14 * np.cos(t), 22 + 18 * np.sin(t)], 1)
    brows = [(15 + k * 1.8, 16.0) for k in range(5)] + [(26 + k * 1.8, 16.0) for k in range(5)]
    nose = [(24.0, 21 + 2 * k) for k in range(4)] + [(21 + 1.5 * k, 29.0) for k in range(5)]
    eyes = [(cx + 2 * np.cos(a), 21 + np.sin(a)) for cx in (19, 29) for a in np.linspace(np.pi, -np.pi, 7)[:6]]
    mouth = [(24 + 5 * np.cos(a), 34 + 2 * np.sin(a)) for a in np.linspace(np.pi, -np.pi, 21)[:20]]
    return np.concatenate([jaw, np.array([*brows, *nose, *eyes, *mouth])])


def record(k: int, person: str, rng: np.random.Generator) -> Record:
    smiling, glasses, hat, female = (bool(v) for v in rng.random(4) < 0.5)
    image = np.full((SIDE, SIDE, 3), (120, 150, 170), np.uint8)
    cv2.ellipse(image, (24, 24), (14, 18), 0, 0, 360, (220, 180, 150) if female else (150, 110, 90), -1)
    cv2.line(image, (19, 34), (29, 34), (230, 40, 40) if smiling else (60, 40, 40), 3)
    if glasses:
        cv2.rectangle(image, (15, 18), (33, 24), (10, 10, 10), 2)
    if hat:
        cv2.rectangle(image, (8, 2), (40, 12), (20, 60, 160), -1)
    labels = {
        "landmarks": points().ravel().tolist(), "age": float(rng.uniform(20, 80)), "female": float(female),
        "attr_smiling": float(smiling), "attr_eyeglasses": float(glasses), "attr_sunglasses": 0.0,
        "attr_wearing_hat": float(hat),
    }  # fmt: skip
    code = bytes(cv2.imencode(".png", image[..., ::-1])[1])
    return Record(f"r{k}", person, "rendered", code, SIDE, SIDE, labels)


def write_faces(folder: Path, people: int = 60, seed: int = 0) -> Path:
    """A record folder with one picture a person."""
    rng = np.random.default_rng(seed)
    write_shard(folder / "shard-0.parquet", [record(k, f"p{seed}-{k}", rng) for k in range(people)])
    return folder


def tiny(out: Path, faces: Path, **changes: object) -> DialogueConfig:
    """A run of a few seconds."""
    settings: dict[str, object] = {
        "stages": STAGES, "network": TINY, "rows": 2, "warmup": 1, "log_every": 1, "save_every": 1, "scored": 20,
        "asked": 1, "scenes": 3,
        "data": DataConfig(folders=(str(faces),), held_out=0.3, questions=3), "init": "", "device": "cpu",
        "precision": "full",
    }  # fmt: skip
    return DialogueConfig(str(out), **{**settings, **changes})  # type: ignore[arg-type]


def hang(out: Path, faces: Path, here: Path, step: int = 5) -> None:
    """Train until a step in the middle of the second stage, write the file `here` and wait there to be killed."""
    from omokage.dialogue import train as training

    real, calls = training.step_once, iter(range(1000))

    def stopping(*arguments: Any) -> Any:
        if next(calls) == step:
            here.touch()
            time.sleep(600)
        return real(*arguments)

    training.step_once = stopping
    training.train(tiny(out, faces))
