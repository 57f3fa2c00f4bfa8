"""Whether a folder of records was rendered with the settings that are asked for now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omokage.errors import InputError


def check_same(out: Path, found: Any, config: dict[str, Any]) -> None:
    """Raises InputError for the first setting that differs from those `found` beside the records, ValueError where
    these are none."""
    if not isinstance(found, dict):
        raise ValueError("no object")
    for place, was, now in _differences(found, config):
        raise InputError(
            f"{out} holds records rendered with another {place} (it was {was!r}, now {now!r}); choose another folder "
            "or delete it"
        )


def _differences(was: Any, now: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Settings that differ, with dots for nested ones: name, value then, value now."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name in sorted(now):
            yield from _differences(was.get(name), now[name], f"{place}.{name}".lstrip("."))
    elif was != now:
        yield place, was, now
