"""Tensors on disk: whole or not at all, readable by others, and one sentence when the disk is full."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open

from omokage.errors import OutputError
from omokage.weights.tensors import write_tensors


def test_tensors_and_facts_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"x": torch.arange(6.0).reshape(2, 3).T}, {"facts": "{}"})
    with safe_open(path, "pt") as file:
        assert torch.equal(file.get_tensor("x"), torch.arange(6.0).reshape(2, 3).T)
        assert file.metadata() == {"facts": "{}"}
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"x": torch.ones(2)})
    before = path.read_bytes()

    def full(tensors: object, place: Path, facts: object) -> None:
        place.write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(OutputError, match=r"cannot write .*a\.safetensors: the disk is full; free some space\. Kept"):
        write_tensors(path, {"x": torch.zeros(2)}, hint="Kept")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_other_failures_are_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise SafetensorError("invalid header")

    monkeypatch.setattr(safetensors.torch, "save_file", broken)
    with pytest.raises(SafetensorError, match="invalid header"):
        write_tensors(tmp_path / "a.safetensors", {})
