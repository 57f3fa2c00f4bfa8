"""Re-annotation: what several sources say of one picture, put together with who said it and where they differ.

A source makes claims: a fact, whether it holds, how sure. Claims about one fact are one statement. What truth or a
person's label says stands; of models, what they dispute is left out of the caption, and both are recorded. Names, file
names and camera data never enter: a picture is called by a hash of its pixels.

The pipeline follows Face-MLLM (Sun et al., 2024), whose annotator was one closed model; that several sources check each
other is this project's choice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from omokage.dialogue.captions import MOST_DENIED, SURE, UNSURE, said, worded
from omokage.dialogue.checking import specialist
from omokage.dialogue.facts import Truth
from omokage.dialogue.phrases import TRAIN
from omokage.dialogue.refusal import refused
from omokage.dialogue.templates import capital, statement
from omokage.results import FaceAnalysis

Origin = Literal["truth", "label", "specialist", "teacher", "person"]
# Whose word stands against whose: the first source that speaks decides, models only together.
RANK: Mapping[str, int] = {"person": 0, "truth": 1, "label": 2, "specialist": 3, "teacher": 3}


@dataclass(frozen=True, slots=True)
class Claim:
    """One source's word on one fact, or one sentence of free text (`fact` empty). `confidence` is that of `value`,
    0..1; `date` ISO."""

    fact: str
    value: bool
    confidence: float
    source: Origin
    model: str
    date: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """All claims about one fact (or one free sentence). `value` None: disputed among models, or unsure; `text` is then
    empty, or says that it is unsure."""

    fact: str
    value: bool | None
    confidence: float
    text: str
    disputed: bool
    claims: tuple[Claim, ...]
    verdict: str = ""  # of a person: accepted, rejected, corrected; empty: not looked at


@dataclass(frozen=True, slots=True)
class Annotation:
    """One picture with everything that is said of it. `id`: hash of its pixels; `status` as in `Answer`."""

    id: str
    width: int
    height: int
    status: str = "answered"
    reason: str = ""
    statements: tuple[Statement, ...] = ()
    split: str = ""  # of a labelled set or of rendered people
    licence: str = ""
    face: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def caption(self) -> str:
        """The sentences that stand: first what is there, then some of what is not, then free ones."""
        told = [s for s in self.statements if s.text and s.verdict != "rejected"]
        there = [s.text for s in told if s.fact and s.value is not False]
        not_there = [s.text for s in told if s.fact and s.value is False]
        return " ".join([*there, *not_there[:MOST_DENIED], *(s.text for s in told if not s.fact)])

    @property
    def facts(self) -> dict[str, bool]:
        """Facts that are decided and sure enough to be taught."""
        return {
            s.fact: s.value
            for s in self.statements
            if s.fact and s.value is not None and not s.disputed and s.confidence >= SURE and s.verdict != "rejected"
        }

    @property
    def disputed(self) -> tuple[str, ...]:
        return tuple(s.fact for s in self.statements if s.disputed)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Annotation:
        statements = tuple(
            Statement(**{**s, "claims": tuple(Claim(**c) for c in s["claims"])}) for s in row["statements"]
        )
        return cls(**{**row, "statements": statements})


def picture_id(pixels: NDArray[np.uint8]) -> str:
    """A name that tells nothing: the first 16 digits of the SHA-256 of RGB pixels (h, w, 3) and their shape."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()[:16]


def claims_of_truth(truth: Truth, source: Origin, model: str, date: str) -> list[Claim]:
    """Everything that truth or labels say, with certainty."""
    return [Claim(name, value, 1.0, source, model, date) for name, value in truth.facts.items() if name in TRAIN]


def claims_of_analysis(face: FaceAnalysis, model: str, date: str, least: float = UNSURE) -> list[Claim]:
    """What a specialist read, each with its probability; below `least` it makes no claim."""
    found = []
    for name in TRAIN:
        p = specialist(face, name)
        if p is not None and max(p, 1 - p) >= least:
            found.append(Claim(name, p >= 0.5, round(float(max(p, 1 - p)), 4), "specialist", model, date))
    return found


