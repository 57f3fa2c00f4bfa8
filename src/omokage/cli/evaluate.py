"""`omokage evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A faces table that `omokage analyze --out` wrote.")],
    labels: Annotated[Path, typer.Argument(metavar="LABELS.csv", help="A CSV with the column file and what you know.")],
    by: Annotated[str | None, typer.Option(help="Also score each value of this column of the labels.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Score answers on your own labelled folder; a face that was not found counts as wrong."""
    import json
    from dataclasses import asdict

    from omokage.errors import InputError
    from omokage.media.sinks import read_rows
    from omokage.metrics.table import read_labels, score_table

    rows, known = read_rows(table), read_labels(labels)
    if by is not None and by not in known[0]:
        raise InputError(f"the labels have no column {by!r}; they have {', '.join(known[0])}")
    scored = {"": score_table(known, rows)}
    if by is not None:
        for value in sorted({row[by] for row in known if row[by]}):
            scored[value] = score_table([row for row in known if row[by] == value], rows)
    if json_:
        typer.echo(json.dumps({name or "all": [asdict(s) for s in found] for name, found in scored.items()}, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table()
    for title in (
        *(["group"] if by else []),
        "measure",
        "value",
        "95 % interval",
        "a constant answer",
        "labelled faces",
    ):
        shown.add_column(title, overflow="fold")
    for name, found in scored.items():
        for s in found:
            trivial = "" if s.trivial is None else f"{s.trivial:.3g}"
            row = (s.measure, f"{s.value:.3g}", f"{s.low:.3g} to {s.high:.3g}", trivial, str(s.n))
            shown.add_row(*([name or "all"] if by else []), *row)
    Console(highlight=False).print(shown)
