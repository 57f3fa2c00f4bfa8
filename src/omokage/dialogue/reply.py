"""From probabilities and a specialist's opinion to an `Answer`: who is believed, and what is said when nobody is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omokage.dialogue.answers import UNCLEAR, Agreement, Answer, Field, sentence
from omokage.dialogue.captions import Sentence, plainest
from omokage.dialogue.checking import choice, specialist
from omokage.dialogue.conversation import Asked, DialogueModel, Image, Turn
from omokage.dialogue.matching import Asked as Meaning
from omokage.dialogue.matching import asked_for, expected
from omokage.dialogue.option_words import OptionsRead
from omokage.dialogue.phrases import TRAIN
from omokage.dialogue.sayings import saying
from omokage.dialogue.templates import CHOICES, OPTION_WORDS, capital, question_clause
from omokage.results import FaceAnalysis

YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Rules:
    """When an answer is given. Shares are probabilities 0..1."""

    least: float = 0.6  # of the chosen option; below it the model abstains
    least_many: float = 0.45  # the same with three options or more
    against: float = 0.25  # a specialist that gives the chosen option less disagrees
    agree: float = 0.5  # and one that gives it at least so much agrees; between it is unsure


RULES = Rules()


def options_for(question: str) -> tuple[str, ...]:
    """The options of a question that offers none: of a known choice its classes, yes and no for a question that begins
    as such; empty when it is open."""
    asked = asked_for(question)
    if asked is not None and asked.choice:
        return tuple(words[0] for words in OPTION_WORDS[asked.choice].values())
    first = question.split(maxsplit=1)[0].casefold().strip("¿\"'(").removesuffix("'s") if question.split() else ""
    opens = first in ("what", "which", "how", "where", "why", "describe", "tell", "when")
    closed = first in _AUXILIARIES or (asked is not None and not opens) or question.rstrip().endswith("yes or no?")
    return YES_NO if closed else ()


_AUXILIARIES = frozenset(
    ("is", "are", "was", "were", "does", "do", "did", "has", "have", "can", "could", "would", "will", "isn't", "aren't",
     "doesn't", "don't", "hasn't", "true", "say", "any")
)  # fmt: skip


def closed_answer(
    source: str, question: str, options: Sequence[str], probabilities: Sequence[float], face: FaceAnalysis | None,
    model: str, rules: Rules = RULES, knows: Sequence[str] | None = None, lang: str = "en",
    read: OptionsRead | None = None,
) -> Answer:  # fmt: skip
    """The answer that these probabilities make, checked against what the specialist says of the same thing.

    `knows`: facts that the model was trained on (None: it is not limited to a list); what is asked beside them needs
    review. `read`: the options as such a model was taught them. Disagreement, or a probability below the rules, is an
    abstention.
    """
    best = max(range(len(options)), key=lambda i: probabilities[i])
    asked, words = (asked_for(question, options), options) if read is None else (read.meaning, read.words)
    second = None if face is None or asked is None else expected(face, asked, words)
    agreement = _agreement(second[best], rules) if second is not None else "unchecked"
    about = _about(asked)
    least = rules.least if len(options) == 2 else rules.least_many
    common: dict[str, Any] = {
        "source": source, "question": question, "options": tuple(options), "about": about, "agreement": agreement,
        "probabilities": tuple(round(float(p), 6) for p in probabilities), "model": model,
        "specialist": None if second is None else round(float(second[best]), 6),
        "face": 0 if face is None else face.face,
    }  # fmt: skip
    if probabilities[best] < least:
        why = saying("low", lang, best=options[best], p=probabilities[best])
        return Answer(status="abstained", reason=why, needs_review="low probability", **common)
    if second is not None and agreement == "disagrees":
        why = saying("disagreement", lang, best=options[best], p=probabilities[best], second=second[best])
        return Answer(status="abstained", reason=why, needs_review="disagreement", **common)
    review = "the specialist is unsure" if agreement == "unsure" else ""
    if knows is not None and (asked is None or any(name not in knows for name in about)):
        review = "asks for something that the model was not trained on"
    return Answer(answer=options[best], needs_review=review, **common)


def _agreement(probability: float, rules: Rules) -> Agreement:
    return "agrees" if probability >= rules.agree else "disagrees" if probability < rules.against else "unsure"


def _about(asked: Meaning | None) -> tuple[str, ...]:
    if asked is None:
        return ()
    return (asked.choice,) if asked.choice else tuple(name for name, _ in asked.facts)


def field_question(name: str) -> tuple[str, tuple[str, ...]]:
    """The question behind a field of an open answer, and its options in the order of the field's values."""
    if name in CHOICES:
        return CHOICES[name][0].format(p="the person"), tuple(words[0] for words in OPTION_WORDS[name].values())
    return fact_question(name)


