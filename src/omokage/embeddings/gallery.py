"""Galleries of codes as mapped columns, made from faces tables.

A gallery is a folder of plain columns beside the faces table that it was made of: codes as float32 (n, d), mapped into
memory and read in blocks, so that a million faces need a gigabyte of disk and little memory. The first search makes it;
it is made again when the table changes. Nobody may read it who may not read the table, and without its table it is not
searched: who deletes the table wants the codes gone.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from omokage.errors import InputError, OutputError
from omokage.media.sinks import format_of, read_metadata, read_rows

ENDING = ".gallery"
BLOCK = 32_768  # faces that are compared at once
_DAY_S = 86_400.0
_COLUMNS = (
    "source",
    "frame",
    "timestamp_s",
    "face",
    "track",
    "status",
    "embedding",
    "box_x0",
    "box_y0",
    "box_x1",
    "box_y1",
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One face of the gallery: its row, how alike its state is (cosine, -1..1), and where it lies in its picture."""

    row: int
    likeness: float
    source: str
    frame: int
    timestamp_s: float
    face: int
    track: int | None
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Codes (n, d) mapped from disk with the place of each face; codes are compared after `mean` and `scale` (d,)."""

    folder: Path
    codes: NDArray[np.float32]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    lengths: NDArray[np.float32]  # (n,) of the standardised codes
    places: NDArray[np.float64]  # (n, 9): source number, frame, time, face, track (-1 none) and then the box
    sources: tuple[str, ...]
    encoder: str = ""

    def __len__(self) -> int:
        return len(self.codes)

    def hit(self, row: int, likeness: float) -> Hit:
        """What is known of one row."""
        source, frame, time, face, track, *box = self.places[row].tolist()
        return Hit(
            row, likeness, self.sources[int(source)], int(frame), time, int(face), int(track) if track >= 0 else None,
            (box[0], box[1], box[2], box[3]),
        )  # fmt: skip


def open_gallery(table: Path) -> Gallery:
    """The gallery of a faces table with embeddings (or of a gallery folder beside its table), made where it is not yet
    there.

    Raises InputError when the table cannot be read, is gone or holds no embeddings, OutputError when the folder cannot
    be made.
    """
    if table.is_dir():
        table = _table_of(table)
    folder = table.with_name(table.name + ENDING)
    try:
        state = table.stat()
    except OSError as error:
        left = f"; its codes are still in {folder}: delete that folder, too" if folder.is_dir() else ""
        raise InputError(f"the gallery {table} cannot be read: {error.strerror or error}{left}") from error
    made_of = {"size": state.st_size, "changed_ns": state.st_mtime_ns, "encoder": _encoder(table)}
    if not _made_of(folder, made_of):
        return build_gallery(table, folder, made_of)
    _close(folder, state.st_mode)
    return _opened(folder)


def _table_of(folder: Path) -> Path:
    """The table beside a gallery folder. Raises InputError when there is none."""
    table = folder.with_name(folder.name.removesuffix(ENDING))
    if not folder.name.endswith(ENDING):
        raise InputError(f"{folder} is a folder: give the faces table that `omokage embed` wrote")
    if not table.is_file():
        raise InputError(
            f"the table {table} of the gallery {folder} is gone: delete the folder, too, or put the table back"
        )
    return table


def _made_of(folder: Path, made_of: dict[str, Any]) -> bool:
    """Whether the folder holds a gallery of just this table."""
    with suppress(InputError):
        return (folder / "gallery.json").is_file() and _facts(folder).get("made_of") == made_of
    return False


def build_gallery(table: Path, folder: Path, made_of: dict[str, Any] | None = None) -> Gallery:
    """Write the columns of every face with an embedding; a batch of rows in memory at a time."""
    partial = _unique(folder)
    try:
        _remove_abandoned(folder)
        partial.mkdir(_folder_mode(table.stat().st_mode), parents=True)
        count, width, sources = _write_columns(table, partial)
        if not count:
            raise InputError(
                f"{table} holds no embeddings: make the gallery with  omokage embed INPUT... --out {table}"
            )
        mean, scale = _spread(partial, count, width)
        facts = {"count": count, "width": width, "made_of": made_of, "encoder": _encoder(table), "sources": sources}
        facts |= {"mean": mean.tolist(), "scale": scale.tolist()}
        (partial / "gallery.json").write_text(json.dumps(facts), encoding="utf-8", errors="backslashreplace")
        _close(partial, table.stat().st_mode)
        gallery = _opened(partial)  # already here: another process may move the folder aside again
        _put(partial, folder, made_of)
    except OSError as error:
        raise OutputError(
            f"the gallery folder {folder} cannot be made ({error.strerror or error}); free space or copy the table to "
            "a place that can be written"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return replace(gallery, folder=folder)


def _unique(path: Path) -> Path:
    """A neighbour's name that no other process uses."""
    return path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")


def _remove_abandoned(folder: Path) -> None:
    """Codes must not lie about for good where a search was killed while it made the gallery."""
    for name in os.listdir(folder.parent):
        partial = folder.parent / name
        if name.startswith(folder.name + ".") and name.endswith(".tmp"):
            with suppress(OSError):
                if time.time() - partial.stat().st_mtime > _DAY_S:
                    shutil.rmtree(partial)


