"""Labels of the sets of points, poses, expressions and action units, and what happens to damaged ones."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import face_sets
import numpy as np
import pytest
from PIL import Image

from omokage.data.datasets import read_dataset
from omokage.errors import InputError


def test_300w_splits_are_the_published_ones_and_points_count_from_the_corner(tmp_path: Path) -> None:
    face_sets.w300(tmp_path)
    counts = {
        s: len(list(read_dataset("300w", tmp_path, s))) for s in ("train", "full", "common", "challenging", "test")
    }
    assert counts == {"train": 3, "full": 3, "common": 2, "challenging": 1, "test": 2}
    first = next(read_dataset("300w", tmp_path, "train"))
    assert first.labels["landmarks"][:4] == [1.0, 1.75, 2.0, 2.75]
    train, full = ({r.id for r in read_dataset("300w", tmp_path, s)} for s in ("train", "full"))
    assert not train & full


def test_mafl_takes_five_points_and_identities_from_celeba(tmp_path: Path) -> None:
    face_sets.mafl(tmp_path)
    (only,) = read_dataset("mafl", tmp_path, "test")
    assert only.labels["points"] == [20, 20, 40, 20, 30, 30, 22, 40, 38, 40]
    assert only.person == "celeba-0"
    assert len(list(read_dataset("mafl", tmp_path, "train"))) == 3


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, -1), (1, -1, -1), (-1, -1, 1)])
def test_aflw_angles_get_the_projects_signs_whatever_the_database_holds(
    tmp_path: Path, flip: tuple[int, int, int]
) -> None:
    face_sets.aflw(tmp_path, flip)
    records = list(read_dataset("aflw", tmp_path, "all"))
    assert len(records) == 23, "a face whose picture is not there is left out"
    drawn = np.random.default_rng(0).uniform(-0.5, 0.5, (24, 3))
    kept = np.degrees(np.delete(drawn, 3, 0))
    np.testing.assert_allclose([r.labels["pose"] for r in records], kept)
    assert records[0].labels["box"] == [10, 5, 50, 45]


def test_affectnet_in_both_layouts(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    face_sets.affectnet(tmp_path / "a")
    happy, contempt, uncertain = read_dataset("affectnet", tmp_path / "a", "train")
    assert (happy.labels["expression"], happy.labels["valence"], happy.labels["arousal"]) == ("happiness", 0.5, -0.25)
    assert "expression" not in contempt.labels
    assert json.loads(contempt.labels["groups"]) == {"expression": "contempt"}
    assert set(uncertain.labels) == {"outline"}, "unknown valence is no label"
    assert len(list(read_dataset("affectnet", tmp_path / "a", "val"))) == 1, "a picture without a face is left out"
    face_sets.affectnet_arrays(tmp_path / "b")
    sad, scorn = read_dataset("affectnet", tmp_path / "b", "val")
    assert (sad.labels["expression"], sad.labels["valence"]) == ("sadness", -0.5)
    assert len(sad.labels["outline"]) == 136
    assert "groups" in scorn.labels


def test_emotionet_keeps_known_units_and_skips_dead_addresses(tmp_path: Path) -> None:
    face_sets.emotionet(tmp_path)
    records = list(read_dataset("emotionet", tmp_path, "all"))
    assert len(records) == 20
    assert json.loads(records[2].labels["action_units"]) == {"au01": 0.0, "au12": 1.0}


def test_raf_db_prefers_original_pictures(tmp_path: Path) -> None:
    face_sets.raf_db(tmp_path)
    sad, neutral = read_dataset("raf_db", tmp_path, "train")
    assert (sad.labels["expression"], neutral.labels["expression"]) == ("sadness", "neutral")
    assert sad.labels["box"] == [5.0, 6.0, 45.0, 47.5]
    assert sad.labels["points"] == [15, 20, 35, 20, 25, 28, 18, 36, 32, 36]
    for path in sorted((tmp_path / "basic" / "Image" / "original").iterdir()):
        path.unlink()
    (tmp_path / "basic" / "Image" / "original").rmdir()
    (surprise,) = read_dataset("raf_db", tmp_path, "test")
    assert (surprise.width, dict(surprise.labels)) == (100, {"expression": "surprise"})


def test_fer2013_pictures_are_the_pixels(tmp_path: Path) -> None:
    face_sets.fer2013(tmp_path)
    (val,) = read_dataset("fer2013", tmp_path, "val")
    assert val.labels == {"expression": "sadness"}
    assert (np.asarray(Image.open(io.BytesIO(val.image))) == 4).all()
    assert [r.labels["expression"] for r in read_dataset("fer2013", tmp_path, "train")] == [
        "anger", "disgust", "fear", "happiness",
    ]  # fmt: skip


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def empty_database(root: Path) -> None:
    (root / "aflw.sqlite").unlink()
    sqlite3.connect(root / "aflw.sqlite").close()


AFFECT, EMOTIO = "Manually_Annotated_file_lists/validation.csv", "dataFile_0001.csv"


@pytest.mark.parametrize(
    ("name", "split", "damage", "message"),
    [
        ("300w", "train", lambda r: edit(r / "afw/picture_0.pts", "}", "1 2\n}"), "69 points"),
        ("300w", "train", lambda r: edit(r / "afw/picture_0.pts", "{", ""), "no file of points"),
        ("300w", "train", lambda r: (r / "afw/picture_0.jpg").unlink(), "no picture beside"),
        ("300w", "challenging", lambda r: (r / "ibug/picture_5.pts").unlink(), "no .pts files"),
        ("mafl", "test", lambda r: edit(r / "MAFL/testing.txt", "000001", "000009"), "000009"),
        ("aflw", "all", empty_database, "no such table"),
        ("aflw", "all", lambda r: [p.unlink() for p in (r / "flickr/0").iterdir()], "none of the pictures"),
        ("affectnet", "val", lambda r: edit(r / AFFECT, "expression", "x"), "expression"),
        ("emotionet", "all", lambda r: edit(r / EMOTIO, "/p/0.jpg?x=1,0", "/p/0.jpg?x=1,5"), "0, 1 or 999"),
        ("raf_db", "train", lambda r: edit(r / "basic/EmoLabel/list_patition_label.txt", " 5", " 8"), "from 1 to 7"),
        ("fer2013", "val", lambda r: edit(r / "fer2013.csv", "4,4 4", "4,4"), "2304"),
        ("fer2013", "val", lambda r: (r / "fer2013.csv").unlink(), "fer2013.csv"),
    ],
)  # fmt: skip
def test_damaged_sets_say_what_is_wrong(
    name: str, split: str, damage: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    face_sets.MAKERS[name](tmp_path)
    damage(tmp_path)
    with pytest.raises(InputError, match=message):
        list(read_dataset(name, tmp_path, split))


def test_signs_of_too_few_faces_are_not_guessed(tmp_path: Path) -> None:
    face_sets.aflw(tmp_path, faces=10)
    with pytest.raises(InputError, match="only 10 faces"):
        list(read_dataset("aflw", tmp_path, "all"))
