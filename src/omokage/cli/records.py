"""`omokage records`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omokage.cli.options import Lang
from omokage.cli.words import line


def records(
    name: Annotated[str, typer.Argument(metavar="SET", help="A set that has a reader: fairface_part, folder, ...")],
    root: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the set's own files are.")],
    out: Annotated[Path, typer.Option(help="A new folder for the records.")],
    split: Annotated[str, typer.Option(help="Which split of the set.")] = "all",
    count: Annotated[int, typer.Option(min=0, help="At most so many pictures; 0: all.")] = 0,
    weights: Annotated[str | None, typer.Option(help="The weight set, or folder, that places the landmarks.")] = None,
    fill: Annotated[
        bool, typer.Option("--fill", help="Labels that the set lacks are what the weights read (self-training).")
    ] = False,
    lang: Lang = "en",
) -> None:
    """Convert labelled photographs to training records, their faces found and placed as they will be when answering."""
    from omokage.cli.progress import Counter
    from omokage.data.datasets import SETS
    from omokage.pipeline.analyzer import Analyzer
    from omokage.pipeline.placing import write_placed

    with Counter(line("done_placed", lang)) as counter:
        placed = write_placed(
            name, root, out, split=split, count=count, analyzer=Analyzer(weights=weights),
            progress=lambda done: counter.update(done, max(count, done)), fill=fill,
        )  # fmt: skip
    typer.echo(line("records", lang, n=placed.written, out=out, terms=SETS[name].licence), err=True)
    if placed.left_out:
        named = ", ".join(placed.left_out[:3])
        typer.echo(line("records_without", lang, n=len(placed.left_out), named=named), err=True)
