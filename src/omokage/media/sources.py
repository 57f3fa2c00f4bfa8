"""From what the user gave to pictures and videos: files, folders, glob patterns, `-` for a list on standard input.

`expand` is for a command line, which is read whole, once, and refused where it is wrong; `each_source` is for a list or
an iterator in Python, of which every item keeps its place.
"""

from __future__ import annotations

import glob
import os
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
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

_PACKET = 188  # bytes of an MPEG transport stream, each packet beginning with the same one (ISO/IEC 13818-1)
_SYNC = 0x47

EXAMPLES = 3  # files passed over that are named
Found = tuple[list[str], list[str]]  # paths that are taken, and those that are passed over


@dataclass(frozen=True, slots=True)
class Source:
    """One picture or video; `name` is the path as given, made printable. `problem` says why there is nothing to read,
    where that is known already."""

    path: str
    video: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        """The path as text that any table can hold: bytes that are not UTF-8 appear as \\xNN."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")


Input = str | os.PathLike[str] | Source  # what a Python user names one or several pictures by


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
    paths: list[str] = []
    passed: list[str] = []
    for text in inputs:
        here, others = _behind(text, stdin or sys.stdin)
        paths += here
        passed += others
    if not paths:
        raise _nothing(inputs, passed)
    return Inputs(tuple(_each_once(paths)), len(passed), tuple(passed[:EXAMPLES]))


def _nothing(inputs: Sequence[str], passed: Sequence[str]) -> InputError:
    given = ", ".join(inputs[:3]) + (", ..." if len(inputs) > 3 else "")
    more = f" ({_passed_over(len(passed), passed[:EXAMPLES])})" if passed else ""
    return InputError(f"no picture and no video in {given}{more}: check the path, or name the files themselves")


def checked_inputs(inputs: object) -> Iterable[Input]:
    """One input as a list of one, a collection as a list of checked items, an iterator untouched. Raises InputError for
    what is no path."""
    if isinstance(inputs, str | os.PathLike | Source):  # a lone path is iterable, too: letter by letter
        return [inputs]
    if isinstance(inputs, bytes | bytearray | memoryview) or not isinstance(inputs, Iterable):
        raise _no_path(inputs)
    return [_checked(one) for one in inputs] if isinstance(inputs, Collection) else inputs


def _checked(one: object) -> Input:
    if not isinstance(one, str | os.PathLike | Source):
        raise _no_path(one)
    return one


def _no_path(one: object) -> InputError:
    return InputError(
        f"a {type(one).__name__} is no path: analyze_many takes files, folders and patterns; call the analyzer itself "
        "for a picture in memory"
    )


def each_source(inputs: Iterable[Input]) -> Iterator[Source]:
    """The sources behind each input, in order; an input is taken only when those before it have been.

    A file that is listed twice comes twice: only within one folder or pattern is each file taken once. An input that
    leads nowhere keeps its place as a source with a `problem`. Raises InputError for what is no path, and at the end
    when there were inputs and nothing was found behind any of them; Source objects always count as found.
    """
    search = _Search()
    for one in inputs:
        yield from search.behind(_checked(one))
    search.check()


class _Search:
    """Looks behind inputs, and keeps back what leads nowhere until something is found: where nothing is, an error
    takes its place."""

    def __init__(self) -> None:
        self._found = False
        self._lost: list[Source] = []
        self._why: InputError | None = None
        self._given: list[str] = []
        self._passed: list[str] = []

    def behind(self, one: Input) -> list[Source]:
        """The sources behind one input, after those that were kept back."""
        if isinstance(one, Source):
            return self._release([one])
        text = os.fsdecode(one)
        try:
            paths, passed = _behind(text, sys.stdin)
            here = _each_once(paths)
        except InputError as error:
            here, passed = [Source(text, is_video(text), str(error).removesuffix(f": {text}"))], []
            if not self._found:
                self._why = self._why or error
                self._lost += here
                return []
        if not self._found:
            self._given.append(text)
            self._passed += passed
        return self._release(here) if here else []

    def _release(self, here: list[Source]) -> list[Source]:
        self._found, before, self._lost = True, self._lost, []
        return [*before, *here]

    def check(self) -> None:
        """Raises InputError when there were inputs and nothing was found."""
        if not self._found and self._why is not None:
            raise self._why
        if not self._found and self._given:
            raise _nothing(self._given, self._passed)


def _behind(text: str, stdin: TextIO) -> Found:
    """The paths behind one input."""
    return _listed(stdin) if text == "-" else _one(text)


def _each_once(paths: Iterable[str]) -> list[Source]:
    """The files of these paths, in order and without repeats: a pattern may match a folder and what lies in it."""
    found: dict[str, Source] = {}
    for path in paths:
        found.setdefault(os.path.abspath(path), Source(path, is_video(path)))
    return list(found.values())


def on_disk(folder: Path, name: str) -> Path:
    """The file that a table names: by the name as it is written, else with accented letters in one or in two, as some
    systems rename what they copy. Where there is none, the path as it is written."""
    spelt = (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))
    return next((folder / one for one in spelt if os.path.isfile(folder / one)), folder / name)


def is_video(path: str) -> bool:
    """Whether the file's ending is that of a video; of .ts, which TypeScript shares, the content decides."""
    ending = os.path.splitext(path)[1].lower()
    return ending in VIDEOS or (ending == ".ts" and _transport_stream(path))


def _transport_stream(path: str) -> bool:
    try:
        with open(path, "rb") as stream:
            head = stream.read(2 * _PACKET + 1)
    except (OSError, ValueError):
        return False
    return len(head) > 2 * _PACKET and all(byte == _SYNC for byte in head[::_PACKET])


def _one(text: str) -> Found:
    if not text:
        raise InputError("one of the inputs is empty text: name a picture, a folder or a video (is a variable unset?)")
    if "\0" in text:
        raise InputError(f"a path cannot hold a null byte: {text}")
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
    return os.path.splitext(path)[1].lower() in PICTURES or is_video(path)


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
    for number, line in enumerate(stream):
        path = line.rstrip("\r\n")
        if number == 0:
            path = path.removeprefix("\ufeff")  # the mark of UTF-8 that Windows programs write
        if not path:
            continue
        if os.path.isdir(path):
            below, others = _folder(path)
            paths += below
            passed += others
        else:
            paths.append(path)
    return paths, passed
