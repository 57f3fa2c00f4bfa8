"""Recipes of the comparison room give configurations that say what they are."""

from __future__ import annotations

import pytest

from omokage.errors import InputError
from omokage.pipeline.recipes import configure, find_recipe


def test_the_shipped_recipe_mixes_folders_and_holds_nobody_of_more_out() -> None:
    recipe = find_recipe("comparison.shipped")
    config = configure(recipe, ["data=a,b", "more=c", "share=0.5", "minutes=3", "still="])
    assert config.data.folders == ("a", "b", "c")
    assert config.data.whole == ("c",)
    assert config.data.shares == (0.25, 0.25, 0.5)
    assert config.data.calibration == ()
    assert "--set more=c" in config.recipe
    assert "--set share=0.5" in config.recipe
    assert configure(recipe, []).data.shares == ()
    assert configure(recipe, []).data.controlled == ()
    assert configure(recipe, ["controlled=out/c"]).data.controlled == ("out/c",)
    assert "--set controlled=out/c" in configure(recipe, ["controlled=out/c"]).recipe


def test_the_open_recipe_holds_no_photograph_out_and_says_whose_they_are() -> None:
    config = configure(find_recipe("comparison.open"), ["data=a,b", "more=c", "share=0.5", "photographs=p", "real=0.2"])
    assert config.data.folders == ("a", "b", "c", "p")
    assert config.data.whole == ("c", "p")
    assert config.data.shares == pytest.approx((0.2, 0.2, 0.4, 0.2))
    assert config.set == "open"
    assert "CC BY 4.0" in config.data_licence
    assert "comparison.open" in config.recipe
    assert "--set photographs=p" in config.recipe
    assert config.data.nameless == ("p",)
    assert configure(find_recipe("comparison.open"), []).data.shares == pytest.approx((0.5, 0.5))


def test_the_paper_starts_from_scratch_with_the_contrast_at_full_weight() -> None:
    config = configure(find_recipe("comparison.comface_paper"), [])
    assert config.init == ""
    assert config.loss.inter == 1.0
    assert config.curriculum > 0


def test_ablations_leave_one_part_out() -> None:
    recipe = find_recipe("comparison.ablated")
    assert configure(recipe, ["without=antisymmetry"]).network.intra == "concatenated"
    assert configure(recipe, ["without=inter"]).loss.inter == 0
    assert configure(recipe, ["without=curriculum"]).curriculum == 0
    with pytest.raises(InputError, match="no part that can be left out"):
        configure(recipe, ["without=everything"])
