"""Search is what comparing with every face would give, from a gallery that survives and notices changes."""

from __future__ import annotations

import os
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
