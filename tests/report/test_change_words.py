"""The words of the change card: every expression unit has a Japanese name of its own."""

from __future__ import annotations

import pytest

from omokage.report.change_words import name_of_factor
from omokage.schema import UNITS


def test_every_unit_has_its_own_japanese_name() -> None:
    names = {unit: name_of_factor(unit, "ja") for unit in UNITS}
    assert all(name != unit and not any(c.isascii() and c.isalpha() for c in name) for unit, name in names.items())
    assert len(set(names.values())) == len(UNITS)


@pytest.mark.parametrize("unit", [u for u in UNITS if u.endswith("Left")])
def test_sides_differ_by_the_side_alone(unit: str) -> None:
    """Left and right are the person's, as in the unit's own name."""
    left, right = name_of_factor(unit, "ja"), name_of_factor(unit.removesuffix("Left") + "Right", "ja")
    assert "左" in left
    assert left.replace("左", "右") == right


def test_names_that_are_known() -> None:
    assert name_of_factor("mouthShrugUpper", "ja") == "上唇の突き上げ"
    assert name_of_factor("mouthUpperUpLeft", "ja") == "左の上唇上げ"
    assert name_of_factor("cheekSquintRight", "ja") == "右の頬上げ"
    assert name_of_factor("own_label", "ja") == "own_label"
