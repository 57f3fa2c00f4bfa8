"""A picture told in sentences: from truth, for training and for labels of rendered pictures; and from an analysis, with
its doubt.

`caption` tells what the questions of training ask for and nothing else: never a fact of `held_out.UNSEEN`, and never
two facts of a held-out pair in one sentence. `told` gives what a specialist network read, each sentence with the
probability behind it: what is likely is said to be so, what is only more likely than not is said to be unsure, the rest
is left out.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from omokage.dialogue.checking import specialist
from omokage.dialogue.facts import Truth
from omokage.dialogue.phrases import TRAIN, Phrase
from omokage.dialogue.questions import HELD_OUT_PAIRS, TASK_OF, all_pairs
from omokage.dialogue.templates import PEOPLE, capital, statement
from omokage.results import FaceAnalysis

CAPTION_PROMPTS = (
    "Describe the person.", "Describe the picture.", "What do you see?", "Tell me about the person in the picture.",
    "Describe the face.", "Say what you see in the picture.",
)  # fmt: skip
SURE, UNSURE = 0.9, 0.65  # from the first probability on a thing is said, from the second on it is said to be unsure
MOST_DENIED = 5  # sentences about what is not there
_LONGEST = 8  # sentences
_DENIED = 0.25  # of the sentences say what is not there
_JOINED = 0.3
_JOINABLE = frozenset(all_pairs()) - HELD_OUT_PAIRS
# Absent, these say something; that the head is not turned to the left says too little.
_WORTH_DENYING = frozenset(
    ("smiling", "mouth_open", "eyeglasses", "sunglasses", "face_mask", "wearing_hat", "beard", "long_hair", "bangs",
     "gray_hair", "black_hair", "wearing_lipstick", "bald", "stubble", "nose_covered", "chin_covered", "female")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a description: the fact that it tells, whether it holds, and how likely that is (0..1)."""

    text: str
    fact: str
    value: bool
    confidence: float


def caption(truth: Truth, seed: int = 0) -> str:
    """Some sentences about a picture, the same for the same seed; empty when nothing is known of it."""
    rng = random.Random(seed)
    person = rng.choice(PEOPLE)
    there = [name for name, value in truth.facts.items() if value and name in TRAIN]
    not_there = [name for name, value in truth.facts.items() if not value and name in _WORTH_DENYING]
    told = rng.sample(there, min(len(there), _LONGEST))
    told += rng.sample(not_there, min(len(not_there), max(_LONGEST - len(told), round(_LONGEST * _DENIED))))
    told = [name for k, name in enumerate(_one_age(told)) if k < _LONGEST]
    rng.shuffle(told)
    return " ".join(f"{capital(text)}." for text in _sentences(told, truth.facts, person, rng))


def _one_age(names: Sequence[str]) -> list[str]:
    """Of "older than 20" and "older than 40" only the last: the first follows from it."""
    ages = sorted(name for name in names if name.startswith("older_"))
    return [name for name in names if name not in ages[:-1]]


def _sentences(names: Sequence[str], facts: Mapping[str, bool], person: str, rng: random.Random) -> Iterator[str]:
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        text = _clause(rng.choice(TRAIN[name]), name, facts[name], person)
        partners = [other for other in waiting if tuple(sorted((name, other))) in _JOINABLE]
        if partners and rng.random() < _JOINED:
            waiting.remove(partners[0])
            text += " and " + _clause(rng.choice(TRAIN[partners[0]]), partners[0], facts[partners[0]], person)
        yield text


def _clause(phrase: Phrase, name: str, value: bool, person: str) -> str:
    if name == "female" and not value:  # "is not a woman" leaves open what it is
        return f"{person} {'is' if phrase.kind == 'be' else 'looks like'} a man"
    return statement(phrase, person, not value)


def told(face: FaceAnalysis, names: Sequence[str] = ()) -> list[Sentence]:
    """What a specialist's analysis says, one sentence a fact: first what is there, then some of what is not; at most
    `names` (none: all that the analysis speaks of). What is unsure is left out or said to be unsure."""
    found = []
    for name in names or tuple(TASK_OF):
        probability = specialist(face, name)
        if probability is not None and name in TRAIN:
            sentence = said(name, probability)
            if sentence is not None:
                found.append(sentence)
    ages = sorted(s.fact for s in found if s.fact.startswith("older_") and s.value)
    kept = [s for s in found if s.fact not in ages[:-1]]
    # Who has no glasses has no dark ones either.
    plain = any(s.fact == "eyeglasses" and not s.value for s in kept)
    denied = [s for s in kept if not s.value and s.fact != "female" and not (plain and s.fact == "sunglasses")]
    return [*(s for s in kept if s.value or s.fact == "female"), *denied[:MOST_DENIED]]


def said(name: str, probability: float) -> Sentence | None:
    """One fact in words with the doubt that goes with its probability; None where it is a toss-up, or where it is
    absent and that says nothing."""
    value = probability >= 0.5
    confidence = max(probability, 1 - probability)
    if confidence < UNSURE or (not value and name not in _WORTH_DENYING):
        return None
    text = _clause(worded(name), name, value, "the person")
    if confidence < SURE:
        text = f"it is not sure, but likely, that {text}"
    return Sentence(f"{capital(text)}.", name, value, confidence)


def worded(name: str) -> Phrase:
    """The phrase that a description uses: an expression and an age are how somebody looks, not what he feels or is."""
    looks = (p for p in TRAIN[name] if p.kind == "do" and p.parts[1].startswith("look "))
    return next(looks, plainest(name)) if name.startswith(("expression_", "older_")) else plainest(name)


def plainest(name: str) -> Phrase:
    """The first phrase of a fact that is not a bare thing: the one that a model is asked with. Of a covered part it is
    the one whose opposite is plain too."""
    covers = name == "occluded" or name.endswith("_covered")
    if covers:
        return next(p for p in TRAIN[name] if p.kind == "be" and p.parts[0] != "something")
    if name == "female":
        return next(p for p in TRAIN[name] if p.kind == "do")
    return next((p for p in TRAIN[name] if p.kind != "thing"), TRAIN[name][0])
