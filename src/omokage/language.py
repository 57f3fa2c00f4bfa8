"""The languages that words on screen and in reports exist in."""

from __future__ import annotations

from omokage.errors import InputError

LANGUAGES = ("en", "ja")


def check_language(language: str) -> None:
    """Raises InputError for a language that has no texts."""
    if language not in LANGUAGES:
        raise InputError(f"no texts in the language {language!r}: choose {' or '.join(LANGUAGES)}")
