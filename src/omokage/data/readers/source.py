"""What all readers share: finding files with a clear answer when they are missing, and pictures as they lie on disk."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omokage.data.records import Record, provenance
from omokage.errors import InputError, UnreadableError

_ORIENTATION = 274  # EXIF tag; values 5 to 8 swap width and height


@dataclass(frozen=True, slots=True)
class Source:
    """A data set's short name and its terms, which travel in the provenance of each record."""

    name: str
    licence: str

    def record(self, picture: Path, id: str, person: str, labels: Mapping[str, Any]) -> Record:
        """The picture's bytes as they are, with its upright size. Raises InputError or UnreadableError."""
        data = picture_bytes(picture)
        width, height = upright_size(data, picture)
        origin = provenance(made_by=self.name, licence=self.licence, file=picture.name)
        return Record(id, person, self.name, data, width, height, labels, origin)


def picture_bytes(path: Path) -> bytes:
    """The file's bytes. Raises InputError when a label table names a picture that is not there."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the labels name {path}, which cannot be read ({error.strerror}); restore the picture or remove its line"
        ) from error


def upright_size(data: bytes, path: Path) -> tuple[int, int]:
    """Width and height from the header alone, after EXIF rotation. Raises UnreadableError."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION, 1) >= 5
    except Exception as error:  # Pillow raises many kinds for damaged headers
        raise UnreadableError(f"{path} is not a picture that can be decoded ({error}); restore or remove it") from error
    return (height, width) if turned else (width, height)


def locate(folder: Path, name: str, places: Sequence[str] = ("",)) -> Path:
    """The first of `folder/place/name` that exists. Raises InputError that names what was looked for."""
    for place in places:
        if (folder / place / name).exists():
            return folder / place / name
    where = " or ".join(str(folder / place) for place in places)
    raise InputError(f"{name} is not in {where}; put the data set's own files there, unpacked")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank, stripped. Raises InputError when the file cannot be read as text."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a text table ({error}); restore the data set's own file") from error


def table(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with a header, with their line numbers. Raises InputError when a needed column is missing."""
    at = 0  # of the line read last: blank ones before it count

    def texts() -> Iterator[str]:
        nonlocal at
        for at, text in lines(path):  # noqa: B007
            yield text

    rows = csv.DictReader(texts())
    try:
        missing = [name for name in needed if name not in (rows.fieldnames or ())]
        if missing:
            found = ", ".join(rows.fieldnames or ()) or "nothing"
            raise InputError(f"{path} lacks the column {', '.join(missing)} (it has {found}); add it to the header")
        for row in rows:
            yield at, {k: (v or "").strip() for k, v in row.items() if k is not None}
    except csv.Error as error:
        raise InputError(f"{path}, line {at}: {error}; restore the data set's own file") from error


def number(text: str, path: Path, line: int, what: str, low: float = 0.0, high: float = 120.0) -> float:
    """A finite number in a range. Raises InputError that names the line."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise InputError(f"{path}, line {line}: {what} {text!r} is not a number from {low:g} to {high:g}; correct it")
    return value


def female(text: str, path: Path, line: int) -> float:
    """Perceived gender as a number: 1.0 for female words, 0.0 for male ones. Raises InputError."""
    word = text.strip().lower()
    if word in ("female", "f", "woman"):
        return 1.0
    if word in ("male", "m", "man"):
        return 0.0
    raise InputError(f"{path}, line {line}: gender {text!r} is neither male nor female; correct it or leave it empty")
