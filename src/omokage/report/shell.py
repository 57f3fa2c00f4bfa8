"""What all report pages share: the head with the one style sheet, the end, and facts as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from omokage.media import controls
from omokage.report.style import CSS
from omokage.report.words import MODELS

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # a page loads and runs nothing
END = "</main></body></html>\n"


def head(title: str, language: str, *sheets: str) -> str:
    """A page up to and with ``<body>``; `sheets` are style rules that follow those of every page."""
    style = "\n".join((CSS, *sheets))
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{plain(title)}</title><style>{style}</style></head><body>"
    )


def plain(text: str) -> str:
    """Escaped, with what is no Unicode text (names of files) or acts on the text around it spelt out: \\u202e."""
    return escape(controls.plain(text.encode("utf-8", "backslashreplace").decode()))


def fact_rows(facts: Iterable[tuple[str, str]]) -> str:
    """Names and values as rows of a table, each made safe by `plain`."""
    return "".join(f'<tr><th scope="row">{plain(name)}</th><td>{plain(value)}</td></tr>' for name, value in facts)


def made_by(about: Mapping[str, str], language: str) -> dict[str, str]:
    """How a page was made, with the networks under the names of what they do."""
    return {MODELS.get(key, {}).get(language, key): value for key, value in about.items()}
