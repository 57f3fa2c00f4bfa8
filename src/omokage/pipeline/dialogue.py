"""Ask about a face in words: find it, ask the language model, let the attributes network check the answer.

answer = omokage.ask("team.jpg", "Is the person wearing glasses?")
answer.answer, answer.probabilities, answer.agreement, answer.needs_review

talk = Talk("team.jpg")
talk.ask("Is there a hat?")
talk.ask("And a beard?")            # earlier turns are context
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from omokage.dialogue.answers import Answer, checked_question, clean, fields_of, fields_prompt, wanted_fields
from omokage.dialogue.conversation import DialogueModel, Turn
from omokage.dialogue.matching import strange_words
from omokage.dialogue.option_words import OptionsRead, read_options
from omokage.dialogue.refusal import refused
from omokage.dialogue.reply import (
    RULES,
    Rules,
    closed_answer,
    fields_asked,
    judged_fields,
    known_facts,
    open_answer,
    options_for,
)
from omokage.dialogue.sayings import saying
from omokage.errors import InputError, UnreadableError, WeightsError
from omokage.faces.align import crop_box, crop_landmarks
from omokage.language import check_language
from omokage.media.image import PictureLike, name_of, pixels_of
from omokage.media.sources import is_video
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.compare import OTHER_FACE
from omokage.pipeline.config import whole_number
from omokage.results import FaceAnalysis
from omokage.weights.identity import Identity, identity
from omokage.weights.registry import DEFAULT_SET, has_model, is_known, set_names

if TYPE_CHECKING:
    from omokage.media.table import Reading

Image = NDArray[np.uint8]
_FIELD_TOKENS = 160  # of a larger model's answer to an open question


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One picture made ready: the crop that the model sees and the analysis of its face, or the problem with it."""

    source: str
    status: str = ""  # no_face, several_faces, unreadable; empty when it can be asked about
    reason: str = ""
    crop: Image | None = None
    face: FaceAnalysis | None = None


def open_model(model: str | Path | None = None, device: str | None = None) -> DialogueModel:
    """The language model: of a weight set or folder, or a Hugging Face folder or id; the default set's by default. One
    that is open already is used again, unless its files have changed.

    Raises InputError for what is none of these, WeightsError when a set has none, MissingExtraError when the libraries
    for it are missing.
    """
    wanted = model if model is not None else DEFAULT_SET
    outside = _is_outside(wanted)
    if not outside and not is_known(wanted):
        raise InputError(
            f"no language model called {str(wanted)!r}: give a weight set ({', '.join(set_names())}), the folder of "
            "one, or a vision-language model as a folder or an id OWNER/NAME of Hugging Face (see docs/how-to/ask.md)"
        )
    if not outside and not has_model(wanted, "dialogue"):
        raise WeightsError(
            f"the weights {str(wanted)!r} hold no dialogue model: train one with  omokage train dialogue.shipped  and "
            "name its weights folder instead, or name a vision-language model (see docs/how-to/ask.md)"
        )
    return _open_once(identity(model), device or "auto")


@lru_cache(maxsize=2)
def _open_once(weights: Identity, device: str) -> DialogueModel:
    from omokage.dialogue.predict import load

    return load(DEFAULT_SET if weights.given is None else weights.given, device)


def _is_outside(model: str | Path) -> bool:
    """Whether a name is not a weight set's: a folder in Hugging Face's layout, or ``owner/model``."""
    folder = Path(model)
    held = any((folder / name).is_file() for name in ("config.json", "adapter_config.json"))
    return held or ("/" in str(model) and not folder.exists())


def limited(model: DialogueModel) -> bool:
    """Whether a model knows only what this project taught it, so that other questions are guesses."""
    return hasattr(model, "card")


