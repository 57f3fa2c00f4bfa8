"""What the user types becomes a list of pictures and videos, in order and without repeats, or a clear refusal."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from omokage.errors import InputError
from omokage.media.sources import Source, expand, on_disk


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a.PNG", "sub/c.webp", "sub/d.mp4", "sub/notes.txt", ".hidden.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def paths(found: tuple[Source, ...], root: Path) -> list[str]:
    return [os.path.relpath(s.path, root) for s in found]


def test_a_folder_is_read_in_order_with_everything_below(tree: Path) -> None:
    found = expand([str(tree)])
    assert paths(found.sources, tree) == ["a.PNG", "b.jpg", "sub/c.webp", "sub/d.mp4"]
    assert [s.video for s in found.sources] == [False, False, False, True]
    assert found.ignored == 1


def test_the_formats_of_telephones_are_taken(tmp_path: Path) -> None:
    for name in ("a.heic", "b.HEIF", "c.avif", "d.hif"):
        (tmp_path / name).write_bytes(b"x")
    found = expand([str(tmp_path)])
    assert paths(found.sources, tmp_path) == ["a.heic", "b.HEIF", "c.avif", "d.hif"]
    assert found.passed_over == ""


def test_the_first_files_that_are_passed_over_are_named(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.txt", "c.md", "d.raw", "e.json"):
        (tmp_path / name).write_bytes(b"x")
    said = expand([str(tmp_path)]).passed_over
    named = ", ".join(str(tmp_path / name) for name in ("b.txt", "c.md", "d.raw"))
    assert said == f"passed over 4 files neither picture nor video: {named}, ..."
    assert expand([str(tmp_path / "a.*"), str(tmp_path / "[ab].*")]).passed_over.endswith("1 file neither picture nor "
        f"video: {tmp_path / 'b.txt'}")  # fmt: skip


def test_repeats_are_read_once(tree: Path) -> None:
    found = expand([str(tree / "b.jpg"), str(tree), str(tree / "sub" / ".." / "b.jpg")])
    assert paths(found.sources, tree)[0] == "b.jpg"
    assert len(found.sources) == 4


def test_patterns(tree: Path) -> None:
    assert paths(expand([str(tree / "*.jpg")]).sources, tree) == ["b.jpg"]
    assert paths(expand([str(tree / "**" / "*.webp")]).sources, tree) == ["sub/c.webp"]
    with pytest.raises(InputError, match="nothing matches"):
        expand([str(tree / "*.bmp")])


def test_a_list_on_standard_input_keeps_missing_names(tree: Path) -> None:
    listed = io.StringIO(f"{tree / 'b.jpg'}\n\n{tree / 'gone.jpg'}\n{tree / 'sub'}\n")
    assert paths(expand(["-"], listed).sources, tree) == ["b.jpg", "gone.jpg", "sub/c.webp", "sub/d.mp4"]


def test_the_mark_of_utf_8_before_a_list_is_no_part_of_a_name(tree: Path) -> None:
    listed = io.StringIO(f"\ufeff{tree / 'b.jpg'}\r\n")
    assert paths(expand(["-"], listed).sources, tree) == ["b.jpg"]


def test_a_file_is_found_with_accented_letters_in_one_or_in_two(tmp_path: Path) -> None:
    one, two = "caf\xe9.jpg", "cafe\u0301.jpg"
    for there, named in ((one, two), (two, one)):
        (tmp_path / there).touch()
        assert on_disk(tmp_path, named) == tmp_path / there
        (tmp_path / there).unlink()
    for name in (one, "x" * 300, "a\0b"):
        assert on_disk(tmp_path, name) == tmp_path / name


def test_a_named_file_is_taken_whatever_its_ending(tree: Path) -> None:
    assert paths(expand([str(tree / "sub" / "notes.txt")]).sources, tree) == ["sub/notes.txt"]


def test_a_name_with_pattern_characters_is_still_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a[1].jpg"
    path.write_bytes(b"x")
    assert expand([str(path)]).sources == (Source(str(path)),)


@pytest.mark.parametrize(
    ("inputs", "why"), [([], "no input"), (["/no/such/place.jpg"], "no such file"), ([""], "empty text")]
)
def test_refusals(inputs: list[str], why: str) -> None:
    with pytest.raises(InputError, match=why):
        expand(inputs)


def test_nothing_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"no picture and no video.*passed over 1 file .*notes\.txt"):
        expand([str(tmp_path)])


def test_a_folder_that_cannot_be_listed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(InputError, match=r"sub cannot be read: permission denied"):
        expand([str(tree)])


def test_names_that_are_not_utf8_become_printable() -> None:
    name = Source(os.fsdecode(b"/p/\xff\xfe.jpg")).name
    assert name == "/p/\\xff\\xfe.jpg"
    name.encode("utf-8")


def test_transport_streams_are_told_from_typescript(tmp_path: Path) -> None:
    (tmp_path / "film.ts").write_bytes((b"G" + bytes(187)) * 4)
    (tmp_path / "code.TS").write_text("Gather();\n" * 100)
    (tmp_path / "short.ts").write_text("G")
    found = expand([str(tmp_path)])
    assert [(Path(s.path).name, s.video) for s in found.sources] == [("film.ts", True)]
    assert found.ignored == 2
    assert expand([str(tmp_path / "film.ts")]).sources[0].video
    assert not expand([str(tmp_path / "code.TS")]).sources[0].video
