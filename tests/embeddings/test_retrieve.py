"""Search is what comparing with every face would give, from a gallery that survives and notices changes."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omokage.embeddings import gallery as galleries
from omokage.embeddings.gallery import open_gallery
from omokage.embeddings.retrieve import precision_at, search
from omokage.errors import InputError, OutputError


def table(path: Path, codes: np.ndarray, per_source: int = 1) -> Path:
    rows = [
        {"source": f"{k // per_source}.jpg", "frame": k % per_source, "timestamp_s": 0.1 * k, "face": 0, "track": None,
         "status": "ok", "box_x0": 1.0, "box_y0": 2.0, "box_x1": 3.0, "box_y1": 4.0, "embedding": code.tolist()}
        for k, code in enumerate(codes)
    ]  # fmt: skip
    rows.insert(1, {"source": "empty.jpg", "status": "no_face", "embedding": None})
    made = pa.Table.from_pylist(rows).replace_schema_metadata({"omokage.weights": '{"encoder": "set/encoder@1"}'})
    pq.write_table(made, path)
    return path


def standardised(codes: np.ndarray) -> np.ndarray:
    z = (codes - codes.mean(0)) / codes.std(0)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(2, 80), st.integers(1, 12), st.integers(0, 99))
def test_search_is_brute_force(tmp_path: Path, count: int, top: int, seed: int) -> None:
    codes = np.random.default_rng(seed).normal(3, 2, (count, 6)).astype(np.float32)
    gallery = open_gallery(table(tmp_path / f"{count}-{seed}.parquet", codes))
    assert len(gallery) == count
    assert gallery.encoder == "set/encoder@1"
    z = standardised(codes.astype(np.float64))
    near = z @ z[0]
    expected = np.argsort(-near)[:top]
    hits = search(gallery, codes[0], top)
    assert [h.row for h in hits] == expected.tolist()
    np.testing.assert_allclose([h.likeness for h in hits], near[expected], atol=1e-5)
    assert hits[0].source == "0.jpg"


def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from omokage.embeddings import retrieve

    codes = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
    whole = [h.row for h in search(open_gallery(table(tmp_path / "a.parquet", codes)), codes[3], 7)]
    monkeypatch.setattr(galleries, "BLOCK", 8)
    monkeypatch.setattr(retrieve, "BLOCK", 8)
    assert [h.row for h in search(open_gallery(table(tmp_path / "b.parquet", codes)), codes[3], 7)] == whole


def test_other_people_only(tmp_path: Path) -> None:
    codes = np.repeat(np.random.default_rng(0).normal(size=(6, 5)), 4, 0).astype(np.float32)
    codes += np.random.default_rng(1).normal(0, 0.01, codes.shape).astype(np.float32)
    gallery = open_gallery(table(tmp_path / "a.parquet", codes, per_source=4))
    assert [h.source for h in search(gallery, codes[0], 3, per_source=0)] == ["0.jpg"] * 3
    apart = search(gallery, codes[0], 10, apart="0.jpg")
    assert len(apart) == 5
    assert len({h.source for h in apart}) == 5
    assert "0.jpg" not in {h.source for h in apart}
    assert search(gallery, codes[0], 1)[0].track is None


def test_a_gallery_is_made_again_when_its_table_changes(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", np.eye(4, dtype=np.float32))
    first = open_gallery(path)
    stamp = (first.folder / "codes.f32").stat().st_mtime_ns
    assert (open_gallery(path).folder / "codes.f32").stat().st_mtime_ns == stamp
    table(path, np.eye(5, dtype=np.float32))
    os.utime(path, ns=(1, 1))
    assert len(open_gallery(path)) == 5
    assert len(open_gallery(first.folder)) == 5


def text_table(path: Path, codes: np.ndarray, encoder: str = "set/encoder@1") -> Path:
    rows = [{"source": f"{k}.jpg", "frame": 0, "timestamp_s": 0.0, "face": 0, "status": "ok", "embedding": c.tolist()}
            for k, c in enumerate(codes)]  # fmt: skip
    if path.suffix == ".csv":
        lines = [",".join(rows[0])]
        lines += [",".join([*(str(v) for v in list(r.values())[:-1]), f'"{r["embedding"]}"']) for r in rows]
    else:
        lines = [json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    path.with_name(path.name + ".meta.json").write_text(json.dumps({"omokage.weights": {"encoder": encoder}}))
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_tables_of_text_name_their_encoder_beside_them(tmp_path: Path, ending: str) -> None:
    path = text_table(tmp_path / f"a.{ending}", np.eye(4))
    assert open_gallery(path).encoder == open_gallery(path).encoder == "set/encoder@1"
    text_table(path, np.eye(4), "another")
    os.utime(path, ns=(1, 1))
    assert open_gallery(path).encoder == "another"
    path.with_name(path.name + ".meta.json").unlink()
    assert open_gallery(path).encoder == ""


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
@pytest.mark.parametrize(("mode", "folder"), [(0o600, 0o700), (0o640, 0o750), (0o644, 0o755)])
def test_a_gallery_is_as_private_as_its_table(tmp_path: Path, mode: int, folder: int) -> None:
    before = os.umask(0o022)
    try:
        path = table(tmp_path / "a.parquet", np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32))
        path.chmod(mode)
        gallery = open_gallery(path)
        if importlib.util.find_spec("usearch"):
            search(gallery, np.ones(4), index="approximate")
    finally:
        os.umask(before)
    assert stat.S_IMODE(gallery.folder.stat().st_mode) == folder
    assert {stat.S_IMODE(p.stat().st_mode) for p in gallery.folder.iterdir()} == {mode}
    path.chmod(0o600)  # closed only afterwards
    open_gallery(path)
    assert stat.S_IMODE(gallery.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in gallery.folder.iterdir()} == {0o600}


def test_a_gallery_whose_table_is_gone_is_not_searched(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", np.eye(4, dtype=np.float32))
    folder = open_gallery(path).folder
    path.unlink()
    with pytest.raises(InputError, match="is gone: delete the folder, too"):
        open_gallery(folder)
    with pytest.raises(InputError, match="its codes are still in"):
        open_gallery(path)
    folder.rename(tmp_path / "other")
    with pytest.raises(InputError, match="give the faces table"):
        open_gallery(tmp_path / "other")


def test_first_searches_at_once_each_find_a_gallery(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    for stale in (False, True):
        path = table(tmp_path / "a.parquet", codes)
        if stale:
            os.utime(path, ns=(1, 1))
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(open_gallery, [path] * 12))
        assert {len(gallery) for gallery in found} == {300}
        assert {search(gallery, codes[5], 1)[0].row for gallery in found} == {5}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parquet", "a.parquet.gallery"]


def test_what_a_killed_search_left_is_removed_after_a_day(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", np.eye(4, dtype=np.float32))
    for name, age in (("old", 10 * 86_400), ("new", 60)):
        left = tmp_path / f"a.parquet.gallery.{name}.tmp"
        left.mkdir()
        os.utime(left, (time.time() - age,) * 2)
    open_gallery(path)
    assert [p.name for p in tmp_path.glob("*.tmp")] == ["a.parquet.gallery.new.tmp"]


@pytest.mark.parametrize("change", [{"sources": ["0.jpg"]}, {"mean": [0.0]}, {"sources": None}])
def test_a_gallery_that_lacks_parts_is_said_to_be_damaged(tmp_path: Path, change: dict[str, object]) -> None:
    path = table(tmp_path / "a.parquet", np.eye(4, dtype=np.float32))
    facts = open_gallery(path).folder / "gallery.json"
    facts.write_text(json.dumps(json.loads(facts.read_text()) | change))
    with pytest.raises(InputError, match="damaged"):
        open_gallery(path)
    facts.write_text("{")  # the table is there: made again
    assert len(open_gallery(path)) == 4


@pytest.mark.parametrize("left", ["cut off", "empty", "another gallery's"])
def test_a_damaged_graph_is_made_again(tmp_path: Path, left: str) -> None:
    pytest.importorskip("usearch")
    codes = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
    gallery = open_gallery(table(tmp_path / "a.parquet", codes))
    graph = gallery.folder / "graph.usearch"
    search(gallery, codes[7], 1, index="approximate")
    size = graph.stat().st_size
    if left == "another gallery's":
        other = open_gallery(table(tmp_path / "b.parquet", codes[:20]))
        search(other, codes[7], 1, index="approximate")
        graph.write_bytes((other.folder / "graph.usearch").read_bytes())
    else:
        graph.write_bytes(graph.read_bytes()[: size // 2 if left == "cut off" else 0])
    assert search(gallery, codes[7], 1, index="approximate")[0].row == 7
    assert graph.stat().st_size == size
    assert not list(gallery.folder.glob("*.tmp"))


def test_a_graph_that_cannot_be_kept_still_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("usearch")
    codes = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    gallery = open_gallery(table(tmp_path / "a.parquet", codes))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    assert search(gallery, codes[7], 1, index="approximate")[0].row == 7
    assert not list(gallery.folder.glob("graph*"))


def test_problems_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        open_gallery(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(InputError, match="cannot be read"):
        open_gallery(tmp_path / "text.parquet")
    pq.write_table(pa.table({"source": ["a"], "status": ["ok"]}), tmp_path / "plain.parquet")
    with pytest.raises(InputError, match="omokage embed"):
        open_gallery(tmp_path / "plain.parquet")
    (tmp_path / "lines.jsonl").write_text('{"source": "a", "status": "no_face"}\n')
    with pytest.raises(InputError, match="no embeddings"):
        open_gallery(tmp_path / "lines.jsonl")
    gallery = open_gallery(table(tmp_path / "a.parquet", np.eye(4, dtype=np.float32)))
    with pytest.raises(InputError, match="3 numbers"):
        search(gallery, np.zeros(3))
    (gallery.folder / "codes.f32").write_bytes(b"short")
    with pytest.raises(InputError, match="damaged"):
        open_gallery(tmp_path / "a.parquet")
    lines = [f'{{"source": "{k}", "status": "ok", "embedding": {[1.0] * (2 + k)}}}' for k in range(2)]
    (tmp_path / "mixed.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="one encoder"):
        open_gallery(tmp_path / "mixed.jsonl")
    assert not list(tmp_path.glob("mixed*.tmp"))


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", np.eye(3, dtype=np.float32))
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError):
        open_gallery(path)
    tmp_path.chmod(0o700)


def test_approximate_search_finds_most_of_the_nearest(tmp_path: Path) -> None:
    pytest.importorskip("usearch")
    codes = np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32)
    gallery = open_gallery(table(tmp_path / "a.parquet", codes))
    for _ in range(2):  # made, then read back
        exact = {h.row for h in search(gallery, codes[7], 10)}
        near = search(gallery, codes[7], 10, index="approximate")
        assert near[0].row == 7
        assert len(exact & {h.row for h in near}) >= 8


def test_precision_counts_other_people_only() -> None:
    rng = np.random.default_rng(0)
    labels = ["a", "b"] * 30
    people = [f"p{k // 2}" for k in range(60)]
    state = np.array([[1.0, 0] if n == "a" else [0, 1.0] for n in labels])
    value, low, high, base = precision_at(state + rng.normal(0, 0.05, state.shape), labels, people)
    assert value == 1.0
    assert low <= value <= high
    assert base == pytest.approx(0.5, abs=0.02)
    own = np.eye(30)[np.repeat(np.arange(30), 2)]
    assert precision_at(own + rng.normal(0, 0.01, own.shape), labels, people)[0] < 0.65
