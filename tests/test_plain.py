"""Results as plain Python values: JSON and data frames take them, and nothing large comes along unasked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from omokage.media.table import Reading, table_schema, to_table
from omokage.pipeline import Analyzer
from omokage.plain import Plain
from omokage.results import (
    AgeEstimate,
    Box,
    Categorical,
    Change,
    FaceAnalysis,
    FaceChange,
    FaceCrop,
    Faithfulness,
    Pose,
    RegionEvidence,
    RelevanceMap,
    Scalar,
)
from stand_ins import SquareFinder, SquarePredictor, picture


def face() -> FaceAnalysis:
    """One with numpy numbers in it, as a user's own predictor may give them."""
    made = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())(picture([(30, 30, 60, 40)]))[0]
    return replace(
        made, source="a.png", age=AgeEstimate(np.float32(41), 30.0, 50.0, (0.5, 0.5)), gender_female=np.float64(0.5),
        units={"jawOpen": np.float32(0.25)}, classes={"mood": Categorical(("calm", "glad"), (0.25, 0.75))},
        embedding=np.ones(4, np.float32), network="own/attributes@1",
    )  # fmt: skip


def relevance() -> RelevanceMap:
    pixels = np.zeros((8, 8, 3), np.uint8)
    region = RegionEvidence("mouth", 0.1, 0.5, 0.4, 0.6, 1.0, 0.9, 1.1, {"mean": np.float32(1)}, 30.0, hidden=pixels)
    grade = Faithfulness(None, 0.5, (0.1, 0.2), 0.2, 0.8, "occlusion", 0.0, {"flipping": np.bool_(True)}, "A", "fine")
    crop = FaceCrop(pixels, np.eye(2, 3), Box(0, 0, 8, 8), 0.9)
    heat, regions = np.zeros((8, 8), np.float32), np.zeros((8, 8), np.uint8)
    return RelevanceMap("age", "lrp", 40.0, "years", 40.0, "years", heat, crop, regions, (region,), grade)


def change() -> FaceChange:
    one = Change(0.5, 0.25, 0.75, 0.01)
    return FaceChange(
        "a.png", "b.png", same_person=0.9, units={"jawOpen": one}, fatness=one, own={"tired": one},
        looks={"hat": 0.1}, nuisance={"light": 0.2}, warnings=("light",), faces=(face(), None),
    )  # fmt: skip


RESULTS = (
    face(),
    relevance(),
    change(),
    face().box,
    face().age,
    face().pose,
    Scalar(1.0, 0.5),
    Reading("a", faces=(face(),)),
)


def only_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(type(k) is str and only_plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(only_plain, value))
    return value is None or type(value) in (bool, int, float, str)


@pytest.mark.parametrize("result", RESULTS, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("large", [False, True])
def test_results_are_written_down_as_json(result: Plain, large: bool) -> None:
    told = result.to_dict(large)
    assert only_plain(told)
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_a_face_has_the_names_of_the_table() -> None:
    told = face().to_dict()
    assert set(told) - {"network", "mood", "mood_calm_p", "mood_glad_p"} <= set(table_schema(embedding=True).names)
    assert (told["source"], told["age_years"], told["unit_jawOpen"], told["mood"]) == ("a.png", 41.0, 0.25, "glad")
    assert np.shape(told["landmarks"]) == (68, 2)
    assert "track" not in told
    assert "age_density" not in told
    assert face().to_dict(large=True)["age_density"] == [0.5, 0.5]


def test_what_is_large_is_left_out_unless_asked_for() -> None:
    told, whole = relevance().to_dict(), relevance().to_dict(large=True)
    assert set(whole) - set(told) == {"relevance", "region_map"}
    assert (told["regions"][0]["name"], told["faithfulness"]["grade"]) == ("mouth", "A")
    assert "hidden" not in told["regions"][0]
    assert np.shape(whole["crop"]["image"]) == (8, 8, 3)
    assert set(told["crop"]) == {"affine", "box", "score"}
    both = change().to_dict(large=True)["faces"]
    assert (both[0]["source"], both[1]) == ("a.png", None)


def test_a_change_has_the_names_of_its_table() -> None:
    from omokage.pipeline.pair_table import COLUMNS

    told = change().to_dict()
    assert {name for name in told if not name.startswith("tired")} <= set(COLUMNS) | {"look_hat"}
    assert (told["fatness"], told["fatness_low"], told["tired_no_change"]) == (0.5, 0.25, 0.01)
    assert told["warnings"] == ["light"]


def test_small_results_by_their_parts() -> None:
    assert Pose(1.0, 2.0, 3.0).to_dict()["yaw_deg"] == 1.0
    assert Categorical(("calm", "glad"), (0.25, 0.75)).to_dict() == {"calm": 0.25, "glad": 0.75}
    assert AgeEstimate(40.0, 30.0, 50.0, (1.0,)).to_dict() == {"years": 40.0, "q05": 30.0, "q95": 50.0}


def test_rows_are_plain_and_the_parquet_writer_takes_them() -> None:
    rows = Reading("a.png", faces=(face(),)).rows()
    assert only_plain(rows)
    assert None not in rows[0].values(), "what was not estimated is left out"
    assert len(rows[0]["landmarks"]) == 136
    table = to_table(rows, table_schema(embedding=True))
    assert table["landmarks"].type == pa.list_(pa.float32())
    landmarks = face().landmarks
    assert landmarks is not None
    assert table["landmarks"].to_pylist()[0] == landmarks.ravel().tolist()
    assert only_plain(Reading("a.png", problem="gone").rows())


def test_results_print_on_one_short_line() -> None:
    for result in (relevance(), change(), relevance().crop, relevance().regions[0]):
        assert "array" not in repr(result)
        assert "\n" not in repr(result)
        assert len(repr(result)) < 450
    assert "fatness=Change(value=0.5" in repr(change())


def test_comparing_results_never_fails() -> None:
    for result in RESULTS:
        assert result == result
        assert result != "another"
    assert face() != face()  # arrays inside: equal only to itself
    assert face().to_dict() == face().to_dict()
    assert Box(0, 0, 1, 1) == Box(0, 0, 1, 1)
