"""AffectNet, EmotioNet, RAF-DB and FER-2013: expressions and action units on photographs from the web.

AffectNet (Mollahosseini et al., TAC 2019): one annotator a picture; two of them agreed on 61 % of a sample. Research
only. EmotioNet (Benitez-Quiroz et al., CVPR 2016): action units, most of them set by an algorithm, a smaller part by
people; research only. RAF-DB (Li et al., CVPR 2017): about 40 annotators a picture; research only. FER-2013 (Goodfellow
et al., ICONIP 2013): 48 px grey pictures found by search words; people agree with its labels on about 65 %; terms
unstated. None of them names persons, so each picture counts as one.

Classes outside the project's seven (contempt) stay in the group column ``expression``, where probes find them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from omokage.data.readers.protocol import chosen
from omokage.data.readers.source import Source, lines, locate, number, table
from omokage.data.records import Record, provenance
from omokage.errors import InputError

AFFECTNET_SPLITS = ("train", "val")
RAF_SPLITS = ("train", "test")
FER_SPLITS = ("train", "val", "test")
AFFECTNET_SOURCE = Source("affectnet", "AffectNet licence: signed, non-commercial research only")
EMOTIONET_SOURCE = Source("emotionet", "EmotioNet: research only, pictures belong to their owners")
RAF_SOURCE = Source("raf_db", "RAF-DB: non-commercial research only")
FER_SOURCE = Source("fer2013", "FER-2013: terms unstated, challenge data for research")
_AFFECTNET = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
_RAF = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
_FER = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
_USAGE = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}
_NO_FACE, _UNKNOWN = 10, -2.0


def named(label: str) -> dict[str, Any]:
    """A class as record labels: one of the seven as `expression`, any other as the group column of that name."""
    return {"groups": json.dumps({"expression": label})} if label == "contempt" else {"expression": label}


def read_affectnet(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream AffectNet; `split` is ``train`` or ``val`` (the set's test part is not public).

    Two layouts: ``Manually_Annotated_file_lists/training.csv`` and ``validation.csv`` with the pictures below
    ``Manually_Annotated_Images``; or ``train_set`` and ``val_set``, each with ``images/123.jpg`` and
    ``annotations/123_exp.npy``, ``_val.npy``, ``_aro.npy``, ``_lnd.npy``. Labels: the class, ``valence`` and
    ``arousal``, and ``outline`` (the set's landmarks are automatic). "None" and "uncertain" have no class; "no face" is
    left out. Raises InputError or UnreadableError.
    """
    place = folder / {"train": "train_set", "val": "val_set"}[split]
    yield from _affectnet_arrays(place, split) if place.is_dir() else _affectnet_table(folder, split)


def _affectnet_table(folder: Path, split: str) -> Iterator[Record]:
    name = {"train": "training.csv", "val": "validation.csv"}[split]
    path = locate(folder, name, ("", "Manually_Annotated_file_lists"))
    pictures = locate(folder, "Manually_Annotated_Images", ("", "Manually_Annotated"))
    needed = ("subDirectory_filePath", "facial_landmarks", "expression", "valence", "arousal")
    for line, row in table(path, needed):
        code = int(number(row["expression"], path, line, "expression", 0, 10))
        mood = [number(row[k], path, line, k, _UNKNOWN, 1.0) for k in ("valence", "arousal")]
        points = [float(v) for v in row["facial_landmarks"].split(";") if v]
        if code != _NO_FACE:
            key = f"affectnet-{row['subDirectory_filePath']}"
            yield AFFECTNET_SOURCE.record(
                pictures / row["subDirectory_filePath"], key, key, _affectnet(code, mood, points)
            )


def _affectnet_arrays(place: Path, split: str) -> Iterator[Record]:
    pictures, notes = locate(place, "images"), locate(place, "annotations")
    paths = sorted(notes.glob("*_exp.npy"))
    if not paths:
        raise InputError(f"{notes} holds no annotations (123_exp.npy); unpack AffectNet there")
    for path in paths:
        stem = path.name.removesuffix("_exp.npy")
        try:
            code, *mood = (float(np.load(notes / f"{stem}_{k}.npy")) for k in ("exp", "val", "aro"))
            file = notes / f"{stem}_lnd.npy"
            points = np.load(file).astype(float).ravel().tolist() if file.exists() else []
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"the annotations of {stem} in {notes} cannot be read ({error}); restore them") from error
        if code != _NO_FACE:
            key = f"affectnet-{split}-{stem}"
            yield AFFECTNET_SOURCE.record(pictures / f"{stem}.jpg", key, key, _affectnet(int(code), mood, points))


def _affectnet(code: int, mood: list[float], points: list[float]) -> dict[str, Any]:
    labels: dict[str, Any] = named(_AFFECTNET[code]) if code < len(_AFFECTNET) else {}
    labels |= {name: value for name, value in zip(("valence", "arousal"), mood, strict=True) if abs(value) <= 1}
    return {**labels, "outline": points} if len(points) == 136 else labels


