"""Drawn faces whose state can be seen: cheap stand-ins for rendered visits."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparison_runs import write_visits


@pytest.fixture(scope="session")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record folder with ten people, four pictures each."""
    return write_visits(tmp_path_factory.mktemp("visits"), people=10)


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty people, two pictures each between which only the day differs."""
    return write_visits(tmp_path_factory.mktemp("still"), people=40, pictures=2, still=True)
