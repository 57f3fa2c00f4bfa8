"""What a command may write: never the file of an input, never one file twice."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from omokage.errors import PlaceError

Name = str | os.PathLike[str]


def check_apart(
    outputs: Mapping[str, Path | None], inputs: Iterable[Name] = (), folders: Mapping[str, Path | None] | None = None
) -> None:
    """Raises PlaceError when one of `outputs` is an input or another output, by whatever path or link, and when one of
    `folders` holds an input: what is written into it could take the place of that. Both go by the option's name; None
    is an option that was not given."""
    files = {option: place for option, place in outputs.items() if place is not None}
    options: dict[object, str] = {}
    for option, place in files.items():
        same = _identity(place)
        if same in options:
            raise PlaceError(f"{options[same]} and {option} are the same file, {place}: name two files")
        options[same] = option
    places = {_identity(place): (option, place) for option, place in (folders or {}).items() if place is not None}
    places = {same: found for same, found in places.items() if found[1].is_dir()}
    if not places and not any(place.exists() for place in files.values()):
        return  # nothing is there that could be an input: spare asking about each of them
    above: dict[str, object] = {}
    for name in inputs:
        if (same := _identity(name)) in options:
            option = options[same]
            raise PlaceError(f"{option} {files[option]} would overwrite the input {name}: name another file")
        folder = os.path.dirname(os.path.abspath(name))
        if places and above.setdefault(folder, _identity(folder)) in places:
            option, place = places[above[folder]]
            raise PlaceError(f"{option} {place} holds the input {name}, which could be lost: name another folder")


def _identity(path: Name) -> object:
    """What two names of one file share: the file itself where there is one, else the path without its links."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return found.st_dev, found.st_ino
