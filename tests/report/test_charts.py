"""Charts: round ticks, every point in its place, files that any reader of XML takes."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omokage.report.charts import Curve, Panel, figure, ticks


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(2, 8))
def test_ticks_hold_the_range_in_round_steps(low: float, span: float, about: int) -> None:
    found = ticks(low, low + span, about)
    step = found[1] - found[0]
    assert found[0] <= low + 1e-6 * span
    assert found[-1] >= low + span - 1e-6 * span
    assert found[-1] - found[0] < span + 2.01 * step
    assert 2 <= len(found) <= 2 * about + 3
    lead = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(lead - m) for m in (1, 2, 2.5, 5, 10)) < 1e-4 * lead


def test_one_value_still_has_a_scale() -> None:
    assert ticks(3.0, 3.0)[0] <= 3 < ticks(3.0, 3.0)[-1]


def test_a_figure_is_a_document_with_a_legend_and_rising_values_go_up() -> None:
    rising = Curve("a & b", ((0, 1.0, 0.5, 1.5), (2, 3.0, 2.0, 4.0)))
    gap = Curve("c", ((1, float("nan"), 0.0, 1.0),))
    text = figure([Panel("found <share>", ("0", "1", "2"), (rising, gap), "steps")] * 4, columns=3)
    root = ET.fromstring(text)
    svg = "{http://www.w3.org/2000/svg}"
    assert root.get("width") == "900"
    lines = [e.get("points", "").split() for e in root.iter(f"{svg}polyline")]
    assert [len(line) for line in lines] == [2, 0] * 4
    (x0, y0), (x1, y1) = (tuple(map(float, p.split(","))) for p in lines[0])
    assert x1 > x0
    assert y1 < y0
    said = ["".join(e.itertext()) for e in root.iter(f"{svg}text")]
    assert said.count("a & b") == 1
    assert said.count("found <share>") == 4


def test_points_beside_the_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="beside the 1 steps"):
        Panel("x", ("0",), (Curve("a", ((1, 0.0, 0.0, 0.0),)),))


@pytest.mark.parametrize("ends", [(1e6, 1e6 + 1e-10), (1e-12, 2e-12), (0.0, 0.0), (-3.0, -3.0)])
def test_marks_of_a_tiny_range_are_different_numbers(ends: tuple[float, float]) -> None:
    found = ticks(*ends)
    assert sorted(set(found)) == found
    assert found[0] <= ends[0] <= found[-1]
