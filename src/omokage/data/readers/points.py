"""300-W, MAFL and AFLW: facial points and head pose on photographs from the web.

300-W (Sagonas et al., ICCV workshops 2013): 68 points on LFPW, HELEN, AFW and iBUG pictures, annotated
semi-automatically; research only. Known problems: some people are in several of the source sets, and no identities are
given; the challenging part is small (135).

MAFL (Zhang et al., ECCV 2014): 20,000 CelebA pictures with five points; CelebA's agreement holds.

AFLW (Köstinger et al., ICCV workshops 2011): 25,993 faces on Flickr pictures with up to 21 points and a head pose
fitted to them; research only. Known problems: pose comes from a mean head model and is coarse in profile, some pictures
are listed without being there, and no identities are given.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from omokage.data.readers.celeba import CELEBA_SOURCE
from omokage.data.readers.protocol import chosen
from omokage.data.readers.source import Source, lines, locate
from omokage.data.records import Record
from omokage.errors import InputError

W300_SPLITS = ("train", "full", "common", "challenging", "test")
MAFL_SPLITS = ("train", "test")
W300_SOURCE = Source("300w", "300-W: research only")
MAFL_SOURCE = Source("mafl", CELEBA_SOURCE.licence)
AFLW_SOURCE = Source("aflw", "AFLW licence: signed, non-commercial research only")
_COMMON = ("helen/testset", "lfpw/testset")
_W300_FOLDERS = {
    "train": ("afw", "helen/trainset", "lfpw/trainset"),
    "full": (*_COMMON, "ibug"),
    "common": _COMMON,
    "challenging": ("ibug",),
    "test": ("300W/01_Indoor", "300W/02_Outdoor"),
}
_PICTURES = (".jpg", ".png", ".jpeg")
_LEAST = 20  # faces with points, before the signs of AFLW's angles are read off them


def read_300w(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream 300-W; `split` is one of `W300_SPLITS`: train (3,148), full = common (554) and challenging (135), test
    (600).

    Layout: the folders ``afw``, ``helen/trainset``, ``helen/testset``, ``lfpw/trainset``, ``lfpw/testset``, ``ibug``,
    ``300W/01_Indoor``, ``300W/02_Outdoor`` with pictures and a ``.pts`` file beside each. Label: ``landmarks``, moved
    from pixel centres counted from 1 to this project's corner of the first pixel. Each picture counts as one person.
    Raises InputError or UnreadableError.
    """
    for name in _W300_FOLDERS[split]:
        place = locate(folder, name)
        points = sorted(place.glob("*.pts"))
        if not points:
            raise InputError(f"{place} holds no .pts files; unpack 300-W there")
        for path in points:
            picture = next((path.with_suffix(end) for end in _PICTURES if path.with_suffix(end).exists()), None)
            if picture is None:
                raise InputError(
                    f"{path} has no picture beside it ({', '.join(_PICTURES)}); restore it or remove the points"
                )
            key = f"300w-{name}-{path.stem}".replace("/", "-")
            yield W300_SOURCE.record(picture, key, key, {"landmarks": read_pts(path)})


def read_pts(path: Path) -> list[float]:
    """The 136 numbers of a ``.pts`` file of 68 points. Raises InputError."""
    words = [text for _, text in lines(path)]
    try:
        inside = words[words.index("{") + 1 : words.index("}")]
        values = [float(v) - 0.5 for text in inside for v in text.split()]
    except ValueError as error:
        raise InputError(f"{path} is no file of points ({error}); restore it") from error
    if len(values) != 136 or not all(map(math.isfinite, values)):
        raise InputError(f"{path} has {len(values) // 2} points instead of 68; restore it")
    return values


