"""Descriptions in Japanese: every sentence that can be told has one, and says as much as the English one."""

import re

import pytest

from omokage.dialogue.captions import said, worded
from omokage.dialogue.japanese import CLAUSES, in_japanese
from omokage.dialogue.phrases import TRAIN
from omokage.dialogue.questions import TASK_OF

FACTS = [name for name in TASK_OF if name in TRAIN]


@pytest.mark.parametrize("probability", [1.0, 0.8, 0.2, 0.0])
def test_every_sentence_has_a_japanese_one(probability: float) -> None:
    told = [sentence for name in FACTS if (sentence := said(name, probability))]
    spoken = [in_japanese(sentence) for sentence in told]
    assert len({s.text for s in spoken}) == len(spoken) == len({s.text for s in told})
    for english, japanese in zip(told, spoken, strict=True):
        assert not re.search("[A-Za-z]", japanese.text)
        assert japanese.text.endswith("。")
        assert ("おそらく" in japanese.text) == ("likely" in english.text) == (0 < probability < 1)
        clause = japanese.text.removeprefix("確かではありませんが、おそらく")
        denied = " not " in english.text.removeprefix("It is not sure")
        assert clause.endswith("ません。") == (denied != (english.fact == "bald"))  # who is bald has no hair
        same = (japanese.fact, japanese.value, japanese.confidence)
        assert same == (english.fact, english.value, english.confidence)


def test_no_clause_is_left_over() -> None:
    assert set(CLAUSES) == set(FACTS)
    for name, (_, absent) in CLAUSES.items():
        assert bool(absent) == (said(name, 0.0) is not None)


def test_an_expression_and_an_age_are_looks() -> None:
    for name in FACTS:
        if name.startswith(("expression_", "older_")):
            assert worded(name).text.split()[1] == "look"
