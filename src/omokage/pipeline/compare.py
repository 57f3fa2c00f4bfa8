"""Compare two photographs of one person: find, align, check that it is one person, say what changed.

change = omokage.compare("january.jpg", "june.jpg")
change.status, change.same_person, change.fatness, change.called()
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.comparison.predict import Compared, Comparer, Seen, face_change
from omokage.faces.align import crop_box, crop_landmarks
from omokage.faces.sharpness import sharpness
from omokage.media.image import PictureLike, name_of, pixels_of
from omokage.media.sources import Source, is_video
from omokage.media.table import Reading
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.named_differences import Picture, controlled, day_between, looks_between, picture_of
from omokage.pipeline.opened import open_both, set_of
from omokage.pipeline.own_changes import ChangeReader, open_reader
from omokage.results import Change, FaceAnalysis, FaceChange, FaceCrop

Image = NDArray[np.uint8]
OTHER_FACE = 0.3  # area of the second face over the first's, from which on it is unclear who is meant
TURNED = 12.0  # degrees of yaw or pitch between two photographs that are worth a warning
BLURRED = 0.12  # of `faces.sharpness`
LIKELY = 0.5
MIRRORED, MIRRORED_BY = 0.95, 0.02  # likeness to the mirror image, and how much it must exceed the plain likeness
_SMALL = 48  # pixels at which two crops are laid over each other
_FILM = "unreadable: a video is no photograph: save the frame that you mean as a picture"
_SHOWN = 224  # side of the aligned crops that a report shows


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One photograph made ready: its largest face and the network's crop, or the problem with it."""

    name: str
    problem: str = ""  # no_face, several_faces, "unreadable: <why>"; empty when it can be compared
    face: FaceAnalysis | None = None
    crop: FaceCrop | None = None
    digest: str = ""  # of the pixels
    sharpness: float = 0.0
    shown: Image | None = None  # the aligned crop, larger, for a report
    picture: Picture | None = None  # how it is lit and was taken
    seen: Seen | None = None  # what the networks keep of the crop, once they have seen it (`seen_once`)
    path: str = ""  # of the file that `photographs` read; `name` is this made printable


def compare(
    before: PictureLike,
    after: PictureLike,
    *,
    assume_same: bool = False,
    crops: bool = False,
    weights: str | Path | None = None,
    device: str | None = None,
    analyzer: Analyzer | None = None,
    comparer: Comparer | None = None,
) -> FaceChange:
    """What changed from one photograph of a person to another.

    Declines (`FaceChange.status`) when the two do not seem to show one person, unless `assume_same`; when a photograph
    shows no face or several; when it is the same picture twice, or its mirror image. Each is a path, encoded bytes, RGB
    uint8 pixels (h, w, 3) or a Pillow image; `crops`: each is one face already. Where `weights` were learnt from
    labelled pairs, `FaceChange.own` holds what these taught. The set of a given `analyzer` counts as `weights` where
    these are not named. A file that cannot be read is a status; for bytes that cannot be decoded this raises
    UnreadableError, for what is no picture InputError, without a comparison network WeightsError.
    """
    weights = set_of(weights, analyzer)
    analyzer, comparer = open_both(weights, device, analyzer, comparer)
    pair = (before, after)
    # Files are read ahead of the networks, and both faces go through these at once.
    paths = [path for image in pair if (path := name_of(image))]
    read = dict(zip(paths, photographs(analyzer, comparer, [Source(path) for path in paths], crops), strict=True))
    photos = [read.get(name_of(image)) or photo_of(in_memory(image, analyzer, crops), comparer) for image in pair]
    return compare_photos(photos[0], photos[1], comparer, assume_same, open_reader(weights))


def in_memory(image: PictureLike, analyzer: Analyzer, crops: bool = False) -> Reading:
    """The faces of a picture that has no file, with its pixels. Raises as the analyzer does."""
    pixels = pixels_of(image)
    return Reading("", faces=tuple(analyzer(pixels, crops)), pixels=pixels)


