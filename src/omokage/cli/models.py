"""`omokage models list | verify | card`."""

from __future__ import annotations

from typing import Annotated

import typer

from omokage.cli.options import Lang
from omokage.errors import InputError
from omokage.language import Texts, text

app = typer.Typer(help="The weights that came with this installation.", no_args_is_help=True, rich_markup_mode=None)


WORDS: Texts = {
    "model": {"en": "model", "ja": "モデル"},
    "trained_on": {"en": "trained on", "ja": "学習に使ったもの"},
    "made": {"en": "made", "ja": "作成日"},
    "licence": {"en": "licence of the weights", "ja": "重みのライセンス"},
    "good": {"en": "ok     ", "ja": "正常"},
    "damaged": {"en": "DAMAGED", "ja": "破損"},
    "no_weights": {"en": "no weights are installed", "ja": "重みがインストールされていません"},
}
_STORY = 120  # characters of what a model was trained on that the list shows


@app.command("list")
def list_models(lang: Lang = "en") -> None:
    """Every shipped model: what it is, what it was trained on, when."""
    from textwrap import shorten

    from rich.table import Table

    from omokage.cli.console import console
    from omokage.weights.registry import cards

    table = Table()
    table.add_column(text(WORDS, "model", lang), no_wrap=True)  # whole, so that it can be copied
    table.add_column(text(WORDS, "trained_on", lang), overflow="fold")
    table.add_column(text(WORDS, "made", lang), no_wrap=True)
    table.add_column(text(WORDS, "licence", lang), overflow="fold")
    for card in cards():
        story = shorten(card.trained_on, _STORY, placeholder=" ...")  # `models card` has it whole
        table.add_row(card.id, story, card.made, card.licences.get("weights", ""))
    console().print(table)


@app.command("verify")
def verify(lang: Lang = "en") -> None:
    """Check every weight file and the settings in its card against their hashes; status 1 when one differs."""
    from omokage.weights.registry import verify as check

    found = check()
    for card, good in found:
        typer.echo(f"{text(WORDS, 'good' if good else 'damaged', lang)} {card.id}")
    if not found:
        typer.echo(text(WORDS, "no_weights", lang), err=True)
    raise typer.Exit(0 if found and all(good for _, good in found) else 1)


@app.command("card")
def show_card(
    name: Annotated[str, typer.Argument(metavar="SET/MODEL", help="As in `models list`, e.g. synthetic/attributes.")],
) -> None:
    """Print a model's card: preprocessing, recipe, licences, scores, limits."""
    import json
    from dataclasses import asdict

    from omokage.weights.registry import cards, read_card

    weights, sign, model = name.partition("@")[0].rpartition("/")
    if not sign:
        own = [full for c in cards() if (full := c.id.partition("@")[0]).partition("/")[0] == name]
        known = f"the set {name} has {', '.join(own)}" if own else "see  omokage models list"
        raise InputError(f"{name!r} is not SET/MODEL: {known}")
    card = asdict(read_card(weights, model))
    # Schema and calibration are tables for the program; a person reads the rest first.
    for key in ("schema", "calibration"):
        card[key] = f"{len(card[key])} entries, see the .json file beside the weights"
    typer.echo(json.dumps(card, indent=1, ensure_ascii=False))
