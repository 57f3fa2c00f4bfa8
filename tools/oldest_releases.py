"""The oldest releases that pyproject.toml allows, as constraints for pip: do the tests still pass with them?

    python tools/oldest_releases.py > oldest.txt
    python -m venv .venv-oldest
    PIP_CONSTRAINT=oldest.txt .venv-oldest/bin/python -m pip install -e '.[dev]'
    .venv-oldest/bin/python -m pytest -n 2 --dist loadfile

Where an extra asks for a newer release of something than the core does, the newer one is named.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def oldest(requirements: Iterable[str]) -> list[str]:
    """``name==release`` for each requirement ``name>=release...``; those without a lower bound are left out."""
    lowest: dict[str, str] = {}
    for requirement in requirements:
        bound = re.match(r"([\w.-]+)>=([\w.]+)", requirement)
        if bound:
            name, release = bound.groups()
            lowest[name] = max(lowest.get(name, "0"), release, key=_order)
    return [f"{name}=={release}" for name, release in lowest.items()]


def _order(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for name, extra in project["optional-dependencies"].items() if name != "private" for one in extra]
    print("\n".join(oldest([*project["dependencies"], *extras])))


if __name__ == "__main__":
    main()
