"""Imports go one way along the street, and rooms never import each other. Read from the source, nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "omokage"
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "language", "plain", "results", "schema"),
    ("media", "faces", "data", "nn", "training", "weights", "metrics"),
    ("synthesis",),
    ("attributes", "embeddings", "comparison", "explain", "dialogue"),
    ("pipeline", "audit", "governance", "pilot", "report"),
    ("service", "cli"),
)
ROOMS = frozenset(LAYERS[3])
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
FORBIDDEN_NAMES = {"utils", "common", "types", "io", "logging"}


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """The names of omokage's parts that a file imports, lazily or not, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import by the full name"
            base = node.module or ""
            names = [f"omokage.{a.name}" for a in node.names] if base == "omokage" else [base]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "omokage" and len(parts) > 1:
                yield parts[1], node.lineno


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_street(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return
    assert part in RANK, f"{part} has no place on the street: add it to LAYERS"
    for name, line in imports(path):
        if name not in RANK or name == part:
            continue
        assert RANK[name] <= RANK[part], (
            f"{path}:{line}: {part} must not import {name}, which comes later on the street"
        )
        assert not (part in ROOMS and name in ROOMS), f"{path}:{line}: rooms never import each other ({part}, {name})"


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [p for p in files() if p.stem in FORBIDDEN_NAMES]
