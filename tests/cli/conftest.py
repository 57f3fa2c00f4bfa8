"""Stand-ins for the networks behind `ask` and `annotate`, and a folder of pictures to ask about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import Command, command

from dialogue_stand_ins import Saying
from omokage.pipeline import analyzer as analyzers
from omokage.pipeline import dialogue, opened
from stand_ins import SquareFinder, SquarePredictor, write_picture


@pytest.fixture
def opened_anew() -> Iterator[None]:
    """Nobody else meets the stand-ins of a test among what stays open, whether it fails or not."""
    opened._analyzer.cache_clear()
    yield
    opened._analyzer.cache_clear()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Saying:
    said = Saying(0.9)
    monkeypatch.setattr(dialogue, "open_model", lambda *_: said)
    monkeypatch.setattr(analyzers, "open_finder", lambda *_: SquareFinder())
    monkeypatch.setattr(analyzers, "open_predictor", lambda *_: SquarePredictor())
    return said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_picture(tmp_path / "one.png", [(20, 30, 50, 40)])
    write_picture(tmp_path / "two.png", [(10, 30, 50, 40), (90, 30, 50, 30)])
    write_picture(tmp_path / "none.png")
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model: Saying) -> Command:
    return command(monkeypatch, capsys)
