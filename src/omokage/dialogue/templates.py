"""Frames: how a phrase becomes a question with its options. Two sets, one for training and one only for measuring.

A question is closed: it carries at least two options, of which exactly one is right. Yes/no options come in several
wordings and in either order. ``{q}`` is the question clause ("is the mouth open"), ``{s}`` the statement ("the mouth is
open"), ``{n}`` the statement's opposite, ``{t}`` what is seen ("a hat").
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from omokage.dialogue.phrases import Phrase

PEOPLE = ("the person", "this person", "the person in the picture", "the pictured person")

CLAUSE_TRAIN = (
    "{Q}?", "{Q}?", "{Q}?", "In this picture, {q}?", "Look at the picture: {q}?", "Tell me: {q}?",
    "Can you see whether {s}?", "Is it true that {s}?", "Does it look as if {s}?", "{S}: yes or no?",
    "Would you say that {s}?", "{S}, right?", "Say whether {s}.", "What do you think, {q}?",
)  # fmt: skip
THING_TRAIN = (
    "{Is} there {t}?", "Can you see {t}?", "Do you see {t}?", "{T}?", "{Is} there {t} in the picture?",
    "Does the picture show {t}?", "Look for {t}: {is} there any?", "{T}: yes or no?", "Is it true that there {is} {t}?",
    "Say whether you can see {t}.", "And {t}?", "What about {t}?",
)  # fmt: skip
STATEMENT_TRAIN = ("{S}.", "True or false: {s}.", "{S}. True or false?", "Is this right? {S}.")
CLAUSE_TEST = (
    "Tell me whether {s}.", "Can you tell me: {q}?", "Would you say yes or no: {q}?", "In the picture you see, {q}?",
    "Is it right that {s}?", "Look at this person: {q}?", "Do you think that {s}?", "{S}: is it so?",
)  # fmt: skip
THING_TEST = (
    "Do you think there {is} {t}?", "Tell me whether you see {t}.", "Is it right that there {is} {t}?",
    "Look at the picture: {is} there {t}?", "In this picture, can you see {t}?", "{T} in the picture: yes or no?",
)  # fmt: skip
STATEMENT_TEST = ("Is it true or false that {s}?", "Right or wrong: {s}.", "Is this true? {S}.")

# (yes, no): what the two answers are called.
YES_NO = (("yes", "no"),) * 5 + (("Yes", "No"), ("it is so", "it is not so"))
TRUE_FALSE = (("true", "false"), ("right", "wrong"))

CHOICES = {
    "expression": (
        "What is the expression?",
        "Which expression does {p} show?",
        "How does {p} look?",
        "What does the face show?",
        "Which feeling does the face show?",
    ),
    "hair_colour": ("What color is the hair?", "Which color has the hair?", "The hair is of which color?"),
    "gender": ("Does {p} look female or male?", "Is {p} a woman or a man?", "Which is it, a woman or a man?"),
    "age": ("How old does {p} look?", "Which age fits {p}?", "What is the age of {p}?"),
    "eyewear": ("What does {p} wear over the eyes?", "Which glasses does {p} wear?", "What is in front of the eyes?"),
    "direction": ("Where does the head point?", "Which way is the face turned?", "To which side is the head turned?"),
}
CHOICES_TEST = {
    "expression": ("Which expression is it?", "What feeling does {p} show?", "How does the face look?"),
    "hair_colour": ("Which is the color of the hair?", "Tell me the color of the hair."),
    "gender": ("Is the face female or male?", "Tell me: a woman or a man?"),
    "age": ("Tell me how old {p} looks.", "Which age does {p} look?"),
    "eyewear": ("Which is in front of the eyes?", "What does {p} wear in front of the eyes?"),
    "direction": ("Which way does the head point?", "To which side is the face turned?"),
}
# How the classes of a choice are called as options.
OPTION_WORDS = {
    "expression": {
        "neutral": ("neutral", "no feeling"), "happiness": ("happy", "happiness"), "sadness": ("sad", "sadness"),
        "surprise": ("surprised", "surprise"), "fear": ("afraid", "fear"), "disgust": ("disgusted", "disgust"),
        "anger": ("angry", "anger"),
    },
    "hair_colour": {c: (c, c) for c in ("black", "brown", "blond", "grey")},
    "gender": {"female": ("female", "a woman"), "male": ("male", "a man")},
    "age": {b: (b, b) for b in ("a child", "a young adult", "middle-aged", "old")},
    "eyewear": {"none": ("nothing", "no glasses"), "glasses": ("glasses", "clear glasses"),
                "sunglasses": ("sunglasses", "dark glasses")},
    "direction": {"left": ("to the left", "left"), "right": ("to the right", "right"),
                  "ahead": ("straight ahead", "ahead")},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frames:
    """One set of frames: for training, or for measuring."""

    clause: Sequence[str]
    thing: Sequence[str]
    statement: Sequence[str]
    choices: dict[str, tuple[str, ...]]


TRAINING = Frames(CLAUSE_TRAIN, THING_TRAIN, STATEMENT_TRAIN, CHOICES)
MEASURING = Frames(CLAUSE_TEST, THING_TEST, STATEMENT_TEST, CHOICES_TEST)


def question_clause(phrase: Phrase, person: str, negative: bool = False) -> str:
    """``is the mouth open``; negative: ``is the mouth not open``."""
    subject = phrase.parts[0].replace("{p}", person)
    _, base, rest = phrase.parts
    if phrase.kind == "be":
        return f"{base} {subject} {'not ' * negative}{rest}"
    if phrase.kind == "do":
        return f"{'do' if base == rest else 'does'} {subject} {'not ' * negative}{base}"
    article, noun, is_ = phrase.parts
    return f"{is_} there {'no ' if negative else article + ' ' * bool(article)}{noun}"


def statement(phrase: Phrase, person: str, negative: bool = False) -> str:
    """``the mouth is open``; negative: ``the mouth is not open``."""
    subject = phrase.parts[0].replace("{p}", person)
    _, base, third = phrase.parts
    if phrase.kind == "be":
        return f"{subject} {base} {'not ' * negative}{third}"
    if phrase.kind == "do":
        return f"{subject} {'do' if base == third else 'does'} not {base}" if negative else f"{subject} {third}"
    return f"there {phrase.parts[2]} {seen(phrase, negative)}"


def seen(phrase: Phrase, negative: bool = False) -> str:
    """``a hat``; negative: ``no hat``. Only for things."""
    article, noun, _ = phrase.parts
    return f"no {noun}" if negative else f"{article} {noun}".strip()


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def options(rng: random.Random, yes: bool, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], str]:
    """Two options in random wording and order, and the right one."""
    pair = rng.choice(pairs)
    shown = pair if rng.random() < 0.5 else pair[::-1]
    return shown, pair[0] if yes else pair[1]


def ask(
    rng: random.Random, phrase: Phrase, truth: bool, frames: Frames, negative: bool = False
) -> tuple[str, tuple[str, ...], str]:
    """A question about one phrase: text, options and the right one. `negative` asks for the opposite."""
    person = rng.choice(PEOPLE)
    q, s = question_clause(phrase, person, negative), statement(phrase, person, negative)
    yes = truth != negative
    if rng.random() < 0.12:
        text, pairs = rng.choice(frames.statement), TRUE_FALSE
        return text.format(s=s, S=capital(s)), *options(rng, yes, pairs)
    if phrase.kind == "thing" and rng.random() < 0.8:
        t = seen(phrase, negative)
        is_ = phrase.parts[2]
        text = rng.choice(frames.thing).format(t=t, T=capital(t), Is=capital(is_), **{"is": is_})
    else:
        text = rng.choice(frames.clause).format(q=q, Q=capital(q), s=s, S=capital(s))
    return text, *options(rng, yes, YES_NO)


JOINED = {
    "and": ("{a} and {b}", "both {a} and {b}", "{a} as well as {b}", "{a}, and also {b}"),
    "but_not": ("{a} but {no_b}", "{a} without {b}", "{a} and {no_b}"),
    "or": ("{a} or {b}", "either {a} or {b} or both"),
    "neither": ("neither {a} nor {b}",),
}
WANTED: Mapping[str, Callable[[bool, bool], bool]] = {
    "and": lambda a, b: a and b, "but_not": lambda a, b: a and not b, "or": lambda a, b: a or b,
    "neither": lambda a, b: not (a or b),
}  # fmt: skip


def ask_both(
    rng: random.Random, one: Phrase, other: Phrase, join: str, answer: bool, frames: Frames
) -> tuple[str, tuple[str, ...], str]:
    """A question about two facts, joined by one of `JOINED`."""
    person = rng.choice(PEOPLE)
    if one.kind == other.kind == "thing" and (join == "neither" or rng.random() < 0.7):
        joined = rng.choice(JOINED[join]).format(a=seen(one), b=seen(other), no_b=seen(other, negative=True))
        is_ = one.parts[2]
        text = rng.choice(frames.thing).format(t=joined, T=capital(joined), Is=capital(is_), **{"is": is_})
        return text, *options(rng, answer, YES_NO)
    a, b = statement(one, person, join == "neither"), statement(other, person, join in ("but_not", "neither"))
    word = {"and": "and", "but_not": rng.choice(("but", "and")), "or": "or", "neither": "and"}[join]
    both = f"{a} {word} {b}"
    if rng.random() < 0.15:
        return rng.choice(frames.statement).format(s=both, S=capital(both)), *options(rng, answer, TRUE_FALSE)
    usable = [f for f in frames.clause if "{q}" not in f and "{Q}" not in f]
    return rng.choice(usable).format(s=both, S=capital(both)), *options(rng, answer, YES_NO)


def choose(
    rng: random.Random, kind: str, answer: str, classes: Sequence[str], frames: Frames
) -> tuple[str, tuple[str, ...], str]:
    """A question with one option per class of `classes`, in their order."""
    wording = rng.randrange(2)
    words = {name: OPTION_WORDS[kind][name][wording] for name in classes}
    text = rng.choice(frames.choices[kind]).format(p=rng.choice(PEOPLE))
    return text, tuple(words[name] for name in classes), words[answer]
