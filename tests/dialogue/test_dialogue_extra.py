"""Without the extra the room says in one sentence what to install; with it, no torchvision is needed."""

from __future__ import annotations

import importlib
import pickle
import sys

import pytest

from omokage.errors import MissingExtraError


@pytest.mark.parametrize(
    ("module", "missing"), [("tokenizer", "tokenizers"), ("model", "transformers"), ("hub", "transformers")]
)
def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch, module: str, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, f"omokage.dialogue.{module}", raising=False)
    with pytest.raises(MissingExtraError, match=rf"pip install 'omokage\[dialogue\]' \(.*{missing}"):
        importlib.import_module(f"omokage.dialogue.{module}")


def test_a_worker_process_can_hand_the_error_on() -> None:
    error = MissingExtraError("asking", "dialogue", ImportError("no such module"))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_torchvision_is_not_imported() -> None:
    importlib.import_module("omokage.dialogue.hub")
    assert "torchvision" not in sys.modules
