"""What a name of weights stands for: one key for one place and content, another one for other weights."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from omokage.weights import registry
from omokage.weights.identity import identity


def write(folder: Path, value: float, model: str = "line") -> None:
    registry.save(folder, {"line": torch.full((2,), value)}, registry.Card(model, folder.name, {}, {}))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "HOME", tmp_path / "home")
    write(tmp_path / "home" / "synthetic", 1.0)
    write(tmp_path / "home" / "open", 2.0)
    return tmp_path


def test_weights_written_anew_under_their_name_are_others(tmp_path: Path) -> None:
    write(tmp_path / "mine", 1.0)
    before = identity(tmp_path / "mine")
    assert before == identity(str(tmp_path / "mine"))
    assert hash(before) == hash(identity(tmp_path / "mine" / ".." / "mine"))
    write(tmp_path / "mine", 2.0)
    assert identity(tmp_path / "mine") != before


def test_a_changed_card_is_another_one(tmp_path: Path) -> None:
    """Whatever its times say: an archive may give the new file the old one's."""
    write(tmp_path / "mine", 1.0)
    card = tmp_path / "mine" / "line.json"
    before, state = identity(tmp_path / "mine"), card.stat()
    card.write_text(card.read_text().replace('"recipe": ""', '"recipe": "x"').replace('"commit": ""', '"commit":""'))
    os.utime(card, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert identity(tmp_path / "mine") != before


def test_a_relative_path_means_the_folder_that_it_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("a", "b"):
        write(tmp_path / name / "weights", 1.0)
        monkeypatch.chdir(tmp_path / name)
        found.append(identity("weights"))
    assert found[0] != found[1]
    assert found[1] == identity(tmp_path / "b" / "weights")
    assert found[1].given == "weights"


def test_shipped_sets_are_known_by_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert identity(None) == identity("open") == identity(home / "home" / "open")
    assert identity(None).given is None
    assert identity("open") != identity("synthetic")
    (home / "open").mkdir()  # a folder of the same name where the program runs: the shipped set comes first
    monkeypatch.chdir(home)
    assert identity("open").place == str((home / "home" / "open").resolve())


def test_a_set_is_another_one_when_what_it_borrows_changes(home: Path) -> None:
    before = identity("open")
    write(home / "home" / "synthetic", 5.0, "finder")
    assert identity("open") != before


@pytest.mark.parametrize("name", ["owner/model", "nothing-there", "", "a\0b", "x" * 5000], ids=range(5))
def test_a_name_without_a_folder_stands_for_itself(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "home" / "open")
    if name:
        assert identity(name).place == name
    assert identity(name) == identity(name)
    assert identity(name) != identity("owner/other")


def test_files_of_other_layouts_count_by_size_and_time(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"1234")
    before = identity(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"12345")
    assert identity(tmp_path) != before
