"""Describe a face in sentences that two models stand behind: what one says and the other disputes is left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omokage.dialogue.captions import Sentence, told
from omokage.dialogue.conversation import DialogueModel
from omokage.dialogue.japanese import in_japanese
from omokage.dialogue.reply import RULES, Rules, agreed_sentences
from omokage.dialogue.review_words import disputed_words
from omokage.dialogue.sayings import saying
from omokage.media.image import PictureLike
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.dialogue import Look, Talk


@dataclass(frozen=True, slots=True)
class Description:
    """A face in sentences, each with what it rests on. `status` and `reason` as in `Answer`."""

    source: str
    sentences: tuple[Sentence, ...] = ()
    origins: tuple[str, ...] = ()  # per sentence: "both" models, or "specialist" alone
    disputed: tuple[str, ...] = ()  # facts on which the two disagree: left out
    status: str = "answered"
    reason: str = ""
    needs_review: str = ""
    model: str = ""

    @property
    def text(self) -> str:
        """All sentences, or why there are none."""
        return " ".join(s.text for s in self.sentences).replace("。 ", "。") or self.reason

    def to_dict(self, large: bool = False) -> dict[str, Any]:
        """Plain JSON values; none of them is `large`."""
        sentences = [
            {"text": s.text, "fact": s.fact, "value": s.value, "confidence": round(s.confidence, 4), "source": origin}
            for s, origin in zip(self.sentences, self.origins, strict=True)
        ]
        return {"source": self.source, "status": self.status, "text": self.text, "sentences": sentences,
                "disputed": list(self.disputed), "needs_review": self.needs_review, "reason": self.reason,
                "model": self.model}  # fmt: skip


def describe(
    image: PictureLike, *, face: int | None = None, crops: bool = False,
    model: str | Path | DialogueModel | None = None, weights: str | Path | None = None, device: str | None = None,
    analyzer: Analyzer | None = None, rules: Rules = RULES, lang: str = "en",
) -> Description:  # fmt: skip
    """What a picture's face looks like, in sentences; what follows the picture is as in `Talk`.

    Each sentence is one fact that the attributes network reads and that the language model was asked for: what they
    dispute is left out and named in `disputed`, what is unsure is left out or said to be unsure. Raises WeightsError
    when there is no dialogue model, InputError for a video or a face that is not there.
    """
    talk = Talk(
        image, face=face, crops=crops, model=model, weights=weights, device=device, analyzer=analyzer, rules=rules,
        lang=lang,
    )  # fmt: skip
    return described(talk.look, talk.model, talk.rules, talk.lang)


def described(look: Look, model: DialogueModel, rules: Rules = RULES, lang: str = "en") -> Description:
    """The description of a picture that was made ready."""
    if look.status or look.crop is None or look.face is None:
        return Description(look.source, status=look.status, reason=look.reason, model=model.id)
    found, disputed = agreed_sentences(look.crop, told(look.face), model, rules)
    review = disputed_words(disputed, "en") if disputed else ""
    if not found:
        return Description(look.source, disputed=disputed, status="abstained", model=model.id, needs_review=review,
                           reason=saying("nothing_said", lang))  # fmt: skip
    if lang == "ja":
        found = [(in_japanese(sentence), origin) for sentence, origin in found]
    return Description(
        look.source, tuple(s for s, _ in found), tuple(o for _, o in found), disputed, needs_review=review,
        model=model.id,
    )  # fmt: skip