def read_mafl(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream MAFL; `split` is ``train`` (19,000) or ``test`` (1,000).

    Layout: CelebA's release with ``MAFL/training.txt`` and ``MAFL/testing.txt`` (picture names),
    ``Anno/list_landmarks_align_celeba.txt``, ``Img/img_align_celeba`` and, for identities,
    ``Anno/identity_CelebA.txt``. Label: ``points``. Raises InputError or UnreadableError.
    """
    places = ("", "MAFL", "Anno", "Img", "celeba")
    wanted = [
        text for _, text in lines(locate(folder, {"train": "training.txt", "test": "testing.txt"}[split], places))
    ]
    pictures = locate(folder, "img_align_celeba", places)
    persons = dict(text.split()[:2] for _, text in lines(locate(folder, "identity_CelebA.txt", places)))
    table = locate(folder, "list_landmarks_align_celeba.txt", places)
    known: dict[str, list[float]] = {}
    needed = set(wanted)
    for number, text in lines(table):
        words = text.split()
        if number > 2 and words[0] in needed:
            if len(words) != 11:
                raise InputError(f"{table}, line {number}: expected a file name and ten coordinates")
            known[words[0]] = [float(v) for v in words[1:]]
    for name in wanted:
        if name not in known or name not in persons:
            raise InputError(f"{name} of MAFL has no landmarks or no identity; take all tables from CelebA's release")
        yield MAFL_SOURCE.record(pictures / name, f"mafl-{name}", f"celeba-{persons[name]}", {"points": known[name]})


_FACES = (
    "SELECT Faces.face_id, FaceImages.filepath, FacePose.yaw, FacePose.pitch, FacePose.roll, FaceRect.x, FaceRect.y, "
    "FaceRect.w, FaceRect.h FROM Faces JOIN FaceImages ON FaceImages.file_id = Faces.file_id "
    "JOIN FacePose ON FacePose.face_id = Faces.face_id JOIN FaceRect ON FaceRect.face_id = Faces.face_id "
    "ORDER BY Faces.face_id"
)
# Features 8 and 11 are the centres of the person's left and right eye, 15 the nose, 20 the middle of the mouth.
_POINTS = "SELECT face_id, feature_id, x, y FROM FeatureCoords WHERE feature_id IN (8, 11, 15, 20)"


def read_aflw(folder: Path, split: str = "all") -> Iterator[Record]:
    """Stream AFLW; `split` is one of `protocol.SPLITS` (five folds by picture: the set names no persons).

    Layout: ``aflw.sqlite`` (tables Faces, FaceImages, FacePose, FaceRect, FeatureCoords) and the pictures below
    ``flickr``, in the folder or in its ``data``. Labels: ``pose`` in this project's signs, ``box``. The signs of the
    set's radians are read off its own points (`pose_signs`); a face whose picture is not there is left out, as many
    are. Raises InputError or UnreadableError.
    """
    path = locate(folder, "aflw.sqlite", ("", "data"))
    pictures = locate(folder, "flickr", ("", "data", "data/flickr"))
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            faces = database.execute(_FACES).fetchall()
            signs = pose_signs({row[0]: row[2:5] for row in faces}, database.execute(_POINTS).fetchall())
    except sqlite3.Error as error:
        raise InputError(f"{path} is not AFLW's database ({error}); restore the set's own file") from error
    wanted = chosen([str(row[1]) for row in faces], split)
    any_there = False
    for (face, name, *angles, x, y, w, h), inside in zip(faces, wanted, strict=True):
        picture = next((p for p in (pictures / name, pictures / Path(name).name) if p.exists()), None)
        any_there = any_there or picture is not None
        if inside and picture is not None and w > 0 and h > 0:
            pose = [float(v) for v in np.degrees(angles) * signs]
            labels = {"pose": pose, "box": [float(x), float(y), float(x + w), float(y + h)]}
            yield AFLW_SOURCE.record(picture, f"aflw-{face}", f"aflw-{name}", labels)
    if not any_there:
        raise InputError(f"none of the pictures that {path} names is in {pictures}; unpack them there")


def pose_signs(
    angles: dict[int, tuple[float, float, float]], points: list[tuple[int, int, float, float]]
) -> np.ndarray:
    """The factors (1 or -1) that bring yaw, pitch, roll to this project's signs, read off the faces' own points.

    Yaw must grow as the nose moves to the image's right of the eyes, pitch as the nose comes up between eyes and mouth,
    roll as the eye on the image's right sinks. Raises InputError where fewer than 20 faces have the four points, or
    where an angle does not go with them.
    """
    by_face: dict[int, dict[int, tuple[float, float]]] = {}
    for face, feature, x, y in points:
        by_face.setdefault(face, {})[feature] = (x, y)
    full = [face for face, own in by_face.items() if len(own) == 4 and face in angles]
    if len(full) < _LEAST:
        raise InputError(
            f"only {len(full)} faces of AFLW have both eyes, nose and mouth: too few to tell the signs of its angles; "
            "use the whole database"
        )
    eyes, nose, mouth = (np.array([by_face[f][k] for f in full]) for k in (11, 15, 20))
    right = np.array([by_face[f][8] for f in full])  # the person's left eye lies on the image's right
    middle, span = (eyes + right) / 2, np.linalg.norm(right - eyes, axis=1) + 1e-6
    roll = np.arctan2(right[:, 1] - eyes[:, 1], right[:, 0] - eyes[:, 0])
    yaw = (nose[:, 0] - middle[:, 0]) / span
    height = mouth[:, 1] - middle[:, 1]
    pitch = -(nose[:, 1] - middle[:, 1]) / np.where(np.abs(height) > 1, height, np.inf)
    given = np.array([angles[f] for f in full])
    with np.errstate(invalid="ignore"):
        links = [float(np.corrcoef(given[:, k], seen)[0, 1]) for k, seen in enumerate((yaw, pitch, roll))]
    for name, link in zip(("yaw", "pitch", "roll"), links, strict=True):
        if not abs(link) > 0.2:
            raise InputError(
                f"the {name} of AFLW's poses does not go with its points (correlation {link:.2f}), so its sign cannot "
                "be told; restore the set's own database"
            )
    return np.sign(links)
