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
