"""Write a file whole or not at all, and say in one sentence why it could not be written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from omokage.errors import OutputError, PlaceError

_WHY_FULL = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "the file size limit is reached; raise it or split the work",
}
_WHY_PLACE = {
    errno.EACCES: "no permission to write there; choose another place",
    errno.EPERM: "no permission to write there; choose another place",
    errno.EROFS: "the disk is read-only; choose another place",
    errno.ENOENT: "the folder does not exist; make it first",
    errno.ENOTDIR: "part of the path is a file, not a folder; choose another place",
    errno.EEXIST: "a file is in the place of the folder; choose another place",
    errno.EISDIR: "it is a folder; give the name of a file in it",
}


def output_error(path: Path, error: OSError, hint: str = "") -> OutputError:
    """The sentence for a failed write; `hint` says what happened to the work done so far. A PlaceError where nothing
    could ever be written."""
    kind = PlaceError if error.errno in _WHY_PLACE else OutputError
    return kind(f"cannot write {path}: {why_not(error)}{'. ' + hint if hint else ''}")


def why_not(error: OSError) -> str:
    """What refused the write, and what to do about it."""
    known = {**_WHY_FULL, **_WHY_PLACE}
    return known.get(error.errno or 0, (error.strerror or str(error)).lower())


def check_writable(path: Path) -> None:
    """Raises PlaceError at once when a file at `path` could never be written: no such folder, no permission, is a
    folder, or a device or pipe that a file must not take the place of."""
    if "\0" in str(path):
        raise PlaceError(f"cannot write {path}: a path cannot hold a null byte")
    if path.is_dir():
        raise PlaceError(f"cannot write {path}: it is a folder; give the name of a file in it")
    if path.exists() and not path.is_file():
        raise PlaceError(f"cannot write {path}: it is a device or a pipe; give the name of a file")
    folder = path.parent
    if not folder.is_dir():
        raise PlaceError(f"cannot write {path}: the folder {folder} does not exist; make it first (mkdir -p {folder})")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PlaceError(f"cannot write {path}: no permission to write in {folder}; choose another place")


def check_folder(path: Path) -> None:
    """Raises PlaceError at once when a folder at `path` could never be made or written into."""
    if path.exists() and not path.is_dir():
        raise PlaceError(f"cannot write into {path}: it is no folder; choose another place")
    there = next((one for one in (path, *path.absolute().parents) if one.exists()), path)
    if not there.is_dir():
        raise PlaceError(f"cannot make the folder {path}: {there} is a file; choose another place")
    if not os.access(there, os.W_OK | os.X_OK):
        raise PlaceError(f"cannot write into {path}: no permission to write in {there}; choose another place")


@contextmanager
def whole_path(path: Path, hint: str = "") -> Iterator[Path]:
    """A temporary neighbour for whoever writes files by name; it takes the place of `path` only when the block ends
    well. Raises OutputError."""
    partial = path.with_name(path.name + ".tmp")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        _removed(partial)
        raise output_error(path, error, hint) from error
    except BaseException:
        _removed(partial)
        raise


def _removed(partial: Path) -> None:
    with suppress(OSError):  # the folder itself may be what failed
        partial.unlink()


@contextmanager
def whole_file(path: Path, binary: bool = False, hint: str = "") -> Iterator[IO]:
    """Open a temporary neighbour for writing; it takes the place of `path` only when the block ends well. Raises
    OutputError."""
    with whole_path(path, hint) as partial, _open(partial, binary) as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def film_name(path: str | Path) -> Iterator[str]:
    """A name under which FFmpeg reads or writes the file, good until the block ends. Raises OSError where there is
    none."""
    # What stands before a colon would be taken for a protocol, unless it holds a slash.
    name = os.path.join(os.curdir, path)
    if _is_text(name):
        yield name
        return
    # OpenCV dies of a name that is not UTF-8 and PyAV refuses it; a link lends the file another one.
    ending = os.path.splitext(name)[1]
    with tempfile.TemporaryDirectory(prefix="omokage-") as folder:
        link = os.path.join(folder, f"film{ending if _is_text(ending) else ''}")
        try:
            os.symlink(os.path.join(os.getcwd(), path), link)
        except (OSError, NotImplementedError) as error:
            raise OSError("the name is not UTF-8; rename the file") from error
        yield link


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _open(path: Path, binary: bool) -> IO:
    return open(path, "wb") if binary else open(path, "w", encoding="utf-8", newline="")
