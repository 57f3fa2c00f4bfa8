"""Which fact a question in free words asks about: so that a specialist can be asked for the same.

Words decide, not a model: what is not recognised is said to be unchecked, never guessed. A question may join two facts
("glasses and a smile") and deny them ("no hat", "without").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from omokage.dialogue.checking import choice as choice_of
from omokage.dialogue.checking import specialist
from omokage.dialogue.phrases import TRAIN
from omokage.dialogue.templates import OPTION_WORDS, WANTED
from omokage.results import FaceAnalysis

_COLOURS = {"gray_hair": "gr[ae]y|white", "black_hair": "black", "blond_hair": "blonde?|fair", "brown_hair": "brown"}
_FEELINGS = {
    "neutral": "neutral|no feeling", "happiness": "happy|happiness|joyful", "sadness": "sad|sadness|unhappy",
    "surprise": "surprised?|astonished", "fear": "afraid|fear|fearful|scared|frightened",
    "disgust": "disgust(?:ed)?", "anger": "angry|anger|furious",
}  # fmt: skip
_PARTS = {"nose": "nose", "chin": "chin", "forehead": "forehead", "mouth": "mouth|lips", "eyes": "eyes?",
          "cheeks": "cheeks?", "brows": "(?:eye)?brows?"}  # fmt: skip
_COVERS = r"(?:cover|hid(?:e|ing|den)|in front of|over|block)"
_OWNER = r"(?:the |his |her |their )?"  # § in a pattern
# In the order of looking: what is more special comes first, and takes its words away.
PATTERNS: Mapping[str, str] = {
    "mouth_corners_down": r"corners? of (?:the|his|her|their) mouth \w* ?\w* ?(?:down|lowered)",
    "mustache": r"mou?staches?|hair (?:\w+ ){0,2}(?:above|over) the (?:mouth|lips|upper lip)",
    "hair_on_cheeks": r"hair (?:\w+ ){0,2}on the cheeks?",
    "sunglasses": r"sun ?glasses|(?:dark|black|tinted) (?:glasses|lenses)|\bshades\b",
    "eyeglasses": (
        r"(?:(?:eye ?)?glasses|lenses)(?: (?:are |is )?(?:in front of the eyes|on the nose))?"
        r"|spectacles|eyewear"
    ),
    "face_mask": r"(?:face |surgical |medical )?mask",
    "bangs": r"bangs|fringe|hair (?:\w+ )?(?:\w+ )?(?:over|on|above) the (?:forehead|brows)",
    "wearing_hat": r"\bhats?\b|\bcaps?\b|beanie|headwear|something (?:is )?on the head",
    "facial_hair": r"facial hair|hair (?:\w+ ){0,2}(?:in|on) §(?:lower half of the )?face",
    "beard": (
        r"(?<!short )beard(?:ed)?\b(?! hair)|hair (?:\w+ ){0,2}on the chin|goatee"
        r"|hair (?:\w+ ){0,2}(?:below|under) the (?:mouth|lips)"
    ),
    "stubble": r"stubble|short beard hair|5 o'?clock shadow",
    "wearing_lipstick": r"lipstick|painted lips|lips (?:\w+ )?painted",
    **{
        f"{name}_covered": rf"{_COVERS}\w* §(?:{w})\b|(?:{w}) (?:is |are )?{_COVERS}|covered (?:{w})"
        for name, w in _PARTS.items()
    },
    "looks_down": r"look(?:s|ing)? down|lowered eyes|eyes (?:\w+ ){0,2}(?:lowered|down)",
    "occluded": (
        rf"{_COVERS}\w* (?:a part of )?(?:the )?face|part of the face (?:is )?{_COVERS}|covered part of the face"
    ),
    "smiling": r"smil\w+|\bsmile\b|\bgrin\w*|corners of the mouth (?:\w+ )?(?:\w+ )?(?:up|raised)",
    "mouth_wide_open": r"mouth (?:\w+ )?wide|wide open mouth|open the mouth wide",
    "mouth_open": (
        r"mouth (?:\w+ ){0,2}open|open(?:s|ing)? §(?:mouth|lips)|lips (?:\w+ )?(?:apart|parted|open)"
    ),
    "eyes_wide": r"wide open eyes|eyes (?:\w+ ){0,2}wide|eyes wide",
    "mouth_closed": r"mouth (?:\w+ ){0,2}(?:closed|shut)|(?:closed|shut|close|closes|closing) §mouth",
    "eyes_open": r"eyes (?:\w+ ){0,2}open\b|\bopens? §eyes",
    "eyes_closed": r"eyes (?:\w+ ){0,2}(?:closed|shut)|(?:closed|shut|close|closes|closing) §eyes",
    "bald": r"\bbald",
    "long_hair": r"long hair|hair (?:\w+ ){0,4}long",
    "short_hair": r"short hair|hair (?:\w+ ){0,4}short",
    **{name: rf"(?:{w})[ -]hair\w*|hair (?:\w+ ){{0,4}}(?:{w})\b" for name, w in _COLOURS.items()},
    "full_face": r"full (?:face|cheeks)|round (?:and full|face)|face (?:\w+ )?(?:round|full)|cheeks (?:\w+ )?full",
    **{
        f"looks_{w}": rf"(?:look(?:s|ing)?|eyes (?:\w+ ){{0,2}}(?:turned|pointed|point)) (?:to )?(?:the )?{w}\b"
        for w in ("left", "right", "up")
    },
    **{
        f"turned_{w}": rf"(?:head|face|turn(?:s|ed|ing)?|point(?:s|ed|ing)?)[\w ]* (?:to )?(?:the )?{w}\b"
        for w in ("left", "right")
    },
    "brows_raised": r"(?:raise[sd]?|raising) §(?:eye)?brows|brows (?:\w+ ){0,2}(?:raised|up)",
    "brows_lowered": r"(?:lower(?:s|ed|ing)?) §(?:eye)?brows|brows (?:\w+ ){0,2}(?:lowered|down)|frown\w*",
    "head_up": r"(?:head|face|chin)[\w ]* (?:up|raised)\b|raised chin|raises? the chin",
    "head_down": r"(?:head|face|chin)[\w ]* (?:down|lowered)\b|lowered chin|lowers? the chin",
    "nose_wrinkled": r"wrinkl\w+ §nose|nose (?:\w+ )?wrinkled",
    "female": r"\bwoman\b|\bfemale\b|\bgirl\b|\blady\b",
    "male": r"\bman\b|\bmale\b|\bboy\b|\bguy\b",
    **{f"older_{a}": rf"(?:older than|over|above|more than) {a}\b" for a in (20, 30, 40, 50, 60)},
    **{f"younger_{a}": rf"(?:younger than|under|below|less than) {a}\b" for a in (20, 30, 40, 50, 60)},
    **{f"expression_{name}": rf"\b(?:{w})\b" for name, w in _FEELINGS.items()},
}  # fmt: skip
_COMPILED = {name: re.compile(pattern.replace("§", _OWNER)) for name, pattern in PATTERNS.items()}
_DENIED = re.compile(r"\bnot?\b|n't\b|\bwithout\b|\black(?:s|ing)?\b")
_HELPER = "(?:is|are|was|were|do|does|did|has|have|had|ca|can|could|would|should)"
# "Isn't she" and "don't you think" ask for the fact itself; "she isn't" denies it.
_TURNED = re.compile(
    rf"^({_HELPER})n't(?= (?:the|this|that|these|those|she|he|they|it|there|you|his|her|their|someone|somebody)\b)"
)
_WHO = "(?:she|he|they|it|that|there|you|the person|the (?:wo)?man)"
_TAG = re.compile(
    rf"(?:[,;]\s*|\s)\b{_HELPER}n['’]t {_WHO}(?: (?:so|right|true|think|agree))?\s*[?.!]*\s*$"
    rf"|[,;]\s*{_HELPER} {_WHO}(?: not)?\s*[?.!]*\s*$",
    re.IGNORECASE,
)
# Where one clause ends and the next begins; "without" belongs to the clause that it opens.
_JOINTS = re.compile(r" (?:and also|as well as|and|but|or|nor|with|while) | (?=without )")
_CLOSED = re.compile(r"(?:is|are|does|do|has|have|can|could|would) .*\b(?:older|over|under|younger|more than)\b")
# Two words for one thing, and the frames' ends, which are not what is asked for.
_TWINS = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        # "the man" is who is asked about; "a man" is what is asked for.
        (r"\b(?:the|this|that) (?:(?!an? |and |or )\w+ )?(?:woman|man|girl|boy|lady|guy)(?:'s)?\b", "the person"),
        (r"\bgr[ae]y or white\b", "grey"), (r"\bround and full\b", "full"),
        (r"\bhat or (?:a )?cap\b|\bcap or (?:a )?hat\b", "hat"),
        (r"\bnot without\b", "with"), (r"\bdo you believe\b", "do you think"),
        # Elsewhere these words change the meaning: "like a man", "hold glasses", "an old man".
        (r"\b(look(?:s|ing)?|seems?) like\b", r"\1"), (r"\byears old\b", "years"),
        (r"\bholds? (?=(?:the |his |her |their )?(?:mouth|lips|eyes?|(?:eye)?brows|chin|head|face)\b)", "keep "),
        (r"\bchin (?:is )?without hair\b", "without beard"), (r"\bface (?:is )?without hair\b", "without facial hair"),
        (r"\bhead without hair\b|\bhead is without hair\b", "bald head"), (r"\bno feeling\b", "neutral"),
        (r" or both\b|\b(?:yes or no|true or false|right or wrong)\b", ""), (r"\b(?:no|without) hair$", "bald"),
        (r"\bis (?:it|this) (?:right|true)\b(?: that)?|\bis it so$|\bis there any$|\bare there any$", ""),
        (r"\bin the picture\b|\bin this picture\b|\bwhat do you think\b|\bor not$", ""),
    )
)  # fmt: skip
CHOICE_WORDS = {
    "hair_colour": r"colou?r\b.*\bhair|hair.*\bcolou?r",
    "expression": r"\bexpression\b|\bfeel(?:s|ing)?\b|\bemotion|\bmood\b|how does .* look\b|what does the face show",
    "age": r"\bhow old\b|\bage\b",
    "gender": (
        r"\bgender\b|\b(?:what|which)\b.*\bsex\b|\bsex (?:of|is)\b|(?:the|his|her|their|'s) sex$"
        r"|woman or a? ?man|man or a? ?woman|female or male|male or female"
    ),
    "eyewear": r"(?:what|which).*(?:glasses|over the eyes|front of the eyes|eyewear)",
    "direction": r"(?:where|which way|which side|direction).*(?:head|face|turned|point)",
}
_CHOICES = {kind: re.compile(pattern) for kind, pattern in CHOICE_WORDS.items()}
_OPPOSITE = {"male": "female", "mouth_closed": "mouth_open", "eyes_open": "eyes_closed", "short_hair": "long_hair"}
# What a question may hold beside what it asks for: how it asks, and whom it is about.
_WORDS_AROUND = """
a about age an and any anything appear appears are as at be been behind being both by can chin choice choose clearly
color colour could currently did direction do does ed either else emotion expression eye eyes face faces feeling
female fits for from front gender give got had hair half has have having he head her here hers him his how if image in
is it its just keep keeps kind know lips look looking looks lower male man me mood mouth neither no not now of on one
open opens or out over people person person's persons photo photograph picture pictured please point pull pulls really
right say see seem seems seen she show shown shows side so some somebody someone something tell than that the their
them there these they think this those to turn turned turns under very visible was way wear wearing wears were what
where whether which who with woman worn would years yes you
"""
_AROUND = frozenset(_WORDS_AROUND.split())
_OF_CHOICE = {"age": {"old"}, "gender": {"sex"}, "eyewear": {"glasses", "eyewear"}}  # no filler in other questions
# Where a thing can be and is not worn as the fact says: a hat belongs on the head, glasses do not.
_ELSEWHERE = {
    **{name: {"head", "chin", "mouth", "forehead"} for name in ("eyeglasses", "sunglasses")},
    "face_mask": {"head", "chin", "forehead"},
}
# Somebody else, who is not asked about: "does he have a girl?" is no question about a girl in the picture.
_COMPANY = re.compile(
    r"\b(?P<word>ha(?:ve|s|d|ving)|got|with|(?<!look )for|know) (?:an? |the )?(?:wom[ae]n|m[ae]n|girl|boy|lady|guy)\b"
)
_ONE_SIDE = re.compile(r"(?:to )?(?:the )?right(?: side)?")
# A clause that could stand alone; what was denied before it is not denied in it.
_WHOLE = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has)\b"
    r"|^(?:wears|looks|shows|seems|smiles|keeps|hides|covers|opens|closes)\b"
    r"|^(?:the (?:pictured )?person|this person|he|she|they|it|someone|somebody|something|hair) +"
    r"(?!on |over |below |under )\w"
    r"|^(?:the|his|her|their) (?:eyes|head|face|lips|mouth|cheeks|brows|corners of the mouth) \w"
)
YES = frozenset(("yes", "true", "right", "it is so", "correct", "はい"))
NO = frozenset(("no", "false", "wrong", "it is not so", "incorrect", "いいえ"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for: one or two facts, each perhaps denied, joined by "and", "or"; or one choice."""

    facts: tuple[tuple[str, bool], ...] = ()  # name, and the value for which it is said to hold
    join: str = "and"
    choice: str = ""


