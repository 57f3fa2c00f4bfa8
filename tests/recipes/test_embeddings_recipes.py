"""The embeddings room's recipes: typed, complete, at equal budget where they say so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from omokage.embeddings.config import EmbeddingConfig
from omokage.embeddings.model import FaceEncoder
from omokage.pipeline.recipes import configure, find_recipe, settings_of

RECIPES = str(Path(__file__).resolve().parents[2] / "recipes" / "embeddings.py")


def made(name: str, *changes: str) -> EmbeddingConfig:
    config = configure(find_recipe(f"{RECIPES}:{name}"), changes)
    assert isinstance(config, EmbeddingConfig)
    return config


def test_the_repaired_system_reads_the_attributes_crop_and_fits_the_wheel() -> None:
    from omokage.attributes.config import NetworkConfig

    config = made("fabnet", "data=a,b", "minutes=5")
    assert config.data.folders == ("a", "b")
    assert (config.encoder.size, config.encoder.margin) == (NetworkConfig().size, NetworkConfig().margin)
    assert "--set data=a,b --set minutes=5" in config.recipe
    assert sum(p.numel() for p in FaceEncoder(config.encoder).parameters()) * 2 < 10e6  # bytes as fp16
    assert made("fabnet", "decoder.masks=bounded").decoder.masks == "bounded"
    assert made("smoke").steps <= 60


def test_the_published_system_is_as_published() -> None:
    one, two = made("fabnet_paper"), made("fabnet_paper_masks", "init=runs/first")
    for config in (one, two):
        assert (config.encoder.size, config.encoder.trunk, config.encoder.width) == (256, "published", 256)
        assert (config.optimizer, config.momentum, config.rate, config.batch) == ("sgd", 0.9, 1e-3, 32)
        assert (config.curriculum.difficulty, config.curriculum.pace) == ("batch", "plateau")
        assert (config.curriculum.first, config.curriculum.shift, config.curriculum.patience) == ((0.0, 0.5), 0.1, 15)
        assert config.decoder.align_corners
        assert config.decoder.masks == "bounded"
        assert config.loss.scales == 1
    assert (one.data.sources, one.freeze_flow) == (1, False)
    assert (two.data.sources, two.freeze_flow, two.init) == (3, True, "runs/first")


@pytest.mark.parametrize("steps", [600, 61])
def test_ablations_spend_the_same_steps_and_frames_and_change_one_thing(steps: int) -> None:
    rows = find_recipe(f"{RECIPES}:ablations")(data=["a"], out="x", steps=steps, seed=3)
    assert {sum(c.steps for c in runs) for runs in rows.values()} == {steps}
    assert {c.batch * (c.data.sources + 1) for runs in rows.values() for c in runs} == {32}
    assert {c.seed for runs in rows.values() for c in runs} == {3}
    assert {c.data.held_out for runs in rows.values() for c in runs} == {0.2}
    assert len({c.out for runs in rows.values() for c in runs}) == sum(map(len, rows.values()))
    whole = settings_of(rows["repaired"][0])
    for name, runs in rows.items():
        if name.startswith("no "):
            other = settings_of(runs[0])
            changed = {key for key in whole if whole[key] != other[key]} - {"out", "batch"}
            assert len(changed) == 1, (name, changed)


def test_every_switch_is_a_field_that_the_command_line_can_set() -> None:
    config = made("fabnet")
    names = {f.name for f in fields(config)}
    assert {"encoder", "decoder", "loss", "curriculum", "data"} <= names
    text = (Path(RECIPES)).read_text(encoding="utf-8")
    for key in re.findall(r"--set ([a-z_.]+)=", text):
        assert key.split(".")[0] in names | {"data", "minutes", "size", "init"}


def test_a_file_alone_means_its_first_recipe_and_data_has_a_short_form() -> None:
    from typer.testing import CliRunner

    from omokage.cli.main import app

    assert find_recipe(RECIPES).__name__ == "fabnet"
    done = CliRunner().invoke(app, ["train", RECIPES, "--data", "tracks/", "--data", "more/", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "data.folders = ('tracks/', 'more/')" in done.output
