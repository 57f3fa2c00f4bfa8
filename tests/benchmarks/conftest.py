"""Benchmarks are scripts beside the package: what imports them for a test."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> Iterator[object]:
    """Imports a benchmark by name."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield lambda name: importlib.import_module(name)
    sys.path.remove(str(ROOT / "benchmarks"))
