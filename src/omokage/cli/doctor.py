"""`omokage doctor`: what this installation has, and whether it works."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Show Python, PyTorch, cores, GPU, weights and extras, and run a self-test; status 1 when something is broken."""
    from omokage.pipeline.checkup import checkup

    broken = False
    for finding in checkup():
        broken |= finding.good is False
        mark = {True: "ok  ", False: "FAIL", None: "-   "}[finding.good]
        typer.echo(f"{mark} {finding.name}: {finding.text}")
    raise typer.Exit(1 if broken else 0)
