"""Groups of labelled faces: each row in its own, the worst beside the mean, skin tone from the answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omokage.errors import InputError
from omokage.metrics.groups import FIFTHS, NO_ANSWER, fifth, grouped, left_out, worst_groups
from omokage.metrics.table import FOUND, TableScore, match


def face(name: str, tone: float | None) -> dict[str, Any]:
    box = {"box_x0": 0.0, "box_y0": 0.0, "box_x1": 9.0, "box_y1": 9.0}
    return {"source": f"x/{name}", **box, "skin_tone": tone}


LABELS = [{"file": name, "site": site} for name, site in (("a", "two"), ("b", "one"), ("c", ""), ("d", "one"))]


def test_a_column_of_the_labels_makes_groups() -> None:
    found = grouped(match(LABELS, []), "site")
    assert {name: [row["file"] for row, _ in rows] for name, rows in found.items()} == {"one": ["b", "d"], "two": ["a"]}


def test_skin_tone_comes_from_the_answers() -> None:
    faces = [face("a", 0.05), face("b", 0.95), face("d", 0.19)]
    found = grouped(match(LABELS, faces), "skin_tone")
    assert {name: [row["file"] for row, _ in rows] for name, rows in found.items()} == {
        "0.0-0.2": ["a", "d"], "0.8-1.0": ["b"], NO_ANSWER: ["c"],
    }  # fmt: skip
    labelled = [{**row, "skin_tone": "V"} for row in LABELS]
    assert list(grouped(match(labelled, faces), "skin_tone")) == ["V"]  # a label goes before an estimate


@pytest.mark.parametrize(("by", "words"), [("place", "no column 'place'"), ("skin_tone", "weights that estimate it")])
def test_what_is_not_there_is_said(by: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        grouped(match(LABELS, [face("a", None)]), by)


@given(st.floats(0, 1))
def test_every_tone_lies_in_its_fifth(value: float) -> None:
    low, _, high = fifth(value).partition("-")
    assert float(low) - 1e-9 <= value <= float(high) + 1e-9
    assert fifth(value) in FIFTHS


def test_the_worst_group_stands_beside_the_mean() -> None:
    def rows(right: float, error: float, n: int = 30) -> list[TableScore]:
        return [TableScore("accuracy", right, 0.1, 0.9, n), TableScore("landmark error", error, 1, 9, n)]

    scored = {"one": rows(0.9, 4), "two": rows(0.6, 3), "few": rows(0.0, 30, 5), NO_ANSWER: rows(0.0, 30)}
    first, second = worst_groups(scored)
    assert (first.group, first.value, first.n, first.groups) == ("two", 0.6, 30, 2)
    assert first.mean == pytest.approx(0.75)
    assert (second.group, second.value, second.mean) == ("one", 4, 3.5)
    assert worst_groups({"one": rows(0.9, 4)}) == []


def test_a_group_in_which_nobody_is_found_is_the_worst_found_and_compared_by_nothing_else() -> None:
    def rows(found: float, error: float) -> list[TableScore]:
        return [TableScore(FOUND, found, 0.0, 1.0, 30), TableScore("age error", error, 0.0, 9.0, 30)]

    scored = {"blind": rows(0.0, 0.0), "one": rows(1.0, 2.0), "two": rows(0.5, 4.0), NO_ANSWER: rows(0.0, 9.0)}
    found, age = worst_groups(scored)
    assert (found.group, found.groups) == ("blind", 3)
    assert (age.group, age.mean, age.groups) == ("two", 3.0, 2)
    assert left_out(scored) == [
        "no face was found in group 'blind': only the found rate is compared there, all other values are guesses"
    ]


def test_a_group_of_few_people_is_not_called_the_worst() -> None:
    none = float("nan")
    scored = {name: [TableScore(FOUND, value, 0.2, 1.0, 30)] for name, value in (("one", 0.9), ("two", 0.8))}
    scored |= {f"few{k}": [TableScore(FOUND, 0.1, none, none, 30)] for k in range(6)}
    (worst,) = worst_groups(scored)
    assert (worst.group, worst.groups) == ("two", 2)
    (said,) = left_out(scored)
    assert said.startswith("fewer than 3 people")
    assert "groups 'few0', 'few1', 'few2', 'few3', 'few4' and 1 more: there is no interval" in said
    assert left_out({"one": scored["one"]}) == []
