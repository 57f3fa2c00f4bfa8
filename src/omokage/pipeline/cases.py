"""The cases that a person should look at: a list, and for a folder also the crops, read again from the sources."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.errors import UnreadableError
from omokage.media.files import check_folder, check_writable, output_error, whole_file
from omokage.media.image import encode_jpeg, read_image
from omokage.media.sources import is_video
from omokage.media.video import read_video
from omokage.plain import BOX

COLUMNS = (
    "source",
    "frame",
    "face",
    "reason",
    "age_years",
    "age_q05",
    "age_q95",
    "expression",
    "quality",
    "score",
    *BOX,
    "picture",
)
_MARGIN = 0.5  # of the box, around it: a person judges better with hair and neck in view


def table_of(place: Path) -> Path:
    """The list itself: a path ending in .csv, or ``review.csv`` in a folder."""
    return place if place.suffix.lower() == ".csv" else place / "review.csv"


def check_place(place: Path) -> None:
    """Raises PlaceError at once when `write_cases` could never write there."""
    table = table_of(place)
    if table != place:
        check_folder(place)
    if table == place or place.is_dir():
        check_writable(table)


def write_cases(
    place: Path, rows: Iterable[Mapping[str, Any]], pictures: bool = True, paths: Mapping[str, str] | None = None
) -> int:
    """Write the rows whose `needs_review` is filled or whose file was unreadable; returns how many. `paths` are the
    files of sources that tables name otherwise, as the names are not UTF-8.

    A path ending in .csv becomes a list; any other is made a folder with ``review.csv`` and, with `pictures`, one JPEG
    per face. Raises OutputError.
    """
    table = table_of(place)
    listed = table == place
    if not listed:
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(place, error) from error
    check_writable(table)
    cases = [dict(row, reason=_reason(row)) for row in rows if _reason(row)]
    if pictures and not listed:
        _crops(place, cases, paths or {})
    with whole_file(table) as stream:
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(cases)
    return len(cases)


def _reason(row: Mapping[str, Any]) -> str:
    status = str(row["status"])
    return status if status.startswith("unreadable") else row.get("needs_review") or ""


def _crops(folder: Path, cases: Sequence[dict[str, Any]], paths: Mapping[str, str]) -> None:
    """One JPEG per face, source by source; a source that has gone since then is left without pictures."""
    by_source: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for case in cases:
        if case.get("box_x0") is not None:
            by_source.setdefault(case["source"], {}).setdefault(int(case["frame"]), []).append(case)
    number = 0
    for source, wanted in by_source.items():
        for frame, pixels in _pixels(paths.get(source, source), set(wanted)):
            for case in wanted[frame]:
                name = f"{number:05d}.jpg"
                try:
                    (folder / name).write_bytes(encode_jpeg(_cut(pixels, [float(case[b]) for b in BOX])))
                except OSError as error:
                    raise output_error(folder / name, error) from error
                case["picture"] = name
                number += 1


def _pixels(source: str, frames: set[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    try:
        if not is_video(source):
            yield 0, read_image(source)
            return
        for frame in read_video(source):
            if frame.index in frames:
                yield frame.index, frame.pixels
            if frame.index >= max(frames):
                return
    except UnreadableError:
        return


def _cut(pixels: NDArray[np.uint8], box: Sequence[float]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    pad = _MARGIN * max(box[2] - box[0], box[3] - box[1])
    x0, y0 = (int(np.clip(v - pad, 0, limit - 1)) for v, limit in ((box[0], width), (box[1], height)))
    x1, y1 = (int(np.clip(v + pad, 1, limit)) for v, limit in ((box[2], width), (box[3], height)))
    return np.ascontiguousarray(pixels[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)])
