"""Shipped sets: what a set lacks is the base set's, a user's folder stands alone."""

import json
from pathlib import Path

import pytest
import torch

from omokage.errors import WeightsError
from omokage.weights import registry


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "HOME", tmp_path / "home")
    for name, models in {"synthetic": ("finder", "attributes"), "open": ("attributes",)}.items():
        for model in models:
            card = registry.Card(model, name, {}, {})
            registry.save(tmp_path / "home" / name, {"line": torch.full((2,), float(len(name)))}, card)
    return tmp_path


def test_a_set_shares_what_it_lacks_with_the_base_set(home: Path) -> None:
    assert registry.has_model("open", "finder")
    assert registry.load("open", "finder")[1].id == registry.load("synthetic", "finder")[1].id
    assert registry.load("open", "attributes")[0]["line"][0] == 4
    assert registry.load("synthetic", "attributes")[0]["line"][0] == 9
    assert not registry.has_model("open", "encoder")
    (home / "photos").mkdir()
    with pytest.raises(WeightsError, match=r"photos holds no weights: .*attributes\.json"):
        registry.folder_of(home / "photos")
    with pytest.raises(WeightsError, match="no weights called 'opne'"):
        registry.folder_of("opne")
    with pytest.raises(WeightsError, match=r"encoder\.json"):
        registry.load("open", "encoder")


def test_every_shipped_model_is_listed_once(home: Path) -> None:
    assert [(card.set, card.model) for card in registry.cards()] == [
        ("open", "attributes"),
        ("synthetic", "attributes"),
        ("synthetic", "finder"),
    ]


def test_a_missing_or_changed_file_is_damaged(home: Path) -> None:
    (home / "home" / "synthetic" / "finder.safetensors").unlink()
    (home / "home" / "open" / "attributes.safetensors").write_bytes(b"other")
    assert [(card.id.split("@")[0], good) for card, good in registry.verify()] == [
        ("open/attributes", False), ("synthetic/attributes", True), ("synthetic/finder", False),
    ]  # fmt: skip


def test_other_settings_than_those_saved_show_in_the_id(home: Path) -> None:
    path = home / "home" / "open" / "attributes.json"
    before = registry.read_card("open", "attributes").id
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, "limits": ["a word more"]}))
    assert registry.read_card("open", "attributes").id == before
    path.write_text(json.dumps({**card, "calibration": {"stretch": {"age": 0.01}}}))
    assert registry.read_card("open", "attributes").id == f"{before}+"
    assert [good for card, good in registry.verify() if card.set == "open"] == [False]
    copied = registry.copy_model("synthetic", "finder", home / "mine", {"size": 8})
    assert registry.read_card(home / "mine", "finder").id == copied.id
    assert not copied.changed


def test_every_shipped_card_is_as_it_was_saved() -> None:
    assert all(card.settings_sha256 and not card.changed for card in registry.cards())


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b"[1]", b'{"no": "card"}'])
def test_a_damaged_card_is_one_sentence(home: Path, content: bytes) -> None:
    (home / "home" / "open" / "attributes.json").write_bytes(content)
    with pytest.raises(WeightsError, match=r"attributes\.json is missing or damaged"):
        registry.read_card("open", "attributes")


def test_a_users_folder_stands_alone(home: Path) -> None:
    registry.save(home / "mine", {"line": torch.zeros(2)}, registry.Card("attributes", "mine", {}, {}))
    assert registry.has_model(home / "mine", "attributes")
    assert not registry.has_model(home / "mine", "finder")
