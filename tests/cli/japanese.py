"""Whether what is printed is in Japanese: beside names and commands no English is left."""

from __future__ import annotations

import re
from collections.abc import Iterable

_KANA_OR_KANJI = re.compile(r"[ぁ-ヿ一-鿿]")
_WORD = re.compile(r"[A-Za-z]{2,}")
_TWO_WORDS = re.compile(r"[A-Za-z]{2,}[,:;]? [a-z]{2,}")


def japanese(text: str, allowed: Iterable[str] = ()) -> bool:
    """Whether a line without words, or with Japanese ones and no two English words in a row; `allowed` words (names,
    paths, commands) do not count."""
    for name in sorted(allowed, key=len, reverse=True):
        text = text.replace(name, "·")
    return not _WORD.search(text) or bool(_KANA_OR_KANJI.search(text) and not _TWO_WORDS.search(text))


def english_lines(text: str, allowed: Iterable[str] = ()) -> list[str]:
    """The lines that are not Japanese."""
    names = tuple(allowed)
    return [line for line in text.splitlines() if not japanese(line, names)]
