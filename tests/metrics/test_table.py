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
from omokage.metrics.table import MISSED_POINTS, TableScore, match, points_of, score_pairs, score_table


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


def scores_of(
    group: list[dict[str, str]], faces: list[dict[str, Any]], whole: list[dict[str, str]]
) -> dict[str, TableScore]:
    """Scores of a group of the `whole` labels."""
    pairs = match(whole, faces)
    return {s.measure: s for s in score_pairs([pair for pair in pairs if pair[0] in group], pairs)}


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
    assert [f is not None for _, f in match(labels, [anna | {"source": "mine/01.jpg"}])] == [False, False]


@pytest.mark.parametrize("root", ["", "./", "/data/"])
def test_files_that_share_folder_and_name_are_told_apart(root: str) -> None:
    labels = [{"file": f"site{s}/img/1.jpg"} for s in "AB"]
    faces = [face("") | {"source": f"{root}site{s}/img/1.jpg"} for s in "BA"]
    found = [f and f["source"] for _, f in match(labels, faces)]
    assert found == [f"{root}siteA/img/1.jpg", f"{root}siteB/img/1.jpg"]
    assert [f is not None for _, f in match(labels, faces[:1])] == [False, True]
    assert match([{"file": "img/1.jpg"}], faces)[0][1] is None  # it may be either
    whole = face("") | {"source": "img/1.jpg"}
    assert match([{"file": "img/1.jpg"}], [*faces, whole])[0][1] is whole  # the full path goes before all


def test_points() -> None:
    labels = [{"file": f"{name}.jpg", **five()} for name in "abc"]
    found = scores(labels, [face("a.jpg", landmarks=landmarks(off=4.0))])
    error = found["landmark error, % of the eye distance"]
    assert error.value == pytest.approx((10.0 + 2 * MISSED_POINTS) / 3)
    assert error.low <= error.value <= error.high
    assert found["found"].value == pytest.approx(1 / 3)
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


WITHIN = "age within one bin, mean over the bins"


@pytest.mark.parametrize("group", [["0-2"], ["3-9", "60-69"], ["20-29", "70+"]])
@pytest.mark.parametrize("others", [[], ["0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+"]])
def test_bins_are_the_same_for_every_group_of_labels(group: list[str], others: list[str]) -> None:
    whole = [{"file": f"{i}.jpg", "age_bin": b} for i, b in enumerate([*group, *others])]
    faces = [face(f"{i}.jpg", age_years=99.0) for i in range(len(whole))]
    near = [b in ("60-69", "70+") for b in group]
    assert scores_of(whole[: len(group)], faces, whole)[WITHIN].value == pytest.approx(np.mean(near))


def test_years_that_no_bin_holds_part_their_neighbours() -> None:
    labels = [{"file": f"{i}.jpg", "age_bin": b} for i, b in enumerate(("20-24", "60-64"))]
    crossed = [face("0.jpg", age_years=62.0), face("1.jpg", age_years=22.0)]
    assert scores(labels, crossed)[WITHIN].value == 0.0
    assert scores(labels, [face("0.jpg", age_years=22.0), face("1.jpg", age_years=62.0)])[WITHIN].value == 1.0
    outside = [face("0.jpg", age_years=90.0), face("1.jpg", age_years=2.0)]
    assert scores(labels, outside)[WITHIN].value == 0.0


def test_a_miss_errs_like_a_guess_that_does_not_know_the_group() -> None:
    own = {"stars": 3.0, "stars_sigma": 1.0}
    numbers = [("70", "60", "9"), ("70", "60", "9"), ("20", "0", "1"), ("20", "0", "1"), ("20", "0", "1")]
    whole = [{"file": f"{i}.jpg", "age": a, "yaw": y, "stars": s} for i, (a, y, s) in enumerate(numbers)]
    faces = [face("0.jpg", **own), *(face(f"{i}.jpg", age_years=20.0, yaw_deg=0.0, **own) for i in (2, 3, 4))]
    missed = scores_of(whole[:2], faces, whole)
    assert missed["age, mean absolute error in years"].value == pytest.approx(50)  # the median of all is 20
    assert missed["yaw, mean absolute error in degrees"].value == pytest.approx(36)  # the mean of all is 24
    assert missed["stars, mean absolute error"].value == pytest.approx((6 + 8) / 2)  # one answer 3, one guess 1


def test_two_people_give_no_interval_however_many_pictures_they_have() -> None:
    labels = [{"file": f"{i}.jpg", "age": "30", "person": f"p{i % 3}"} for i in range(30)]
    faces = [face(f"{i}.jpg", age_years=30.0 + i) for i in range(30)]
    few = scores_of([row for row in labels if row["person"] != "p2"], faces, labels)
    assert all(np.isnan(s.low) and np.isnan(s.high) for s in few.values())
    assert all(s.low <= s.value <= s.high for s in scores(labels, faces).values())
    assert np.isnan(scores([{"file": "0.jpg"}], faces)["found"].low)
    assert not np.isnan(scores([{"file": f"{i}.jpg"} for i in range(3)], faces)["found"].low)


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


@pytest.mark.parametrize(("own", "shipped"), [("glasses", "eyeglasses"), ("smile", "smiling")])
def test_an_answer_that_own_labels_taught_is_judged_where_a_shipped_one_has_a_similar_name(
    own: str, shipped: str
) -> None:
    labels = [{"file": f"{i}.jpg", own: "01"[i % 2]} for i in range(4)]
    answers = {f"attr_{shipped}_p": 0.9}
    assert set(scores(labels, [face(f"{i}.jpg", **answers) for i in range(4)])) >= {f"{shipped}, accuracy"}
    found = scores(labels, [face(f"{i}.jpg", **answers, **{f"attr_{own}_p": i % 2}) for i in range(4)])
    assert found[f"{own}, accuracy"].value == 1.0
    assert f"{shipped}, accuracy" not in found
    both = scores([{**row, shipped: row[own]} for row in labels],
                  [face(f"{i}.jpg", **answers, **{f"attr_{own}_p": i % 2}) for i in range(4)])  # fmt: skip
    assert (both[f"{own}, accuracy"].value, both[f"{shipped}, accuracy"].value) == (1.0, 0.5)
    graded = scores([{"file": f"{i}.jpg", own: str(i)} for i in range(4)],
                    [face(f"{i}.jpg", **answers, **{own: i + 1, f"{own}_sigma": 1.0}) for i in range(4)])  # fmt: skip
    assert graded[f"{own}, mean absolute error"].value == 1.0


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


def test_sigmas_are_judged_by_what_stays_below_them() -> None:
    labels = [{"file": f"{k}.jpg", "yaw": "0"} for k in "abcd"]
    faces = [face(f"{k}.jpg", yaw_deg=off, yaw_sigma=2.0) for k, off in zip("abc", (1.0, -3.0, 359.5), strict=True)]
    told = scores(labels, faces)["yaw, errors below sigma (0.68 is right)"]
    assert (told.value, told.n) == (pytest.approx(2 / 3), 3)  # a face that was not found has no sigma
    whole = {f"{k}{i}": str(20 + i) for i in range(68) for k in "xy"}
    points = np.repeat(20.0 + np.arange(68), 2).reshape(68, 2)
    points[:17, 0] += 5.0
    said = {"landmarks": points.ravel().tolist(), "landmarks_sigma": [1.0] * 68}
    name = "landmarks, errors below sigma (0.68 is right)"
    assert scores([{"file": "a.jpg", **whole}], [face("a.jpg", **said)])[name].value == 0.75
    assert name not in scores([{"file": "a.jpg", **five()}], [face("a.jpg", **said)])