def fields_asked(
    image: Image, names: Sequence[str], face: FaceAnalysis | None, model: DialogueModel,
    history: Sequence[Turn] = (), rules: Rules = RULES,
) -> dict[str, Field]:  # fmt: skip
    """Each field by a closed question to the model; unclear where it is not sure or the specialist disagrees."""
    asked = [Asked(image, *field_question(name), tuple(history)) for name in names]
    found: dict[str, Field] = {}
    for name, one, p in zip(names, asked, model.choose_many(asked), strict=True):
        best = int(p.argmax())
        values = tuple(OPTION_WORDS[name]) if name in OPTION_WORDS else YES_NO
        second = opinion(face, name, values[best])
        agreement: Agreement = "unchecked" if second is None else _agreement(second, rules)
        least = rules.least if len(one.options) == 2 else rules.least_many
        unclear = p[best] < least or agreement == "disagrees"
        found[name] = Field(UNCLEAR if unclear else values[best], round(float(p[best]), 6), agreement)
    return found


def judged_fields(values: Mapping[str, str], face: FaceAnalysis | None, rules: Rules = RULES) -> dict[str, Field]:
    """Fields that a model wrote as words, without probabilities of its own: those of the specialist stand in, and what
    it disputes is unclear."""
    found: dict[str, Field] = {}
    for name, value in values.items():
        second = opinion(face, name, value)
        agreement: Agreement = "unchecked" if second is None else _agreement(second, rules)
        kept = UNCLEAR if agreement == "disagrees" else value
        found[name] = Field(kept, None if second is None else round(second, 6), agreement)
    return found


def agreed_sentences(
    image: Image, sentences: Sequence[Sentence], model: DialogueModel, rules: Rules = RULES
) -> tuple[list[tuple[Sentence, str]], tuple[str, ...]]:
    """The sentences that the model does not dispute, each with who stands behind it ("both" or "specialist"), and the
    facts that it does dispute."""
    asked = [Asked(image, *fact_question(s.fact)) for s in sentences]
    kept: list[tuple[Sentence, str]] = []
    disputed = []
    for one, p in zip(sentences, model.choose_many(asked) if asked else [], strict=True):
        same = float(p[0] if one.value else p[1])
        if same < 1 - rules.least:
            disputed.append(one.fact)
        else:
            kept.append((one, "both" if same >= rules.least else "specialist"))
    return kept, tuple(disputed)


def fact_question(name: str) -> tuple[str, tuple[str, str]]:
    """A yes/no question for a fact."""
    phrase = plainest(name)
    return capital(question_clause(phrase, "the person")) + "?", YES_NO


def opinion(face: FaceAnalysis | None, name: str, value: str) -> float | None:
    """What the specialist gives to a field's value."""
    if face is None or value == UNCLEAR:
        return None
    if name in OPTION_WORDS:
        classes = choice(face, name)
        return None if classes is None else classes.get(value)
    p = specialist(face, name)
    return None if p is None else p if value == "yes" else 1 - p


def open_answer(
    source: str, question: str, fields: Mapping[str, Field], face: FaceAnalysis | None, model: str, lang: str = "en"
) -> Answer:
    """The answer that filled fields make, with what a person should look at; an abstention when none is clear."""
    clear = {name: f for name, f in fields.items() if f.value != UNCLEAR}
    common: dict[str, Any] = {
        "source": source,
        "question": question,
        "fields": dict(fields),
        "about": tuple(fields),
        "model": model,
        "needs_review": _doubts(fields),
    }
    if not clear:
        return Answer(status="abstained", reason=saying("nothing_clear", lang), **common)
    states = {f.agreement for f in fields.values()}
    agreement: Agreement = "agrees" if states <= {"agrees"} else "unchecked" if states == {"unchecked"} else "unsure"
    return Answer(answer=sentence({n: f.value for n, f in fields.items()}), agreement=agreement,
                  face=0 if face is None else face.face, **common)  # fmt: skip


def _doubts(fields: Mapping[str, Field]) -> str:
    """What a person should look at among fields: ``disagreement: age; unclear: eyewear``; empty: nothing."""
    kinds: dict[str, list[str]] = {"disagreement": [], "unclear": [], "the specialist is unsure": []}
    for name, field in fields.items():
        if field.agreement == "disagrees":
            kinds["disagreement"].append(name)
        elif field.value == UNCLEAR:
            kinds["unclear"].append(name)
        elif field.agreement == "unsure":
            kinds["the specialist is unsure"].append(name)
    return "; ".join(
        f"{kind}: {', '.join(n.replace('_', ' ') for n in names)}" for kind, names in kinds.items() if names
    )


def known_facts() -> tuple[str, ...]:
    """What the shipped model was trained to be asked."""
    return (*TRAIN, *OPTION_WORDS)
