"""What stays open between calls is what its folder holds now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omokage.pipeline import Analyzer
from omokage.pipeline.compare import compare
from omokage.pipeline.explain import explain
from omokage.pipeline.explain_change import explain_change
from omokage.pipeline.opened import open_analyzer
from omokage.weights import registry
from small_weights import small_weights


def test_weights_that_were_exchanged_are_opened_anew(tmp_path: Path) -> None:
    folder = small_weights(tmp_path / "mine")
    first = open_analyzer(folder)
    assert open_analyzer(str(folder)) is first
    before = first.describe(crops=True)
    tensors, card = registry.load(folder, "attributes")
    registry.save(folder, {name: t * 2 for name, t in tensors.items()}, card)
    second = open_analyzer(folder)
    assert second is not first
    assert second.describe(crops=True) != before


def test_a_relative_path_is_that_of_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        small_weights(tmp_path / name / "mine")
    found = []
    for name in ("one", "two", "one"):
        monkeypatch.chdir(tmp_path / name)
        found.append(open_analyzer("mine"))
    assert found[0] is found[2] is not found[1]


class Asked(Exception):
    """Raised with the weights whose comparison network is asked for."""


@pytest.mark.parametrize("named", [None, "mine"])
def test_the_comparison_is_that_of_the_analyzers_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    folder = small_weights(tmp_path / "set")

    def opened(weights: Any, *_: Any) -> Any:
        raise Asked(weights)

    monkeypatch.setattr("omokage.pipeline.opened.open_comparer", opened)
    picture = np.zeros((8, 8, 3), np.uint8)
    for asking in (
        lambda: compare(picture, picture, analyzer=Analyzer(folder), weights=named),
        lambda: explain_change(picture, picture, "change.age", analyzer=Analyzer(folder), weights=named),
        lambda: explain(picture, "change.age", before=picture, analyzer=Analyzer(folder), weights=named),
    ):
        with pytest.raises(Asked) as asked:
            asking()
        assert asked.value.args == (named or folder,)
