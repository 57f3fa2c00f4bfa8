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

PICTURES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".pnm", ".jp2")
)
VIDEOS = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".mts", ".m2ts")
)


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
    """What was found, in order and without repeats, and how many files of folders were neither picture nor video."""

    sources: tuple[Source, ...]
    ignored: int = 0


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
    ignored = 0
    for text in inputs:
        paths, skipped = _listed(stdin or sys.stdin) if text == "-" else _one(text)
        ignored += skipped
        for path in paths:
            found.setdefault(os.path.abspath(path), Source(path, is_video(path)))
    if not found:
        given = ", ".join(inputs[:3]) + (", ..." if len(inputs) > 3 else "")
        more = f" ({ignored} other files were passed over)" if ignored else ""
        raise InputError(f"no picture and no video in {given}{more}: check the path, or name the files themselves")
    return Inputs(tuple(found.values()), ignored)


def is_video(path: str) -> bool:
    """Whether the file's ending is that of a video."""
    return os.path.splitext(path)[1].lower() in VIDEOS


def _one(text: str) -> tuple[list[str], int]:
    if os.path.isdir(text):
        return _folder(text)
    if os.path.exists(text):
        return [text], 0
    if any(mark in text for mark in "*?["):
        matches = sorted(glob.glob(os.path.expanduser(text), recursive=True))
        if not matches:
            raise InputError(
                f"nothing matches the pattern {text!r}: check it, or quote it so that the shell passes it on"
            )
        return _each(matches)
    raise InputError(f"no such file or folder: {text}")


def _each(paths: Iterable[str]) -> tuple[list[str], int]:
    every: list[str] = []
    ignored = 0
    for path in paths:
        if os.path.isdir(path):
            below, skipped = _folder(path)
            every += below
            ignored += skipped
        elif wanted(path):
            every.append(path)
        else:
            ignored += 1
    return every, ignored


def wanted(path: str) -> bool:
    """Whether a file found in a folder is taken: by its ending."""
    ending = os.path.splitext(path)[1].lower()
    return ending in PICTURES or ending in VIDEOS


def _folder(folder: str) -> tuple[list[str], int]:
    taken: list[str] = []
    ignored = 0
    for path in _walk(folder):
        if wanted(path):
            taken.append(path)
        else:
            ignored += 1
    return taken, ignored


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


def _listed(stream: TextIO) -> tuple[list[str], int]:
    """One path a line; folders in the list are opened, empty lines passed over."""
    paths: list[str] = []
    ignored = 0
    for line in stream:
        path = line.rstrip("\r\n")
        if not path:
            continue
        if os.path.isdir(path):
            below, skipped = _folder(path)
            paths += below
            ignored += skipped
        else:
            paths.append(path)
    return paths, ignored
