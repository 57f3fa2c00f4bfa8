"""The paper's configuration: built for every set, and run end to end on tiny sets in their own layouts."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from omokage.attributes import train as training
from omokage.attributes.config import AttributesConfig, NetworkConfig
from omokage.attributes.model import AttributeNetwork
from omokage.attributes.paper import AlexTrunk
from omokage.attributes.published import published_scores
from omokage.attributes.train import train
from omokage.data.datasets import write_dataset
from omokage.schema import CELEBA
from omokage.training.run import RunFolder
from omokage.weights.registry import read_card

HERE = Path(__file__).resolve().parents[2]
SMALL = {"size": 40, "stem": 4, "widths": (6, 8, 8, 6), "dense": (16, 16), "squeeze": 8, "hidden": 8, "dropout": 0.0}


def recipes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dmtl_paper", HERE / "recipes" / "dmtl_paper.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["dmtl_paper"] = module
    spec.loader.exec_module(module)
    return module


PAPER = recipes()
BUILT: dict[str, Callable[..., AttributesConfig]] = {
    name: getattr(PAPER, name) for name in ("celeba", "lfwa", "morph2", "lfw_plus", "chalearn2015")
}
CATEGORIES = {"celeba": 8, "lfwa": 8, "morph2": 2, "lfw_plus": 2, "chalearn2015": 1}


@pytest.mark.parametrize("name", BUILT)
def test_built_as_the_paper_says(name: str) -> None:
    config = BUILT[name]()
    assert (config.network.trunk, config.loss.ordinal, config.optimizer) == ("alexnet", "squared", "sgd")
    assert len(config.network.widths) == 4
    assert len(config.network.dense) == 2
    with torch.device("meta"):  # 77 million parameters need not be filled to be counted
        model = AttributeNetwork(config.schema, config.network, config.loss.ordinal)
    assert len(model.categories) == CATEGORIES[name]
    assert sum(isinstance(m, torch.nn.Conv2d) for m in model.trunk.modules()) == 5
    assert not any(a.name == "race" for a in config.schema)
    assert "research" in config.weights_licence or "licence" in config.weights_licence


def test_trunk_has_alexnets_maps_and_one_cell() -> None:
    trunk = AlexTrunk(112, 4, (5, 6, 6, 5), (7, 8), 0.5).eval()
    maps = trunk.units[:-1](torch.zeros(1, 3, 112, 112))
    assert maps.shape == (1, 5, 6, 6), "AlexNet ends in 6 x 6 cells"
    assert trunk(torch.zeros(2, 3, 112, 112)).shape == (2, 8, 1, 1)
    with pytest.raises(ValueError, match="vanish"):
        AlexTrunk(20, 4, (5, 6, 6, 5), (7,))
    with pytest.raises(ValueError, match="5 convolutions"):
        AlexTrunk(112, 4, (5, 6), (7,))


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 255, (48, 40, 3), np.uint8)).save(path)


def attribute_tables(root: Path, table: str, partition: str, names: list[str], pictures: Path) -> None:
    header = " ".join(a.name for a in CELEBA)
    rng = np.random.default_rng(0)
    rows = [f"{n} {' '.join(str(v) for v in rng.choice([-1, 1], 40))}" for n in names]
    (root / table).write_text("\n".join([str(len(names)), header, *rows]) + "\n")
    (root / partition).write_text("".join(f"{n} {0 if k % 4 else 2}\n" for k, n in enumerate(names)))
    for k, name in enumerate(names):
        picture(pictures / name, k)


def tiny(name: str, root: Path, count: int = 32) -> tuple[str, str]:
    """Write a tiny set in its own layout; returns the names of its training and test splits."""
    if name == "celeba":
        names = [f"{k:06d}.jpg" for k in range(count)]
        (root / "identity_CelebA.txt").write_text("".join(f"{n} {k}\n" for k, n in enumerate(names)))
        attribute_tables(root, "list_attr_celeba.txt", "list_eval_partition.txt", names, root / "img_align_celeba")
        return "train", "test"
    if name == "lfwa":
        names = [f"P{k}/P{k}_0001.jpg" for k in range(count)]
        attribute_tables(root, "lfw_att_40.txt", "lfw_partition.txt", names, root / "lfw")
        return "train", "test"
    if name == "morph2":
        for k in range(count):
            picture(root / "Album2" / f"{k:06d}_1{'MF'[k % 2]}{20 + k}.JPG", k)
        return "train-1", "test-1"
    rows = []
    if name == "lfw_plus":
        for k in range(count):
            picture(root / f"{k}.jpg", k)
            rows.append(f"{k}.jpg,person {k},{k},{'male' if k % 2 else 'female'},")
        (root / "lfw_plus.csv").write_text("\n".join(["file,person,age,gender,race", *rows]) + "\n")
        return "train-1", "test-1"
    for k in range(count):
        picture(root / ("Test" if k % 4 == 0 else "Train") / f"image_{k}.jpg", k)
    for part, wanted in (("Train", (1, 2, 3)), ("Test", (0,))):
        lines = [f"image_{k}.jpg;{20 + k};{2 + k % 3}" for k in range(count) if k % 4 in wanted]
        (root / f"{part}.csv").write_text("\n".join(lines) + "\n")
    return "train", "test"


@pytest.mark.parametrize("name", BUILT)
def test_from_the_sets_own_files_to_published_measures(name: str, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for side, split in zip(("train", "test"), tiny(name, tmp_path / "set"), strict=True):
        write_dataset(name, tmp_path / "set", split, tmp_path / side)
    full = BUILT[name](data=[str(tmp_path / "train")], out=str(tmp_path / "run"), steps=2)
    network: NetworkConfig = replace(full.network, **SMALL)  # type: ignore[arg-type]
    data = replace(full.data, held_out=0.4, workers=0)
    run = train(replace(full, network=network, data=data, batch=4, check_every=0, log_every=1))
    card = read_card(run / "weights", "attributes")
    assert "rendered" not in " ".join([card.trained_on, *card.licences.values(), *card.limits])
    rows = {row["measure"]: row for row in published_scores(run / "weights", tmp_path / "test")}
    wanted = {"mean accuracy of 40"} if name in ("celeba", "lfwa") else {"age MAE, years", "age CS(5)"}
    assert wanted <= set(rows)
    assert ("age eps-error" in rows) == (name == "chalearn2015")
    assert ("perceived gender accuracy" in rows) == (name in ("morph2", "lfw_plus"))
    assert all(np.isfinite(row["value"]) for row in rows.values())


def test_resuming_stochastic_gradient_descent_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    split, _ = tiny("chalearn2015", tmp_path / "set")
    write_dataset("chalearn2015", tmp_path / "set", split, tmp_path / "train")

    def config(out: str, steps: int) -> AttributesConfig:
        full = BUILT["chalearn2015"](data=[str(tmp_path / "train")], out=str(tmp_path / out), steps=steps)
        network: NetworkConfig = replace(full.network, **SMALL)  # type: ignore[arg-type]
        data = replace(full.data, held_out=0.4, workers=0)
        return replace(full, network=network, data=data, batch=4, check_every=0, log_every=1, save_every=1)

    train(config("whole", 4))
    broken = config("parts", 4)
    with pytest.MonkeyPatch.context() as patch:
        steps = iter(range(100))
        whole = training.step_once

        def interrupted(*arguments: object, **named: object) -> object:
            if next(steps) == 2:
                raise KeyboardInterrupt
            return whole(*arguments, **named)  # type: ignore[arg-type]

        patch.setattr(training, "step_once", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(broken)
    train(broken, resume=True)
    losses = [
        [row["last_loss"] for row in RunFolder(tmp_path / n).rows() if "last_loss" in row] for n in ("whole", "parts")
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 4