def photographs(
    analyzer: Analyzer, comparer: Comparer, sources: Sequence[Source], crops: bool = False, shown: bool = False
) -> list[Photo]:
    """Every source once, in order. A video is no photograph, and cannot be compared."""
    paths = {s.name: s.path for s in sources}
    found = {s.name: Photo(s.name, _FILM) for s in sources if s.video or is_video(s.path)}
    if pictures := list(dict.fromkeys(s for s in sources if s.name not in found)):
        for reading in analyzer.analyze_many(pictures, crops=crops, keep_pixels=True):
            found[reading.source] = replace(photo_of(reading, comparer, shown), path=paths[reading.source])
    return [found[s.name] for s in sources]


def photo_of(reading: Reading, comparer: Comparer, shown: bool = False) -> Photo:
    """A reading (with its pixels) as a photograph to compare."""
    if reading.problem or reading.pixels is None:
        return Photo(reading.source, f"unreadable: {reading.problem}")
    if not reading.faces:
        return Photo(reading.source, "no_face")
    face, pixels = reading.faces[0], reading.pixels
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    several = len(reading.faces) > 1 and reading.faces[1].box.area >= OTHER_FACE * face.box.area
    crop = _crop(pixels, face, comparer.size, comparer.margin)
    return Photo(
        reading.source, "several_faces" if several else "", face, crop, digest, sharpness(pixels, face.box),
        _crop(pixels, face, _SHOWN, comparer.margin).image if shown else None, picture_of(crop.image),
    )  # fmt: skip


def _crop(pixels: Image, face: FaceAnalysis, size: int, margin: float) -> FaceCrop:
    if face.outline is None:
        return crop_box(pixels, face.box, size, margin)
    return crop_landmarks(pixels, face.outline, size, margin)


def seen_once(photos: Sequence[Photo], comparer: Comparer) -> list[Photo]:
    """The photographs with what the comparer's networks keep of each, so that many pairs of few photographs cost one
    look at each. Those that cannot be compared stay as they are."""
    new = [k for k, photo in enumerate(photos) if photo.crop is not None and not photo.problem and photo.seen is None]
    if not new:
        return list(photos)
    looks = comparer.see([crop.image for k in new if (crop := photos[k].crop) is not None]).parted()
    found = dict(zip(new, looks, strict=True))
    return [replace(photo, seen=found[k]) if k in found else photo for k, photo in enumerate(photos)]


def compare_photos(
    before: Photo, after: Photo, comparer: Comparer, assume_same: bool = False, own: ChangeReader | None = None
) -> FaceChange:
    """The same as `compare` for photographs that were made ready."""
    return next(iter(compare_many([(before, after)], comparer, assume_same, own)))


def compare_many(
    pairs: Sequence[tuple[Photo, Photo]],
    comparer: Comparer,
    assume_same: bool = False,
    own: ChangeReader | None = None,
) -> Iterable[FaceChange]:
    """One answer per pair, in order; each photograph goes through the network once, or not at all where that was done
    before (`seen_once`). `own` reads what a user's labels taught."""
    states = [_status(before, after) for before, after in pairs]
    used = [k for k, status in enumerate(states) if not status]
    photos = {id(photo): photo for k in used for photo in pairs[k]}
    place = {key: i for i, key in enumerate(photos)}
    answers: dict[int, FaceChange] = {}
    if used:
        seen = Seen.join([photo.seen for photo in seen_once(list(photos.values()), comparer) if photo.seen is not None])
        ends = [(place[id(pairs[k][0])], place[id(pairs[k][1])]) for k in used]
        alike = [taken_alike(*pairs[k]) for k in used]
        found = comparer.compare(seen, ends, alike)
        taught = own.read(comparer, seen, ends, found) if own is not None else [{}] * len(ends)
        answers = {
            k: _answer(found, i, pairs[k], comparer, assume_same, taught[i], alike[i]) for i, k in enumerate(used)
        }
    for k, (before, after) in enumerate(pairs):
        yield answers.get(k) or FaceChange(before.name, after.name, states[k], faces=(before.face, after.face))


