"""The record format: whole shards or none, labels that come back, nothing unknown accepted."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omokage.data.decoding import head_of, picture_of
from omokage.data.records import (
    FORMAT,
    LABELS,
    SCHEMA,
    YES_NO,
    Record,
    face_outline,
    provenance,
    read_records,
    read_shard,
    shards,
    write_shard,
)  # fmt: skip
from omokage.errors import OutputError, RecordError
from omokage.schema import SHIPPED

_number = st.floats(0, 1, width=32)
_labels = st.fixed_dictionaries(
    {},
    optional={
        "landmarks": st.lists(_number, min_size=136, max_size=136),
        "visibility": st.lists(st.integers(0, 1), min_size=68, max_size=68),
        "age": _number, "age_low": _number, "female": _number, "expression": st.sampled_from(["neutral", "anger"]),
        "attr_smiling": _number, "segmentation": st.binary(max_size=9), "groups": st.just('{"crowd": "a"}'),
    },
)  # fmt: skip


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_labels, min_size=1, max_size=4))
def test_labels_come_back_and_absent_ones_stay_absent(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    made = [
        Record(f"r{i}", "p", "rendered", b"code", 4, 5, labels, provenance(seed=i)) for i, labels in enumerate(rows)
    ]
    folder = tmp_path / "records"
    assert write_shard(folder / "0.parquet", made) == len(made)
    for one, other in zip(made, read_records(folder), strict=True):
        assert other.labels == one.labels
        assert (other.id, other.image, other.width, other.height) == (one.id, one.image, 4, 5)
        assert other.provenance == one.provenance


def test_unknown_labels_are_refused_by_name() -> None:
    with pytest.raises(RecordError, match=r"'a' has labels.*height"):
        Record("a", "p", "x", b"", 1, 1, {"height": 180})


def test_lists_have_their_length_when_written_and_when_read(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="'a' has 3 numbers of box, 4 are due"):
        Record("a", "p", "x", b"", 1, 1, {"box": [0, 0, 1]})
    write_shard(
        tmp_path / "0.parquet", [Record("a", "p", "x", b"", 1, 1, {"gaze": [1, 2]}), Record("b", "p", "x", b"", 1, 1)]
    )
    table = read_shard(tmp_path / "0.parquet")
    short = table.set_column(table.column_names.index("gaze"), "gaze", pa.array([[1.0], None], pa.list_(pa.float32())))
    pq.write_table(short, tmp_path / "0.parquet")
    with pytest.raises(RecordError, match="lists of gaze that are not 2 numbers long"):
        read_shard(tmp_path / "0.parquet")


def test_every_yes_no_attribute_has_a_column() -> None:
    assert set(YES_NO) == {a.name for a in SHIPPED if a.classes == ("no", "yes")}
    assert {f"attr_{name}" for name in YES_NO} <= LABELS
    assert set(SCHEMA.names) > LABELS


def test_shards_are_read_in_order_and_columns_can_be_chosen(tmp_path: Path) -> None:
    for k in (2, 0, 1):
        write_shard(tmp_path / f"{k:03d}.parquet", [Record(str(k), "p", "x", b"", 1, 1, {"age": float(k)})])
    assert [r.id for r in read_records(tmp_path)] == ["0", "1", "2"]
    assert read_shard(shards(tmp_path)[1], ["age"]).to_pylist() == [{"age": 1.0}]


def test_foreign_damaged_and_missing_shards_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no record shards"):
        shards(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "foreign.parquet")
    with pytest.raises(RecordError, match=f"not a record shard of format {FORMAT}"):
        read_shard(tmp_path / "foreign.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(RecordError, match="cannot be read"):
        read_shard(tmp_path / "broken.parquet")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        write_shard(tmp_path / "file" / "0.parquet", [])
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_rewritten_shard_replaces_the_old_one_whole(tmp_path: Path) -> None:
    for count in (3, 2):
        write_shard(tmp_path / "0.parquet", [Record(str(i), "p", "x", b"", 1, 1) for i in range(count)])
    assert len(list(read_records(tmp_path))) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["0.parquet"]


def test_older_shards_lack_newer_columns_without_harm(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.parquet", [Record("a", "p", "rendered", b"x", 4, 5, {"age": 3.0})])
    older = pq.read_table(tmp_path / "0.parquet").drop_columns(["outline"])
    pq.write_table(older, tmp_path / "0.parquet")
    assert read_shard(tmp_path / "0.parquet", ["id", "outline", "age"]).column_names == ["id", "age"]
    assert next(iter(read_records(tmp_path))).labels == {"age": 3.0}


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("age", 400.0, r"has age 400: it must be from 0 to 120"),
        ("age", float("inf"), "has age inf: it must be from 0 to 120"),
        ("age_std", -1.0, "has age_std -1: it must be finite, 0 or more"),
        ("female", 7.0, "has female 7: it must be from 0 to 1"),
        ("attr_smiling", -1.0, "has attr_smiling -1"),
        ("valence", -2.0, "has valence -2: it must be from -1 to 1"),
        ("units", [9.0] * 52, "has units 9: it must be from 0 to 1"),
        ("landmarks", [float("nan")] * 136, "has landmarks nan: it must be finite"),
        ("pose", [0.0, None, 0.0], "has pose nan: it must be finite"),
        ("box", [10.0] * 4, "has box without area"),
        ("expression", "joyful", "has expression 'joyful': it must be one of neutral"),
        ("image", None, "has image missing in some rows"),
        ("person", None, "has person missing in some rows"),
    ],
)
def test_values_that_no_record_may_have_are_named(tmp_path: Path, column: str, value: object, why: str) -> None:
    path = tmp_path / "0.parquet"
    rows = [Record("a", "p", "x", b"", 1, 1, {"age": 116.0, "age_high": 121.0}).row() for _ in range(2)]
    table = pa.Table.from_pylist([rows[0], {**rows[1], column: value}], schema=SCHEMA)
    pq.write_table(table, path)
    with pytest.raises(RecordError, match=f"0.parquet {why}"):
        read_shard(path)
    assert read_shard(path, ["id", "width"]).num_rows == 2  # what is not read is not looked at


def test_landmarks_in_one_place_outline_no_face() -> None:
    with pytest.raises(RecordError, match="all landmarks of record 'a' are in one place"):
        face_outline({"id": "a", "landmarks": [3.0] * 136})


@pytest.mark.parametrize(
    ("code", "shape", "why"),
    [(b"", None, "cannot be decoded"), (b"xx", None, "cannot be decoded"), (None, (5, 5), "not as large as")],
)
def test_broken_pictures_are_named(code: bytes | None, shape: tuple[int, ...] | None, why: str) -> None:
    whole = bytes(cv2.imencode(".png", np.eye(4, dtype=np.uint8))[1])
    assert head_of(whole, "a", (4, 4)).tolist() == (np.eye(4) * 255).tolist()
    with pytest.raises(RecordError, match=f"segmentation of record 'a' {'is ' if shape else ''}{why}"):
        head_of(whole if code is None else code, "a", shape)
    if code is not None:
        with pytest.raises(RecordError, match="picture of record 'a' cannot be decoded"):
            picture_of(code, "a")
