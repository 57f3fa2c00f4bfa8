"""Outputs never take the place of an input or of each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omokage.errors import OutputError, PlaceError
from omokage.media.files import check_folder, output_error
from omokage.media.outputs import check_apart


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "photo.jpg"
    path.write_bytes(b"x")
    return path


def test_an_input_is_refused_by_any_path_or_link(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "soft.jpg").symlink_to(photo)
    os.link(photo, tmp_path / "hard.jpg")
    (tmp_path / "way").symlink_to(photo.parent)
    for name in (photo, tmp_path / "in" / ".." / "in" / "photo.jpg", tmp_path / "soft.jpg", tmp_path / "hard.jpg",
                 tmp_path / "way" / "photo.jpg"):  # fmt: skip
        with pytest.raises(PlaceError, match=r"--report .* would overwrite the input"):
            check_apart({"--out": None, "--report": name}, [tmp_path / "gone.jpg", str(photo)])
    check_apart({"--report": tmp_path / "in" / "new.jpg"}, [str(photo)])


def test_two_outputs_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(tmp_path)
    with pytest.raises(PlaceError, match="--out and --report are the same file"):
        check_apart({"--out": tmp_path / "a.csv", "--report": tmp_path / "way" / "a.csv"})
    check_apart({"--out": tmp_path / "a.csv", "--report": tmp_path / "b.csv"})


def test_a_folder_that_holds_an_input_is_refused(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match=r"--review .* holds the input"):
        check_apart({}, [str(photo)], {"--review": photo.parent})
    check_apart({}, [str(photo)], {"--review": tmp_path, "--pictures": tmp_path / "new"})


def test_a_folder_that_cannot_be_made(photo: Path, tmp_path: Path) -> None:
    for place in (photo, photo / "below" / "it"):
        with pytest.raises(PlaceError):
            check_folder(place)
    check_folder(tmp_path / "a" / "b")


def test_a_full_disk_is_no_wrong_place(tmp_path: Path) -> None:
    assert isinstance(output_error(tmp_path, OSError(2, "No such file")), PlaceError)
    full = output_error(tmp_path, OSError(28, "No space left"))
    assert isinstance(full, OutputError)
    assert not isinstance(full, PlaceError)
