"""A weight set of a very small attribute network with random weights: quick, and good enough to be adapted."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import torch

from omokage.attributes.config import NetworkConfig
from omokage.attributes.model import AttributeNetwork, architecture
from omokage.schema import SHIPPED
from omokage.weights.registry import Card, save

TINY = NetworkConfig(size=32, stem=4, widths=(6, 8), blocks=(1, 1), squeeze=4, hidden=8, points_squeeze=4)
NAMES = ("landmarks", "pose", "expression", "age", "perceived_gender", "smiling", "eyeglasses", "quality")


def small_weights(folder: Path) -> Path:
    """The set `folder`, with plausible batch norm statistics."""
    torch.manual_seed(0)
    schema = SHIPPED.only(NAMES)
    model = AttributeNetwork(schema, TINY).train()
    with torch.no_grad():
        for _ in range(20):
            model(torch.randn(16, 3, 32, 32))
    card = Card(
        "attributes", folder.name, architecture(model), {"size": 32, "margin": 1.3, "mean": 127.5, "std": 127.5},
        schema=json.loads(schema.to_json()), calibration={"temperature": {"age": 1.5}}, trained_on="noise",
    )  # fmt: skip
    save(folder, dict(model.state_dict()), card)
    return folder


def write_faces(folder: Path, count: int, seed: int = 0) -> list[float]:
    """Pictures 0.png, 1.png, ...: a disc on noise, bright by the number (-1..1) that is given back for each."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    shown = []
    for k in range(count):
        value = float(rng.uniform(-1, 1))
        image = rng.integers(0, 60, (48, 48, 3)).astype(np.uint8)
        cv2.circle(image, (24, 24), 15, (int(120 + 100 * value),) * 3, -1)
        cv2.imwrite(str(folder / f"{k}.png"), image)
        shown.append(value)
    return shown
