"""Published data sets and the user's own folder, read in their own file layouts into records.

    for record in read_dataset("celeba", Path("data/celeba"), split="val"): ...
    write_dataset("fairface", Path("data/fairface"), "train", Path("records/fairface"))

Nothing here downloads anything: bring the files and keep to their terms, which `SETS` states beside each set's origin.
Each reader's module tells the set's known problems, and its docstring the layout that it expects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omokage.data.readers import ages, celeba, expressions, fairface, folder, points, ratings, voxceleb
from omokage.data.readers.protocol import SPLITS as FOLD_SPLITS
from omokage.data.records import Record, write_shard
from omokage.errors import InputError
from omokage.media.image import decode
from omokage.results import Detection

Find = Callable[[NDArray[np.uint8]], Sequence[Detection]]  # an upright RGB picture (h, w, 3) to the faces in it


@dataclass(frozen=True, slots=True)
class Dataset:
    """One set: how it is called, whose it is, under which terms, and the function that streams it."""

    name: str
    title: str
    licence: str
    splits: tuple[str, ...]
    read: Callable[[Path, str], Iterator[Record]]


SETS: dict[str, Dataset] = {
    entry.name: entry
    for entry in (
        Dataset("celeba", "CelebA, 40 attributes", celeba.CELEBA_SOURCE.licence, celeba.SPLITS, celeba.read_celeba),
        Dataset("lfwa", "LFWA, 40 attributes on LFW", celeba.LFWA_SOURCE.licence, celeba.SPLITS, celeba.read_lfwa),
        Dataset("morph2", "MORPH album 2, age", ages.MORPH_SOURCE.licence, FOLD_SPLITS, ages.read_morph2),
        Dataset("lfw_plus", "LFW+, apparent age", ages.LFW_PLUS_SOURCE.licence, FOLD_SPLITS, ages.read_lfw_plus),
        Dataset(
            "chalearn2015",
            "ChaLearn LAP 2015, apparent age with its spread",
            ages.CHALEARN_SOURCE.licence,
            ages.CHALEARN_SPLITS,
            ages.read_chalearn2015,
        ),
        Dataset(
            "fairface",
            "FairFace, age bins and perceived gender",
            fairface.FAIRFACE_SOURCE.licence,
            fairface.FAIRFACE_SPLITS,
            fairface.read_fairface,
        ),
        Dataset(
            "fairface_part",
            "FairFace pictures with a labels.csv: age bin, perceived gender, group",
            fairface.FAIRFACE_SOURCE.licence,
            fairface.PART_SPLITS,
            fairface.read_fairface_part,
        ),
        Dataset(
            "utkface",
            "UTKFace, age and gender",
            fairface.UTKFACE_SOURCE.licence,
            FOLD_SPLITS,
            fairface.read_utkface,
        ),
        Dataset("300w", "300-W, 68 points", points.W300_SOURCE.licence, points.W300_SPLITS, points.read_300w),
        Dataset("mafl", "MAFL, five points", points.MAFL_SOURCE.licence, points.MAFL_SPLITS, points.read_mafl),
        Dataset("aflw", "AFLW, head pose", points.AFLW_SOURCE.licence, FOLD_SPLITS, points.read_aflw),
        Dataset(
            "affectnet",
            "AffectNet, eight expressions, valence and arousal",
            expressions.AFFECTNET_SOURCE.licence,
            expressions.AFFECTNET_SPLITS,
            expressions.read_affectnet,
        ),
        Dataset(
            "emotionet",
            "EmotioNet, action units",
            expressions.EMOTIONET_SOURCE.licence,
            FOLD_SPLITS,
            expressions.read_emotionet,
        ),
        Dataset(
            "raf_db",
            "RAF-DB, seven expressions",
            expressions.RAF_SOURCE.licence,
            expressions.RAF_SPLITS,
            expressions.read_raf_db,
        ),
        Dataset(
            "fer2013",
            "FER-2013, seven expressions",
            expressions.FER_SOURCE.licence,
            expressions.FER_SPLITS,
            expressions.read_fer2013,
        ),
        Dataset(
            "voxceleb",
            "VoxCeleb1 and 2 cut into pictures, tracks",
            voxceleb.VOXCELEB_SOURCE.licence,
            voxceleb.SPLITS,
            voxceleb.read_voxceleb,
        ),
        Dataset(
            "us_adult_faces",
            "10k US Adult Faces, rated impressions",
            ratings.ADULT_FACES_SOURCE.licence,
            FOLD_SPLITS,
            ratings.read_us_adult_faces,
        ),
        Dataset(
            "omi",
            "One Million Impressions, rated generated faces",
            ratings.OMI_SOURCE.licence,
            FOLD_SPLITS,
            ratings.read_omi,
        ),
        Dataset("kdef", "KDEF, seven posed expressions", ratings.KDEF_SOURCE.licence, FOLD_SPLITS, ratings.read_kdef),
        Dataset(
            "folder", "your own pictures with labels.csv", folder.SOURCE.licence, folder.SPLITS, folder.read_folder
        ),
    )
}


def read_dataset(name: str, root: Path, split: str) -> Iterator[Record]:
    """Stream one split of a set, one picture in memory at a time.

    Raises InputError at once when the set, the split or the folder is unknown, and later when a file is missing or a
    label cannot be understood; UnreadableError when a picture cannot be decoded.
    """
    if name not in SETS:
        raise InputError(f"no reader for a data set called {name!r}; there are {', '.join(SETS)}")
    if split not in SETS[name].splits:
        raise InputError(f"{name} has no split called {split!r}; it has {', '.join(SETS[name].splits)}")
    if not root.is_dir():
        own = name == "folder"
        raise InputError(
            f"the folder {root} does not exist: check the path"
            if own
            else f"the folder {root} of {name} does not exist; unpack the set there"
        )
    return SETS[name].read(root, split)


def with_boxes(records: Iterator[Record], find: Find) -> Iterator[Record]:
    """The records, each that has neither box nor landmarks with the box of the face nearest to the picture's middle.

    Published sets mostly leave the place of the face open, and training looks at the middle of a picture whose box is
    unknown. Where `find` finds nothing the record stays as it is.
    """
    for record in records:
        if "box" not in record.labels and "landmarks" not in record.labels:
            pixels = decode(record.image, record.id).pixels
            middle = np.array([record.width / 2, record.height / 2])
            boxes = [detection.box for detection in find(pixels)]
            if boxes:
                box = min(boxes, key=lambda b: float(np.hypot(*(np.array(b.centre) - middle))))
                record = replace(record, labels={**record.labels, "box": [box.x0, box.y0, box.x1, box.y1]})
        yield record


def write_dataset(
    name: str, root: Path, split: str, out: Path, shard_size: int = 1000, find: Find | None = None
) -> int:
    """Convert one split to record shards that the training recipes read; returns the number of records.

    Memory holds one shard at a time. `find` fills in missing boxes (`with_boxes`). Raises what `read_dataset` raises,
    InputError when the split is empty, and OutputError.
    """
    records = read_dataset(name, root, split)
    if find is not None:
        records = with_boxes(records, find)
    total = 0
    while rows := list(islice(records, shard_size)):
        total += write_shard(out / f"{name}-{split}-{total // shard_size:05d}.parquet", rows)
    if not total:
        raise InputError(f"the split {split!r} of {name} in {root} is empty; check its partition table")
    return total