def put_together(claims: Sequence[Claim]) -> tuple[Statement, ...]:
    """One statement per fact, in the order of first mention; free sentences after them."""
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.fact:
            groups.setdefault(claim.fact, []).append(claim)
    merged = _one_age([_statement(name, tuple(members)) for name, members in groups.items()])
    free = [
        Statement("", None, c.confidence, c.text, False, (c,))
        for c in claims
        if not c.fact and sentence_allowed(c.text)
    ]
    return (*merged, *free)


def _one_age(statements: list[Statement]) -> list[Statement]:
    """Of "older than 20" and "older than 40" only the last is told: the first follows from it."""
    ages = sorted(s.fact for s in statements if s.fact.startswith("older_") and s.value and s.text)
    return [replace(s, text="") if s.fact in ages[:-1] else s for s in statements]


def _statement(name: str, claims: tuple[Claim, ...]) -> Statement:
    """The word of the highest rank; among models of one rank the mean of their probabilities, if they agree."""
    best = min(RANK[c.source] for c in claims)
    deciding = [c for c in claims if RANK[c.source] == best]
    disputed = len({c.value for c in claims}) > 1
    p = sum(c.confidence if c.value else 1 - c.confidence for c in deciding) / len(deciding)
    value = p >= 0.5
    confidence = round(max(p, 1 - p), 4)
    if len({c.value for c in deciding}) > 1:
        return Statement(name, None, confidence, "", True, claims)
    told = said(name, p)
    return Statement(name, value, confidence, told.text if told else "", disputed, claims)


_LETTERS = re.compile(r"[^\W\d_]+")
_ADDRESS = re.compile(
    r"[@{}<>\[\]]|https?:|www\.|\.(?:jpe?g|png|webp|heic)\b|\bIMG[_-]?\d|\bDSC[_-]?\d|\d{5,}", re.IGNORECASE
)


def sentence_allowed(text: str) -> bool:
    """Whether a free sentence may be kept: no name, no address, file name or markup, and nothing that would be refused
    as an answer (who, where from, character, belief, health, guilt)."""
    return bool(text.strip()) and not _names(text) and not _ADDRESS.search(text) and refused(text) is None


def _names(text: str) -> bool:
    """Whether a word may be a name: one in capitals, or one with a capital that does not begin the sentence. Single
    letters are none (a T-shirt, a V-neck)."""
    words = [word for word in _LETTERS.findall(text) if len(word) > 1]
    opening = _LETTERS.search(text)
    inner = words[1:] if opening and len(opening[0]) > 1 else words
    return any(w.isupper() for w in words) or any(w[0].isupper() or w[0].istitle() for w in inner)


def free_claims(text: str, model: str, date: str) -> list[Claim]:
    """The sentences of a teacher's text that may be kept. Their confidence is unknown and counts as 0.5."""
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(text.split()))
    return [Claim("", True, 0.5, "teacher", model, date, s) for s in sentences if sentence_allowed(s)]


def corrected(
    statement_: Statement, verdict: str, text: str, person: str, date: str, decided: bool | None = None
) -> Statement:
    """A statement after a person looked at it: ``accept``, ``reject``, or a fact turned round by ``wrong``; with `text`
    the sentence is replaced. A free sentence that is wrong and not replaced is rejected. `decided`: whether a fact
    holds that the sources left open. Raises ValueError for another word, and where it stays open."""
    if verdict not in ("accept", "reject", "wrong"):
        raise ValueError(f"{verdict!r} is none of accept, reject, wrong; write one of these or leave it empty")
    if verdict == "reject" or (verdict == "wrong" and not statement_.fact and not text):
        return replace(statement_, verdict="rejected")
    value = statement_.value
    if value is None and statement_.fact:
        if verdict == "wrong" or decided is None:
            raise ValueError(
                f"the sources dispute {statement_.fact!r} and none is chosen; write True or False under value and "
                "accept under verdict, or write reject"
            )
        value = decided
    elif verdict == "wrong" and statement_.fact:
        value = not value
    claim = Claim(statement_.fact, bool(value), 1.0, "person", person, date, text)
    told = text or (_told(statement_.fact, bool(value)) if statement_.fact else statement_.text)
    verdict_ = "accepted" if verdict == "accept" and not text else "corrected"
    claims = (*statement_.claims, claim)
    return Statement(statement_.fact, value, 1.0, told, False, claims, verdict_)


def _told(name: str, value: bool) -> str:
    sure = said(name, 1.0 if value else 0.0)
    return sure.text if sure else f"{capital(statement(worded(name), 'the person', not value))}."
