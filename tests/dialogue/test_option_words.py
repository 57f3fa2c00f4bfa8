"""Options that the project's own model was taught, other names of them, and options that it was never taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import omokage
from dialogue_stand_ins import Saying
from omokage.dialogue.matching import NO, YES, asked_for
from omokage.dialogue.option_words import read_options
from omokage.dialogue.questions import Questioner
from omokage.dialogue.templates import OPTION_WORDS
from omokage.pipeline import Analyzer
from omokage.pipeline.dialogue import Talk, answer_of, look_at
from omokage.pipeline.dialogue_batch import ask_table
from stand_ins import SquareFinder, SquarePredictor, write_picture

SMILES, COLOUR, FEELS = "Is the person smiling?", "What color is the hair?", "What is the expression?"


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    write_picture(tmp_path / "one.png", [(20, 30, 50, 40)])
    return Talk(tmp_path / "one.png", model=Saying(0.9), analyzer=analyzer())


def analyzer() -> Analyzer:
    return Analyzer(finder=SquareFinder(), predictor=SquarePredictor())


def large(talk: Talk) -> Saying:
    """A model that is not limited to what this project taught it, in the talk's place."""
    talk.model = Saying(0.9, card=None)
    return talk.model


@pytest.mark.parametrize(
    ("question", "options", "strange", "known"),
    [(SMILES, ("yes", "maybe"), ("maybe",), ("yes", "no")), (SMILES, ("yes", "no", "maybe"), ("maybe",), ("yes",)),
     (SMILES, ("Tom", "Anna"), ("Tom", "Anna"), ("yes", "no")), (SMILES, ("smiling", "calm"), ("smiling", "calm"), ()),
     (SMILES, ("male", "female"), ("male", "female"), ("yes", "no")), (SMILES, ("happy", "sad"), ("happy", "sad"), ()),
     (FEELS, ("calm", "happy"), ("calm",), ("happy", "neutral", "angry")), (FEELS, ("yes", "no"), ("yes", "no"), ()),
     ("How does the person look?", ("employed", "unemployed"), ("employed", "unemployed"), ("happy", "sad")),
     (COLOUR, ("red", "brown"), ("red",), ("black", "brown", "blond", "grey")), (COLOUR, ("male", "female"), (), ()),
     ("Is the person a woman or a man?", ("Tom", "Anna"), ("Tom", "Anna"), ("female", "male")),
     ("How old does the person look?", ("20", "old"), ("20",), ("a child", "old")),
     ("Is there a hat or a mask?", ("a hat", "a mask"), ("a hat", "a mask"), ("yes", "no"))],
)  # fmt: skip
def test_options_that_were_never_taught_are_not_chosen_among(
    talk: Talk, question: str, options: tuple[str, ...], strange: tuple[str, ...], known: tuple[str, ...]
) -> None:
    answer = talk.ask(question, options)
    assert (answer.status, answer.answer, answer.probabilities) == ("not_understood", "", ())
    taught, _, given = answer.reason.partition(" as an answer to such a question: give options among ")
    assert given, answer.reason
    assert all(f'"{word}"' in taught for word in strange)
    assert strange == () or taught.count('"') == 2 * len(strange), "the others are known"
    assert all(f'"{word}"' in given for word in known)
    assert not talk.model.asked, "the model is not asked to guess"  # type: ignore[attr-defined]
    assert not talk.history


def test_options_that_mean_the_same_are_not_chosen_among(talk: Talk) -> None:
    for question, options in ((SMILES, ("yes", "true")), (FEELS, ("happy", "Happiness", "sad"))):
        answer = talk.ask(question, options)
        assert answer.status == "not_understood"
        assert f'the options "{options[0]}", "{options[1]}" mean the same' in answer.reason


def test_reasons_are_in_the_language_asked_for(talk: Talk) -> None:
    talk.lang = "ja"
    assert '"maybe" を学んでいません' in talk.ask(SMILES, ("yes", "maybe")).reason
    assert "同じ意味" in talk.ask(SMILES, ("yes", "はい")).reason


