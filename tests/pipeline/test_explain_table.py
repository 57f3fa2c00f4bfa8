"""Explanations of many faces as a table: every input has its row, work is kept, and memory holds one picture."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from omokage import Analyzer, InputError
from omokage.media.sources import Source
from omokage.media.table import Reading
from omokage.pipeline import explain_table as tables
from omokage.pipeline.explain_table import COLUMNS, explain_many, explain_table, rows_of
from omokage.results import RelevanceMap
from omokage.weights import registry
from stand_ins import SquareFinder, SquarePredictor

pytestmark = pytest.mark.skipif(
    registry.DEFAULT_SET not in registry.set_names() or not registry.has_model(registry.DEFAULT_SET, "attributes"),
    reason="the default weights are not installed",
)
FAST = "lrp"


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer(device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures of one face, and a file that is none."""
    data = pytest.importorskip("skimage.data")
    face = np.asarray(data.astronaut()[60:190, 165:295], np.uint8)
    for name, picture in (("a.png", face), ("b.png", face[:, ::-1])):
        cv2.imwrite(str(tmp_path / name), picture[..., ::-1])
    (tmp_path / "c.png").write_bytes(b"no picture")
    return tmp_path


def sources(folder: Path) -> list[Source]:
    return [Source(str(folder / name)) for name in ("a.png", "b.png", "c.png")]


def test_one_row_for_every_face_and_every_file(analyzer: Analyzer, folder: Path) -> None:
    seen: list[int] = []

    def see(reading: Reading, found: Sequence[RelevanceMap | InputError]) -> None:
        seen.append(len(found))

    out = folder / "why.csv"
    failed = explain_table(analyzer, sources(folder), "attr.smiling", out, FAST, crops=True, on_found=see)
    assert failed == 1
    assert seen == [1, 1, 0]
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert [r["status"].partition(":")[0] for r in rows] == ["ok", "ok", "unreadable"]
    assert rows[0]["top"] in ("mouth", "chin")
    assert rows[0]["grade"] in "ABCD"
    assert float(rows[0]["effect_mouth_low"]) <= float(rows[0]["effect_mouth"]) <= float(rows[0]["effect_mouth_high"])
    assert 0 < float(rows[0]["support_mouth"]) <= 1
    assert not (folder / "why.csv.parts").exists()


def test_a_stopped_run_goes_on_where_it_was(analyzer: Analyzer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = folder / "why.parquet"
    real = tables.explain_analysed
    done: list[int] = []

    def once(*args: object, **options: object) -> RelevanceMap:
        if done:
            raise KeyboardInterrupt
        done.append(1)
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tables, "explain_analysed", once)
    with pytest.raises(KeyboardInterrupt):
        explain_table(analyzer, sources(folder), "age", out, FAST, crops=True)
    monkeypatch.setattr(tables, "explain_analysed", real)
    assert not out.exists()
    with pytest.raises(InputError, match="--resume"):
        explain_table(analyzer, sources(folder), "age", out, FAST, crops=True)
    with pytest.raises(InputError, match="other target"):
        explain_table(analyzer, sources(folder), "gender", out, FAST, crops=True, resume=True)
    explain_table(analyzer, sources(folder), "age", out, FAST, crops=True, resume=True)
    table = pq.read_table(out)
    assert [Path(s).name for s in table["source"].to_pylist()] == ["a.png", "b.png", "c.png"]
    assert json.loads(table.schema.metadata[b"omokage.target"]) == "age"
    assert table["answer_unit"].to_pylist()[0] == "years"


def test_a_source_whose_rows_were_cut_is_explained_again(
    analyzer: Analyzer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three faces of one picture: a kill in the middle of the write leaves no part of them behind as the whole."""
    out, parts = folder / "why.csv", folder / "why.csv.parts"

    def three(_: Analyzer, some: Sequence[Source], *__: object, **___: object) -> Iterator[tuple[Reading, list[Any]]]:
        for source in some:
            yield Reading(source.name, faces=(object(),) * 3), [InputError(why) for why in "xyz"]  # type: ignore[arg-type]

    def refuse(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "explain_many", three)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "write_table", refuse)
        with pytest.raises(KeyboardInterrupt):
            explain_table(analyzer, sources(folder)[:2], "age", out, FAST)
    whole = parts.read_bytes()
    parts.write_bytes(whole[: whole.rindex(b"unexplained: z")])
    explain_table(analyzer, sources(folder)[:2], "age", out, FAST, resume=True)
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(Path(r["source"]).name, r["face"]) for r in rows] == [(n, k) for n in ("a.png", "b.png") for k in "012"]


def test_pictures_come_one_by_one(analyzer: Analyzer, folder: Path) -> None:
    """The first answer is there before the second picture has been explained: nothing waits for the whole batch."""
    found = explain_many(analyzer, sources(folder), "attr.smiling", FAST, crops=True)
    reading, first = next(found)
    assert Path(reading.source).name == "a.png"
    assert isinstance(first[0], RelevanceMap)
    found.close()  # type: ignore[attr-defined]


def test_wrong_words_before_any_work(analyzer: Analyzer, folder: Path) -> None:
    out = folder / "why.csv"
    for target, method, name in (("beauty", FAST, out), ("age", "magic", out), ("age", FAST, folder / "why.txt")):
        with pytest.raises(InputError):
            explain_table(analyzer, sources(folder), target, name, method, crops=True)
    stranger = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    with pytest.raises(InputError, match="own attribute network"):
        explain_table(stranger, sources(folder), "age", out, FAST)
    assert not list(folder.glob("*.parts"))


def test_pictures_without_a_face_have_a_row() -> None:
    assert rows_of(Reading("x.png"), []) == [{"source": "x.png", "frame": 0, "status": "no_face"}]
    assert rows_of(Reading("x.mp4", silent=True), []) == []
