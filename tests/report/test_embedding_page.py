"""Pages and plots about codes: well formed, nothing loaded from anywhere, every value shown."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.embeddings.evaluate import ProbeScore
from omokage.embeddings.leakage import Leakage, Removal
from omokage.embeddings.reading import FactorChange, Sweep
from omokage.errors import OutputError
from omokage.report.embeddings import (
    Section,
    Tile,
    changes_section,
    identity_section,
    probe_section,
    search_section,
    sweeps_section,
    write_page,
)
from omokage.report.plots import Curve, curves_svg, shortened

VALUES = st.floats(-1e6, 1e6, allow_nan=False)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**6), VALUES), min_size=1, max_size=8, unique_by=lambda p: p[0]))
def test_curves_stay_inside_the_plot(points: list[tuple[int, float]]) -> None:
    line = Curve("<a & b>", tuple((float(x), y, y - 1, float("nan")) for x, y in sorted(points)))
    drawn = ElementTree.fromstring(curves_svg([line], "t < u", "x", "y", base=0.0))
    width, height = (float(v) for v in drawn.attrib["viewBox"].split()[2:])
    for dot in drawn.iter("circle"):
        assert 0 <= float(dot.attrib["cx"]) <= width
        assert 0 <= float(dot.attrib["cy"]) <= height
    assert len(list(drawn.iter("circle"))) == len(points)


def test_points_that_are_no_number_are_left_out() -> None:
    nan = float("nan")
    mixed = Curve("a", ((10, 1, 0, 2), (50, nan, nan, nan), (100, 2, nan, nan), (200, float("inf"), 1, 2)))
    drawn = curves_svg([mixed, Curve("b", ((10, nan, nan, nan),))], "t", "x", "y")
    assert "nan" not in drawn
    assert "inf" not in drawn
    assert len(list(ElementTree.fromstring(drawn).iter("circle"))) == 2
    assert curves_svg([Curve("b", ((10, nan, 0, 1),))], "t", "x", "y") == ""


def test_higher_values_are_drawn_higher_and_refusals() -> None:
    drawn = ElementTree.fromstring(curves_svg([Curve("a", ((10, 1, 0, 2), (100, 2, 1, 3)))], "t", "x", "y"))
    low, high = drawn.iter("circle")
    assert float(low.attrib["cy"]) > float(high.attrib["cy"])
    assert float(low.attrib["cx"]) < float(high.attrib["cx"])
    with pytest.raises(ValueError, match="points"):
        curves_svg([], "t", "x", "y")
    with pytest.raises(ValueError, match="no 0"):
        curves_svg([Curve("a", ((0, 1, 0, 2),))], "t", "x", "y")


def test_page_holds_every_score_and_loads_nothing(tmp_path: Path) -> None:
    scores = [
        ProbeScore(name, "smiling", "AUC", labels, 0.7 + labels / 1e4, 0.6, 0.8, 55, 0.5)
        for name in ("one", "two")
        for labels in (10, 100)
    ]
    grey = np.full((20, 20, 3), 128, np.uint8)
    tiles = [Tile(grey, "0.91 · <b>.png"), Tile(None, "gone \udcff.png")]
    sections = [probe_section(scores), search_section(Tile(grey, "query"), tiles), Section("Empty")]
    write_page(tmp_path / "page.html", "Codes & more", "lead", sections, {"k": "<v>"})
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 1
    assert "0.71 " not in text
    assert "0.701" in text
    assert "&lt;b&gt;.png" in text
    assert "<b>" not in text
    assert text.count("<img") == 2
    assert "default-src 'none'" in text
    with pytest.raises(OutputError):
        write_page(tmp_path / "no" / "page.html", "t", "l", [])


def test_what_was_read_off_codes_is_drawn(tmp_path: Path) -> None:
    left = [Removal(k, Leakage(12, 48, 0.9 - k / 20, 0.1, 0.95, 1 / 12, 0.8 - k / 40)) for k in (0, 8, 16)]
    crops = np.zeros((3, 8, 8, 3), np.uint8)
    moved = Sweep("yaw", (-20.0, 0.0, 20.0), crops, np.arange(12, dtype=np.float32).reshape(3, 4))
    sections = [
        identity_section("e", left),
        changes_section([FactorChange("light", 0.12, 0.1, 0.15, 40)]),
        sweeps_section([moved]),
    ]
    write_page(tmp_path / "page.html", "t", "l", sections)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 1
    assert text.count("<img") == 3
    assert 'alt="yaw -20°"' in text
    for shown in ("0.500", "0.10 to 0.15", "100% of the code"):
        assert shown in text, shown


def test_marks_of_the_axis_name_their_lines() -> None:
    drawn = ElementTree.fromstring(curves_svg([Curve("a", ((10, 15.1, 15, 16), (100, 17, 16, 17.4)))], "t", "x", "y"))
    heights = [float(line.attrib["y1"]) for line in drawn if line.get("class") == "grid"]
    named = [float(mark.text or "") for mark in drawn if mark.get("text-anchor") == "end"]
    steps = np.diff(named)
    assert len(named) == len(heights) > 2
    assert np.ptp(steps) < 1e-9, "lines at equal distances have equally distant numbers"
    assert np.diff(heights) == pytest.approx(np.diff(heights)[0], abs=0.2)


def test_long_names_keep_their_ends() -> None:
    assert shortened(["short", "runs/2024-05-01/encoder-one"]) == ["short", "…05-01/encoder-one"]


@given(st.lists(st.text("ab/", max_size=30), min_size=2, max_size=2, unique=True), st.text("cd/", max_size=30))
def test_two_names_differ_where_they_are_cut(starts: list[str], end: str) -> None:
    names = [start + end for start in starts]
    found = shortened(names)
    assert found[0] != found[1]
    assert max(map(len, found)) <= 18


def test_the_page_says_how_many_answers_a_picture_may_give() -> None:
    query = Tile(None)
    for language, said in (
        ("en", ("any number of each", "at most one of each", "at most 3 of each")),
        ("ja", ("上限はなく", "最大 1 つ", "最大 3 つ")),
    ):
        for per_source, words in zip((0, 1, 3), said, strict=True):
            assert words in search_section(query, [], language, per_source).words[0]