def asked_for(question: str, options: Sequence[str] = ()) -> Asked | None:
    """What a question in English asks for, as far as its words tell; None when they do not. Whether `options` are yes
    and no tells "is the expression sad?" from "what is the expression?"."""
    text = _one_wording(question)
    yes_no = bool(options) and all(plain(option) in YES | NO for option in options)
    if not yes_no:
        for kind, rule in _CHOICES.items():
            if rule.search(text) and not (not options and _CLOSED.match(text)):
                return Asked(choice=kind)
    clauses = _JOINTS.split(text)
    facts = [fact for clause in clauses for fact in _told(clause)[0]]
    if not facts or len(facts) > 2:
        return None
    if len(facts) == 1:
        return Asked(tuple(facts))
    if "neither" in text:
        return Asked(tuple(facts), "neither")
    if _both_denied(text, clauses):
        return Asked((facts[0], (facts[1][0], not facts[1][1])))
    return Asked(tuple(facts), "or" if re.search(r"\bor\b", text) else "and")


def _both_denied(text: str, clauses: Sequence[str]) -> bool:
    """Whether two facts share one denial: "no beard or glasses" asks that there be neither."""
    telling = [clause for clause in clauses if _told(clause)[0]]
    if len(telling) != 2 or not re.search(r"\bn?or\b", text):
        return False
    first, second = (_straight(clause) for clause in telling)
    return bool(_DENIED.search(first)) and not _DENIED.search(second) and not _WHOLE.search(second)


