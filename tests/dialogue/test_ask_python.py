"""`omokage.ask` as a program calls it: what is no question, misspelt settings, and models replaced under their name."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import omokage
from dialogue_stand_ins import Saying
from omokage.dialogue import predict
from omokage.dialogue.answers import checked_question
from omokage.errors import InputError, WeightsError
from omokage.pipeline.dialogue import Talk, open_model
from omokage.weights import registry


@pytest.mark.parametrize(
    ("question", "sentence"),
    [(None, "the question must be a text, not None"), ("", "the question is empty: ask something"),
     (3, "the question must be a text, not an object of type int"), (b"Is it?", "must be a text, not .* bytes"),
     (["Is it?"], "must be a text, not an object of type list")],
)  # fmt: skip
def test_what_is_no_question_is_one_sentence(question: Any, sentence: str, tmp_path: Path) -> None:
    talk = Talk.__new__(Talk)  # nothing of it is needed before the question is read
    for call in (lambda: omokage.ask(tmp_path / "none.png", question), lambda: checked_question(question),
                 lambda: talk.no_words(question)):  # fmt: skip
        with pytest.raises(InputError, match=sentence) as caught:
            call()
        assert "--" not in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [("yes", "must be a list of texts"), (b"yes", "must be a list of texts"), (None, "a list of texts.* not None"),
     (3, "a list of texts.* not an object of type int"), (["yes", None], "each option must be a text, not None"),
     ([True, False], "each option must be a text, not an object of type bool"), (["yes"], "between 2 and"),
     (["yes", " "], "must differ from the others")],
)  # fmt: skip
def test_what_is_no_list_of_options_is_one_sentence(options: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        omokage.ask(tmp_path / "none.png", "Is there a hat?", options)
    assert "--" not in str(caught.value)


def test_options_may_come_as_any_list() -> None:
    for options in (["yes", "no"], ("yes", "no"), (o for o in ("yes", "no")), {"yes": 1, "no": 0}.keys()):
        assert checked_question("Is there a hat?", options) == ("Is there a hat?", ("yes", "no"))  # type: ignore[arg-type]


def test_the_settings_are_those_of_a_talk() -> None:
    """By name and default, so that a type checker sees a misspelt one."""
    ours, theirs = inspect.signature(omokage.ask).parameters, inspect.signature(Talk).parameters
    kept = {name: (p.default, p.annotation) for name, p in ours.items() if p.kind is p.KEYWORD_ONLY}
    assert kept == {name: (p.default, p.annotation) for name, p in theirs.items() if p.kind is p.KEYWORD_ONLY}
    with pytest.raises(TypeError, match="modell"):
        omokage.ask("none.png", "Is there a hat?", modell="x")  # type: ignore[call-arg]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which weights were read, in order; what is opened has their card's hash for its id."""
    found: list[str] = []

    def load(weights: str | Path, device: str) -> Saying:
        said = Saying()
        said.id = registry.read_card(weights, "dialogue").sha256
        found.append(said.id)
        return said

    monkeypatch.setattr(predict, "load", load)
    return found


def write(folder: Path, value: float) -> str:
    card = registry.Card("dialogue", folder.name, {}, {})
    return registry.save(folder, {"line": torch.full((2,), value)}, card).sha256


def test_a_model_is_opened_once(tmp_path: Path, reads: list[str]) -> None:
    write(tmp_path / "mine", 1.0)
    first = open_model(tmp_path / "mine")
    assert open_model(str(tmp_path / "mine"), "auto") is first
    assert open_model(tmp_path / "mine" / ".." / "mine") is first
    assert len(reads) == 1
    assert open_model(tmp_path / "mine", "cpu") is not first


def test_a_replaced_folder_is_opened_anew(tmp_path: Path, reads: list[str]) -> None:
    place = tmp_path / "mine"
    old, other = write(place, 1.0), write(tmp_path / "other", 2.0)
    assert open_model(place).id == old
    shutil.rmtree(place)
    shutil.copytree(tmp_path / "other", place)
    assert open_model(place).id == other
    assert reads == [old, other]
    shutil.rmtree(place)
    with pytest.raises(WeightsError, match="no weights called"):
        open_model(place)


def test_a_relative_path_follows_the_folder(tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = [write(tmp_path / name / "weights", value) for name, value in (("a", 1.0), ("b", 2.0))]
    for name, expected in zip(("a", "b", "a"), (*hashes, hashes[0]), strict=True):
        monkeypatch.chdir(tmp_path / name)
        assert open_model("weights").id == expected
    assert len(reads) == 2, "the first is still open"
