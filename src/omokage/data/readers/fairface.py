"""FairFace and UTKFace: age, gender and crowd "race" labels on photographs from the web.

FairFace (Kärkkäinen and Joo, WACV 2021): CC BY 4.0; faces cut from public Flickr pictures (YFCC-100M), balanced
over seven crowd-labelled groups. Age is one of nine bins; labels are what crowd workers saw.

UTKFace (Zhang, Song, Qi, CVPR 2017): non-commercial research only; pictures from the web. Known problems: ages are
partly estimated by an algorithm and checked by hand, "race" has five coarse classes, duplicates exist, no
identities are given, and some file names lack a field.

The group columns go into `groups` for audits; no model of this project estimates them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from omokage.data.readers.protocol import chosen
from omokage.data.readers.source import Source, female, locate, table
from omokage.data.records import Record
from omokage.errors import InputError

FAIRFACE_SPLITS = ("train", "val")
PART_SPLITS = ("all",)
FAIRFACE_SOURCE = Source("fairface", "CC BY 4.0, Kärkkäinen and Joo 2021")
PART_SOURCE = Source("fairface_part", FAIRFACE_SOURCE.licence)
UTKFACE_SOURCE = Source("utkface", "UTKFace: non-commercial research only")
# What the cards of networks say that learnt from these photographs beside rendered heads.
BESIDE_RENDERED = (
    "CC0 geometry, rendered by this project; FairFace (Karkkainen and Joo, WACV 2021), public Flickr pictures with "
    "crowd labels, CC BY 4.0"
)
OLDEST = 100.0  # the open last bin, "more than 70", is closed here because the age scale ends here
_BIN = re.compile(r"(\d+)-(\d+)")
_OPEN_BIN = re.compile(r"(?:more than )?(\d+)\+?", re.IGNORECASE)
_UTK_NAME = re.compile(r"(\d+)_([01])_(?:([0-4])_)?(\d+)\D.*")
UTK_GROUPS = ("White", "Black", "Asian", "Indian", "Others")


def age_bin(text: str) -> tuple[float, float]:
    """Low and high (excluded) of a bin such as ``20-29``, ``more than 70`` or ``70+``. Raises ValueError."""
    closed, oldest = _BIN.fullmatch(text.strip()), _OPEN_BIN.fullmatch(text.strip())
    if closed and int(closed[1]) <= int(closed[2]):
        return float(closed[1]), float(closed[2]) + 1
    if oldest and not text.strip().isdigit() and int(oldest[1]) < OLDEST:
        return float(oldest[1]), OLDEST
    raise ValueError(f"unknown age bin {text!r}")


def read_fairface(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream FairFace; `split` is ``train`` or ``val``.

    Layout: ``fairface_label_train.csv`` and ``fairface_label_val.csv`` (file, age, gender, race, service_test)
    beside the folders ``train`` and ``val`` that `file` names. Labels: ``age_low``, ``age_high``, ``female``,
    ``groups``. The set names no persons, so each picture counts as one. Raises InputError or UnreadableError.
    """
    path = locate(folder, f"fairface_label_{split}.csv")
    for line, row in table(path, ("file", "age", "gender", "race")):
        try:
            low, high = age_bin(row["age"])
        except ValueError as error:
            raise InputError(f"{path}, line {line}: {error}; FairFace writes 20-29 or 'more than 70'") from error
        groups = json.dumps({"race": row["race"], "service_test": row.get("service_test", "")})
        labels = {"age_low": low, "age_high": high, "female": female(row["gender"], path, line), "groups": groups}
        key = f"fairface-{row['file']}"
        yield FAIRFACE_SOURCE.record(folder / row["file"], key, key, labels)


def read_fairface_part(folder: Path, split: str = "all") -> Iterator[Record]:
    """Stream FairFace pictures that lie beside one table of their own; the only `split` is ``all``.

    Layout: ``labels.csv`` (file, age_bin, gender, race) with `file` relative to the folder. Labels as `read_fairface`;
    an empty cell is an unknown label. Raises InputError or UnreadableError.
    """
    path = locate(folder, "labels.csv")
    for line, row in table(path, ("file", "age_bin", "gender", "race")):
        labels: dict[str, object] = {"groups": json.dumps({"race": row["race"]})} if row["race"] else {}
        if row["age_bin"]:
            try:
                labels["age_low"], labels["age_high"] = age_bin(row["age_bin"])
            except ValueError as error:
                raise InputError(f"{path}, line {line}: {error}; write 20-29 or 70+") from error
        if row["gender"]:
            labels["female"] = female(row["gender"], path, line)
        key = f"fairface-{row['file']}"
        yield PART_SOURCE.record(folder / row["file"], key, key, labels)


def read_utkface(folder: Path, split: str = "all") -> Iterator[Record]:
    """Stream UTKFace; `split` is ``all`` or one of five folds by picture (the set has no official split and no
    identities).

    Layout: pictures named ``[age]_[gender]_[race]_[date].jpg`` (gender 0 male, 1 female; race 0..4 White, Black,
    Asian, Indian, Others) in the folder or below it. A name that lacks the race keeps its age and gender. Raises
    InputError on other names.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        raise InputError(f"{folder} holds no pictures; unpack UTKFace there")
    for path, inside in zip(paths, chosen([path.name for path in paths], split), strict=True):
        match = _UTK_NAME.fullmatch(path.name)
        if match is None:
            raise InputError(f"{path.name} is not named [age]_[gender]_[race]_[date].jpg; rename or remove it")
        if inside:
            labels: dict[str, object] = {"age": float(match[1]), "female": float(match[2])}
            if match[3]:
                labels["groups"] = json.dumps({"race": UTK_GROUPS[int(match[3])]})
            key = f"utkface-{path.name}"
            yield UTKFACE_SOURCE.record(path, key, key, labels)
