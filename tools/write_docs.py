"""Write the tables of the docs that repeat what the code says, between their begin and end marks.

Command: ``python tools/write_docs.py``. A test holds that the committed pages agree with the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from omokage.data.datasets import SETS
from omokage.data.records import SEGMENTATION
from omokage.media.table import table_schema
from omokage.report.words import ACTION_UNIT_NAMES
from omokage.results import EXPRESSIONS
from omokage.schema import ACTION_UNITS, CELEBA_GROUPS, SHIPPED, Attribute

DOCS = Path(__file__).resolve().parents[1] / "docs"
_MARK = re.compile(r"(<!-- begin ([a-z-]+): [^>]*-->\n).*?(<!-- end \2 -->)", re.DOTALL)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def action_units() -> str:
    rows = (
        (name.upper(), ACTION_UNIT_NAMES[name][0], ", ".join(f"`{u}`" for u in parts))
        for name, parts in ACTION_UNITS.items()
    )
    return table(("action unit", "name", "5 x the mean of these expression units"), rows)


def attributes() -> str:
    rows = ((f"`{a.name}`", a.kind, a.scope, a.region, _values(a), f"`{a.category}`") for a in SHIPPED)
    return table(("attribute", "kind", "scope", "region", "values", "sub-network"), rows)


def _values(attribute: Attribute) -> str:
    if attribute.classes:
        return ", ".join(attribute.classes)
    count = f"{attribute.size} x " if attribute.size > 1 else ""
    return f"{count}{attribute.low:g} to {attribute.high:g}" + (f" ({attribute.unit})" if attribute.unit else "")


def celeba() -> str:
    rows = ((group, str(len(names)), ", ".join(f"`{n}`" for n in names)) for group, names in CELEBA_GROUPS.items())
    return table(("group", "n", "attributes"), rows)


def columns() -> str:
    """The faces table, runs of columns of one family on one line."""
    families: dict[str, list[tuple[str, str]]] = {}
    for field in table_schema():
        families.setdefault(_family(field.name), []).append((field.name, str(field.type)))
    rows = []
    for members in families.values():
        names = [f"`{name}`" for name, _ in members]
        shown = (
            ", ".join(names) if len(names) <= 8 else f"{names[0]}, {names[1]} ... {names[-1]} ({len(names)} columns)"
        )
        rows.append((shown, ", ".join(dict.fromkeys(kind for _, kind in members))))
    return table(("columns", "type"), rows)


def _family(name: str) -> str:
    for pattern in ("box_", "unit_", "attr_", "age_", "expression", "landmarks", "gaze_", "yaw_", "pitch_", "roll_"):
        if name.startswith(pattern):
            return pattern
    return "au" if re.fullmatch(r"au\d\d", name) else name.removesuffix("_sigma")


def segmentation() -> str:
    return table(("index", "class"), ((str(k), name) for k, name in enumerate(SEGMENTATION)))


def expressions() -> str:
    return ", ".join(EXPRESSIONS) + "\n"


def datasets() -> str:
    rows = ((f"`{s.name}`", s.title, s.licence, ", ".join(s.splits)) for s in SETS.values())
    return table(("name", "set", "terms", "splits"), rows)


SECTIONS: dict[str, Callable[[], str]] = {
    "action-units": action_units,
    "attributes": attributes,
    "celeba": celeba,
    "columns": columns,
    "segmentation": segmentation,
    "expressions": expressions,
    "datasets": datasets,
}


def filled(text: str) -> str:
    """A page with every marked section written anew. Raises KeyError for a mark that no section has."""
    return _MARK.sub(lambda m: f"{m[1]}{SECTIONS[m[2]]()}{m[3]}", text)


def pages() -> list[Path]:
    """The pages that have marked sections."""
    return [path for path in sorted(DOCS.rglob("*.md")) if _MARK.search(path.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    for page in pages():
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
        print(page)
