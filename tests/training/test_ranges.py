"""What numbers of a configuration may be: every shipped recipe passes, and what no run can do is one sentence."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omokage.errors import TrainingError
from omokage.pipeline.recipes import configure, find_recipe, recipes_in
from omokage.training.ranges import RANGES, _numbers, check_ranges

ROOT = Path(__file__).resolve().parents[2] / "recipes"


def configurations() -> Iterator[tuple[str, Any]]:
    """Everything that a shipped recipe returns with its own settings."""
    for path in sorted(ROOT.glob("*.py")):
        for name, recipe in recipes_in(path).items():
            needed = [p for p in inspect.signature(recipe).parameters.values() if p.default is p.empty]
            if path.stem == "ordinary_face" or name == "render_heads":
                continue
            made = recipe(*("nothing" for _ in needed))
            made = [one for many in made.values() for one in many] if isinstance(made, dict) else [made]
            yield from ((f"{path.stem}.{name}", one) for one in made)


def test_every_recipe_is_in_its_ranges_and_every_number_has_one() -> None:
    found = list(configurations())
    assert len({name for name, _ in found}) >= 25
    for _, config in found:
        check_ranges(config)
        own = (where for where, _, _ in _numbers(config) if not where.startswith("schema."))
        names = {where.rpartition(".")[2].partition("[")[0] for where in own}
        assert names - {"rates", "mix", "readers"} <= {name.rpartition(".")[2] for name in RANGES}


@pytest.mark.parametrize(
    ("recipe", "change", "why"),
    [
        ("attributes.shipped", "clip=-1", r"clip=-1: it must be above 0"),
        ("attributes.shipped", "rate=0", r"rate=0: it must be above 0"),
        ("attributes.shipped", "average=2", r"average=2: it must be from 0 to below 1"),
        ("attributes.shipped", "warmup=-5", r"warmup=-5: it must be 0 or more"),
        ("attributes.shipped", "threads=0", r"threads=0: it must be 1 or more"),
        ("attributes.shipped", "decay=1e999", r"decay=inf: it must be 0 or more"),
        ("attributes.shipped", "data.held_out=2", r"data\.held_out=2: it must be from 0 to 1"),
        ("attributes.shipped", "data.split_seed=-1", r"data\.split_seed=-1: it must be 0 or more"),
        ("attributes.shipped", "data.limits=(-1,)", r"data\.limits\[0\]=-1: it must be 0 or more"),
        ("attributes.shipped", "data.geometry.mirror=5", r"data\.geometry\.mirror=5: it must be from 0 to 1"),
        ("attributes.shipped", "network.size=17", r"network\.size=17: the trunk needs a multiple of 16"),
        ("attributes.shipped", "network.size=0", r"network\.size=0: it must be 1 or more"),
        ("attributes.shipped", "network.widths=(48,)", r"network\.widths names 1 stages and network\.blocks 3"),
        ("attributes.shipped", "network.blocks=(0,0,0)", r"network\.blocks\[0\]=0: it must be 1 or more"),
        ("attributes.shipped", "loss.forms={}", "loss.forms has no weight of 'bins'"),
        ("attributes.shipped", 'loss.forms={"nix":1}', "loss.forms names 'nix': there are bins"),
        ("attributes.shipped", "loss.attributes={'age':-1}", r"loss\.attributes\['age'\]=-1: it must be 0 or more"),
        ("attributes.shipped", "loss.classes={'nobody':2}", "loss.classes names 'nobody'"),
        ("attributes.shipped", 'network.branches={"x":{}}', "network.branches names 'x'"),
        ("dmtl_paper.celeba", "network.size=16", "network.size of 32 or more"),
        ("faces.shipped", "batch=0", r"batch=0: it must be 1 or more"),
        ("faces.shipped", "size=100", r"size=100: .* a multiple of 64"),
        ("embeddings.fabnet", "check_items=0", r"check_items=0: it must be 1 or more"),
        ("embeddings.fabnet", "encoder.blocks=(1,)", r"encoder\.widths names 3 stages and encoder\.blocks 1"),
        ("comparison.shipped", "data.repeated=3", r"data\.repeated=3: it must be from 0 to 1"),
        ("comparison.shipped", "network.detail=3", r"network\.detail=3: it must be 1 or 2"),
        ("dialogue.shipped", "network.heads=3", r"network\.hidden=128: .* twice network\.heads=3"),
        ("dialogue.shipped", "asked=0", r"asked=0: it must be 1 or more"),
        ("check.shipped", "scenes=0", r"scenes=0: it must be 2 or more"),
    ],
)
def test_what_no_run_can_do_is_said_before_it_begins(recipe: str, change: str, why: str) -> None:
    file, _, name = recipe.partition(".")
    config = configure(find_recipe(f"{ROOT / file}.py:{name}"), [change])
    with pytest.raises(TrainingError, match=why):
        check_ranges(config)


def test_zero_keeps_its_meaning_where_it_has_one() -> None:
    config = configure(
        find_recipe(f"{ROOT / 'comparison.py'}:verification"), ["loss.margin=0.0", "loss.ramp=0", "loss.queue=0"]
    )
    check_ranges(config)
