"""`omokage models list | verify | card`."""

from __future__ import annotations

from typing import Annotated

import typer

from omokage.errors import InputError

app = typer.Typer(help="The weights that came with this installation.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_models() -> None:
    """Every shipped model: what it is, what it was trained on, when."""
    from rich.console import Console
    from rich.table import Table

    from omokage.weights.registry import cards

    table = Table()
    for title in ("model", "trained on", "made", "licence of the weights"):
        table.add_column(title, overflow="fold")
    for card in cards():
        table.add_row(card.id, card.trained_on, card.made, card.licences.get("weights", ""))
    Console(highlight=False).print(table)


@app.command("verify")
def verify() -> None:
    """Check every weight file against the hash in its card; status 1 when one differs."""
    from omokage.weights.registry import verify as check

    found = check()
    for card, good in found:
        typer.echo(f"{'ok     ' if good else 'DAMAGED'} {card.id}")
    if not found:
        typer.echo("no weights are installed", err=True)
    raise typer.Exit(0 if found and all(good for _, good in found) else 1)


@app.command("card")
def show_card(
    name: Annotated[str, typer.Argument(metavar="SET/MODEL", help="As in `models list`, e.g. synthetic/attributes.")],
) -> None:
    """Print a model's card: preprocessing, recipe, licences, scores, limits."""
    import json
    from dataclasses import asdict

    from omokage.weights.registry import read_card

    weights, sign, model = name.partition("@")[0].rpartition("/")
    if not sign:
        raise InputError(f"{name!r} is not SET/MODEL: see  omokage models list")
    card = asdict(read_card(weights, model))
    # Schema and calibration are tables for the program; a person reads the rest first.
    for key in ("schema", "calibration"):
        card[key] = f"{len(card[key])} entries, see the .json file beside the weights"
    typer.echo(json.dumps(card, indent=1, ensure_ascii=False))