def read_emotionet(folder: Path, split: str = "all") -> Iterator[Record]:
    """Stream EmotioNet; `split` is one of `protocol.SPLITS` (five folds by picture).

    Layout: one or several ``*.csv`` with a column ``URL`` and columns ``AU 1``, ``AU 2``, ... of 1, 0 and 999
    (unknown); the pictures, which each user fetches, lie in ``images`` under the last part of their address. A picture
    that is not there is left out: many addresses are dead. Label: ``action_units`` (presence). Raises InputError or
    UnreadableError.
    """
    tables = sorted(folder.glob("*.csv"))
    if not tables:
        raise InputError(f"{folder} holds no .csv tables of EmotioNet; put them there beside the folder images")
    pictures = locate(folder, "images")
    rows = [(path, line, row) for path in tables for line, row in table(path, ("URL",))]
    wanted = chosen([row["URL"] for _, _, row in rows], split)
    any_there = False
    for (path, line, row), inside in zip(rows, wanted, strict=True):
        name = Path(row["URL"].strip("'\" ").split("?")[0]).name
        there = bool(name) and (pictures / name).exists()
        any_there = any_there or there
        units = _emotionet_units(row, path, line)
        if inside and there and units:
            key = f"emotionet-{name}"
            yield EMOTIONET_SOURCE.record(pictures / name, key, key, {"action_units": json.dumps(units)})
    if not any_there:
        raise InputError(f"none of the pictures that EmotioNet's tables name is in {pictures}; fetch them first")


def _emotionet_units(row: dict[str, str], path: Path, line: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for column, text in row.items():
        words = column.strip().strip("'\"").upper().split()
        if len(words) == 2 and words[0] == "AU" and words[1].isdigit() and text:
            value = number(text, path, line, column, 0, 999)
            if value in (0.0, 1.0):
                found[f"au{int(words[1]):02d}"] = value
            elif value != 999:
                raise InputError(f"{path}, line {line}: {column} is {text!r}; EmotioNet writes 0, 1 or 999 (unknown)")
    return found


def read_raf_db(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream RAF-DB's basic part; `split` is ``train`` (12,271) or ``test`` (3,068).

    Layout: ``basic/EmoLabel/list_patition_label.txt`` (``train_00001.jpg 5``; the misspelling is the set's) and the
    pictures in ``basic/Image/original`` with ``basic/Annotation/boundingbox`` and ``manual``, or, where there are no
    originals, ``basic/Image/aligned``. Labels: ``expression``; of originals also ``box`` and ``points``. Raises
    InputError or UnreadableError.
    """
    basic = folder / "basic" if (folder / "basic").is_dir() else folder
    path = locate(basic, "list_patition_label.txt", ("EmoLabel", ""))
    original, aligned = basic / "Image" / "original", basic / "Image" / "aligned"
    if not original.is_dir() and not aligned.is_dir():
        raise InputError(f"{basic / 'Image'} holds neither original nor aligned pictures; unpack RAF-DB there")
    for line, text in lines(path):
        words = text.split()
        if len(words) != 2 or words[1] not in "1234567":
            raise InputError(f"{path}, line {line}: expected a picture and a class from 1 to 7, found {text!r}")
        stem = Path(words[0]).stem
        if stem.startswith(split):
            labels: dict[str, Any] = {"expression": _RAF[int(words[1]) - 1]}
            picture = aligned / f"{stem}_aligned.jpg"
            if original.is_dir():
                picture = original / words[0]
                labels |= _raf_places(basic / "Annotation", stem)
            yield RAF_SOURCE.record(picture, f"raf_db-{stem}", f"raf_db-{stem}", labels)


def _raf_places(annotation: Path, stem: str) -> dict[str, list[float]]:
    """Box and five points of an original picture, where their files are there. Raises InputError on damaged ones."""
    found: dict[str, list[float]] = {}
    for name, file, size in (
        ("box", annotation / "boundingbox" / f"{stem}_boundingbox.txt", 4),
        ("points", annotation / "manual" / f"{stem}_manu_attri.txt", 10),
    ):
        if file.exists():
            words = " ".join(text for _, text in lines(file)).split()[:size]
            try:
                found[name] = [float(word) for word in words]
            except ValueError as error:
                raise InputError(f"{file} does not begin with {size} numbers; restore it") from error
            if len(words) < size:
                raise InputError(f"{file} does not begin with {size} numbers; restore it")
    return found


def read_fer2013(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream FER-2013; `split` is ``train`` (28,709), ``val`` (PublicTest, 3,589) or ``test`` (PrivateTest, 3,589).

    Layout: ``fer2013.csv`` with the columns emotion (0 to 6), pixels (2,304 grey values) and Usage. The pictures become
    PNG. Label: ``expression``. Raises InputError.
    """
    path = locate(folder, "fer2013.csv", ("", "fer2013"))
    csv.field_size_limit(1 << 20)
    for line, row in table(path, ("emotion", "pixels", "Usage")):
        if row["Usage"] != _USAGE[split]:
            continue
        code = int(number(row["emotion"], path, line, "emotion", 0, 6))
        values = row["pixels"].split()
        if len(values) != 48 * 48 or not all(v.isdigit() and int(v) < 256 for v in values):
            raise InputError(f"{path}, line {line}: expected 2304 grey values from 0 to 255; restore the file")
        key = f"fer2013-{line}"
        origin = provenance(made_by=FER_SOURCE.name, licence=FER_SOURCE.licence, file=f"{path.name}, line {line}")
        image = _png(np.array(values, np.uint8).reshape(48, 48))
        yield Record(key, key, FER_SOURCE.name, image, 48, 48, {"expression": _FER[code]}, origin)


def _png(grey: np.ndarray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    return buffer.getvalue()