def _answer(
    found: Compared, k: int, pair: tuple[Photo, Photo], comparer: Comparer, assume_same: bool,
    own: Mapping[str, Change], alike: bool,
) -> FaceChange:  # fmt: skip
    before, after = pair
    change = replace(face_change(found, k, before.name, after.name), faces=(before.face, after.face))
    if not assume_same and (change.same_person or 0.0) < comparer.same_limit:
        return FaceChange(
            before.name, after.name, "different_people", change.same_person, faces=(before.face, after.face)
        )
    change = _named(change, before, after)
    return replace(change, own=own, controlled=alike, warnings=_warnings(change, before, after))


def _named(change: FaceChange, before: Photo, after: Photo) -> FaceChange:
    """The change with what else differs by the two analyses and the crops."""
    if before.face is None or after.face is None or before.picture is None or after.picture is None:
        return change
    day = day_between(before.face, after.face, before.picture, after.picture)
    return replace(change, looks=looks_between(before.face, after.face), nuisance=day)


def taken_alike(before: Photo, after: Photo) -> bool:
    """Whether two photographs show the head held and lit alike; not where that is unknown."""
    if before.face is None or after.face is None or before.picture is None or after.picture is None:
        return False
    return controlled(before.face, after.face, before.picture, after.picture)


def _status(before: Photo, after: Photo) -> str:
    """Why two photographs cannot be compared; empty when they can."""
    for photo, when in ((before, "before"), (after, "after")):
        if photo.problem:
            kind, _, why = photo.problem.partition(": ")
            return f"{kind}: {photo.name}: {why}" if kind == "unreadable" else f"{photo.problem}_{when}"
    if before.digest == after.digest:
        return "same_picture"
    if before.crop is not None and after.crop is not None and mirrored(before.crop.image, after.crop.image):
        return "mirror_image"
    return ""


def mirrored(one: Image, other: Image) -> bool:
    """Whether an aligned crop is nearly the mirror image of another, and not nearly the other itself."""
    a, b = (cv2.resize(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
            for p in (one, other))  # fmt: skip
    turned = _likeness(a, b[:, ::-1])
    return turned >= MIRRORED and turned >= _likeness(a, b) + MIRRORED_BY


def _likeness(a: NDArray, b: NDArray) -> float:
    """The best correlation of the middle of `a` with `b` over shifts of a few pixels: two alignments never agree to the
    pixel. 0 where one is flat."""
    edge = _SMALL // 12
    middle = np.ascontiguousarray(a[edge:-edge, edge:-edge])
    if min(float(middle.std()), float(b.std())) == 0:
        return 0.0
    return float(cv2.matchTemplate(np.ascontiguousarray(b), middle, cv2.TM_CCOEFF_NORMED).max())


def _warnings(change: FaceChange, before: Photo, after: Photo) -> tuple[str, ...]:
    """What may explain a change without the person having changed."""
    found = [name for name in ("light", "camera") if change.nuisance.get(name, 0.0) >= LIKELY]
    if _turned(before.face, after.face):
        found.append("pose")
    if abs(before.sharpness - after.sharpness) >= BLURRED:
        found.append("sharpness")
    if change.looks.get("makeup", 0.0) >= LIKELY:
        found.append("makeup")
    return tuple(found)


def _turned(before: FaceAnalysis | None, after: FaceAnalysis | None) -> bool:
    if before is None or after is None or before.pose is None or after.pose is None:
        return False
    a, b = before.pose, after.pose
    return max(abs(a.yaw - b.yaw), abs(a.pitch - b.pitch)) >= TURNED