def strange_words(question: str, options: Sequence[str] = ()) -> tuple[str, ...]:
    """Words of a question that are no part of what `asked_for` recognises in it, nor of how things are asked for: "is
    the person with a hat tired?" is not about the hat alone. All words where it recognises nothing."""
    asked, text = asked_for(question, options), _one_wording(question)
    if asked is None:
        return tuple(text.split())
    if asked.choice:
        usual = _AROUND | _OF_CHOICE.get(asked.choice, set())
        return tuple(word for word in text.split() if word not in usual)
    company = _COMPANY.search(text)
    found = [word for clause in _JOINTS.split(text) for word in _strange_in(clause)]
    return tuple([company["word"], *found] if company else found)


def _strange_in(clause: str) -> list[str]:
    """The strange words of one clause of a question about facts."""
    if _ONE_SIDE.fullmatch(clause):  # "left or right" asks for a side, not whether it is the left
        return ["right"]
    facts, left = _told(clause)
    usual = _AROUND.difference(*(_ELSEWHERE.get(name, ()) for name, _ in facts))
    return [word for word in left.replace("#", " ").split() if word not in usual]


def named(text: str) -> tuple[str, bool] | None:
    """The one fact that a few words name, and whether they say that it holds ("grey hair", "no glasses", "girl"); None
    for further words, and for other numbers of facts."""
    found, left = _told(_one_wording(text))
    return found[0] if len(found) == 1 and not left.replace("#", " ").strip() else None


