"""Rated impressions on networks for age and gender: the recipe, and the whole table on a tiny set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omokage.errors import InputError
from omokage.pipeline.recipes import configure, find_recipe, run_recipe
from small_weights import small_weights, write_faces


def test_the_recipe_has_two_bases_two_depths_and_four_ratings() -> None:
    config = configure(find_recipe("explain.arbabzadah_2016"), ["data=somewhere", "limit=7"])
    assert config.ratings == ("attractive", "happy", "confident", "intelligent")
    assert [base.partition("=")[0] for base in config.bases] == ["age", "perceived_gender"]
    assert config.modes == ("dense", "full")
    assert (config.data, config.limit) == ("somewhere", 7)


def test_a_base_has_learnt_one_thing_only() -> None:
    config = configure(find_recipe("explain.arbabzadah_base"), ["task=perceived_gender", "data=a,b"])
    assert [a.name for a in config.schema] == ["perceived_gender"]
    assert config.data.folders == ("a", "b")
    with pytest.raises(InputError, match="age and perceived_gender"):
        configure(find_recipe("explain.arbabzadah_base"), ["task=smiling"])


def test_the_table_of_a_tiny_set(tmp_path: Path) -> None:
    weights = small_weights(tmp_path / "base")
    shown = write_faces(tmp_path / "set", 30)
    rows = [f"{k}.png,{5 + 2 * v:.2f},{k % 3}" for k, v in enumerate(shown)]
    text = "\n".join(["Filename,happy,attractive", *rows]) + "\n"
    (tmp_path / "set" / "psychology-attributes.csv").write_text(text)
    changes = [
        f"data={tmp_path / 'set'}", f"bases=age={weights},perceived_gender={weights}", f"out={tmp_path / 'run'}",
        "ratings=happy", f"finder={weights}", "crops=True", "folds=2", "dense.fewest=2", "dense.most=2",
        "full.fewest=2", "full.most=2",
    ]  # fmt: skip
    config = configure(find_recipe("explain.arbabzadah_2016"), changes)
    table = json.loads(Path(run_recipe(config)).read_text(encoding="utf-8"))
    methods = {row["method"] for row in table["scores"]}
    assert methods == {
        "trivial", "landmarks", "age, dense", "age, full", "perceived_gender, dense", "perceived_gender, full",
    }  # fmt: skip
    assert {row["measure"] for row in table["scores"]} == {"mean absolute error", "correlation", "rank correlation"}
    assert all(
        row["low"] <= row["value"] <= row["high"] for row in table["scores"] if row["measure"].startswith("mean")
    )
    with pytest.raises(InputError, match="has no rating 'calm'"):
        run_recipe(configure(find_recipe("explain.arbabzadah_2016"), [*changes, "ratings=calm"]))
    with pytest.raises(InputError, match="no depth called"):
        run_recipe(configure(find_recipe("explain.arbabzadah_2016"), [*changes, "modes=('all',)"]))
