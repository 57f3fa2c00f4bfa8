"""How each fact can be said: the words of training's questions, apart from the frames that they stand in (`templates`).

A phrase is one of three kinds. `be`: subject, is or are, complement ("the mouth" "is" "open"). `do`: subject, base
form, third person ("something" "cover the nose" "covers the nose"). `thing`: what can be seen ("a hat"). ``{p}`` stands
for the person. `OPPOSITE` says that a fact does not hold, in words of its own. What is kept from training is in
`held_out`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["be", "do", "thing"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way to say a fact. `be`: (subject, verb, complement); `do`: (subject, base, third); `thing`: (article, noun,
    is or are)."""

    kind: Kind
    parts: tuple[str, str, str]

    @property
    def text(self) -> str:
        """The words, for comparing phrases."""
        return " ".join(part for part in self.parts if part)


def be(subject: str, complement: str) -> Phrase:
    plural = subject.split(" of ")[0].endswith(("eyes", "brows", "corners", "lips", "cheeks", "glasses", "lenses"))
    return Phrase("be", (subject, "are" if plural else "is", complement))


def do(base: str, third: str = "", subject: str = "{p}") -> Phrase:
    """`third` is needed only where it is not the first word with an s."""
    first, _, rest = base.partition(" ")
    return Phrase("do", (subject, base, third or " ".join(filter(None, (first + "s", rest)))))


def thing(noun: str, plural: bool = False) -> Phrase:
    article, _, rest = noun.partition(" ")
    if article in ("a", "an"):
        return Phrase("thing", (article, rest, "is"))
    return Phrase("thing", ("", noun, "are" if plural else "is"))


def things(noun: str) -> Phrase:
    return thing(noun, plural=True)


def cover(part: str) -> tuple[Phrase, ...]:
    """That something lies over a part of the face, in the ways that are the same for every part."""
    return (
        do(f"cover the {part}", subject="something"),
        do(f"hide the {part}", subject="something"),
        be(f"the {part}", "covered"),
        be(f"the {part}", "hidden behind something"),
        be("something", f"in front of the {part}"),
        things(f"covered {part}") if part.endswith("s") else thing(f"a covered {part}"),
    )


def colour(word: str) -> tuple[Phrase, ...]:
    return (
        be("the hair", word), be("the color of the hair", word), do(f"have {word} hair", f"has {word} hair"),
        thing(f"{word} hair"), thing(f"a head of {word} hair"),
        be("the hair on top", word), do(f"have hair that is {word}", f"has hair that is {word}"),
    )  # fmt: skip


def direction(verb: str, word: str, part: str) -> tuple[Phrase, ...]:
    return (
        be(part, f"turned {word}"),
        do(f"{verb} {word}", subject=part),
        do(f"turn {part} {word}"),
        thing(f"a {part.removeprefix('the ')} that is turned {word}"),
        do(f"keep {part} turned {word}"),
    )


def look(word: str) -> tuple[Phrase, ...]:
    return (do(f"look {word}", "", "{p}"), be("{p}", f"looking {word}"), be("the eyes", f"turned {word}"),
            thing(f"a look {word}"), things(f"eyes that are turned {word}"))  # fmt: skip


