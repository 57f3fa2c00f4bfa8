"""The languages that words on screen and in reports exist in."""

from __future__ import annotations

from collections.abc import Mapping

from omokage.errors import InputError

Texts = Mapping[str, Mapping[str, str]]  # by key, then by language; parts that change stand in {braces}

LANGUAGES = ("en", "ja")


def check_language(language: str) -> None:
    """Raises InputError for a language that has no texts."""
    if language not in LANGUAGES:
        raise InputError(f"no texts in the language {language!r}: choose {' or '.join(LANGUAGES)}")


def text(texts: Texts, key: str, language: str, **parts: object) -> str:
    """The sentence of a key, its parts filled in. Raises KeyError for an unknown one."""
    return texts[key][language].format(**parts)
