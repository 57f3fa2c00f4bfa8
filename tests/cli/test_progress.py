"""Bars appear on a terminal only, and only when work takes long."""

from __future__ import annotations

import sys

import pytest

from omokage.cli import progress
from omokage.media.table import Reading


def test_silent_without_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_S", -1.0)
    with progress.Counter("read") as counter:
        counter.update(1, 2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("patience", "shown"), [(-1.0, True), (60.0, False)])
def test_a_bar_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, patience: float, shown: bool
) -> None:
    monkeypatch.setattr(progress, "PATIENCE_S", patience)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with progress.Counter("read") as counter:
        readings = progress.Readings(counter, 2)
        for reading in (Reading("a.mp4", last=False), Reading("a.mp4", frame=1, silent=True), Reading("b.jpg")):
            readings.step(reading)
    assert (readings.frames, readings.ended) == (2, 2)
    assert ("2 read" in capsys.readouterr().err) is shown
