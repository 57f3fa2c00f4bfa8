"""`omokage train`."""

from __future__ import annotations

import os
import signal
from typing import Annotated

import typer

from omokage.cli.options import Lang
from omokage.cli.words import line


def train(
    recipe: Annotated[
        str, typer.Argument(help="A recipe's name (attributes.shipped, embeddings) or a .py file, path.py:function.")
    ],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one value.")] = None,
    data: Annotated[
        list[str] | None, typer.Option("--data", metavar="FOLDER", help="Record folders; short for --set data=A,B.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print every setting and stop.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")] = False,
    lang: Lang = "en",
) -> None:
    """Train a model by a recipe: a Python function that returns a typed configuration."""
    from omokage.pipeline.recipes import configure, find_recipe, run_recipe, settings_of
    from omokage.training.stop import as_interrupt

    changes = [*(set_ or []), *([f"data={','.join(data)}"] if data else [])]
    config = configure(find_recipe(recipe), changes)
    if dry_run:
        for name, value in settings_of(config).items():
            typer.echo(f"{name} = {_shown(value)}")
        return
    try:
        with as_interrupt():
            result = run_recipe(config, resume)
    except KeyboardInterrupt as stop:
        if os.environ.get("RANK", "0") == "0":
            typer.echo(line("stopped", lang, out=_kept(config, stop)), err=True)
        raise typer.Exit(128 + getattr(stop, "number", signal.SIGINT)) from None
    typer.echo(line("trained", lang, result=result))


def _kept(config: object, stop: KeyboardInterrupt) -> str:
    """The run folder, and the step that it goes on from where that is known."""
    step = getattr(stop, "step", None)
    return f"{getattr(config, 'out', '')}" + ("" if step is None else f" (step {step})")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
