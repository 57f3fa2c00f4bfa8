"""Labels are refused with their line where a score would be nonsense; what is left out is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from omokage.errors import InputError
from omokage.metrics.labels import read_labels, remarks, rows_of, span


def written(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding=encoding)
    return path


def face(name: str, **more: Any) -> dict[str, Any]:
    return {"source": f"there/{name}", "status": "face", **more}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("file,age\na.jpg,abc\n", r"labels\.csv, line 2: age 'abc' is not a number from 0 to 120; correct it"),
        ("file,age\na.jpg,nan\n", "age 'nan' is not a number"),
        ("file,age\na.jpg,30\nb.jpg,700\n", "line 3: age '700' is not a number from 0 to 120"),
        ("file,age_bin\na.jpg,3-sep\n", "line 2: age_bin '3-sep' is not a span of years such as 20-29"),
        ('file,yaw\na.jpg,"12,5"\n', "line 2: yaw '12,5' is not a number from -180 to 180; correct it"),
        ("file,yaw\na.jpg,12,5\n", "line 2: more cells than the header has; .* write decimals with a point"),
        ("file,leye_x,leye_y\na.jpg,3,4\n", "line 2: reye_x '' is not a number of pixels"),
        ("file,leye_x,leye_y\na.jpg,,4\n", "line 2: leye_x '' is not a number of pixels"),
        ("file,x0,y0\na.jpg,3,\n", "line 2: y0 '' is not a number of pixels"),
        ("file,age_bin\na.jpg,20-29\nb.jpg,29-20\n", "line 3: age_bin '29-20' is not a span of years"),
    ],
)
def test_numbers_that_are_none_are_refused_with_their_line(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_labels(written(tmp_path, text))


@pytest.mark.parametrize("encoding", ["utf-16", "shift-jis"])
def test_other_encodings_are_refused_with_what_to_do(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(InputError, match="are not UTF-8 text: save the table as UTF-8"):
        read_labels(written(tmp_path, "file,person\na.jpg,花子\n", encoding))


def test_accented_letters_in_one_and_in_two_are_the_same() -> None:
    labels, faces = [{"file": "cafe\u0301.jpg"}], [face("caf\xe9.jpg")]
    assert remarks(labels, faces) == []
    assert rows_of(labels, faces) == [faces]


def test_good_rows_pass_as_they_are(tmp_path: Path) -> None:
    text = "file,age,age_bin,yaw,emotion\na.jpg,3.5,0-2,-12.5,\nb.jpg,,70+,,happy\n"
    first, second = read_labels(written(tmp_path, text))
    assert first == {"file": "a.jpg", "age": "3.5", "age_bin": "0-2", "yaw": "-12.5", "emotion": ""}
    assert second["emotion"] == "happy"


def test_spans() -> None:
    assert [span(t) for t in ("20-29", "70+", "old", "", "-5")] == [(20, 30), (70, 200), None, None, None]


def test_labels_of_other_pictures_are_refused() -> None:
    labels = [{"file": "x.jpg"}, {"file": "y.jpg"}]
    with pytest.raises(InputError, match=r"none of the 2 files of the labels, .*'x.jpg', is for .* 'there/a.jpg'"):
        remarks(labels, [face("a.jpg")])
    with pytest.raises(InputError, match="in the table: files are matched by their full path, else by the longest end"):
        remarks(labels, [])
    (said,) = remarks([{"file": "01.jpg"}, {"file": "b.jpg"}], [face("a/01.jpg"), face("b/01.jpg"), face("b.jpg")])
    assert said.startswith(
        "1 of 2 label rows name files that may be several of the table, the first '01.jpg' ('there/a/01.jpg' or "
        "'there/b/01.jpg'): each counts as a face that was not found"
    )
    (said,) = remarks([{"file": "c/01.jpg"}, {"file": "b.jpg"}], [face("a/01.jpg"), face("b/01.jpg"), face("b.jpg")])
    assert said.startswith("1 of 2 label rows name files that are not in the table, the first 'c/01.jpg'")
    with pytest.raises(InputError, match="none of the 1 files"):
        remarks([{"file": "01.jpg"}], [face("a/01.jpg"), face("b/01.jpg")])


def test_what_is_left_out_is_said() -> None:
    labels = [
        {"file": "a.jpg", "age_bin": "old", "gender": "woman", "smile": "maybe", "emotion": "joy", "foo": "1"},
        {"file": "a.jpg", "age_bin": "20-29", "gender": "Female", "smile": "Yes", "emotion": "Happy", "foo": ""},
        {"file": "gone.jpg", "age_bin": "", "gender": "", "smile": "", "emotion": "", "foo": ""},
    ]
    said = remarks(labels, [face("a.jpg")])
    assert [text.partition(":")[0] for text in said] == [
        "1 of 3 label rows name files that are not in the table, the first 'gone.jpg'",
        "1 label rows repeat a file without points that tell its faces apart, the first 'a.jpg'",
        "column age_bin", "column gender", "column smile", "column emotion",
        "label columns that nothing measures",
    ]  # fmt: skip
    assert said[3] == (
        "column gender: 1 of 2 labels are left out, as 'woman' is not understood (understood: female, male)"
    )
    assert said[-1].endswith(": foo")


def test_a_yes_no_column_with_one_answer_is_named() -> None:
    labels = [{"file": f"{k}.jpg", "smile": "yes", "tired": "1", "glasses": g} for k, g in zip("ab", "10", strict=True)]
    faces = [face(f"{k}.jpg", attr_tired_p=0.2) for k in "ab"]
    said = remarks(labels, faces)
    assert [text.partition(":")[0] for text in said] == ["column smile", "column tired"]
    assert "all 2 labels say yes" in said[0]


def test_nothing_is_said_of_labels_that_all_count() -> None:
    own = {"tired_p": 0.1, "attr_tired_p": 0.2, "rating": 3.0, "rating_sigma": 1.0}
    labels = [
        {"file": "a.jpg", "tired": "yes", "rating": "2", "group": "x", "person": "p"},
        {"file": "b.jpg", "tired": "0", "rating": "", "group": "y", "person": "q"},
    ]
    assert remarks(labels, [face("a.jpg", **own), face("b.jpg", **own)], grouped_by="group") == []
    (said,) = remarks([{**labels[0], "rating": "two"}], [face("a.jpg", **own)], grouped_by="group")
    assert "column rating: 1 of 1 labels are left out, as 'two' is not understood" in said
    (said,) = remarks([{"file": "a.jpg", "expression": "anger"}], [face("a.jpg")])
    assert "expression (expressions are labelled in the column emotion)" in said


def test_gaps_between_bins_are_said_where_they_cannot_be_filled() -> None:
    def said(*bins: str) -> list[str]:
        return remarks([{"file": "a.jpg", "age_bin": b, "age": str(i)} for i, b in enumerate(bins)], [face("a.jpg")])[
            1:
        ]

    assert said("3-9", "60-69") == []
    assert said("0-4", "5-9", "10+") == []
    (gap,) = said("0-4", "5-9", "40-49", "70+")
    assert gap.startswith("column age_bin: no bin holds the years 10-39, 50-69: each such gap counts as one bin")


def test_rows_without_a_group_are_counted() -> None:
    labels = [{"file": f"{i}.jpg", "site": site} for i, site in enumerate(("x", "", "y", ""))]
    faces = [face(f"{i}.jpg") for i in range(4)]
    assert remarks(labels, faces, "site") == ["2 of 4 label rows leave the column site empty: they are in no group"]
    assert remarks(labels[::2], faces, "site") == []
    assert remarks([{"file": "0.jpg"}], faces, "skin_tone") == []
