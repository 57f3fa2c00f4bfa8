"""Rows of work done so far: nothing on disk without work, nothing lost or doubled with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from omokage.errors import InputError
from omokage.media.lines import Lines

ROWS = [{"source": "a"}, {"source": "b"}, {"source": "c"}]


def test_without_a_row_there_is_no_file(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "out.csv", {"k": 1}, resume=False)
    lines.add([])
    assert list(lines.read()) == []
    assert not list(tmp_path.iterdir())
    lines.close()


def test_rows_are_found_again_and_a_torn_one_is_dropped(tmp_path: Path) -> None:
    out, parts = tmp_path / "out.csv", tmp_path / "out.csv.parts"
    lines = Lines(out, {"k": 1}, resume=False)
    lines.add(ROWS[:2])
    lines.add(ROWS[2:])
    assert (list(lines.read()), lines.done) == (ROWS, 3)
    parts.write_bytes(parts.read_bytes()[:-4])
    with pytest.raises(InputError, match="add --resume"):
        Lines(out, {"k": 1}, resume=False)
    with pytest.raises(InputError, match="begun with other inputs, models or options"):
        Lines(out, {"k": 2}, resume=True)
    again = Lines(out, {"k": 1}, resume=True)
    assert (list(again.read()), again.done) == (ROWS[:2], 2)
    again.add(ROWS[2:])
    assert list(again.read()) == ROWS
    again.close()
    assert not list(tmp_path.iterdir())


def test_a_first_write_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "out.csv.parts").write_bytes(b'{"k"')
    lines = Lines(tmp_path / "out.csv", {"k": 1}, resume=True)
    lines.add(ROWS)
    assert list(Lines(tmp_path / "out.csv", {"k": 1}, resume=True).read()) == ROWS


@pytest.mark.parametrize("line", [0, 2])
def test_a_damaged_line_is_told(line: int, tmp_path: Path) -> None:
    out, parts = tmp_path / "out.csv", tmp_path / "out.csv.parts"
    Lines(out, {"k": 1}, resume=False).add(ROWS)
    written = parts.read_bytes().splitlines(keepends=True)
    written[line] = b"{words}\n"
    parts.write_bytes(b"".join(written))
    with pytest.raises(InputError, match="is damaged: delete it and begin again without --resume"):
        Lines(out, {"k": 1}, resume=True)
