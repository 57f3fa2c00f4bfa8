"""The tool that names the oldest releases that are promised."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_each_dependency_is_named_once_with_its_highest_lower_bound() -> None:
    told = subprocess.run(
        [sys.executable, "tools/oldest_releases.py"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    named = dict(line.split("==") for line in told)
    assert len(named) == len(told)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"torch", "numpy", "typer", "av", "transformers", "pytest"} <= set(named)
    assert f"torch>={named['torch']}" in project["optional-dependencies"]["dialogue"]  # newer than the core's
