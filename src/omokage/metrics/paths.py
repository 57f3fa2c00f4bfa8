"""Which file of a table a file of the labels is, though both may be named from different folders, and by systems that
write an accented letter in one or in two."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

Parts = tuple[str, ...]  # folders and name
Ends = Mapping[Parts, set[Parts]]


def parts_of(path: str) -> Parts:
    return Path(unicodedata.normalize("NFC", path)).parts


def candidates(files: Iterable[str], sources: Iterable[str]) -> dict[str, list[Parts]]:
    """For each file of the labels the one source of the table that it is, none, or the several that it may be.

    The full path counts before all; else the longest end of the path that a source has too, where only one source and
    only one file end so: two people's pictures can share folder and name. Several are told where the whole of a file's
    path is the end of theirs.
    """
    named = list(dict.fromkeys(files))
    by_end, wanted = ends(map(parts_of, sources)), ends(map(parts_of, named))
    return {file: _candidates(parts_of(file), by_end, wanted) for file in named}


def _candidates(path: Parts, sources: Ends, files: Ends) -> list[Parts]:
    if path in sources.get(path, ()):
        return [path]
    for start in range(len(path)):
        end = path[start:]
        bearing = sources.get(end, set())
        if len(bearing) == 1 == len(files[end]):
            return [*bearing]
        if bearing:
            return sorted(bearing) if start == 0 and len(bearing) > 1 else []
    return []


def ends(paths: Iterable[Parts]) -> Ends:
    """Every end of the paths, with the paths that have it."""
    found: dict[Parts, set[Parts]] = {}
    for path in set(paths):
        for start in range(len(path)):
            found.setdefault(path[start:], set()).add(path)
    return found
