"""`omokage doctor`: what this installation has, and whether it works."""

from __future__ import annotations

import typer

from omokage.cli.options import Lang
from omokage.language import Texts

_MARKS: Texts = {  # all as wide as each other on a screen
    "good": {"en": "ok  ", "ja": "正常"},
    "broken": {"en": "FAIL", "ja": "異常"},
    "fact": {"en": "-   ", "ja": "情報"},
}


def doctor(lang: Lang = "en") -> None:
    """Show Python, PyTorch, cores, GPU, weights and extras, and run a self-test; status 1 when something is broken."""
    from omokage.pipeline.checkup import checkup

    broken = False
    for finding in checkup(lang):
        broken |= finding.good is False
        mark = {True: "good", False: "broken", None: "fact"}[finding.good]
        typer.echo(f"{_MARKS[mark][lang]} {finding.name}: {finding.text}")
    raise typer.Exit(1 if broken else 0)
