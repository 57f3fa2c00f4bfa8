"""What commands share about their options: the language of their words, and what the user said himself."""

from __future__ import annotations

from typing import Annotated

import typer

from omokage.language import check_language


def _language(value: str) -> str:
    check_language(value)
    return value


Lang = Annotated[
    str,
    typer.Option(
        "--lang", "--language", envvar="OMOKAGE_LANG", callback=_language,
        help="Language of what is printed and reported: en or ja.",
    ),
]  # fmt: skip


def given(context: typer.Context, name: str) -> bool:
    """Whether an option was given, on the command line or in the environment, and is not merely its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
