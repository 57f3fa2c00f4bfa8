"""Drawn records and tiny runs for the tests of the comparison room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from omokage.comparison.config import ComparisonConfig, DataConfig, LossConfig, NetworkConfig
from omokage.data.records import Record, write_shard
from omokage.schema import UNITS
from omokage.synthesis.expressions import tidy
from omokage.synthesis.scene import Camera, Expression, Light, Person, Pose, Scene

SIDE = 64
TINY = NetworkConfig(
    size=32, stem=4, widths=(8, 8, 8), blocks=(1, 1, 1), squeeze=6, whole_squeeze=2, whole=4, view=12, hidden=12,
    identity_squeeze=2, identity=6, dropout=0.0,
)  # fmt: skip


def person(seed: int) -> Person:
    rng = np.random.default_rng(seed)
    return Person(
        seed=seed, age=float(rng.uniform(25, 60)), male=0.5, female_perceived=0.5, muscle=0.5, shape=(1.0, 0.0, 0.0),
        fatness=float(rng.uniform(-0.5, 0.8)), features=(), melanin=float(rng.random()), blood=0.4, wrinkles=0.0,
        sagging=0.0, spots=0.0,
    )  # fmt: skip


def scene(who: Person, rng: np.random.Generator, units: dict[str, float]) -> Scene:
    light = Light(int(rng.integers(99)), azimuth=float(rng.uniform(-60, 60)), key=float(rng.uniform(0.4, 1.6)))
    camera = Camera(int(rng.integers(99)), size=SIDE, exposure=float(rng.uniform(0.7, 1.3)))
    return Scene(who, Expression(tidy(units), None), Pose(yaw=float(rng.normal(0, 9))), light, camera)


def points(fatness: float) -> np.ndarray:
    """68 landmarks of a drawn face; a fatter one is wider."""
    half = 18 + 4 * fatness
    t = np.linspace(0, np.pi, 17)
    jaw = np.stack([32 - half * np.cos(t), 30 + 24 * np.sin(t)], 1)
    brows = [(20 + k * 2.4, 22.0) for k in range(5)] + [(34 + k * 2.4, 22.0) for k in range(5)]
    nose = [(32.0, 28 + 2.5 * k) for k in range(4)] + [(28 + 2.0 * k, 38.0) for k in range(5)]
    eyes = [(cx + 3 * np.cos(a), 28 + 1.5 * np.sin(a)) for cx in (25, 39) for a in np.linspace(np.pi, -np.pi, 7)[:6]]
    mouth = [(32 + 7 * np.cos(a), 45 + 3 * np.sin(a)) for a in np.linspace(np.pi, -np.pi, 21)[:20]]
    return np.concatenate([jaw, np.array([*brows, *nose, *eyes, *mouth])])


def picture(state: Scene) -> np.ndarray:
    """RGB (64, 64, 3): width says fatness, the mouth's opening jawOpen, grey lines age, colour the person."""
    image = np.full((SIDE, SIDE, 3), 90, np.uint8)
    tone = int(60 + 160 * (1 - state.person.melanin))
    half = round(18 + 4 * state.person.fatness)
    cv2.ellipse(image, (32, 32), (half, 24), 0, 0, 360, (tone, (state.person.seed * 37) % 200, 120), -1)
    for x in (25, 39):
        cv2.circle(image, (x, 28), 3, (20, 20, 20), -1)
    opened = round(1 + 7 * state.expression.unit("jawOpen"))
    cv2.ellipse(image, (32, 45), (7, opened), 0, 0, 360, (150, 20, 20), -1)
    for k in range(int((state.person.age - 20) / 8)):
        cv2.line(image, (22, 12 + 2 * k), (42, 12 + 2 * k), (60, 60, 60), 1)
    return np.clip(image * state.camera.exposure, 0, 255).astype(np.uint8)


def record(state: Scene, name: str, owner: str) -> Record:
    units = dict(state.expression.units)
    labels = {
        "landmarks": points(state.person.fatness).ravel().tolist(), "units": [units.get(n, 0.0) for n in UNITS],
        "fatness": state.person.fatness, "age": state.person.age, "scene": state.to_json(),
    }  # fmt: skip
    code = bytes(cv2.imencode(".png", picture(state)[..., ::-1])[1])
    return Record(name, owner, "rendered", code, SIDE, SIDE, labels)


def write_visits(folder: Path, people: int, pictures: int = 4, still: bool = False, seed: int = 0) -> Path:
    """Records of drawn people; with `still` nothing but the day differs between pictures of one."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(people):
        who, units = person(1000 * seed + k), {"jawOpen": float(rng.uniform(0, 1))}
        for v in range(pictures):
            if v and not still:
                who = replace(who, fatness=float(rng.uniform(-0.9, 1.4)), age=float(rng.uniform(22, 80)))
                who = replace(who, glasses="frame" if rng.random() < 0.3 else "none")
                units = {"jawOpen": float(rng.uniform(0, 1)), "mouthSmileLeft": float(rng.uniform(0, 1))}
            rows.append(record(scene(who, rng, units), f"{k}-{v}", f"p{seed}-{k}"))
    write_shard(folder / "shard-0.parquet", rows)
    return folder


def tiny(out: Path, visits: Path, still: Path | None = None, **changes: object) -> ComparisonConfig:
    """A run of a second."""
    data = DataConfig(
        folders=(str(visits),), calibration=(str(still),) if still else (), held_out=0.4, pictures=3, workers=0
    )
    base = ComparisonConfig(
        str(out), TINY, LossConfig(queue=16), data, steps=10, people=3, warmup=2, log_every=1, save_every=4,
        curriculum=6, device="cpu", precision="full",
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]
