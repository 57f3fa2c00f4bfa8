"""Characters that act on whoever reads a text, in place of being read."""

from __future__ import annotations

import re

# Terminals act on the first two ranges (escape sequences begin with one of them); the last two turn the direction of
# the text that follows.
CONTROLS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")


def plain(text: str) -> str:
    """Text from outside, such as a file's name, with every control character spelt out: \\x1b."""
    return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)