TRAIN: Mapping[str, tuple[Phrase, ...]] = {
    "smiling": (
        do("smile"), be("{p}", "smiling"), thing("a smile"), be("the mouth", "smiling"), thing("a smiling person"),
        be("the corners of the mouth", "pulled up"), be("the corners of the mouth", "raised"),
    ),
    "mouth_open": (
        be("the mouth", "open"), thing("an open mouth"), be("the lips", "apart"), do("open the mouth"),
        do("have an open mouth", "has an open mouth"), do("hold the mouth open"),
        do("keep the lips apart"), things("lips apart"),
    ),
    "eyes_closed": (
        be("the eyes", "closed"), be("the eyes", "shut"), things("closed eyes"), do("close the eyes"),
        do("have closed eyes", "has closed eyes"), do("keep the eyes shut"),
    ),
    "eyeglasses": (
        do("wear glasses"), be("{p}", "wearing glasses"), things("glasses"), do("have glasses on", "has glasses on"),
        things("eyeglasses"), do("wear eyeglasses"), things("lenses in front of the eyes"),
    ),
    "sunglasses": (
        do("wear sunglasses"), be("{p}", "wearing sunglasses"), things("sunglasses"), things("dark glasses"),
        be("{p}", "wearing dark glasses"), things("dark lenses"),
    ),
    "face_mask": (
        do("wear a mask"), be("{p}", "wearing a mask"), thing("a mask"), do("have a mask on", "has a mask on"),
        thing("a face mask"), thing("a mask on the face"),
    ),
    "wearing_hat": (
        do("wear a hat"), be("{p}", "wearing a hat"), thing("a hat"), do("have a hat on", "has a hat on"),
        thing("a hat or a cap"), thing("a hat on the head"), be("something", "on the head"),
    ),
    "beard": (
        do("have a beard", "has a beard"), thing("a beard"), thing("hair on the chin"), do("wear a beard"),
        be("{p}", "wearing a beard"), do("grow on the chin", subject="hair"), thing("hair below the mouth"),
        thing("hair under the lips"),
    ),
    "facial_hair": (
        thing("hair on the face"), do("grow on the face", subject="hair"), thing("hair on the lower half of the face"),
        do("have hair on the face", "has hair on the face"), thing("facial hair"),
        do("have facial hair", "has facial hair"),
    ),
    "stubble": (
        do("have stubble", "has stubble"), thing("stubble"), thing("stubble on the chin"),
        thing("very short beard hair"),
    ),
    "bald": (
        be("{p}", "bald"), thing("a bald head"), be("the head", "bald"), do("have a bald head", "has a bald head"),
        be("the head", "without hair"),
    ),
    "bangs": (
        do("have bangs", "has bangs"), things("bangs"), thing("a fringe"), thing("hair over the forehead"),
        do("hang over the forehead", subject="hair"), thing("hair above the brows"),
    ),
    "gray_hair": (*colour("grey"), thing("grey or white hair")),
    "black_hair": colour("black"),
    "blond_hair": colour("blond"),
    "brown_hair": colour("brown"),
    "long_hair": (
        be("the hair", "long"), thing("long hair"), do("have long hair", "has long hair"), do("wear long hair"),
        thing("a head of long hair"),
        do("have hair that is long", "has hair that is long"),
    ),
    "wearing_lipstick": (
        do("wear lipstick"), be("{p}", "wearing lipstick"), thing("lipstick"), be("the lips", "painted"),
        do("have lipstick on", "has lipstick on"), things("painted lips"),
        thing("lipstick on the mouth"), do("show painted lips"),
    ),
    "full_face": (
        be("the face", "full"), be("the face", "round and full"), things("full cheeks"), be("the cheeks", "full"),
        do("have full cheeks", "has full cheeks"), do("have a full face", "has a full face"),
    ),
    "occluded": (
        be("something", "in front of the face"), do("cover a part of the face", subject="something"),
        be("a part of the face", "covered"), thing("something in front of the face"),
        do("hide a part of the face", subject="something"),
    ),
    "nose_covered": cover("nose"),
    "chin_covered": cover("chin"),
    "forehead_covered": cover("forehead"),
    "cheeks_covered": cover("cheeks"),
    "brows_covered": cover("brows"),
    "turned_left": (*direction("point", "to the left", "the head"), be("the face", "turned to the left")),
    "turned_right": (*direction("point", "to the right", "the head"), be("the face", "turned to the right")),
    "head_up": (
        *direction("point", "up", "the head"), be("the chin", "raised"), do("raise the chin"),
        be("the chin", "held up"), thing("a chin that is raised"), do("hold the chin up"),
    ),
    "head_down": (
        *direction("point", "down", "the head"), be("the chin", "lowered"), do("lower the chin"),
        be("the chin", "held down"), thing("a chin that is lowered"), do("hold the chin down"),
    ),
    "looks_left": (*look("to the left"), do("point to the left", "point to the left", "the eyes")),
    "looks_right": (*look("to the right"), do("point to the right", "point to the right", "the eyes")),
    "looks_down": (*look("down"), be("the eyes", "lowered"), do("point down", "point down", "the eyes"),
                   do("lower the eyes"), things("eyes that are lowered")),
    "brows_raised": (
        be("the brows", "raised"), be("the brows", "pulled up"), things("raised brows"), do("raise the brows"),
        do("pull the brows up"), do("keep the brows up"), things("brows that are raised"),
        do("have brows that are raised", "has brows that are raised"),
    ),
    "brows_lowered": (
        be("the brows", "lowered"), be("the brows", "pulled down"), things("lowered brows"), do("lower the brows"),
        do("pull the brows down"), do("keep the brows down"), things("brows that are lowered"),
        do("have brows that are lowered", "has brows that are lowered"),
    ),
    "eyes_wide": (
        be("the eyes", "wide open"), be("the eyes", "open wide"), things("wide open eyes"), do("open the eyes wide"),
        do("keep the eyes wide open"), things("eyes that are wide open"),
        do("have eyes that are wide open", "has eyes that are wide open"),
    ),
    "nose_wrinkled": (
        be("the nose", "wrinkled"), thing("a wrinkled nose"), do("wrinkle the nose"), be("{p}", "wrinkling the nose"),
    ),
    "female": (
        be("{p}", "a woman"), be("{p}", "female"), thing("a woman"), do("look like a woman", "looks like a woman"),
        do("look female"), thing("a female person"),
    ),
    **{
        f"older_{a}": (
            be("{p}", f"older than {a}"), be("{p}", f"over {a}"), do(f"look older than {a}"),
            be("{p}", f"more than {a} years old"), do(f"seem over {a}"), do(f"seem more than {a} years old"),
        )
        for a in (20, 30, 40, 50, 60)
    },
    **{
        f"expression_{name}": (
            be("{p}", adjective), do(f"look {adjective}"), be("the face", adjective), do(f"show {noun}"),
            be("the expression", adjective), do(f"seem {adjective}"), thing(f"a face that is {adjective}"),
            do(f"have a face that seems {adjective}", f"has a face that seems {adjective}"),
            do(f"seem {adjective}", subject="the face"),
        )
        for name, adjective, noun in (
            ("neutral", "neutral", "no feeling"), ("happiness", "happy", "happiness"), ("sadness", "sad", "sadness"),
            ("surprise", "surprised", "surprise"), ("fear", "afraid", "fear"), ("disgust", "disgusted", "disgust"),
            ("anger", "angry", "anger"),
        )
    },
}  # fmt: skip

# For training only: the same facts, denied without a "not".
OPPOSITE: Mapping[str, tuple[Phrase, ...]] = {
    "mouth_open": (be("the mouth", "closed"), be("the mouth", "shut"), thing("a closed mouth"), do("close the mouth")),
    "eyes_closed": (be("the eyes", "open"), things("open eyes"), do("open the eyes"), do("hold the eyes open")),
    "long_hair": (be("the hair", "short"), thing("short hair"), do("have short hair", "has short hair")),
    "female": (be("{p}", "a man"), be("{p}", "male"), thing("a man"), do("look like a man", "looks like a man")),
    "beard": (be("the chin", "without hair"), be("{p}", "without a beard")),
    "facial_hair": (be("the face", "without hair"), be("the lower half of the face", "without hair")),
    "eyeglasses": (be("the eyes", "without glasses"), be("{p}", "without glasses")),
    "wearing_hat": (be("the head", "without a hat"), be("{p}", "without a hat")),
    **{f"older_{a}": (be("{p}", f"younger than {a}"), be("{p}", f"under {a}"), do(f"look younger than {a}"),
                      be("{p}", f"less than {a} years old")) for a in (20, 30, 40, 50, 60)},
}  # fmt: skip
