"""Labelled sets as question-answer pairs: CelebA, RAF-DB, UTKFace, FairFace, AffectNet, any set of `data.datasets`.

Pairs are kept apart by task (`Example.task`) and by split: of a set's training part come questions in training's
wording (``train``), of every other part questions in wording that training never uses (``paraphrase``,
``unseen_combination``, ``unseen_attribute``). Words that judge people (`attractive`, `chubby`, `big_nose`, ...) are
never asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from omokage.data.records import Record
from omokage.dialogue.conversation import Example
from omokage.dialogue.facts import Truth, truth_of
from omokage.dialogue.phrases import Phrase, do, thing, things
from omokage.dialogue.questions import Questioner
from omokage.dialogue.templates import MEASURING, TRAINING

# What only photographs' labels know, in training's wording. The shipped model is not trained on these.
EXTRA: Mapping[str, tuple[Phrase, ...]] = {
    "wavy_hair": (thing("wavy hair"), do("have wavy hair", "has wavy hair")),
    "straight_hair": (thing("straight hair"), do("have straight hair", "has straight hair")),
    "sideburns": (things("sideburns"), do("have sideburns", "has sideburns")),
    "rosy_cheeks": (things("rosy cheeks"), do("have rosy cheeks", "has rosy cheeks")),
    "wearing_earrings": (things("earrings"), do("wear earrings")),
    "wearing_necklace": (thing("a necklace"), do("wear a necklace")),
    "wearing_necktie": (thing("a necktie"), do("wear a necktie")),
    "bushy_eyebrows": (things("bushy eyebrows"), do("have bushy eyebrows", "has bushy eyebrows")),
    "goatee": (thing("a goatee"), do("have a goatee", "has a goatee")),
}
TRAINING_PARTS = frozenset(("train", "all"))


def is_training(split: str) -> bool:
    """Whether a set's part may be trained on: `train`, its folds ``train-1`` ..., and sets without parts."""
    return split in TRAINING_PARTS or split.startswith("train")


def truths_of(records: Iterable[Record]) -> list[Truth]:
    """The truths of records, by their ids; pictures are let go as they stream by."""
    return [truth_of(record.id, record.person, record.labels) for record in records]


def examples_of(truths: Sequence[Truth], split: str, count: int, seed: int = 0) -> list[Example]:
    """About `count` question-answer pairs about a part of a set, balanced within each question; deterministic.

    Raises ValueError without truths.
    """
    asker = Questioner(truths, seed)
    extra = [name for name in EXTRA if asker.askable(name)]
    if is_training(split):
        beside = round(count * min(0.3, 0.04 * len(extra)))
        found = list(asker.training(count - beside)) if asker.has_questions else []
        turns = [asker.single(extra[k % len(extra)], EXTRA, TRAINING, "train") for k in range(beside)] if extra else []
        return [*found, *(e for e in turns if e is not None)]
    each = max(1, count // max(1, len(asker.askable_names) + len(extra)))
    found = asker.measuring("paraphrase", each)
    for other in ("unseen_combination", "unseen_attribute"):
        found += asker.measuring(other, max(1, each // 4))
    turns = [asker.single(name, EXTRA, MEASURING, "paraphrase") for name in extra for _ in range(each)]
    return [*found, *(e for e in turns if e is not None)]
