"""The command line run in this process, as a user types it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from omokage.cli import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Command = Callable[..., Done]


def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Takes the words after `omokage` and gives back status, output and errors."""

    def call(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["omokage", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main.run()
        said = capsys.readouterr()
        return Done(int(left.value.code or 0), said.out, said.err)

    return call
