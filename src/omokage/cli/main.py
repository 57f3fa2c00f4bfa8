"""The `omokage` command. Nothing heavy is imported here: commands load what they need when they run."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from omokage.cli import (
    adapt,
    analyze,
    annotate,
    ask,
    compare,
    doctor,
    embed,
    evaluate,
    explain,
    models,
    records,
    render,
    search,
    tracks,
    train,
)
from omokage.errors import InputError, OmokageError, PlaceError, UnreadableError, WeightsError
from omokage.media.files import why_not

app = typer.Typer(
    help="Reads attributes off faces, with uncertainty and evidence, on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("analyze")(analyze.analyze)
app.command("demo")(analyze.demo)
app.command("explain")(explain.explain)
app.command("compare")(compare.compare)
app.command("adapt")(adapt.adapt)
app.command("ask")(ask.ask)
app.command("describe")(ask.describe)
app.command("render")(render.render)
app.command("annotate")(annotate.annotate)
app.command("tracks")(tracks.tracks)
app.command("records")(records.records)
app.command("train")(train.train)
app.add_typer(evaluate.app, name="evaluate")
app.command("embed")(embed.embed)
app.command("search")(search.search)
app.add_typer(search.purpose_app, name="purpose")
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")


def _version(asked: bool) -> None:
    if asked:
        from omokage import __version__

        typer.echo(f"omokage {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Reads attributes off faces, with uncertainty and evidence, on your own machine."""


# What is wrong with the command itself, however good its inputs are.
_WRONG = (InputError, PlaceError, WeightsError)


def run() -> None:
    """Entry point: an error of omokage's own is one sentence on standard error, never a traceback.

    Exit status 0: all went well; 1: some inputs failed or the work could not be finished; 2: what was asked cannot be
    done.
    """
    try:
        status = _status()
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where its errors can still be said, and not while the interpreter ends
    except BrokenPipeError:  # the reader of our output (head, less) has left
        _silence()
        status = 1
    except OSError as error:
        if not _refuses_output():
            raise
        print(f"omokage: cannot write to standard output: {why_not(error)}", file=sys.stderr)
        _silence()
        status = 1
    sys.exit(status)


def _status() -> int | str | None:
    """Run the command; the status that it ends with."""
    try:
        app()
    except SystemExit as left:
        return left.code
    except OmokageError as error:
        print(f"omokage: {error}", file=sys.stderr)
        return 2 if isinstance(error, _WRONG) and not isinstance(error, UnreadableError) else 1
    return 0


def _refuses_output() -> bool:
    """Whether standard output takes nothing more, so that an error from the system was about it."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _silence() -> None:
    """Point standard output elsewhere, so that the interpreter's last flush is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    run()
