"""Codes of faces in any pictures: find, align, encode; into the faces table, or as crops for probes.

What `omokage embed` and `omokage evaluate embeddings` call. The encoder gets the crop that the attribute network's last
landmarks give, so that a code means the same in a gallery and in a query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omokage.data.records import Record
from omokage.embeddings.gallery import Hit
from omokage.embeddings.labelled import Cut
from omokage.embeddings.predict import Encoder
from omokage.errors import InputError
from omokage.faces.align import crop_box, crop_landmarks
from omokage.media.image import read_image
from omokage.media.journal import Counts
from omokage.media.sinks import Format, format_of, read_metadata
from omokage.media.sources import Source, is_video
from omokage.media.table import Reading
from omokage.media.video import read_video
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.reader import landmark_box, looks
from omokage.pipeline.run import RunOptions, complete, fill, new_sink, settings
from omokage.results import Box, FaceAnalysis, FaceCrop

Image = NDArray[np.uint8]
_OVERLAP = 0.1  # of a labelled box with a found one: below it they are two faces


def face_crop(picture: Image, face: FaceAnalysis, encoder: Encoder) -> FaceCrop:
    """The encoder's crop of an analysed face, upright where its landmarks are known."""
    if face.outline is None:
        return crop_box(picture, face.box, encoder.size, encoder.margin, score=face.score)
    return crop_landmarks(picture, face.outline, encoder.size, encoder.margin, score=face.score)


def embedded(readings: Iterable[Reading], encoder: Encoder, keep_pixels: bool = False) -> Iterator[Reading]:
    """The readings, which must hold their pixels, with a code in every face; the pixels are dropped unless kept."""
    for reading in readings:
        if not reading.faces or reading.pixels is None:
            yield reading if keep_pixels else replace(reading, pixels=None)
            continue
        crops = np.stack([face_crop(reading.pixels, face, encoder).image for face in reading.faces])
        pairs = zip(reading.faces, encoder.encode(crops), strict=True)
        faces = tuple(replace(face, embedding=np.asarray(code, np.float32)) for face, code in pairs)
        yield replace(reading, faces=faces, pixels=reading.pixels if keep_pixels else None)


def embed_to_table(
    analyzer: Analyzer,
    encoder: Encoder,
    sources: Sequence[Source],
    out: Path,
    kind: str | None = None,
    options: RunOptions | None = None,
    resume: bool = False,
    on_reading: Callable[[Reading], None] | None = None,
) -> Counts | None:
    """Write the faces table of all sources with the column `embedding`; returns what the whole table holds, or None
    when a resumed one is complete already.

    As `pipeline.run.analyze_to_table` otherwise. Raises InputError for OpenFace's format, which has no such column.
    """
    chosen = options or RunOptions()
    form = format_of(out, kind)
    if form == "openface":
        raise InputError("OpenFace's columns hold no embedding: write parquet, csv or jsonl")
    if resume and complete(out, form, sources):
        _check_encoder(out, form, encoder)
        return None
    identity = settings(analyzer, chosen)
    identity["weights"] = {**identity["weights"], "encoder": encoder.name}
    sink = new_sink(analyzer, out, form, identity, resume, embedding=True)
    return fill(sink, analyzer, sources, chosen, lambda readings: embedded(readings, encoder), on_reading)


def _check_encoder(out: Path, kind: Format, encoder: Encoder) -> None:
    """Raises InputError when a finished table holds another encoder's codes, or none."""
    if read_metadata(out, kind).get("omokage.weights", {}).get("encoder") != encoder.name:
        raise InputError(
            f"{out} is finished, but not with codes of {encoder.name}: write them to another file, or leave --resume "
            "away to embed everything again"
        )


def found_cut(analyzer: Analyzer, size: int, margin: float) -> Cut:
    """Cuts as `analyze` would: by the finder and the attribute network's landmarks.

    Of several faces the one that overlaps a labelled box or points most, else the largest; None where none is found.
    """

    def cut(picture: Image, record: Record) -> FaceCrop | None:
        seen = looks([picture], analyzer.finder, analyzer.predictor, analyzer.config)[0]
        faces = [(box, a) for _, _, a in seen if (box := landmark_box(a.outline)) is not None]
        place = labelled_box(record)
        if place is not None:
            faces = [(box, face) for box, face in faces if box.iou(place) >= _OVERLAP]
        if not faces:
            return None
        _, face = max(faces, key=lambda f: f[0].area if place is None else f[0].iou(place))
        assert face.outline is not None
        return crop_landmarks(picture, face.outline, size, margin, score=face.score)

    return cut


def labelled_box(record: Record) -> Box | None:
    """Where a record's labels say that the face is; five points fill the middle of their face."""
    labels = record.labels
    if labels.get("box") is not None:
        return Box(*(float(v) for v in labels["box"]))
    for name, margin in (("landmarks", 0.1), ("points", 0.9)):
        if labels.get(name) is not None:
            return Box.around(np.asarray(labels[name], np.float64).reshape(-1, 2), margin)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """The code (d,) of a picture's largest face and the crop (size, size, 3) that it was read from."""

    code: NDArray[np.float32]
    picture: Image


def query_code(analyzer: Analyzer, encoder: Encoder, path: Path, crops: bool = False) -> Query:
    """Find, align and encode the largest face of a picture. Raises InputError when it shows no face."""
    picture = read_image(path)
    faces = analyzer(picture, crops)
    if not faces:
        raise InputError(
            f"no face was found in {path}: give a picture that shows one, or --crops for a face that fills it"
        )
    crop = face_crop(picture, faces[0], encoder).image
    return Query(encoder.encode(crop[None])[0], crop)


def place_of(source: str, table: Path) -> Path | None:
    """Where the file of a source lies: from the folder of the gallery's `table`, which may have moved with the
    pictures, else from the current folder, where another file may have the same name. None where it is in neither."""
    return next((place for place in _places(source, table) if place.is_file()), None)


def _places(source: str, table: Path) -> tuple[Path, Path]:
    return table.resolve().parent / source, Path(source)


def own_sources(sources: Iterable[str], query: Path, table: Path) -> set[str]:
    """The names under which the file of the query is in a gallery, however its path was typed there or here."""
    return {
        source
        for source in sources
        if Path(source).name == query.name  # cheap: a gallery may name a million files
        and any(place.is_file() and query.samefile(place) for place in _places(source, table))
    }


def picture_of(hit: Hit, side: int = 200) -> Image | None:
    """The face of a hit as a square cut of its source; None where the source cannot be read any more."""
    try:
        pixels = _frame(hit)
    except InputError:
        return None
    if pixels is None:
        return None
    x0, y0, x1, y1 = hit.box
    box = Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else Box(0, 0, pixels.shape[1], pixels.shape[0])
    return crop_box(pixels, box, side, 1.5).image


def _frame(hit: Hit) -> Image | None:
    if not is_video(hit.source):
        return read_image(hit.source)
    for frame in read_video(hit.source, start=hit.frame):
        return frame.pixels
    return None
