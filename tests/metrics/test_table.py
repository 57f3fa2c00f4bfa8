"""Scores of a faces table: each label goes to its face, a missing answer counts as wrong, the trivial answer is
stated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omokage.errors import InputError
from omokage.media.sinks import read_rows
from omokage.metrics.labels import read_labels
from omokage.metrics.table import MISSED_POINTS, TableScore, match, points_of, score_table


def face(name: str, x: float = 0.0, side: float = 100.0, **more: Any) -> dict[str, Any]:
    return {
        "source": f"somewhere/images/{name}",
        "box_x0": x,
        "box_y0": 0.0,
        "box_x1": x + side,
        "box_y1": side,
        **more,
    }


def scores(labels: list[dict[str, str]], faces: list[dict[str, Any]]) -> dict[str, TableScore]:
    return {s.measure: s for s in score_table(labels, faces)}


def five(x: float = 0.0) -> dict[str, str]:
    places = {"leye": (30, 40), "reye": (70, 40), "nose": (50, 60), "lmouth": (35, 80), "rmouth": (65, 80)}
    return {
        f"{n}_{k}": str(v + (x if k == "x" else 0)) for n, p in places.items() for k, v in zip("xy", p, strict=True)
    }


def landmarks(x: float = 0.0, off: float = 0.0) -> list[float]:
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[30] = (30, 40), (70, 40), (50, 60)
    points[48], points[54] = (35, 80), (65, 80)
    return list((points + np.array([x + off, 0])).ravel())


def test_a_label_with_points_goes_to_the_nearest_face_and_one_without_to_the_largest() -> None:
    faces = [face("a.jpg", 0, 100), face("a.jpg", 300, 140)]
    labels = [{"file": "images/a.jpg", **five(0)}, {"file": "images/a.jpg", **five(300)}, {"file": "images/a.jpg"}]
    assert [f and f["box_x0"] for _, f in match(labels, faces)] == [0, 300, 300]
    assert match([{"file": "images/a.jpg", **five(900)}], faces)[0][1] is None


def test_a_picture_without_a_face_borrows_none_from_a_file_of_the_same_name() -> None:
    faces = [
        face("01.jpg") | {"source": "anna/01.jpg"},
        {"source": "bob/01.jpg", "status": "no_face"},
        face("02.jpg") | {"source": "eve/02.jpg"},
    ]
    labels = [{"file": name} for name in ("anna/01.jpg", "bob/01.jpg", "cleo/02.jpg")]
    assert [f and f["source"] for _, f in match(labels, faces)] == ["anna/01.jpg", None, "eve/02.jpg"]
    assert scores(labels, faces)["found"].value == pytest.approx(2 / 3)


def test_a_bare_name_serves_only_where_one_file_bears_it() -> None:
    anna, bob = (face("01.jpg") | {"source": f"{who}/01.jpg"} for who in ("anna", "bob"))
    assert match([{"file": "01.jpg"}], [anna, bob])[0][1] is None
    labels = [{"file": "anna/01.jpg"}, {"file": "bob/01.jpg"}]
    assert [f is not None for _, f in match(labels, [anna])] == [True, False]
    assert match(labels[1:], [anna], labels)[0][1] is None
    assert [f is not None for _, f in match(labels, [anna | {"source": "mine/01.jpg"}])] == [False, False]


def test_points() -> None:
    labels = [{"file": "a.jpg", **five()}, {"file": "b.jpg", **five()}]
    found = scores(labels, [face("a.jpg", landmarks=landmarks(off=4.0))])
    error = found["landmark error, % of the eye distance"]
    assert error.value == pytest.approx((10.0 + MISSED_POINTS) / 2)
    assert error.low <= error.value <= error.high
    assert found["found"].value == 0.5
    whole = {"file": "a.jpg"} | {f"{k}{i}": str(i) for i in range(68) for k in "xy"}
    points = points_of(whole)
    assert points is not None
    assert points.shape == (68, 2)


def test_ages_and_their_trivial_answers() -> None:
    labels = [
        {"file": f"{i}.jpg", "age": str(10 * i), "age_bin": b} for i, b in enumerate(("0-2", "10-19", "20-29", "30-39"))
    ]
    faces = [face(f"{i}.jpg", age_years=10.0 * i + 2, age_q05=10.0 * i - 1, age_q95=10.0 * i + 5) for i in range(3)]
    found = scores(labels, faces)
    age = found["age, mean absolute error in years"]
    assert age.value == pytest.approx((2 * 3 + 15) / 4)  # the face that was not found counts as the median, 15
    assert age.trivial == pytest.approx(10)
    assert found["age inside the 90 % interval"].value == 0.75
    bins = found["age within one bin, mean over the bins"]
    assert bins.value == 0.75
    assert bins.trivial == 0.75  # saying 10-19 or 20-29 for everybody


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_own_classes_score_the_same_from_every_format(tmp_path: Path, kind: str) -> None:
    table = tmp_path / f"faces.{kind}"
    rows = [{"source": f"{k}.jpg", "status": "ok", "box_x0": 0, "box_x1": 9, "box_y0": 0, "box_y1": 9,
             "level": k, "level_1_p": 0.5, "level_2_p": 0.5} for k in "12"]  # fmt: skip
    if kind == "csv":
        lines = [",".join(rows[0]), *(",".join(str(v) for v in row.values()) for row in rows)]
    else:
        lines = [json.dumps(row) for row in rows]
    table.write_text("\n".join(lines) + "\n")
    found = scores([{"file": f"{k}.jpg", "level": k} for k in "12"], read_rows(table))
    assert found["level, mean over the classes"].value == 1.0


def test_yes_no_and_classes() -> None:
    labels = [
        {"file": f"{i}.jpg", "smile": "01"[i % 2], "glasses": ("no", "yes")[i % 2], "gender": ("male", "female")[i % 2],
         "emotion": ("Happy", "sadness")[i % 2], "person": f"p{i // 2}"}
        for i in range(4)
    ]  # fmt: skip
    faces = [
        face(f"{i}.jpg", attr_smiling_p=0.9 * (i % 2), attr_eyeglasses_p=0.9 * (i % 2), gender_female_p=0.9 * (i % 2),
             expression=("happiness", "sadness")[i % 2])
        for i in range(3)
    ]  # fmt: skip
    found = scores(labels, faces)
    assert found["smiling, area under the curve"].value == 1.0  # 0.5 still ranks above 0
    assert found["smiling, accuracy"].value == 0.75  # but no answer is no right answer
    assert found["eyeglasses, accuracy"].value == 0.75
    assert found["perceived gender, mean over both"].value == 0.75
    assert found["expression, accuracy"].value == 0.75
    assert found["expression, accuracy"].trivial == 0.5
    named = [score for name, score in found.items() if name.endswith("named right")]
    assert sum(score.n * score.value for score in named) == pytest.approx(0.75 * sum(score.n for score in named))


def test_angles_wrap_around() -> None:
    labels = [{"file": "a.jpg", "roll": "179"}, {"file": "b.jpg", "roll": "-179"}]
    found = scores(labels, [face("a.jpg", roll_deg=-179.0), face("b.jpg", roll_deg=179.0)])
    assert found["roll, mean absolute error in degrees"].value == pytest.approx(2.0)


def test_labels_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    for content, why in (
        ("", "no rows"),
        ("file\n", "no rows"),
        ("name\na\n", "lack the column 'file'; they have name"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=why):
            read_labels(path)
    path.write_bytes(b"\xef\xbb\xbffile,age\na.jpg,3\n")
    assert read_labels(path) == [{"file": "a.jpg", "age": "3"}]


def test_adults_bins_and_sides_have_measures_of_their_own() -> None:
    labels = [
        {"file": "a.jpg", "gender": "female", "age_bin": "20-29", "pose_class": "left"},
        {"file": "b.jpg", "gender": "male", "age_bin": "30-39", "pose_class": "right_profile"},
        {"file": "c.jpg", "gender": "male", "age_bin": "3-9", "pose_class": "frontal"},
        {"file": "d.jpg", "gender": "male", "age_bin": "70+", "pose_class": "left"},
    ]
    faces = [
        face("a.jpg", gender_female_p=0.9, age_years=24.0, age_q05=18.0, age_q95=31.0, yaw_deg=-20.0),
        face("b.jpg", gender_female_p=0.8, age_years=24.0, age_q05=20.0, age_q95=29.9, yaw_deg=-20.0),
        face("c.jpg", gender_female_p=0.8, age_years=9.0, age_q05=5.0, age_q95=25.0, yaw_deg=1.0),
    ]
    found = scores(labels, faces)
    assert found["perceived gender, mean over both"].value == pytest.approx(0.5)
    adults = found["perceived gender of adults, mean over both"]
    assert (adults.value, adults.n) == (pytest.approx(0.5), 3)  # one of one, none of two
    assert found["age interval reaches the bin"].value == pytest.approx(2 / 4)
    assert found["age interval, median width in years"].value == pytest.approx(13.0)
    assert found["age interval, median width in years"].n == 3
    side = found["side to which the face turns"]
    assert (side.value, side.n, side.trivial) == (pytest.approx(1 / 3), 3, pytest.approx(2 / 3))
