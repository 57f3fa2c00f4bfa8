"""Settings of a recipe: values of another kind are one sentence, before the recipe computes with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from omokage.attributes.config import AttributesConfig, DataConfig
from omokage.attributes.spreads import SpreadsConfig
from omokage.errors import InputError, TrainingError
from omokage.faces.config import FinderConfig
from omokage.pipeline import recipes
from omokage.pipeline.recipes import configure, run_recipe
from omokage.pipeline.train import CheckConfig


@dataclass(frozen=True)
class Inner:
    seed: int | None = None
    flip: bool = True
    form: Literal["round", "flat"] = "round"


@dataclass(frozen=True)
class Config:
    data: tuple[str, ...]
    out: str
    minutes: float
    steps: int = 10
    kind: str = "a"
    inner: Inner = field(default_factory=Inner)


def recipe(
    data: Sequence[str] = ("records",), out: str = "runs", minutes: float = 5.0, kind: Literal["a", "b"] = "a",
    limit: int | None = None,
) -> Config:  # fmt: skip
    folders = data.split(",") if isinstance(data, str) else data
    return Config(tuple(folders), f"{out}/{minutes:g}", minutes, limit or 10, kind)


def test_good_values_arrive() -> None:
    config = configure(
        recipe, ["data=a,b", "minutes=2", "out=5", "kind=b", "limit=3", "inner.seed=4", "inner.form=flat"]
    )
    assert config == Config(("a", "b"), "5/2", 2, 3, "b", Inner(4, form="flat"))
    assert configure(recipe, ["data=['a','b']", "limit=None"]).data == ("a", "b")
    assert configure(recipe, ["data=7"]).data == ("7",)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("minutes=abc", r"--set minutes='abc': it must be a number, such as 5\.0"),
        ("minutes=None", "it must be a number"),
        ("minutes=True", "it must be a number"),
        ("minutes=-1", "--set minutes=-1: it must be finite, 0 or more"),
        ("minutes=1e999", "it must be finite, 0 or more"),
        ("steps=-5", "--set steps=-5: it must be finite, 0 or more"),
        ("steps=True", "same kind as 10"),
        ("data=[1, 2]", "it must be a text, or a list of texts"),
        ("kind=c", "it must be one of a, b"),
        ("limit=few", "it must be a whole number or None"),
        ("inner.seed=few", r"--set inner\.seed='few': it must be a whole number or None"),
        ("inner.flip=1", "same kind as True"),
        ("inner.form=flatt", r"--set inner\.form='flatt': it must be one of round, flat"),
        ("inner.flip=None", "it must be True or False"),
    ],
)
def test_values_of_another_kind_are_refused(change: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        configure(recipe, [change])


def test_a_room_of_one_process_refuses_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for config in (FinderConfig(), CheckConfig(("a",)), SpreadsConfig("a", DataConfig(("a",)))):
        with pytest.raises(TrainingError, match="trains in one process: start it without torchrun"):
            run_recipe(config)
    with pytest.raises(TrainingError, match="clip=-1"):  # several processes share this one
        run_recipe(AttributesConfig("out", data=DataConfig(("a",)), clip=-1.0))


def test_a_large_setting_is_not_printed_whole() -> None:
    with pytest.raises(InputError) as refused:
        configure(lambda: AttributesConfig("out", data=DataConfig(("a",))), ["schema=1"])
    assert len(str(refused.value)) < 200


def test_an_installed_package_looks_for_recipes_here_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recipes").mkdir()
    monkeypatch.chdir(tmp_path / "recipes")
    monkeypatch.setattr(recipes, "_TREE", tmp_path)
    assert recipes.recipe_folders() == []
    with pytest.raises(InputError, match="come with a checkout"):
        recipes.find_recipe("attributes.shipped")
    (tmp_path / "pyproject.toml").touch()
    assert recipes.recipe_folders() == [tmp_path / "recipes"]
