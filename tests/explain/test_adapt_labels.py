"""Labels as people write them down: kinds, several raters, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from omokage.errors import InputError
from omokage.explain.labels import read_label_table


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_kinds_follow_the_values_and_can_be_said(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "file,person,group_site,tired,mood,pain\na.jpg,ann,x,1,Calm,2\nb.jpg,,y,0,tense,3.5\nc.jpg,ann,x,,calm,4\n",
    )
    table = read_label_table(path)
    tired, mood, pain = table.labels
    assert (tired.kind, tired.classes, tired.rows.tolist()) == ("nominal", ("no", "yes"), [0, 1])
    assert (mood.kind, mood.classes, mood.values.tolist()) == ("nominal", ("calm", "tense"), ["calm", "tense", "calm"])
    assert (pain.kind, pain.low, pain.high) == ("ordinal", 2.0, 4.0)
    assert table.people == ("ann", "b.jpg", "ann")
    assert table.groups == {"site": ("x", "y", "x")}
    assert [label.name for label in read_label_table(path, skip=("mood", "pain")).labels] == ["tired"]


def test_raters_in_columns_and_in_rows_say_the_same(tmp_path: Path) -> None:
    wide = read_label_table(written(tmp_path, "file,warm@ann,warm@bob\na,1,3\nb,2,\nc,4,5\n")).labels[0]
    rows = "file,rater,warm\na,ann,1\na,bob,3\nb,ann,2\nc,ann,4\nc,bob,5\n"
    long = read_label_table(written(tmp_path, rows)).labels[0]
    for label in (wide, long):
        assert label.values.tolist() == [2.0, 2.0, 4.5]
        assert label.ratings is not None
        np.testing.assert_array_equal(label.ratings, [[1, 3], [2, np.nan], [4, 5]])
        assert (label.low, label.high) == (1.0, 5.0)


def test_whom_a_picture_shows_may_stand_in_any_of_its_rows(tmp_path: Path) -> None:
    text = "file,person,group_site,rater,x\na,,,p,1\na,ann,s,q,5\nb,ann,t,p,2\nc,NaN,NaN,p,3\n"
    table = read_label_table(written(tmp_path, text))
    assert table.people == ("ann", "ann", "c")
    assert table.groups == {"site": ("s", "t", "")}


@pytest.mark.parametrize("empty", ["NaN", "nan", "NA", "N/A", "null", "", "#N/A", "na", "-", "?"])
def test_cells_that_say_that_they_are_unknown_are_no_label(tmp_path: Path, empty: str) -> None:
    text = f"file,pain,tired,mood\na,1,1.0,calm\nb,2.5,0.0,tense\nc,{empty},{empty},{empty}\nd,4,1,calm\n"
    pain, tired, mood = read_label_table(written(tmp_path, text)).labels
    assert (pain.kind, pain.rows.tolist(), pain.values.tolist()) == ("ordinal", [0, 1, 3], [1.0, 2.5, 4.0])
    assert (tired.classes, tired.values.tolist()) == (("no", "yes"), ["yes", "no", "yes"])
    assert (mood.classes, mood.rows.tolist()) == (("calm", "tense"), [0, 1, 3])


def test_none_is_unknown_among_numbers_and_a_class_among_words(tmp_path: Path) -> None:
    text = "file,person,pain,tired,glasses\na,None,1,yes,sun\nb,None,2.5,no,none\nc,x,None,None,None\nd,x,4,yes,sun\n"
    table = read_label_table(written(tmp_path, text))
    pain, tired, glasses = table.labels
    assert (pain.kind, pain.values.tolist()) == ("ordinal", [1.0, 2.5, 4.0])
    assert (tired.classes, tired.rows.tolist()) == (("no", "yes"), [0, 1, 3])
    assert (glasses.classes, len(glasses)) == (("none", "sun"), 4)
    assert table.people == ("a", "b", "x", "x")


@pytest.mark.parametrize(("yes", "no"), [("はい", "いいえ"), ("Y", "n")])
def test_yes_and_no_in_other_words(tmp_path: Path, yes: str, no: str) -> None:
    (label,) = read_label_table(written(tmp_path, f"file,x\na,{yes}\nb,{no}\nc,1\n")).labels
    assert (label.classes, label.values.tolist()) == (("no", "yes"), ["yes", "no", "yes"])


@pytest.mark.parametrize("values", [("1", "2", "4", "abc"), ("yes", "no", "yes", "abc")])
def test_a_stray_word_makes_no_classes_unasked(tmp_path: Path, values: tuple[str, ...]) -> None:
    rows = "\n".join(f"{k},{value}" for k, value in enumerate(values))
    path = written(tmp_path, f"file,x\n{rows}\n")
    with pytest.raises(InputError, match=r"line 5: x 'abc' is not what .* classes of them all with --nominal x"):
        read_label_table(path)
    assert "abc" in read_label_table(path, kinds={"x": "nominal"}).labels[0].classes


def test_columns_without_names_or_labels_are_passed_over(tmp_path: Path) -> None:
    table = read_label_table(written(tmp_path, ",file,x,note,\n0,a,1,,\n1,b,2,NaN,\n"), ("x", "x"))
    assert [label.name for label in table.labels] == ["x"]
    table = read_label_table(written(tmp_path, ",file,x,note,\n0,a,1,,\n1,b,2,NaN,\n"))
    assert ([label.name for label in table.labels], table.empty) == (["x"], ("note",))


def test_one_picture_under_two_names_is_one(tmp_path: Path) -> None:
    for other in ("./caf\xe9", "cafe\u0301", "x/../caf\xe9"):
        with pytest.raises(InputError, match="names caf\xe9 twice, in the lines 2 and 4"):
            read_label_table(written(tmp_path, f"file,x\ncaf\xe9,1\nb,2\n{other},3\n"))
    rated = read_label_table(written(tmp_path, "file,rater,x\na,p,1\n./a,q,2\nb,p,3\n"))
    assert rated.files == ("a", "b")


def test_the_majority_decides_and_ties_are_left_out(tmp_path: Path) -> None:
    text = "file,odd@a,odd@b,odd@c\np,yes,yes,no\nq,yes,no,\nr,no,no,no\n"
    label = read_label_table(written(tmp_path, text)).labels[0]
    assert label.rows.tolist() == [0, 2]
    assert label.values.tolist() == ["yes", "no"]


def test_pictures_that_are_left_out_take_their_labels_along(tmp_path: Path) -> None:
    label = read_label_table(written(tmp_path, "file,x\na,1\nb,2\nc,3\nd,4\n")).labels[0].among([0, 2, 3])
    assert label.rows.tolist() == [0, 1, 2]
    assert label.values.tolist() == [1.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("picture,x\na,1\n", "lack the column 'file'"),
        ("file,x\n", "no rows"),
        ("file,x\na,1\n,2\n", "line 3: the column 'file' is empty"),
        ("file,x\na,\nb,?\n", "no label column beside file"),
        ("file\na\n", "no label column"),
        ("file,x\na,1\na,0\n", "names a twice"),
        ("file,x\na,1\nb,1\n", "the same of every picture"),
        ("file,My Label\na,1\nb,0\n", "cannot be an attribute's name"),
        ("file,x\na,a.b\nb,c\n", "full stop"),
        ("file,x\na,1\nb,1.0\n", "the same of every picture"),
        ("file,x\na,1\nb,2\nc,-inf\n", "line 4: x '-inf' is no finite number"),
        ("file,rater,x\na,ann,1\na,,5\nb,ann,2\n", "line 3: nobody rates a;"),
        ("file,rater,x\na,ann,1\nb,ann,2\na,ann,5\n", "line 4: ann rates a a second time"),
        ("file,rater,x@p,x@q\na,ann,1,5\nb,ann,2,3\n", "the column rater and 'x@p'"),
        ("file,person,rater,x\na,bob,p,1\na,ann,q,5\nb,,p,2\n", "line 3: the person of a is 'ann' here and 'bob'"),
    ],
)
def test_what_cannot_be_learnt_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_label_table(written(tmp_path, text))


def test_unknown_names_and_words_that_are_no_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, "file,x\na,1\nb,many\n")
    with pytest.raises(InputError, match="no labels called 'y'"):
        read_label_table(path, ("y",))
    for words in ({"skip": ("z",)}, {"kinds": {"z": "nominal"}}):
        with pytest.raises(InputError, match="no column called 'z'; it has file, x"):
            read_label_table(path, **words)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no number"):
        read_label_table(path, kinds={"x": "ordinal"})
    with pytest.raises(InputError, match="no such file"):
        read_label_table(tmp_path / "gone.csv")
