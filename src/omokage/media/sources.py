"""From what the user typed to the list of pictures and videos: files, folders, glob patterns, `-` for a list on
standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from omokage.errors import InputError

# HEIC among them although nothing here decodes it: a telephone's photographs get a row that says so.
PICTURES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".pnm", ".jp2",
     ".avif", ".heic", ".heif", ".hif")
)  # fmt: skip
VIDEOS = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".mts", ".m2ts")
)

EXAMPLES = 3  # files passed over that are named
Found = tuple[list[str], list[str]]  # paths that are taken, and those that are passed over


@dataclass(frozen=True, slots=True)
class Source:
    """One picture or video; `name` is the path as given, made printable."""

    path: str
    video: bool = False

    @property
    def name(self) -> str:
        """The path as text that any table can hold: bytes that are not UTF-8 appear as \\xNN."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was found, in order and without repeats, and how many files of folders were neither picture nor video, the
    first of them by name."""

    sources: tuple[Source, ...]
    ignored: int = 0
    examples: tuple[str, ...] = ()

    @property
    def passed_over(self) -> str:
        """What was passed over, in words; empty when nothing was."""
        return _passed_over(self.ignored, self.examples)


def _passed_over(count: int, examples: Sequence[str]) -> str:
    if not count:
        return ""
    named = ", ".join(Source(path).name for path in examples) + (", ..." if count > len(examples) else "")
    return f"passed over {count} file{'s' if count > 1 else ''} neither picture nor video: {named}"


def expand(inputs: Sequence[str], stdin: TextIO | None = None) -> Inputs:
    """All sources behind `inputs`: a file is taken as it is, a folder with everything below it in sorted order.

    Names read from standard input that do not exist stay in the list, so that they get a row of their own. Raises
    InputError for a typed path that does not exist, a folder that cannot be listed, and when there is nothing to read
    at all.
    """
    if not inputs:
        raise InputError(
            "no input: give pictures, folders, patterns or videos, or - to read a list from standard input"
        )
    found: dict[str, Source] = {}
    passed: list[str] = []
    for text in inputs:
        paths, others = _listed(stdin or sys.stdin) if text == "-" else _one(text)
        passed += others
        for path in paths:
            found.setdefault(os.path.abspath(path), Source(path, is_video(path)))
    if not found:
        given = ", ".join(inputs[:3]) + (", ..." if len(inputs) > 3 else "")
        more = f" ({_passed_over(len(passed), passed[:EXAMPLES])})" if passed else ""
        raise InputError(f"no picture and no video in {given}{more}: check the path, or name the files themselves")
    return Inputs(tuple(found.values()), len(passed), tuple(passed[:EXAMPLES]))


def is_video(path: str) -> bool:
    """Whether the file's ending is that of a video."""
    return os.path.splitext(path)[1].lower() in VIDEOS


def _one(text: str) -> Found:
    if not text:
        raise InputError("one of the inputs is empty text: name a picture, a folder or a video (is a variable unset?)")
    if os.path.isdir(text):
        return _folder(text)
    if os.path.exists(text):
        return [text], []
    if any(mark in text for mark in "*?["):
        matches = sorted(glob.glob(os.path.expanduser(text), recursive=True))
        if not matches:
            raise InputError(
                f"nothing matches the pattern {text!r}: check it, or quote it so that the shell passes it on"
            )
        return _each(matches)
    raise InputError(f"no such file or folder: {text}")


def _each(paths: Iterable[str]) -> Found:
    every: list[str] = []
    passed: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            below, others = _folder(path)
            every += below
            passed += others
        else:
            (every if wanted(path) else passed).append(path)
    return every, passed


def wanted(path: str) -> bool:
    """Whether a file found in a folder is taken: by its ending."""
    ending = os.path.splitext(path)[1].lower()
    return ending in PICTURES or ending in VIDEOS


def _folder(folder: str) -> Found:
    taken: list[str] = []
    passed: list[str] = []
    for path in _walk(folder):
        (taken if wanted(path) else passed).append(path)
    return taken, passed


def _walk(folder: str) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise InputError(
            f"the folder {error.filename} cannot be read: {(error.strerror or str(error)).lower()}"
        ) from error

    for here, folders, files in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in sorted(files):
            if not name.startswith("."):  # file managers leave hidden twins such as ._photo.jpg
                yield os.path.join(here, name)


def _listed(stream: TextIO) -> Found:
    """One path a line; folders in the list are opened, empty lines passed over."""
    paths: list[str] = []
    passed: list[str] = []
    for line in stream:
        path = line.rstrip("\r\n")
        if not path:
            continue
        if os.path.isdir(path):
            below, others = _folder(path)
            paths += below
            passed += others
        else:
            paths.append(path)
    return paths, passed
