"""Where the commands print words and tables: in a pipe nothing is cut to a width, so that paths can be searched for."""

from __future__ import annotations

import os

from rich.console import Console
from rich.text import Text

from omokage.media.controls import plain

_WIDE = 10_000  # columns of a pipe or a file, which have no width; a table takes what it needs


def console(stderr: bool = False) -> Console:
    """A console that prints text as it is: no markup (names of files hold brackets), no colours of its own."""
    made = Console(stderr=stderr, highlight=False, markup=False)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return Console(stderr=stderr, highlight=False, markup=False, width=_WIDE)


def say(place: Console, text: str) -> None:
    """Print one message on one line; a terminal wraps it by itself."""
    place.print(_lines(text), soft_wrap=True)


def title(place: Console, text: str) -> Text:
    """A table's title, which would else be wrapped to the width of its table, paths included."""
    text = _lines(text)
    return Text(text) if place.is_terminal else Text(text, no_wrap=True, overflow="ignore")


def _lines(text: str) -> str:
    return "\n".join(map(plain, text.split("\n")))
