"""What the user said himself among a command's options."""

from __future__ import annotations

import typer


def given(context: typer.Context, name: str) -> bool:
    """Whether an option was given, on the command line or in the environment, and is not merely its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
