"""Tiny sets of points, poses, expressions and action units, each in its own layout."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def photo(path: Path, size: tuple[int, int] = (60, 50), grey: int = 128) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], 3), grey, np.uint8)).save(path)


def w300(root: Path) -> None:
    folders = ("afw", "helen/trainset", "helen/testset", "lfpw/trainset", "lfpw/testset", "ibug", "300W/01_Indoor")
    for k, folder in enumerate((*folders, "300W/02_Outdoor")):
        stem = f"picture_{k}"
        photo(root / folder / f"{stem}.{'png' if k % 2 else 'jpg'}")
        rows = [f"{i + 1.5 + k} {i + 2.25}" for i in range(68)]
        text = "\n".join(["version: 1", "n_points: 68", "{", *rows, "}"])
        (root / folder / f"{stem}.pts").write_text(text + "\n")


def mafl(root: Path) -> None:
    names = [f"{k:06d}.jpg" for k in range(1, 5)]
    for place in ("MAFL", "Anno"):
        (root / place).mkdir()
    (root / "MAFL" / "training.txt").write_text("\n".join(names[1:]) + "\n")
    (root / "MAFL" / "testing.txt").write_text(names[0] + "\n")
    (root / "Anno" / "identity_CelebA.txt").write_text("".join(f"{n} {k % 2}\n" for k, n in enumerate(names)))
    head = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"
    rows = [f"{n} 20 20 40 20 30 30 22 40 38 {40 + k}" for k, n in enumerate(names)]
    (root / "Anno" / "list_landmarks_align_celeba.txt").write_text("\n".join(["4", head, *rows]) + "\n")
    for name in names:
        photo(root / "Img" / "img_align_celeba" / name)


def aflw(root: Path, flip: tuple[int, int, int] = (1, 1, 1), faces: int = 24) -> None:
    """Faces whose points follow yaw, pitch, roll in the project's signs; the database holds them times `flip`."""
    (root / "flickr" / "0").mkdir(parents=True)
    database = sqlite3.connect(root / "aflw.sqlite")
    database.executescript(
        "CREATE TABLE Faces (face_id INTEGER, file_id TEXT, db_id TEXT);"
        "CREATE TABLE FaceImages (image_id INTEGER, db_id TEXT, file_id TEXT, filepath TEXT, width INTEGER, height "
        "INTEGER); CREATE TABLE FacePose (face_id INTEGER, roll REAL, pitch REAL, yaw REAL);"
        "CREATE TABLE FaceRect (face_id INTEGER, x INTEGER, y INTEGER, w INTEGER, h INTEGER);"
        "CREATE TABLE FeatureCoords (face_id INTEGER, feature_id INTEGER, x REAL, y REAL);"
    )
    rng = np.random.default_rng(0)
    for face in range(faces):
        yaw, pitch, roll = rng.uniform(-0.5, 0.5, 3)
        name = f"0/image{face:05d}.jpg"
        database.execute("INSERT INTO Faces VALUES (?, ?, 'aflw')", (face, f"f{face}"))
        database.execute("INSERT INTO FaceImages VALUES (?, 'aflw', ?, ?, 60, 50)", (face, f"f{face}", name))
        stored = (face, roll * flip[2], pitch * flip[1], yaw * flip[0])
        database.execute("INSERT INTO FacePose VALUES (?, ?, ?, ?)", stored)
        database.execute("INSERT INTO FaceRect VALUES (?, 10, 5, 40, 40)", (face,))
        c, s = np.cos(roll), np.sin(roll)
        for feature, (x, y) in {8: (10, -10), 11: (-10, -10), 15: (12 * yaw, -8 * pitch), 20: (0, 10)}.items():
            place = (face, feature, 30 + c * x - s * y, 25 + s * x + c * y)
            database.execute("INSERT INTO FeatureCoords VALUES (?, ?, ?, ?)", place)
        if face != 3:  # a picture that the release names and does not hold
            photo(root / "flickr" / name)
    database.commit()
    database.close()


def affectnet(root: Path) -> None:
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
    points = ";".join(str(10 + k / 10) for k in range(136))
    (root / "Manually_Annotated_file_lists").mkdir()
    for name, codes in (("training", (1, 7, 9)), ("validation", (0, 10))):
        rows = [
            f"{c}/{name}{c}.jpg,1,1,30,30,{points},{c},{-2 if c == 9 else 0.5},{-2 if c == 9 else -0.25}" for c in codes
        ]
        (root / "Manually_Annotated_file_lists" / f"{name}.csv").write_text("\n".join([head, *rows]) + "\n")
        for c in codes:
            photo(root / "Manually_Annotated" / "Manually_Annotated_Images" / str(c) / f"{name}{c}.jpg")


def affectnet_arrays(root: Path) -> None:
    for part in ("train_set", "val_set"):
        (root / part / "annotations").mkdir(parents=True)
        for k, code in enumerate(("2", "7")):
            photo(root / part / "images" / f"{k}.jpg")
            for name, value in (("exp", code), ("val", "-0.5"), ("aro", "0.125")):
                np.save(root / part / "annotations" / f"{k}_{name}.npy", np.array(value))
            np.save(root / part / "annotations" / f"{k}_lnd.npy", np.linspace(10, 40, 136))


def emotionet(root: Path) -> None:
    rows = [f"http://a.org/p/{k}.jpg?x=1,{k % 2},999,{int(k == 2)}" for k in range(20)]
    (root / "dataFile_0001.csv").write_text(
        "\n".join(["URL,AU 1,AU 2,AU 12", *rows, "http://a.org/gone.jpg,1,1,1"]) + "\n"
    )
    for k in range(20):
        photo(root / "images" / f"{k}.jpg")


def raf_db(root: Path) -> None:
    names = ["train_00001.jpg", "train_00002.jpg", "test_0001.jpg"]
    (root / "basic" / "EmoLabel").mkdir(parents=True)
    (root / "basic" / "EmoLabel" / "list_patition_label.txt").write_text(
        "".join(f"{n} {c}\n" for n, c in zip(names, (5, 7, 1), strict=True))
    )
    for kind in ("boundingbox", "manual"):
        (root / "basic" / "Annotation" / kind).mkdir(parents=True)
    for name in names:
        stem = name.removesuffix(".jpg")
        photo(root / "basic" / "Image" / "original" / name)
        photo(root / "basic" / "Image" / "aligned" / f"{stem}_aligned.jpg", (100, 100))
        (root / "basic" / "Annotation" / "boundingbox" / f"{stem}_boundingbox.txt").write_text("5.0 6.0 45.0 47.5 \n")
        (root / "basic" / "Annotation" / "manual" / f"{stem}_manu_attri.txt").write_text(
            "15 20\n35 20\n25 28\n18 36\n32 36\n1\n0\n2\n"
        )


def fer2013(root: Path) -> None:
    rows = [
        f"{k % 7},{' '.join([str(k)] * 2304)},{u}"
        for k, u in enumerate(("Training",) * 4 + ("PublicTest", "PrivateTest"))
    ]
    (root / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")


MAKERS: dict[str, Callable[[Path], None]] = {
    "300w": w300, "mafl": mafl, "aflw": aflw, "affectnet": affectnet, "emotionet": emotionet, "raf_db": raf_db,
    "fer2013": fer2013,
}  # fmt: skip
