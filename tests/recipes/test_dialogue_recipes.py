"""The dialogue room's recipes: three stages in order, a stage left out gives its steps to the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from omokage.dialogue.config import DialogueConfig
from omokage.dialogue.model import DialogueNetwork
from omokage.errors import InputError
from omokage.pipeline.recipes import configure, find_recipe

RECIPES = str(Path(__file__).resolve().parents[2] / "recipes" / "dialogue.py")


def recipe(name: str, *changes: str) -> DialogueConfig:
    config = configure(find_recipe(f"{RECIPES}:{name}"), list(changes))
    assert isinstance(config, DialogueConfig)
    return config


def test_shipped_has_three_stages_and_fits_the_wheel() -> None:
    config = recipe("shipped", "data=a,b", "minutes=20")
    assert [stage.name for stage in config.stages] == ["align", "instruct", "specialise"]
    assert sum(stage.minutes for stage in config.stages) == pytest.approx(20)
    assert config.data.folders == ("a", "b")
    assert "--set minutes=20" in config.recipe
    size = sum(p.numel() for p in DialogueNetwork(config.network, config.network.vocabulary).parameters())
    assert size * 2 < 30e6  # bytes as fp16


def test_the_first_recipe_is_the_shipped_one() -> None:
    assert find_recipe(RECIPES).__name__ == "shipped"


@pytest.mark.parametrize("without", ["align", "instruct", "specialise"])
def test_a_stage_left_out_gives_its_steps_away(without: str) -> None:
    whole, less = (recipe("ablated", f"without={w}", "steps=200") for w in ("nothing", without))
    assert sum(s.steps for s in whole.stages) == sum(s.steps for s in less.stages) == 200
    assert without not in [stage.name for stage in less.stages]
    assert less.data == whole.data
    assert less.network == whole.network


def test_an_unknown_stage_is_one_sentence() -> None:
    with pytest.raises(InputError, match="no stage"):
        recipe("ablated", "without=dessert")


@pytest.mark.parametrize("name", ["align", "instruct", "specialise"])
def test_single_stages_begin_where_they_are_told(name: str) -> None:
    (stage,) = recipe("stage", f"name={name}", "minutes=3", "parent=runs/before/weights").stages
    assert stage.name == name
    assert stage.minutes == 3
    assert stage.parent == "runs/before/weights"


def test_the_card_tells_the_whole_command() -> None:
    told = {
        "shipped": "--set data=a,b --set minutes=45 --set limit=12000", "smoke": "--set data=a,b --set steps=6",
        "ablated": "--set data=a,b --set without=align --set steps=600 --set limit=4000",
        "stage": "--set data=a,b --set name=align --set minutes=5 --set rate=1",
    }  # fmt: skip
    for name, settings in told.items():
        changes = ["data=a,b", *(["minutes=45"] if name == "shipped" else [])]
        assert recipe(name, *changes).recipe == f"omokage train dialogue.{name} {settings}"
