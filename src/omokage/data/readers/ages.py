"""Sets made for age: MORPH II, LFW+ and ChaLearn LAP 2015.

MORPH album 2 (Ricanek and Tesafaye, FG 2006): police photographs with recorded ages, under a signed licence (the
academic release is non-commercial). Known problems: nobody in it agreed to be in it; most are men and most are
labelled Black, so plain means describe that group; the same subject sometimes has contradicting birth dates,
genders or races. Random splits put one person on both sides and flatter the error; only subject-exclusive folds are
offered here.

LFW+ (Han et al., TPAMI 2018): LFW with added pictures of young people; apparent age is the mean of three raters,
gender and race their majority. Research only.

ChaLearn LAP 2015 (Escalera et al., ICCV workshops 2015): apparent age with the mean and the spread of at least ten
raters for each picture. Research only; pictures come from the web and from volunteers.

`race` labels go into the record's `groups` for audits; no model of this project estimates them.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

from omokage.data.readers.protocol import chosen
from omokage.data.readers.source import Source, female, lines, locate, number, table
from omokage.data.records import Record
from omokage.errors import InputError

CHALEARN_SPLITS = ("train", "val", "test")
MORPH_SOURCE = Source("morph2", "MORPH album 2 licence: signed, academic release non-commercial")
LFW_PLUS_SOURCE = Source("lfw_plus", "LFW+: research only")
CHALEARN_SOURCE = Source("chalearn2015", "ChaLearn LAP 2015: research only")
_MORPH_NAME = re.compile(r"(\d+)_(\d+)([MF])(\d+)\.jpe?g", re.IGNORECASE)
_CHALEARN = {"train": "Train", "val": "Validation", "test": "Test"}


def read_morph2(folder: Path, split: str = "all") -> Iterator[Record]:
    """Stream MORPH album 2; `split` is one of `protocol.SPLITS`: five subject-exclusive folds, ``train-1``, ``test-1``
    ...

    Layout: ``Album2/009055_1M54.JPG`` (subject, picture number, gender, age), which carries all labels that a
    network learns, and, when present, ``morph_2008_nonCommercial.csv`` with the columns `photo` and `race` for
    group audits. The folds are this project's own (`data.splits`); published work uses others. Raises InputError on
    a file name of another form.
    """
    album = locate(folder, "Album2", ("", "MORPH"))
    races = _morph_races(folder / "morph_2008_nonCommercial.csv")
    found: list[tuple[Path, re.Match[str]]] = []
    for path in sorted(p for p in album.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg")):
        match = _MORPH_NAME.fullmatch(path.name)
        if match is None:
            raise InputError(
                f"{path.name} in {album} is not named like 009055_1M54.JPG (subject, picture, gender, age)"
            )
        found.append((path, match))
    wanted = chosen([match[1] for _, match in found], split)
    for (path, match), inside in zip(found, wanted, strict=True):
        if inside:
            labels: dict[str, object] = {"age": float(match[4]), "female": float(match[3].upper() == "F")}
            if path.name.lower() in races:
                labels["groups"] = json.dumps({"race": races[path.name.lower()]})
            yield MORPH_SOURCE.record(path, f"morph2-{path.stem}", f"morph2-{match[1]}", labels)


def _morph_races(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return {Path(row["photo"]).name.lower(): row["race"] for _, row in table(path, ("photo", "race"))}


def read_lfw_plus(folder: Path, split: str = "all") -> Iterator[Record]:
    """Stream LFW+; `split` is one of `protocol.SPLITS`.

    Layout, which is this project's own choice: ``lfw_plus.csv`` with the columns `file` (relative to the folder),
    `person`, `age` (years, mean of the raters) and, where known, `gender` (male, female) and `race`. Raises
    InputError or UnreadableError.
    """
    path = locate(folder, "lfw_plus.csv")
    rows = list(table(path, ("file", "person", "age")))
    wanted = chosen([row["person"] for _, row in rows], split)
    for (line, row), inside in zip(rows, wanted, strict=True):
        if not inside:
            continue
        labels: dict[str, object] = {"age": number(row["age"], path, line, "age")}
        if row.get("gender"):
            labels["female"] = female(row["gender"], path, line)
        if row.get("race"):
            labels["groups"] = json.dumps({"race": row["race"]})
        yield LFW_PLUS_SOURCE.record(folder / row["file"], f"lfw_plus-{row['file']}", f"lfw-{row['person']}", labels)


def read_chalearn2015(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream ChaLearn LAP 2015; `split` is one of `CHALEARN_SPLITS`.

    Layout: ``Train.csv``, ``Validation.csv``, ``Test.csv`` with lines ``image_1.jpg;20;2.5`` (picture, mean,
    standard deviation; semicolons or commas, no header) and the pictures in folders called ``Train``,
    ``Validation``, ``Test``. Labels: ``age`` and ``age_std``. The set names no persons, so each picture counts as
    one. Raises InputError or UnreadableError.
    """
    part = _CHALEARN[split]
    path, pictures = locate(folder, f"{part}.csv"), locate(folder, part)
    for line, text in lines(path):
        words = next(csv.reader([text.replace(";", ",")]))
        if len(words) != 3:
            raise InputError(f"{path}, line {line}: expected picture, mean age and standard deviation, found {text!r}")
        name, mean, spread = (word.strip() for word in words)
        labels = {"age": number(mean, path, line, "age"), "age_std": number(spread, path, line, "standard deviation")}
        key = f"chalearn2015-{split}-{name}"
        yield CHALEARN_SOURCE.record(pictures / name, key, key, labels)