def test_taught_options_reach_the_model_as_they_are() -> None:
    """All that training's and measuring's questions offer, whatever the capitals; so that no answer changes."""
    from dialogue_stand_ins import random_truths

    questioner = Questioner(random_truths(), seed=5)
    made = [*questioner.training(1500), *questioner.measuring("paraphrase", 4)]
    assert {e.task for e in made} >= {"attributes", "combination", "expression", "age"}
    understood = [(e, r) for e in made if (r := read_options(e.question, e.options)) is not None]
    assert len(understood) > 0.98 * len(made)
    assert {e.question for e in made} - {e.question for e, _ in understood} == {
        e.question for e in made if asked_for(e.question, e.options) is None
    }
    for example, read in understood:
        assert (read.words, read.strange, read.alike) == (example.options, (), ()), example
    for kind, classes in OPTION_WORDS.items():
        question = {"hair_colour": COLOUR, "expression": FEELS}.get(kind)
        if question:
            shouted = tuple(words[1].upper() for words in classes.values())
            found = read_options(question, shouted)
            assert found is not None
            assert (found.words, found.classes) == (shouted, tuple(classes))


@pytest.mark.parametrize(
    ("question", "options", "words"),
    [(SMILES, ("はい", "いいえ"), ("yes", "no")), (SMILES, ("incorrect", "correct"), ("no", "yes")),
     (COLOUR, ("gray", "Blonde", "black hair"), ("grey", "blond", "black")),
     ("Is the person a woman or a man?", ("woman", "the man"), ("female", "male")),
     ("How old does the person look?", ("child", "middle aged"), ("a child", "middle-aged")),
     ("Which glasses does the person wear?", ("none", "spectacles"), ("nothing", "glasses")),
     ("Is the hair black?", ("black", "gray"), ("black", "grey"))],
)  # fmt: skip
def test_other_names_of_the_same_are_put_in_taught_words(
    talk: Talk, question: str, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    answer = talk.ask(question, options)
    assert talk.model.asked[-1].options == words  # type: ignore[attr-defined]
    assert answer.options == options
    assert answer.status in ("answered", "abstained")
    if answer.status == "answered":
        assert answer.answer in options
        assert (talk.history[-1].options, talk.history[-1].answer in words) == (words, True), "context, too"


def test_other_names_are_checked_by_the_specialist(talk: Talk) -> None:
    plain, other = talk.ask(SMILES, ("yes", "no")), talk.ask(SMILES, ("はい", "いいえ"))
    assert plain.specialist is not None
    assert (other.answer, other.specialist, other.agreement) == ("はい", plain.specialist, "agrees")


def test_larger_models_choose_among_any_options(talk: Talk) -> None:
    model = large(talk)
    for options in (("yes", "maybe"), ("Tom", "Anna"), ("はい", "いいえ"), ("male", "female"), ("yes", "true")):
        answer = talk.ask(SMILES, options)
        assert (answer.status, answer.answer) == ("answered", options[0])
        assert (model.asked[-1].options, talk.history[-1].options) == (options, options)


def test_every_word_for_yes_and_no_is_one_of_the_taught() -> None:
    for words, side in ((YES, "yes"), (NO, "no")):
        for word in words:
            found = read_options(SMILES, (word, "no" if side == "yes" else "yes"))
            assert found is not None
            assert (found.strange, found.alike, found.classes[0]) == ((), (), side)


def test_tables_and_single_questions_say_the_same(tmp_path: Path) -> None:
    write_picture(tmp_path / "one.png", [(20, 30, 50, 40)])
    model, options = Saying(0.9), ("yes", "maybe")
    from omokage.media.sources import expand

    sources = list(expand([str(tmp_path / "one.png")]).sources)
    counts = ask_table(analyzer(), model, sources, [SMILES], tmp_path / "a.parquet", options=options)
    assert counts == {"not_understood": 1}
    alone = omokage.ask(tmp_path / "one.png", SMILES, options, model=model, analyzer=analyzer())
    assert pq.read_table(tmp_path / "a.parquet").to_pylist()[0]["reason"] == alone.reason
    look = look_at(np.full((90, 90, 3), 9, np.uint8), model, analyzer(), None, True)
    assert answer_of(look, SMILES, options, model).reason == alone.reason
