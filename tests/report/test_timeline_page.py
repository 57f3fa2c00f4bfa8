"""The timeline of a series: pictures, curves with trend and change points, numbers, and what was left out."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from omokage.errors import InputError
from omokage.report.plots import Curve, curves_svg
from omokage.report.timeline import Course, Series, write_timeline


def series(dated: bool) -> Series:
    values = np.array([0.0, 0.1, 0.0, 1.0, 1.1, 1.0])
    times = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5]) if dated else np.arange(6.0)
    courses = {
        "fatness": Course(values, np.full(6, 0.1), 0.5, 0.2, 0.8, (3,)),
        "age": Course(0 * values, np.full(6, 2.0), 0.0, -1.0, 1.0),
    }
    picture = np.full((32, 32, 3), 120, np.uint8)
    left = [("<i>.png", "no_face"), ("x.png", "repeated")]
    return Series([f"d/{k}<b>.png" for k in range(6)], times, dated, courses, left, [picture] * 6)


def test_a_trend_is_a_straight_line_and_a_change_point_an_upright_one() -> None:
    points = tuple((float(x), float(x), x - 1.0, x + 1.0) for x in range(5))
    drawn = ElementTree.fromstring(
        curves_svg([Curve("", points)], "t", "x", "y", logarithmic=False, trend=(0.0, 1.0), marks=[2.0])
    )
    lines = {name: [e for e in drawn if e.get("class") == name] for name in ("trend", "mark")}
    (trend,), (mark,) = lines["trend"], lines["mark"]
    dots = [(float(e.get("cx", "")), float(e.get("cy", ""))) for e in drawn if e.tag == "circle"]
    assert (float(trend.get("x1", "")), float(trend.get("y1", ""))) == pytest.approx(dots[0], abs=0.2)
    assert (float(trend.get("x2", "")), float(trend.get("y2", ""))) == pytest.approx(dots[-1], abs=0.2)
    assert float(mark.get("x1", "")) == float(mark.get("x2", "")) == pytest.approx(dots[2][0], abs=0.2)


@pytest.mark.parametrize(("language", "dated"), [("en", True), ("ja", False)])
def test_a_page_shows_everything_and_fetches_nothing(tmp_path: Path, language: str, dated: bool) -> None:
    page = tmp_path / "line.html"
    write_timeline(page, series(dated), language, {"weights": "x"})
    text = page.read_text()
    assert text.count("data:image/jpeg") == 6
    assert text.count('class="trend"') == 2
    assert text.count('class="mark"') == 1
    assert "+0.50" in text
    assert "+0.20 … +0.80" in text
    assert text.count("d/3&lt;b&gt;.png") == 3  # a caption with its alternative, and where the level changes
    assert "<b>" not in text
    assert "<i>" not in text
    assert "<script" not in text
    left = ("Left out", "same picture as another") if language == "en" else ("除いた写真", "別の写真と同じ画像")
    assert all(words in text for words in left)
    assert ("ordered by name" in text or "名前の順" in text) != dated
    with pytest.raises(InputError, match="no texts in the language"):
        write_timeline(page, series(True), "xx")