def _one_wording(question: str) -> str:
    """A question in plain letters, with one word for things that have several."""
    text = _TAG.sub("?", re.sub(r",\s*(?:right|correct|no|yes)\s*\?\s*$", "?", question))
    text = _straight(plain(text))
    for pattern, word in _TWINS:
        text = pattern.sub(word, text)
    return text


def _straight(clause: str) -> str:
    """A clause that begins with "isn't she" as "is she"."""
    return _TURNED.sub(lambda found: {"ca": "can"}.get(found[1], found[1]), clause)


Kind = Literal["single", "combination", "choice", "other"]
KINDS: tuple[Kind, ...] = ("single", "combination", "choice", "other")


def kind_of(question: str, options: Sequence[str]) -> Kind:
    """How a question relates to what the native model was trained to be asked: one fact, two, a choice, or something
    else."""
    asked = asked_for(question, options)
    if asked is None or any(name not in TRAIN for name, _ in asked.facts):
        return "other"
    return "choice" if asked.choice else "single" if len(asked.facts) == 1 else "combination"


def _told(clause: str) -> tuple[list[tuple[str, bool]], str]:
    """The facts of one clause, each with whether it is said to hold; and the clause without their words."""
    clause = _straight(clause)
    holds = not _DENIED.search(clause)
    left = " ".join(_DENIED.sub(" ", clause).split())
    found = []
    for name, pattern in _COMPILED.items():
        match = pattern.search(left)
        if match:
            found.append((match.start(), name))
            left = left[: match.start()] + "#" * len(match[0]) + left[match.end() :]
    return [_signed(name, holds) for _, name in sorted(found)], left


