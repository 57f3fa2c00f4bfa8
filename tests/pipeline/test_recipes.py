"""Settings of a recipe: values of another kind are one sentence, before the recipe computes with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest

from omokage.errors import InputError
from omokage.pipeline.recipes import configure


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