def _put(partial: Path, folder: Path, made_of: dict[str, Any] | None) -> None:
    """Move a gallery to its place, where another process may do the same at this moment. Raises OSError."""
    for last in (False, False, False, True):
        try:
            os.replace(partial, folder)
            return
        except OSError:  # no folder can take the place of one that is not empty
            if last:
                raise
        if made_of is not None and _made_of(folder, made_of):
            return  # another process was faster
        old = _unique(folder)
        with suppress(FileNotFoundError):
            os.replace(folder, old)
        shutil.rmtree(old, ignore_errors=True)


def _folder_mode(mode: int) -> int:
    """Open to the owner, and to those others who may read the table."""
    readable = mode & (stat.S_IRGRP | stat.S_IROTH)
    return stat.S_IRWXU | readable | readable >> 2


def _close(folder: Path, mode: int) -> None:
    """Take from the folder and its files what the table's mode does not give."""
    with suppress(OSError):  # another user's: its owner closes it
        for path in (folder, *folder.iterdir()):
            given = stat.S_IMODE(path.stat().st_mode)
            kept = given & (_folder_mode(mode) if path == folder else mode)
            if kept != given:
                path.chmod(kept)


def _write_columns(table: Path, folder: Path) -> tuple[int, int, list[str]]:
    """Codes and places as raw files; returns rows, width and the sources' names."""
    numbers: dict[str, int] = {}
    count = width = 0
    with (folder / "codes.f32").open("wb") as codes, (folder / "places.f64").open("wb") as places:
        for rows in _batches(table):
            kept = [r for r in rows if r.get("embedding") is not None]
            for row in kept:
                width = width or len(row["embedding"])
                if len(row["embedding"]) != width:
                    raise InputError(f"{table} mixes embeddings of {width} and {len(row['embedding'])} numbers: "
                                     "make it again with one encoder")  # fmt: skip
            if kept:
                codes.write(np.array([r["embedding"] for r in kept], np.float32).tobytes())
                places.write(np.array([_place(r, numbers) for r in kept], np.float64).tobytes())
                count += len(kept)
    return count, width, list(numbers)


def _encoder(table: Path) -> str:
    """The encoder that a table's metadata name; empty where they name none. Raises InputError."""
    weights = read_metadata(table, format_of(table, option=False)).get("omokage.weights")
    return str(weights.get("encoder", "")) if isinstance(weights, dict) else ""


def _batches(table: Path) -> Iterator[list[dict[str, Any]]]:
    """Rows of a faces table in batches."""
    if table.suffix.lower() != ".parquet":
        yield read_rows(table)
        return
    try:
        with pq.ParquetFile(table) as file:
            names = set(file.schema_arrow.names)
            if not {"source", "embedding"} <= names:
                raise InputError(
                    f"{table} has no column embedding: make the gallery with  omokage embed INPUT... --out {table}"
                )
            for batch in file.iter_batches(4096, columns=[c for c in _COLUMNS if c in names]):
                yield batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"the gallery {table} cannot be read: {' '.join(str(error).split())[:160]}") from error


def _place(row: dict[str, Any], numbers: dict[str, int]) -> list[float]:
    source = numbers.setdefault(str(row["source"]), len(numbers))
    track = row.get("track")
    own = (row.get("frame") or 0, row.get("timestamp_s") or 0.0, row.get("face") or 0, -1 if track is None else track)
    return [source, *own, *(float(row.get(f"box_{c}") or 0.0) for c in ("x0", "y0", "x1", "y1"))]


def _spread(folder: Path, count: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of the codes' numbers, and, as a column, the lengths of the standardised codes."""
    codes = np.memmap(folder / "codes.f32", np.float32, "r", shape=(count, width))
    total, square = np.zeros(width), np.zeros(width)
    for first in range(0, count, BLOCK):
        block = np.asarray(codes[first : first + BLOCK], np.float64)
        total, square = total + block.sum(0), square + (block**2).sum(0)
    mean = total / count
    variance = np.maximum(square / count - mean**2, 0.0)
    scale = np.where(variance > 1e-12 * np.maximum(mean**2, 1e-12), np.sqrt(variance), 1.0)
    with (folder / "lengths.f32").open("wb") as lengths:
        for first in range(0, count, BLOCK):
            block = (np.asarray(codes[first : first + BLOCK], np.float64) - mean) / scale
            lengths.write(np.linalg.norm(block, axis=1).astype(np.float32).tobytes())
    return mean, scale


def _facts(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / "gallery.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} is no gallery ({error}); make it from a faces table again") from error


def _opened(folder: Path) -> Gallery:
    facts = _facts(folder)
    try:
        count, width = int(facts["count"]), int(facts["width"])
        codes = np.memmap(folder / "codes.f32", np.float32, "r", shape=(count, width))
        lengths = np.memmap(folder / "lengths.f32", np.float32, "r", shape=(count,))
        places = np.memmap(folder / "places.f64", np.float64, "r", shape=(count, 9))
        mean, scale = np.array(facts["mean"], np.float64), np.array(facts["scale"], np.float64)
        sources = tuple(str(name) for name in facts["sources"])
        if mean.shape != (width,) or scale.shape != (width,):
            raise ValueError("its mean or scale is not of the codes' width")
        if not (places[:, 0].min() >= 0 and places[:, 0].max() < len(sources)):
            raise ValueError("sources are missing")
        return Gallery(folder, codes, mean, scale, lengths, places, sources, str(facts["encoder"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"the gallery {folder} is damaged ({error}); delete the folder and search again") from error
