"""The folder of a run: what was asked for, what happened, which code did it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from omokage.data.digests import digest
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
        if not str(path):
            raise PlaceError("the run folder has no name: name one with out=")
        self.path = Path(path)
        self.checkpoint = self.path / "checkpoint.safetensors"
        self.log_path = self.path / "log.jsonl"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PlaceError(
                f"cannot make the run folder {path} ({error.strerror}): choose another with out="
            ) from error

    def begin(self, config: Any, resume: bool, records: Sequence[str] = (), length: Any = None) -> None:
        """Note the configuration, the commit and what the folders of `records` hold. `length` has the steps of the run
        where they are not the configuration's own.

        Raises TrainingError where another run would be overwritten, or gone on with under other settings, on other
        records or to fewer steps than it has made.
        """
        if self.checkpoint.exists():
            self.check(config, resume, records)
            self._check_length(config if length is None else length)
        elif any(self.path.glob("weights/*.json")) or any(self.path.glob("*.safetensors")):
            raise TrainingError(
                f"{self.path} holds finished weights, and no checkpoint to go on from: give another folder"
            )
        facts = {
            "config": as_json(config),
            "records": {name: digest(name) for name in records},
            "commit": commit_of(),
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with whole_file(self.path / "config.json") as file:
            file.write(json.dumps(facts, indent=1) + "\n")

    def check(self, config: Any, resume: bool, records: Sequence[str] = ()) -> None:
        """Raises TrainingError unless the run that is here is to go on, with the settings and on the records that it
        began with."""
        if not resume:
            raise TrainingError(f"{self.path} already holds a run: go on with it (--resume) or give another folder")
        noted = self._noted()
        found = [f"{place} was {_short(kept)}, now {_short(now)}"
                 for place, kept, now in _differences(noted["config"], config)]  # fmt: skip
        if found:
            more = f" and {len(found) - 3} more" if len(found) > 3 else ""
            raise TrainingError(
                f"{self.path} holds a run with other settings ({'; '.join(found[:3])}{more}): "
                "go on with the same ones, or give another folder"
            )
        kept = noted.get("records")  # which older runs did not note
        for name in records:
            if isinstance(kept, Mapping) and kept.get(name, "") != digest(name):
                raise TrainingError(
                    f"{name} does not hold the records that the run in {self.path} began with: bring them back, or "
                    "give another run folder"
                )

    def _check_length(self, length: Any) -> None:
        from omokage.training.checkpoint import facts_of  # torch

        steps = getattr(length, "steps", None)
        if steps is None or length.minutes:
            return
        made = facts_of(self.checkpoint).get("step")
        if isinstance(made, int) and made > steps:
            raise TrainingError(
                f"the run in {self.path} is at step {made} already: give steps={made} or more, or another folder"
            )

    def _noted(self) -> Mapping[str, Any]:
        """What `begin` wrote for the run that is here."""
        path = self.path / "config.json"
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(facts["config"], Mapping):
                raise TypeError("its config is no object")
        except FileNotFoundError as error:
            raise TrainingError(f"{path}, which says how the run began, is missing: start in a new folder") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"{path} is damaged ({error}): start in a new folder") from error
        return dict(facts)

    def log(self, **facts: Any) -> None:
        """Append one line of JSON; numbers are rounded to six digits. Raises OutputError when it cannot be written."""
        line = {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in facts.items()}
        try:
            with self.log_path.open("a+b") as file:
                file.write(b"\n" * _unfinished(file) + json.dumps(line).encode() + b"\n")
        except OSError as error:
            raise output_error(self.log_path, error) from error

    def rows(self) -> list[dict[str, Any]]:
        """The log so far: of the steps that were made again after a stop the last rows, and no row that was cut."""
        if not self.log_path.exists():
            return []
        found: dict[Any, dict[str, Any]] = {}
        for number, line in enumerate(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()):
            with suppress(ValueError):
                row = json.loads(line)
                if not isinstance(row, dict):
                    continue
                # A step may have a row of its loss, which has the seconds, and one of a look at held-out people.
                found[(row["step"], "seconds" in row) if "step" in row else number] = row
        return list(found.values())


def _unfinished(file: IO[bytes]) -> bool:
    """Whether what was written last broke off within a line."""
    if not file.seek(0, 2):
        return False
    file.seek(-1, 2)
    return file.read(1) != b"\n"


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
