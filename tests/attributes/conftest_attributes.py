"""A folder of tiny drawn records that the tests of the attributes room train and measure on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from omokage.attributes.config import AttributesConfig, DataConfig, NetworkConfig
from omokage.data.records import Record, provenance, write_shard
from omokage.results import EXPRESSIONS, Box
from omokage.schema import SHIPPED

NAMES = (
    "landmarks", "pose", "gaze", "units", "expression", "age", "perceived_gender", "skin_tone", "smiling", "eyeglasses",
    "quality",
)  # fmt: skip
SMALL = SHIPPED.only(NAMES)
TINY = NetworkConfig(size=32, stem=4, widths=(8, 8), blocks=(1, 1), squeeze=4, hidden=8, points_squeeze=4)


def outline(rng: np.random.Generator, size: int) -> np.ndarray:
    """68 points of a roughly upright face in a picture of `size` px."""
    points = rng.uniform(0.3, 0.7, (68, 2))
    points[36:42], points[42:48], points[48:68] = (0.38, 0.42), (0.62, 0.42), (0.5, 0.66)
    return (points + rng.normal(0, 0.01, (68, 2))) * size


def drawn_record(i: int, size: int = 48, labelled: bool = True) -> Record:
    """A disc on noise; the brighter the older."""
    rng = np.random.default_rng(i)
    age = float(rng.uniform(5, 80))
    image = rng.integers(0, 80, (size, size, 3)).astype(np.uint8)
    cv2.circle(image, (size // 2, size // 2), size // 3, (int(age * 3),) * 3, -1)
    mask = np.zeros((size, size), np.uint8)
    cv2.circle(mask, (size // 2, size // 2), size // 3, 1, -1)
    points = outline(rng, size)
    box = Box.around(points)
    labels = {"age": age} if labelled else {"age_low": 20.0, "age_high": 30.0}
    labels |= {"box": [box.x0, box.y0, box.x1, box.y1], "female": float(rng.integers(2))}
    if labelled:
        labels |= {
            "landmarks": points.ravel().tolist(), "pose": rng.normal(0, 15, 3).tolist(),
            "gaze": rng.normal(0, 9, 2).tolist(),
            "units": rng.uniform(0, 1, 52).tolist(), "expression": EXPRESSIONS[i % 7], "skin_tone": float(rng.random()),
            "attr_smiling": float(i % 2), "attr_eyeglasses": float(i % 3 == 0),
            "segmentation": cv2.imencode(".png", mask)[1].tobytes(),
        }  # fmt: skip
    code = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
    return Record(f"r{i}", f"p{i // 2}", "rendered", code, size, size, labels, provenance(by="test"))


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 pictures of 40 people in two shards."""
    folder = tmp_path_factory.mktemp("records")
    for k in range(2):
        write_shard(folder / f"{k}.parquet", [drawn_record(i) for i in range(40 * k, 40 * k + 40)])
    return folder


@pytest.fixture(scope="session")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 larger pictures with a box, an age bin and a perceived gender only."""
    folder = tmp_path_factory.mktemp("unlabelled")
    write_shard(folder / "0.parquet", [drawn_record(i, 240, labelled=False) for i in range(200, 212)])
    return folder


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 pictures that are not rendered: a placed outline, an age bin that brightness tells, perceived gender."""
    folder = tmp_path_factory.mktemp("photographs")
    rows = []
    for i in range(300, 400):
        full = drawn_record(i)
        low = 10.0 * (float(full.labels["age"]) // 10)
        labels = {"age_low": low, "age_high": low + 10, "female": full.labels["female"], "groups": f'{{"g": {i % 3}}}'}
        labels["outline"] = full.labels["landmarks"]
        rows.append(replace(full, source="crowd", id=f"c{i}", person=f"c{i}", labels=labels))
    write_shard(folder / "0.parquet", rows)
    return folder


def tiny_config(folders: tuple[Path, ...], out: Path, steps: int = 4) -> AttributesConfig:
    """A run of seconds."""
    data = DataConfig(folders=tuple(map(str, folders)), held_out=0.3, workers=0)
    return AttributesConfig(
        str(out),
        SMALL,
        TINY,
        data=data,
        steps=steps,
        batch=8,
        warmup=2,
        log_every=1,
        check_every=0,
        save_every=2,
        device="cpu",
    )


@pytest.fixture(scope="session")
def weights(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights folder of a run of four steps."""
    from omokage.attributes.train import train

    return train(tiny_config((records,), tmp_path_factory.mktemp("run") / "a")) / "weights"
