"""The folder of a run: what was asked for, what happened, which code did it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omokage.errors import PlaceError, TrainingError
from omokage.media.files import output_error, whole_file

# What may differ when a run goes on: how long it is, where and how it computes, what is noted down, and the words of
# the card. Everything else is what the kept weights were made with; `check_every` too, as a curriculum may follow it.
_MAY_DIFFER = frozenset(
    ("steps", "minutes", "scenes", "stages.steps", "stages.minutes",
     "out", "data.cache", "device", "threads", "workers", "data.workers", "log_every", "save_every",
     "set", "recipe", "trained_on", "data_licence", "weights_licence", "limits")
)  # fmt: skip


def commit_of(folder: Path | None = None) -> str:
    """The commit of the code, with ``+`` when files differ from it; empty outside a work tree."""
    folder = folder or Path(__file__).parent
    try:
        made = [
            subprocess.run(
                ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
            ).stdout
            for arguments in (["rev-parse", "--short=10", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        ]
    except (OSError, subprocess.SubprocessError):
        return ""
    return made[0].strip() + ("+" if made[1].strip() else "")


class RunFolder:
    """``config.json``, ``log.jsonl`` and ``checkpoint.safetensors`` in one folder. Raises OutputError when it cannot be
    made."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.checkpoint = self.path / "checkpoint.safetensors"
        self.log_path = self.path / "log.jsonl"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PlaceError(
                f"cannot make the run folder {path} ({error.strerror}): choose another with out="
            ) from error

    def begin(self, config: Any, resume: bool) -> None:
        """Note the configuration and the commit. Raises TrainingError where another run would be overwritten, or gone
        on with under other settings."""
        if self.checkpoint.exists():
            self.check(config, resume)
        facts = {
            "config": as_json(config),
            "commit": commit_of(),
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with whole_file(self.path / "config.json") as file:
            file.write(json.dumps(facts, indent=1) + "\n")

    def check(self, config: Any, resume: bool) -> None:
        """Raises TrainingError unless the run that is here is to go on, with the settings that it began with."""
        if not resume:
            raise TrainingError(f"{self.path} already holds a run: go on with it (--resume) or give another folder")
        found = [f"{place} was {_short(kept)}, now {_short(now)}"
                 for place, kept, now in _differences(self._began_with(), config)]  # fmt: skip
        if found:
            more = f" and {len(found) - 3} more" if len(found) > 3 else ""
            raise TrainingError(
                f"{self.path} holds a run with other settings ({'; '.join(found[:3])}{more}): "
                "go on with the same ones, or give another folder"
            )

    def _began_with(self) -> Any:
        """The configuration of the run that is here, as JSON; nothing where it was not noted."""
        path = self.path / "config.json"
        if not path.exists():
            return {}
        try:
            return json.loads(path.read_text(encoding="utf-8"))["config"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"{path} is damaged ({error}): start in a new folder") from error

    def log(self, **facts: Any) -> None:
        """Append one line of JSON; numbers are rounded to six digits. Raises OutputError when it cannot be written."""
        line = {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in facts.items()}
        try:
            with self.log_path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise output_error(self.log_path, error) from error

    def rows(self) -> list[dict[str, Any]]:
        """The log so far."""
        if not self.log_path.exists():
            return []
        return [json.loads(line) for line in self.log_path.read_text(encoding="utf-8").splitlines()]


def _differences(kept: Any, now: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Settings that a kept run must not change: name, value then, value now. Fields that the code did not know then
    are left out."""
    if place in _MAY_DIFFER:
        return
    if is_dataclass(now) and isinstance(kept, Mapping):
        for field in fields(now):
            if field.name in kept:
                inner = f"{place}.{field.name}" if place else field.name
                yield from _differences(kept[field.name], getattr(now, field.name), inner)
    elif isinstance(now, list | tuple) and any(map(is_dataclass, now)) and _as_long(kept, len(now)):
        for one, other in zip(kept, now, strict=True):
            yield from _differences(one, other, place)
    elif kept != (value := json.loads(json.dumps(as_json(now)))):
        yield place, kept, value


def _as_long(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def as_json(value: Any) -> Any:
    """Dataclasses, mappings and tuples as what JSON can hold."""
    if is_dataclass(value) and not isinstance(value, type):
        return as_json(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): as_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(v) for v in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
