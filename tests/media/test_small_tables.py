"""Tables that people fill in are read as they meant them, or refused with what to do."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omokage.errors import InputError
from omokage.media.small_tables import header_of, read_small_table

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Z")), max_size=8)


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_cells_are_stripped_blank_lines_passed_and_lines_counted(tmp_path: Path) -> None:
    table = read_small_table(
        written(tmp_path, '\ufefffile , age\r\n a.jpg ,3\r\n\r\nb,"3\n4"\r\n , \r\nd\r\n'), "labels", ["file"]
    )
    assert table.header == ("file", "age")
    assert table.rows == [{"file": "a.jpg", "age": "3"}, {"file": "b", "age": "3\n4"}, {"file": "d", "age": ""}]
    assert table.lines == [2, 4, 7]
    # A spreadsheet leaves empty columns behind: they have no name, so none is named twice.
    assert read_small_table(written(tmp_path, "file,,\na,,\n"), "labels").rows == [{"file": "a"}]
    assert read_small_table(written(tmp_path, "Unnamed: 0,file\n0,a\n"), "labels").rows == [{"file": "a"}]


@pytest.mark.parametrize("first", ["\n", ",,\r\n", "sep=,\r\n", '"sep=,"\n\n', "SEP=,,\n"])
def test_what_stands_above_the_header_is_passed_over(tmp_path: Path, first: str) -> None:
    table = read_small_table(written(tmp_path, first + "file,age\na,3\n"), "labels", ["file"])
    assert table.rows == [{"file": "a", "age": "3"}]
    assert table.lines == [2 + first.count("\n")]
    assert header_of(tmp_path / "labels.csv") == ("file", "age")


def test_the_separator_that_is_named_is_obeyed(tmp_path: Path) -> None:
    path = written(tmp_path, "sep=;\nfile;yaw\na;1,5\n")
    assert read_small_table(path, "labels", ["file"]).rows == [{"file": "a", "yaw": "1,5"}]


def test_a_header_that_cannot_be_read_is_empty(tmp_path: Path) -> None:
    assert header_of(tmp_path / "gone.csv") == header_of(written(tmp_path, '"file')) == header_of(tmp_path) == ()


@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    stream = io.StringIO()
    rows = [("first", "row"), *rows]
    csv.writer(stream).writerows([("one", "two"), *rows])
    table = read_small_table(written(tmp_path_factory.mktemp("t"), stream.getvalue()), "labels")
    assert [(row["one"], row["two"]) for row in table.rows] == [row for row in rows if any(row)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "have no rows"),
        (b"file,age\n", "have no rows"),
        (b"name,age\na,1\n", "lack the column 'file'; they have name, age"),
        (b"name;file\na;b\n", "lack the column 'file': their columns are parted by semicolons; save .* with commas"),
        (b"name\tfile\na\tb\n", "parted by tabs"),
        (b"file,age,age \na,3,5\n", "have the column 'age' 2 times: keep one, or rename the others"),
        (b"file,age\na,3,5\n", "line 2: more cells than the header has"),
        (b"file,age\na,3\n,5\n", "line 3: the column 'file' is empty; name the picture, or delete the row"),
        (b'file,age\na,3\n"b,4\nc,5\n', "line 3: a quote is not closed, or text stands behind"),
        (b'file,age\n"a,3\nb,4\n"c",5\n', "line 2: a quote is not closed"),
        (b'file,age\n"a,3\nb",4\n', r"line 2: the column 'file' goes on over several lines \('a,3"),
        ("file\n花子\n".encode("shift-jis"), "are not UTF-8 text: save the table as UTF-8"),
        ("file\na\n".encode("utf-16"), "are not UTF-8 text"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_small_table(written(tmp_path, content), "labels", ["file"])


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the pairs .*gone\.csv cannot be read: no such file"):
        read_small_table(tmp_path / "gone.csv", "pairs")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_small_table(tmp_path, "pairs")
    huge = written(tmp_path, "file\n" + "x" * 2_000 + "\n")
    limit = csv.field_size_limit(1_000)  # of the whole process; other parts may have raised it
    try:
        with pytest.raises(InputError, match="line 2: field larger than"):
            read_small_table(huge, "labels", ["file"])
    finally:
        csv.field_size_limit(limit)
