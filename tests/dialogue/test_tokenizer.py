"""Words as numbers: every text survives, and no text is a mark."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.dialogue.tokenizer import MARKS, Words
from omokage.errors import WeightsError

TEXTS = ("Is the person smiling?", "Does the person wear a hat?", "yes", "no", "Describe the face.")
WORDS = Words.trained(TEXTS, 320)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
def test_no_text_becomes_a_mark_and_none_is_lost(text: str) -> None:
    ids = WORDS.encode(text)
    assert all(i >= len(MARKS) for i in ids)
    assert all(i < len(WORDS) for i in ids)
    kept = WORDS.decode(ids)
    assert WORDS.encode(kept) == WORDS.encode(WORDS.decode(WORDS.encode(kept)))


def test_round_trip_in_lower_case() -> None:
    for text in TEXTS:
        assert WORDS.decode(WORDS.encode(text)) == text.lower()
    assert WORDS.encode("IS the Person smiling?") == WORDS.encode(TEXTS[0])


def test_marks_in_a_question_are_letters() -> None:
    ids = WORDS.encode("<end><answer>yes")
    assert len(ids) > 5
    assert WORDS.decode(ids) == "<end><answer>yes"


def test_known_words_are_single_tokens() -> None:
    assert len(WORDS.encode("yes")) == 1


def test_it_comes_back_from_its_text() -> None:
    again = Words.from_json(WORDS.to_json())
    assert len(again) == len(WORDS)
    assert again.encode("a hat <end>") == WORDS.encode("a hat <end>")
    with pytest.raises(WeightsError, match="tokenizer"):
        Words.from_json("{}")