class Talk:
    """A conversation about one picture. Answers become context for what is asked next, as far as they were given.

    `image`: a path, encoded bytes, RGB uint8 pixels (h, w, 3) or a Pillow image. `face`: which face, 0 = the largest;
    needed when several are as large. `crops`: the picture is one face already. `rules` say when an answer is given.
    Raises WeightsError when there is no dialogue model, InputError for a video or a face that is not there.
    """

    def __init__(
        self, image: PictureLike, *, face: int | None = None, crops: bool = False,
        model: str | Path | DialogueModel | None = None, weights: str | Path | None = None,
        device: str | None = None, analyzer: Analyzer | None = None, rules: Rules = RULES, lang: str = "en",
    ) -> None:  # fmt: skip
        check_language(lang)
        self.model = opened(model, device)
        self.analyzer = analyzer or Analyzer(weights, None, device)
        self.rules, self.lang = rules, lang
        self.look = look_at(image, self.model, self.analyzer, face, crops, lang)
        self.history: list[Turn] = []
        self.answers: list[Answer] = []

    def ask(self, question: str, options: Sequence[str] = ()) -> Answer:
        """The answer to one question; without `options` they follow from its words, else the question is open.

        Raises InputError for an empty or over-long question, and for a conversation too long for the model.
        """
        answer = answer_of(self.look, question, options, self.model, tuple(self.history), self.rules, self.lang)
        self.answers.append(answer)
        if answer.status == "answered":
            self.history.append(_turn(answer, self.model))
        return answer

    def no_words(self, prompt: str) -> str:
        """Why `words` would give a reason and nothing of the model's: a refusal, a picture without one face, a language
        that it does not know; empty when it speaks. Raises InputError for an empty or over-long prompt."""
        asked, _ = checked_question(prompt)
        refusal = refused(asked, lang=self.lang)
        if refusal is not None or self.look.crop is None:
            return refusal.reason if refusal is not None else self.look.reason
        return saying("english_only", self.lang) if _foreign(asked, self.model) else ""

    def words(self, prompt: str, max_tokens: int = 96) -> Iterator[str]:
        """The model's own words, piece by piece: unchecked text, each piece cleaned of control characters; or the one
        sentence of `no_words`."""
        reason = self.no_words(prompt)
        if reason or self.look.crop is None:
            yield reason
            return
        for piece in self.model.generate(self.look.crop, clean(prompt), max_tokens, tuple(self.history)):
            yield _printable(piece)


def opened(model: str | Path | DialogueModel | None, device: str | None) -> DialogueModel:
    """A model by its name, or the object itself."""
    return open_model(model, device) if model is None or isinstance(model, str | Path) else model


def _turn(answer: Answer, model: DialogueModel) -> Turn:
    """An answer as context: for the project's own model in the words that it was taught."""
    read = read_options(answer.question, answer.options) if limited(model) and answer.options else None
    if read is None:
        return Turn(answer.question, answer.answer, answer.options)
    return Turn(answer.question, read.words[answer.options.index(answer.answer)], read.words)


def _guess(asked: str, offered: Sequence[str], read: OptionsRead | None, lang: str) -> str:
    """Why the project's own model could only guess at a closed question; empty when it was taught all of it."""
    if read is None:
        return saying("untaught", lang)
    known = _quoted(read.known)
    for key, places in (("strange_options", read.strange), ("same_options", read.alike)):
        if places:
            return saying(key, lang, words=_quoted([offered[k] for k in places]), known=known)
    strange = strange_words(asked, offered)
    return saying("strange", lang, words=_quoted(strange[:3])) if strange else ""


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f'"{word[:20]}"' for word in words)


def _foreign(asked: str, model: DialogueModel) -> bool:
    """Whether a question is in another language than the one that the project's own model was taught."""
    return limited(model) and not asked.isascii() and sum(c.isascii() for c in asked) < len(asked) / 2


def _printable(piece: str) -> str:
    """One piece of streamed text: spaces at its ends are kept, control characters are not."""
    middle = clean(piece)
    before = " " if piece[:1].isspace() and middle else ""
    return before + middle + (" " if piece[-1:].isspace() else "")


def ask(
    image: PictureLike, question: str, options: Sequence[str] = (), *, face: int | None = None, crops: bool = False,
    model: str | Path | DialogueModel | None = None, weights: str | Path | None = None, device: str | None = None,
    analyzer: Analyzer | None = None, rules: Rules = RULES, lang: str = "en",
) -> Answer:  # fmt: skip
    """Ask one question about the face in a picture; what follows the options is as in `Talk`.

    A closed question is answered by one of its options, with the language model's probabilities, and checked against
    the attributes network; an open one fills fields. `Answer.status` says when there is no answer, and why: the
    question was refused, no face or several were found, the probability was low, the two disagree, or the model was
    never taught these words or options. Raises InputError for a question that is no text, empty or too long,
    WeightsError when there is no dialogue model.
    """
    asked, shown = checked_question(question, options)
    talk = Talk(
        image, face=face, crops=crops, model=model, weights=weights, device=device, analyzer=analyzer, rules=rules,
        lang=lang,
    )  # fmt: skip
    return talk.ask(asked, shown)


