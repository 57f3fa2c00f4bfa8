"""Japanese for words that the library composes in English: by pairs of templates, as scores and remarks are data to
programs first and get their language only where a person reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

Phrases = tuple[tuple[str, str], ...]  # English, Japanese; parts that change in {braces}; the first that fits counts


def rephrased(english: str, phrases: Phrases, part: Callable[[str, str], str] = lambda name, value: value) -> str:
    """The Japanese of a text, its parts put through `part` (their name and text); a text without a phrase stays."""
    for template, japanese in phrases:
        if found := _pattern(template).fullmatch(english):
            return japanese.format(**{name: part(name, value) for name, value in found.groupdict().items()})
    return english


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", template)  # fixed words and names of parts by turns
    turns = (re.escape(piece) if k % 2 == 0 else f"(?P<{piece}>.+?)" for k, piece in enumerate(pieces))
    return re.compile("".join(turns), re.DOTALL)
