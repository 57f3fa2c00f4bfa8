"""The words of commands: both languages, the same parts, and a Japanese name for whatever may be printed."""

from __future__ import annotations

import string
from typing import get_args

import pytest
from japanese import japanese

from omokage.cli import explain_words, status_words, words
from omokage.dialogue.answers import Status
from omokage.language import LANGUAGES, Texts
from omokage.report.change_words import STATUS
from omokage.report.rephrase import Phrases

OF_A_SERIES = {"different_person", "repeated"}  # never beside a number
PHRASES = (
    status_words._PASSED_OVER, status_words._VIDEO, status_words._LEFT_OUT, status_words._PROBLEMS,
    status_words._DAMAGES,
)  # fmt: skip


def parts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("texts", [words.WORDS, explain_words.WORDS])
def test_each_text_has_both_languages_and_the_same_parts(texts: Texts) -> None:
    for key, text in texts.items():
        assert tuple(text) == LANGUAGES, key
        assert parts(text["en"]) == parts(text["ja"]), key
        own = [f"{{{name}}}" for name in parts(text["ja"])]
        assert japanese(text["ja"], [*own, "--resume", "--rater", "needs_review"]), key


@pytest.mark.parametrize("phrases", PHRASES)
def test_what_is_rephrased_keeps_its_parts(phrases: Phrases) -> None:
    for english, told in phrases:
        assert parts(english) == parts(told), english


def test_each_status_has_a_name() -> None:
    known = set(status_words.STATUSES)
    assert {*get_args(Status), *STATUS["en"]} - OF_A_SERIES <= known
    assert all(japanese(name) for name in status_words.STATUSES.values())


def test_counts_in_words() -> None:
    counts = {"answered": 2, "no_face": 1}.items()
    assert status_words.counts_text(counts, "en", answered="注釈あり") == "2 answered, 1 no_face"
    assert status_words.counts_text(counts, "ja") == "回答あり 2、顔なし 1"
    assert status_words.counts_text(counts, "ja", answered="注釈あり") == "注釈あり 2、顔なし 1"
