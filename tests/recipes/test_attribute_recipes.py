"""The attributes room's recipes: typed, complete, at equal budget where they say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from omokage.attributes.config import AttributesConfig
from omokage.attributes.model import AttributeNetwork
from omokage.pipeline.recipes import find_recipe
from omokage.schema import SHIPPED

RECIPES = str(Path(__file__).resolve().parents[2] / "recipes" / "attributes.py")


def test_shipped_reads_everything_and_fits_the_wheel() -> None:
    config = find_recipe(f"{RECIPES}:shipped")(data="a,b", out="x", minutes=5)
    assert isinstance(config, AttributesConfig)
    assert config.schema == SHIPPED
    assert config.data.folders == ("a", "b")
    assert config.minutes == 5
    assert "--set data=a,b" in config.recipe
    size = sum(p.numel() for p in AttributeNetwork(config.schema, config.network).parameters())
    assert size * 2 < 12e6  # bytes as fp16


@pytest.mark.parametrize("steps", [600, 60])
def test_ablations_spend_the_same_steps(steps: int) -> None:
    runs = find_recipe(f"{RECIPES}:ablations")(data=["a"], out="x", steps=steps)
    assert {sum(c.steps for c in configs) for configs in runs.values()} == {steps}
    names = [a.name for config in runs["separate"] for a in config.schema]
    assert sorted(names) == sorted(a.name for a in runs["together"][0].schema)
    assert len({c.out for configs in runs.values() for c in configs}) == sum(map(len, runs.values()))
    assert runs["shared"][0].network.arrangement == "shared"


def test_open_mixes_photographs_in_and_says_so() -> None:
    config = find_recipe(f"{RECIPES}:open")(data="a,b", photographs="faces", out="x", minutes=5, share=0.4, count=50)
    assert config.data.folders == ("a", "b", "faces")
    assert config.data.limits == (0, 0, 50)
    assert config.data.photographs == 0.4
    assert 0 < config.data.balance <= 1
    assert config.schema == SHIPPED
    assert config.set == "open"
    assert "CC BY 4.0" in config.data_licence
    assert "FairFace" in config.trained_on
    assert "--set photographs=faces" in config.recipe
