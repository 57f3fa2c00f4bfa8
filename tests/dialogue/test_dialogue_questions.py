"""Questions from truth: nothing held out leaks, the right option is right, words alone tell nothing."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue_stand_ins import random_truths
from omokage.dialogue.captions import caption
from omokage.dialogue.conversation import Example
from omokage.dialogue.facts import Truth
from omokage.dialogue.held_out import TEST, UNSEEN
from omokage.dialogue.matching import NO, YES, asked_for, plain, strange_words
from omokage.dialogue.phrases import TRAIN, Phrase
from omokage.dialogue.questions import HELD_OUT_PAIRS, NAMED_HELD_OUT, SPLITS, TASK_OF, Questioner, all_pairs, part_of
from omokage.dialogue.templates import MEASURING, TRAINING, WANTED

TRUTHS = random_truths()
MEASURED = SPLITS[2:]


@pytest.fixture(scope="module")
def training() -> list[Example]:
    return list(Questioner(TRUTHS).training(6000))


@pytest.fixture(scope="module")
def measured() -> dict[str, list[Example]]:
    return {split: Questioner(TRUTHS, 1).measuring(split, 20) for split in MEASURED}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9-]+", text.lower())


def test_no_wording_of_measuring_is_trained(training: list[Example], measured: dict[str, list[Example]]) -> None:
    trained = {plain(e.question) for e in training}
    for split in MEASURED:
        assert measured[split]
        assert not trained & {plain(e.question) for e in measured[split]}
    for name in TRAIN:
        assert not {p.text for p in TRAIN[name]} & {p.text for p in TEST[name]}, name
    assert not set(TRAINING.clause) & set(MEASURING.clause)
    assert not set(TRAINING.thing) & set(MEASURING.thing)
    assert not set(TRAINING.statement) & set(MEASURING.statement)
    assert not any(set(TRAINING.choices[k]) & set(MEASURING.choices[k]) for k in TRAINING.choices)


def test_nothing_held_out_is_asked_or_told_in_training(training: list[Example]) -> None:
    pairs = {tuple(e.attribute.split("+")) for e in training if e.task == "combination"}
    assert pairs
    assert not pairs & HELD_OUT_PAIRS
    assert not {e.attribute for e in training} & set(UNSEEN)
    unseen = {form for phrases in UNSEEN.values() for p in phrases for form in forms(p)}
    told = [e.question for e in training] + [caption(t, k + r) for k, t in enumerate(TRUTHS) for r in (0, 1000)]
    said = re.compile(rf"\b(?:{'|'.join(map(re.escape, unseen))})\b")
    for text in map(plain, told):
        assert not said.search(text), text


def forms(phrase: Phrase) -> set[str]:
    """What a text would hold if it said a phrase; of phrases about the person the part after the person."""
    subject, middle, end = phrase.parts
    if phrase.kind == "thing":
        return {middle}
    if phrase.kind == "be":
        return {plain(end)} if subject == "{p}" else {plain(f"{middle} {subject} {end}"), plain(" ".join(phrase.parts))}
    return {middle, end} if subject == "{p}" else {f"{subject} {middle}", f"{subject} {end}"}


def test_no_sentence_of_a_caption_joins_a_held_out_pair() -> None:
    for k in range(400):
        for sentence in caption(TRUTHS[k % len(TRUTHS)], k).split(". "):
            asked = asked_for(sentence)
            if asked is not None and len(asked.facts) == 2:
                assert tuple(sorted(name for name, _ in asked.facts)) not in HELD_OUT_PAIRS, sentence


def test_no_question_of_the_templates_has_strange_words(
    training: list[Example], measured: dict[str, list[Example]]
) -> None:
    for e in [*training, *(e for part in measured.values() for e in part)]:
        if asked_for(e.question, e.options) is not None:
            assert not strange_words(e.question, e.options), e.question


@pytest.mark.parametrize(
    ("question", "fact", "strange"),
    [("Is the man tired?", None, ("is", "the", "person", "tired")), ("Is the woman smiling?", "smiling", ()),
     ("Is the person a woman?", "female", ()), ("Is the person with a hat tired?", "wearing_hat", ("tired",)),
     ("Is the person wearing a red hat?", "wearing_hat", ("red",)), ("Is the guy's hair brown?", "brown_hair", ())],
)  # fmt: skip
def test_who_is_asked_about_is_not_what_is_asked_for(question: str, fact: str | None, strange: tuple[str, ...]) -> None:
    asked = asked_for(question, ("yes", "no"))
    assert (None if asked is None else asked.facts[0][0]) == fact
    assert strange_words(question, ("yes", "no")) == strange


@pytest.mark.parametrize(
    ("question", "facts"),
    [("Isn't the person smiling?", (("smiling", True),)), ("Doesn’t she wear glasses?", (("eyeglasses", True),)),
     ("The person is wearing glasses, isn't she?", (("eyeglasses", True),)),
     ("He has a beard, doesn't he?", (("beard", True),)),
     ("She wears a hat isn't that right?", (("wearing_hat", True),)),
     ("Can't you see a hat?", (("wearing_hat", True),)), ("Don't you think she is smiling?", (("smiling", True),)),
     ("Isn't she smiling and doesn't she wear a hat?", (("smiling", True), ("wearing_hat", True))),
     ("The person isn't smiling.", (("smiling", False),)), ("She isn't smiling, is she?", (("smiling", False),)),
     ("The person has a hat and isn't smiling", (("wearing_hat", True), ("smiling", False))),
     ("Isn't she without glasses?", (("eyeglasses", False),)), ("Is the person not smiling?", (("smiling", False),))],
)  # fmt: skip
def test_a_question_that_hopes_for_yes_denies_nothing(question: str, facts: tuple[tuple[str, bool], ...]) -> None:
    asked = asked_for(question, ("yes", "no"))
    assert (asked.facts if asked else None) == facts
    assert not asked or not strange_words(question, ("yes", "no"))


@pytest.mark.parametrize(
    ("question", "strange"),
    [("Is he an old man?", "old"), ("Are the glasses old?", "old"), ("Are the glasses on the head?", "head"),
     ("Is the mask under the chin?", "chin"), ("Does he hold glasses?", "hold"), ("Is the beard full?", "full"),
     ("Does the person like glasses?", "like"), ("Does he like a man?", "like"), ("Does she have a boy?", "have"),
     ("Is she with a man?", "with"), ("Would he have male sex?", "sex"), ("How old are the glasses?", "glasses"),
     ("Is the head turned left or right?", "right"), ("Does the person look to the left or to the right?", "right")],
)  # fmt: skip
def test_a_word_that_changes_the_meaning_is_no_filler(question: str, strange: str) -> None:
    assert strange in strange_words(question, () if question.startswith("How") else ("yes", "no"))


@pytest.mark.parametrize(
    "question",
    ["Is she more than 30 years old?", "Does he look like a man?", "Does she hold the mouth open?",
     "Does the person hold the head turned to the left?", "Is there a hat on the head?", "Is there a medical mask?",
     "Do you believe the person is smiling?", "Does the person have a female face?", "Look for a man: is there any?"],
)  # fmt: skip
def test_the_same_words_are_filler_in_their_places(question: str) -> None:
    assert asked_for(question, ("yes", "no")) is not None
    assert not strange_words(question, ("yes", "no"))


@pytest.mark.parametrize(
    ("question", "kind"),
    [("How old is she?", "age"), ("What is the person's sex?", "gender"), ("What sex is the person?", "gender"),
     ("Which glasses does the person wear?", "eyewear")],
)  # fmt: skip
def test_a_choice_has_words_of_its_own(question: str, kind: str) -> None:
    asked = asked_for(question)
    assert asked is not None
    assert asked.choice == kind
    assert not strange_words(question)


@pytest.mark.parametrize(
    ("question", "facts", "join"),
    [("Is there no beard or glasses?", (("beard", False), ("eyeglasses", False)), "and"),
     ("Is the person without a beard or glasses?", (("beard", False), ("eyeglasses", False)), "and"),
     ("Is the person wearing no hat or glasses?", (("wearing_hat", False), ("eyeglasses", False)), "and"),
     ("Is the person not wearing either a mask or glasses?", (("face_mask", False), ("eyeglasses", False)), "and"),
     ("Does she have no beard nor glasses?", (("beard", False), ("eyeglasses", False)), "and"),
     ("Is the mouth not open or are the eyes closed?", (("mouth_open", False), ("eyes_closed", True)), "or"),
     ("Is it true that he is not smiling or wears a hat?", (("smiling", False), ("wearing_hat", True)), "or"),
     ("Is it right that the person in the picture is without a hat or the person in the picture shows blond hair?",
      (("wearing_hat", False), ("blond_hair", True)), "or"),
     ("Is there a beard or no hat?", (("beard", True), ("wearing_hat", False)), "or"),
     ("Doesn't she have a beard or glasses?", (("beard", True), ("eyeglasses", True)), "or")],
)  # fmt: skip
def test_no_this_or_that_is_neither(question: str, facts: tuple[tuple[str, bool], ...], join: str) -> None:
    asked = asked_for(question, ("yes", "no"))
    assert asked is not None
    assert (asked.facts, asked.join) == (facts, join)
    assert not strange_words(question, ("yes", "no"))


def test_every_word_that_is_measured_was_trained(training: list[Example], measured: dict[str, list[Example]]) -> None:
    known = Counter(w for e in training for w in words(e.question + " " + " ".join(e.options)))
    for examples in measured.values():
        assert not {w for e in examples for w in words(e.question + " " + " ".join(e.options))} - set(known)


def test_the_right_option_is_right(training: list[Example], measured: dict[str, list[Example]]) -> None:
    """Read back by rules that share nothing with the templates: facts, denial and joining."""
    by_place = {t.image: t for t in TRUTHS}
    read = 0
    examples = [*training[:3000], *(e for found in measured.values() for e in found)]
    for e in examples:
        asked = asked_for(e.question, e.options)
        if asked is None or asked.choice or {n for n, _ in asked.facts} != set(e.attribute.split("+")):
            continue
        values = [by_place[e.image].facts[name] == said for name, said in asked.facts]
        # "Neither" denies both facts by itself.
        holds = values[0] if len(values) == 1 else WANTED[asked.join](*values)
        assert (plain(e.answer) in YES) == holds, e
        assert plain(e.answer) in YES | NO
        read += 1
    assert read > 0.7 * len(examples)


def test_choices_are_right(training: list[Example]) -> None:
    by_place = {t.image: t for t in TRUTHS}
    chosen = [e for e in training if e.attribute in ("expression", "hair_colour", "gender", "age", "eyewear")]
    assert len(chosen) > 300
    for e in chosen:
        assert e.answer in e.options
        assert len(set(e.options)) == len(e.options)
    from omokage.dialogue.templates import OPTION_WORDS

    for e in chosen:
        assert e.answer in OPTION_WORDS[e.attribute][by_place[e.image].choices[e.attribute]]


def test_words_alone_tell_nothing(training: list[Example], measured: dict[str, list[Example]]) -> None:
    """The best guess from the question's attribute and its first option is a coin toss."""
    for examples in (training, *measured.values()):
        two = [e for e in examples if len(e.options) == 2 and plain(e.answer) in YES | NO]
        yes = sum(plain(e.answer) in YES for e in two) / len(two)
        first = sum(e.answer == e.options[0] for e in two) / len(two)
        spread = 4 * 0.5 / len(two) ** 0.5
        assert abs(yes - 0.5) < spread
        assert abs(first - 0.5) < spread


