"""What stands beside an answer has Japanese for every word that can come up."""

from __future__ import annotations

import re

import pytest

from omokage.dialogue.answers import UNCLEAR, Field
from omokage.dialogue.phrases import TRAIN
from omokage.dialogue.reply import open_answer
from omokage.dialogue.review_words import FACTS, LINES, agreement_word, disputed_words, review_words
from omokage.dialogue.templates import OPTION_WORDS


def test_every_fact_and_line_has_both_languages() -> None:
    assert set(FACTS) == {*TRAIN, *OPTION_WORDS}
    for one in LINES.values():
        assert set(re.findall(r"{(\w+)", one["en"])) == set(re.findall(r"{(\w+)", one["ja"]))
    for agreement in ("agrees", "disagrees", "unsure", "unchecked"):
        assert agreement_word(agreement, "en") == agreement
        assert not agreement_word(agreement, "ja").isascii()


@pytest.mark.parametrize(
    "text",
    ["low probability", "disagreement", "the specialist is unsure", "parse failure",
     "asks for something that the model was not trained on"],
)  # fmt: skip
def test_reasons_for_review_are_translated(text: str) -> None:
    assert review_words(text, "en") == text
    assert not re.search("[a-z]{2,}", review_words(text, "ja"))


def test_doubts_about_fields_are_translated_with_their_fields() -> None:
    fields = {
        "age": Field("old", 0.9, "disagrees"), "hair_colour": Field(UNCLEAR, 0.4),
        "eyewear": Field("none", 0.9, "unsure"),
    }  # fmt: skip
    review = open_answer("", "", fields, None, "").needs_review
    assert review == "disagreement: age; unclear: hair colour; the specialist is unsure: eyewear"
    told = review_words(review, "ja")
    assert told == "答えの不一致(見かけの年齢)、不明瞭(髪の色)、属性ネットワークが不確か(眼鏡の種類)"


def test_disputes_are_named() -> None:
    facts = ("older_20", "smiling")
    assert disputed_words(facts, "en") == (
        "the models disagree on whether the person looks older than 20, whether the person smiles"
    )
    assert disputed_words(facts, "ja") == "モデルどうしの答えが分かれるもの: 20 歳より上か、ほほえみ"