def _signed(name: str, value: bool) -> tuple[str, bool]:
    """`male`, `younger_40` and the like by the facts that they are the opposite of."""
    if name in _OPPOSITE:
        return _OPPOSITE[name], not value
    if name.startswith("younger_"):
        return name.replace("younger", "older"), not value
    return name, value


def plain(text: str) -> str:
    """Lower case, no punctuation but apostrophes and hyphens, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(re.sub(r"[^\w' -]", " ", folded).split())


def expected(face: FaceAnalysis, asked: Asked, options: Sequence[str]) -> tuple[float, ...] | None:
    """The specialist's probability of each option (they need not sum to 1), or None when it cannot say."""
    if asked.choice:
        classes = choice_of(face, asked.choice)
        words = {w: name for name, both in OPTION_WORDS[asked.choice].items() for w in both}
        names = [words.get(plain(option)) for option in options]
        if classes is None or not all(name in classes for name in names):
            return None
        return tuple(classes[name] for name in names if name is not None)
    holds = probability(face, asked)
    if holds is None:
        return None
    sides = [plain(o) in YES if plain(o) in YES | NO else None for o in options]
    if len(options) != 2 or None in sides or sides[0] == sides[1]:
        return None
    return tuple(holds if yes else 1 - holds for yes in sides)


def probability(face: FaceAnalysis, asked: Asked) -> float | None:
    """How likely what is asked for holds; two facts are taken as independent."""
    parts = []
    for name, value in asked.facts:
        p = specialist(face, name)
        if p is None:
            return None
        parts.append(p if value else 1 - p)
    if len(parts) == 1:
        return parts[0]
    a, b = parts
    cases = {
        (True, True): a * b,
        (True, False): a * (1 - b),
        (False, True): (1 - a) * b,
        (False, False): (1 - a) * (1 - b),
    }
    return sum(p for case, p in cases.items() if WANTED[asked.join](*case))