def look_at(
    image: PictureLike, model: DialogueModel, analyzer: Analyzer, face: int | None, crops: bool,
    lang: str = "en",
) -> Look:  # fmt: skip
    """Read a picture, find its face and cut the model's crop. A picture that cannot be read is a `Look` that says
    so."""
    name = name_of(image)
    if name and is_video(name):
        raise InputError(f"{name} is a video: ask about one of its frames, saved as a picture")
    try:
        pixels = pixels_of(image)
    except UnreadableError as error:
        return Look(name, "unreadable", str(error))
    faces = [replace(f, source=name, face=k) for k, f in enumerate(analyzer(pixels, crops))]
    return chosen(name, pixels, faces, model, face, lang)


def look_of(reading: Reading, model: DialogueModel, face: int | None = None, lang: str = "en") -> Look:
    """The same from a reading of `Analyzer.analyze_many` that kept its pixels."""
    if reading.problem or reading.pixels is None:
        return Look(reading.source, "unreadable", reading.problem or "the picture was not kept")
    return chosen(reading.source, reading.pixels, reading.faces, model, face, lang)


def chosen(
    name: str, pixels: Image, faces: Sequence[FaceAnalysis], model: DialogueModel, which: int | None, lang: str = "en"
) -> Look:
    """The face that is meant. Raises InputError for a number that no face has."""
    if not faces:
        return Look(name, "no_face", saying("no_face", lang))
    if which is None and len(faces) > 1 and faces[1].box.area >= OTHER_FACE * faces[0].box.area:
        return Look(name, "several_faces", saying("several_faces", lang, count=len(faces), last=len(faces) - 1))
    if which is not None and whole_number("face", which, 0) >= len(faces):
        raise InputError(f"there is no face {which} in {name or 'the picture'}: it has {len(faces)}, counted from 0")
    face = faces[which or 0]
    if face.outline is None:
        crop = crop_box(pixels, face.box, model.size, model.margin)
    else:
        crop = crop_landmarks(pixels, face.outline, model.size, model.margin)
    return Look(name, crop=crop.image, face=face)


def answer_of(
    look: Look, question: str, options: Sequence[str], model: DialogueModel, history: tuple[Turn, ...] = (),
    rules: Rules = RULES, lang: str = "en",
) -> Answer:  # fmt: skip
    """The answer to one question about a picture that was made ready. Raises InputError."""
    asked, shown = checked_question(question, options)
    refusal = refused(asked, shown, lang)
    if refusal is not None:
        return Answer(look.source, asked, "refused", reason=refusal.reason, topic=refusal.topic, model=model.id)
    if look.status or look.crop is None:
        return Answer(look.source, asked, look.status, reason=look.reason, model=model.id)  # type: ignore[arg-type]
    if _foreign(asked, model):
        return Answer(look.source, asked, "not_understood", reason=saying("english_only", lang), model=model.id)
    offered = shown or options_for(asked)
    if not offered:
        return _open(look, asked, model, history, rules, lang)
    read = read_options(asked, offered) if limited(model) else None
    if limited(model) and (guess := _guess(asked, offered, read, lang)):
        return Answer(look.source, asked, "not_understood", reason=guess, model=model.id)
    p = model.choose(look.crop, asked, read.words if read else offered, history)
    knows = known_facts() if limited(model) else None
    chances = [float(v) for v in p]
    return closed_answer(look.source, asked, offered, chances, look.face, model.id, rules, knows, lang, read)


def _open(look: Look, asked: str, model: DialogueModel, history: tuple[Turn, ...], rules: Rules, lang: str) -> Answer:
    """An open question fills the fields that its words name."""
    assert look.crop is not None
    wanted = wanted_fields(asked)
    if not wanted:
        return Answer(look.source, asked, "not_understood", reason=saying("no_field", lang), model=model.id)
    if limited(model):
        fields = fields_asked(look.crop, wanted, look.face, model, history, rules)
    else:
        text = "".join(model.generate(look.crop, fields_prompt(asked, wanted), _FIELD_TOKENS, history))
        values = fields_of(text, wanted)
        if values is None:
            return Answer(look.source, asked, "parse_failure", reason=saying("parse_failure", lang), model=model.id,
                          needs_review="parse failure")  # fmt: skip
        fields = judged_fields(values, look.face, rules)
    return open_answer(look.source, asked, fields, look.face, model.id, lang)
