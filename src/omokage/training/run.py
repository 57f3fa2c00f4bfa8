"""The folder of a run: what was asked for, what happened, which code did it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omokage.errors import PlaceError, TrainingError
from omokage.media.files import output_error, whole_file


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
        """Note the configuration and the commit. Raises TrainingError where another run would be overwritten."""
        if self.checkpoint.exists() and not resume:
            raise TrainingError(f"{self.path} already holds a run: go on with it (--resume) or give another folder")
        facts = {
            "config": as_json(config),
            "commit": commit_of(),
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with whole_file(self.path / "config.json") as file:
            file.write(json.dumps(facts, indent=1) + "\n")

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


def as_json(value: Any) -> Any:
    """Dataclasses, mappings and tuples as what JSON can hold."""
    if is_dataclass(value) and not isinstance(value, type):
        return as_json(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): as_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(v) for v in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
