"""The docs' tables are what the code says, and the pages use them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from omokage.schema import ACTION_UNITS, SHIPPED, action_units

ROOT = Path(__file__).resolve().parents[2]


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "tools" / "write_docs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WRITER = tool()


@pytest.mark.parametrize("page", WRITER.pages(), ids=lambda p: p.name)
def test_page_agrees_with_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert WRITER.filled(text) == text, "run  python tools/write_docs.py"


def test_every_section_stands_on_a_page() -> None:
    everything = "".join(page.read_text(encoding="utf-8") for page in WRITER.pages())
    assert all(f"<!-- begin {name}:" in everything for name in WRITER.SECTIONS)


def test_action_unit_table_is_the_computation() -> None:
    """Each row's units at full strength give 5, alone; half of them in a pair gives 2.5."""
    for name, parts in ACTION_UNITS.items():
        assert f"| {name.upper()} |" in WRITER.action_units()
        assert action_units(dict.fromkeys(parts, 1.0))[name] == 5.0
        assert action_units({parts[0]: 1.0})[name] == pytest.approx(5 / len(parts))


def test_every_shipped_attribute_is_in_the_table() -> None:
    page = (ROOT / "docs" / "attributes.md").read_text(encoding="utf-8")
    assert all(f"| `{a.name}` |" in page for a in SHIPPED)
