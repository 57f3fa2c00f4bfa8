"""Options in the words that the project's own model was taught, and which of them it was never taught.

It scores options by their words. Words that no training question offered get a score as well, which says nothing: of
"yes" and "maybe" it always takes "yes". What it was taught to choose among stands in `templates`: yes and no in a few
wordings, and the classes of a choice. Other names of the same ("gray", "woman", "はい") are put into taught words
before it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omokage.dialogue.facts import HAIR_COLOURS
from omokage.dialogue.matching import NO, YES, Asked, asked_for, named, plain
from omokage.dialogue.templates import OPTION_WORDS, TRUE_FALSE, YES_NO
from omokage.results import EXPRESSIONS

_PAIRS = [(yes.casefold(), no.casefold()) for yes, no in (*YES_NO, *TRUE_FALSE)]
_YES_NO: Mapping[str, tuple[str, ...]] = {
    "yes": tuple(dict.fromkeys(yes for yes, _ in _PAIRS)),
    "no": tuple(dict.fromkeys(no for _, no in _PAIRS)),
}
# Facts, and whether they hold, by the class of a choice that says the same.
_SAME: Mapping[str, Mapping[tuple[str, bool], str]] = {
    "expression": {(f"expression_{name}", True): name for name in EXPRESSIONS},
    "hair_colour": {(fact, True): name for fact, name in HAIR_COLOURS.items()},
    "gender": {("female", True): "female", ("female", False): "male"},
    "eyewear": {("eyeglasses", True): "glasses", ("eyeglasses", False): "none", ("sunglasses", True): "sunglasses"},
    "direction": {("turned_left", True): "left", ("turned_right", True): "right"},
}


@dataclass(frozen=True, slots=True)
class OptionsRead:
    """Options of a question as the model was taught them. `meaning`: what the question asks for with these options;
    `words` (options,): how each is put to the model, empty where it was taught none; `classes` (options,): which class
    each means, or "yes" and "no"; `known`: what can be given instead."""

    meaning: Asked
    words: tuple[str, ...]
    classes: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def alike(self) -> tuple[int, ...]:
        """The places of options that mean the same as another one."""
        return tuple(k for k, name in enumerate(self.classes) if name and self.classes.count(name) > 1)

    @property
    def strange(self) -> tuple[int, ...]:
        """The places of options that the model was never taught for such a question."""
        return tuple(k for k, word in enumerate(self.words) if not word)


def read_options(question: str, options: Sequence[str]) -> OptionsRead | None:
    """The options of a question in taught words; None when the question's words do not tell what it asks for."""
    asked = asked_for(question, options) or asked_for(question)  # yes and no do not fit "what is the expression?"
    if asked is None:
        return None
    kind = asked.choice or _kind(asked, options)
    meaning = Asked(choice=kind) if kind else asked
    taught = OPTION_WORDS[kind] if kind else _YES_NO
    classes = tuple(_class(option, kind) for option in options)
    words = tuple(_wording(option, taught[name]) if name else "" for option, name in zip(options, classes, strict=True))
    return OptionsRead(meaning, words, classes, tuple(wordings[0] for wordings in taught.values()))


def _kind(asked: Asked, options: Sequence[str]) -> str:
    """The choice that a question about facts becomes by its options: "is the hair black?" with "black" and "brown"."""
    if all(plain(option) in YES | NO for option in options):
        return ""
    facts = {name for name, _ in asked.facts}
    return next(
        (kind for kind, same in _SAME.items()
         if facts <= {name for name, _ in same} and any(_class(option, kind) for option in options)),
        "",
    )  # fmt: skip


def _class(option: str, kind: str) -> str:
    """The class that an option means, of a choice or of yes and no; empty for none."""
    if not kind:
        return "yes" if plain(option) in YES else "no" if plain(option) in NO else ""
    bare = _bare(option)
    for name, wordings in OPTION_WORDS[kind].items():
        if bare in {_bare(word) for word in (name, *wordings)}:
            return name
    same = _SAME.get(kind, {})
    # "blonde" alone names no fact, "blonde hair" does.
    fact = named(bare) or (named(f"{bare} hair") if kind == "hair_colour" else None)
    return same.get(fact, "") if fact is not None else ""


def _bare(text: str) -> str:
    """A text without articles before it, and hyphens as spaces."""
    return re.sub(r"^(?:an?|the) ", "", plain(text).replace("-", " "))


def _wording(option: str, taught: Sequence[str]) -> str:
    """An option as it is where it was taught, in the first taught wording otherwise."""
    return option if plain(option) in taught else taught[0]