def test_the_mix_keeps_tasks_apart_and_is_repeatable(training: list[Example]) -> None:
    shares = Counter(e.task for e in training)
    assert set(shares) == {*TASK_OF.values(), "combination"}
    assert shares["attributes"] > shares["pose"] > shares["gender"]
    again = list(Questioner(TRUTHS).training(200))
    assert again == training[:200]
    assert all(e.split == "train" for e in training)


def test_people_and_pairs_are_divided_for_good() -> None:
    assert all(tuple(sorted(pair)) in HELD_OUT_PAIRS for pair in NAMED_HELD_OUT)
    assert 0.15 < len(HELD_OUT_PAIRS) / len(all_pairs()) < 0.35
    facts = {name for pair in HELD_OUT_PAIRS for name in pair}
    trained = {name for pair in all_pairs() if pair not in HELD_OUT_PAIRS for name in pair}
    assert facts <= trained, "a held-out pair is made of facts that other pairs join"
    parts = Counter(part_of(f"someone-{k}") for k in range(2000))
    assert 0.87 < parts["train"] / 2000 < 0.93
    assert part_of("someone-1") == part_of("someone-1")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(sorted(TRAIN)), st.booleans(), max_size=6), min_size=1, max_size=6))
def test_any_truths_give_valid_examples_or_none(facts: list[dict[str, bool]]) -> None:
    truths = [Truth(k, f"p{k}", f) for k, f in enumerate(facts)]
    asker = Questioner(truths)
    for example in asker.training(20):
        assert example.answer in example.options
        assert 0 <= int(example.image) < len(truths)


def test_a_questioner_without_pictures_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no picture"):
        Questioner([])
    with pytest.raises(ValueError, match="no measuring split"):
        Questioner(TRUTHS).measuring("train", 1)
