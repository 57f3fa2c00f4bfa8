"""VoxCeleb's two layouts of pictures, read as tracks with the published cut."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from omokage.data.readers.voxceleb import read_voxceleb
from omokage.data.records import Record, write_shard
from omokage.errors import InputError, UnreadableError


def jpeg(path: Path, value: int = 90, side: int = 64) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((side, side, 3), value, np.uint8))


@pytest.fixture
def voxceleb(tmp_path: Path) -> Path:
    """Two identities in the first set's layout, thirty in the second's, and pictures that belong to neither."""
    for name in ("A.J._Buckley", "Zoe_Saldana"):
        for frame in ("0000100", "0000025", "0000050"):
            jpeg(tmp_path / name / "1.6" / "video1" / f"{frame}.jpg", int(frame) % 250)
    for k in range(30):
        for track in ("00001", "00002"):
            for frame in (9, 10):
                jpeg(tmp_path / f"id{k:05d}" / "video" / track / f"{frame}.jpg")
    jpeg(tmp_path / "id00000" / "stray.jpg")
    jpeg(tmp_path / "readme" / "figure.jpg")
    return tmp_path


def groups(record: Record) -> dict:
    return json.loads(record.labels["groups"])


def test_frames_are_in_the_order_of_their_numbers_and_tracks_have_names(voxceleb: Path) -> None:
    rows = list(read_voxceleb(voxceleb, "all"))
    assert len(rows) == 6 + 30 * 4
    buckley = [r for r in rows if r.person == "A.J._Buckley"]
    assert [r.id.rsplit("-", 1)[1] for r in buckley] == ["0000025", "0000050", "0000100"]
    assert [groups(r) for r in buckley] == [{"frame": k, "track": "video1"} for k in range(3)]
    first = [r for r in rows if r.person == "id00003"]
    assert [(groups(r)["track"], r.id.rsplit("-", 1)[1]) for r in first] == [
        ("video/00001", "9"), ("video/00001", "10"), ("video/00002", "9"), ("video/00002", "10"),
    ]  # fmt: skip
    assert len({r.id for r in rows}) == len(rows)
    assert "CC BY 4.0" in rows[0].provenance


def test_identities_are_on_one_side(voxceleb: Path) -> None:
    sides = {split: {r.person for r in read_voxceleb(voxceleb, split)} for split in ("train", "val", "test")}
    assert sum(map(len, sides.values())) == len(set().union(*sides.values())) == 32
    assert len(sides["train"]) > len(sides["test"]) > 0


def test_the_usual_margin_shows_the_published_cut(voxceleb: Path) -> None:
    """190 of 256 pixels around (128, 103)."""
    x0, y0, x1, y1 = next(read_voxceleb(voxceleb, "all")).labels["box"]
    centre, side = ((x0 + x1) / 2, (y0 + y1) / 2), 1.3 * (x1 - x0)
    assert np.allclose(centre, (128 / 4, 103 / 4))
    assert side == pytest.approx(190 / 4)


def test_records_become_tracks_that_train(voxceleb: Path, tmp_path: Path) -> None:
    from omokage.embeddings.store import open_store

    write_shard(tmp_path / "records" / "0.parquet", list(read_voxceleb(voxceleb, "all")))
    store = open_store([str(tmp_path / "records")], tmp_path / "cache", 32, 1.3)
    assert len(store.tracks) == 2 + 60
    assert store.people.count("id00007") == 2


def test_other_folders_and_damaged_pictures_are_refused(voxceleb: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"1\.6"):
        list(read_voxceleb(tmp_path / "empty"))
    (voxceleb / "id00001" / "video" / "00001" / "9.jpg").write_bytes(b"cut short")
    with pytest.raises(UnreadableError, match=r"9\.jpg"):
        list(read_voxceleb(voxceleb, "all"))
