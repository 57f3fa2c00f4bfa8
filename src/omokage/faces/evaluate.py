"""Measure a finder: on composed scenes with exact truth, on pictures without a face, on labelled photographs of the
user's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omokage.errors import InputError
from omokage.faces.canvas import FaceScene
from omokage.faces.detect import Finder
from omokage.media.small_tables import read_small_table
from omokage.metrics.matching import nearest_box
from omokage.results import Box, Detection

SIZE_BINS = ((11, 16), (16, 24), (24, 48), (48, 96), (96, 10_000))  # larger side of the face in pixels
MATCH = 0.4  # IoU from which a proposal is the face


@dataclass(frozen=True, slots=True)
class SceneScores:
    """Over composed scenes: share of faces found, in all and by size, wrong boxes a scene, mean IoU of the found."""

    faces: int
    scenes: int
    found: float
    by_size: Mapping[str, tuple[float, int]]
    wrong_per_scene: float
    mean_iou: float


@dataclass(frozen=True, slots=True)
class FolderScores:
    """A labelled folder: faces, how many were found, boxes that belong to no labelled face, time a picture."""

    name: str
    labelled: int
    found: int
    pictures: int
    extra: int
    cpu_ms: float

    @property
    def rate(self) -> float:
        return self.found / self.labelled


def score_scenes(finder: Finder, scenes: Sequence[FaceScene], batch: int = 32) -> SceneScores:
    """Match proposals with the scenes' faces, best score first; faces that do not count either way excuse what lies on
    them.
    """
    sizes: list[float] = []
    hits: list[float] = []
    wrong = 0
    for start in range(0, len(scenes), batch):
        part = scenes[start : start + batch]
        for scene, faces in zip(part, finder.find_batch([s.image for s in part]), strict=True):
            best, spare = _match(scene, faces)
            hits += best
            sizes += (scene.boxes[:, 2:] - scene.boxes[:, :2]).max(1).tolist()
            wrong += spare
    got, side = np.array(hits), np.array(sizes)
    bins = {}
    for low, high in SIZE_BINS:
        mine = (side >= low) & (side < high)
        if mine.any():
            bins[f"{low}-{high}"] = (float((got[mine] > 0).mean()), int(mine.sum()))
    found = got > 0
    mean_iou = float(got[found].mean()) if found.any() else 0.0
    return SceneScores(len(got), len(scenes), float(found.mean()), bins, wrong / len(scenes), mean_iou)


def _match(scene: FaceScene, faces: Sequence[Detection]) -> tuple[list[float], int]:
    """IoU of each wanted face with its proposal (0 = missed), and the number of proposals left over."""
    wanted = [Box(*box.tolist()) for box in scene.boxes.astype(float)]
    ignored = [Box(*box.tolist()) for box in scene.ignored.astype(float)]
    best, spare = [0.0] * len(wanted), 0
    for face in sorted(faces, key=lambda f: -f.score):
        overlaps = [box.iou(face.box) if not best[i] else 0.0 for i, box in enumerate(wanted)]
        i = int(np.argmax(overlaps)) if overlaps else -1
        if i >= 0 and overlaps[i] >= MATCH:
            best[i] = overlaps[i]
        elif not any(box.iou(face.box) > 0.1 for box in ignored) and not any(b.iou(face.box) >= MATCH for b in wanted):
            spare += 1
    return best, spare


def false_faces(finder: Finder, pictures: Iterable[NDArray[np.uint8]]) -> list[int]:
    """For each picture without a face, how many faces the finder claims."""
    return [len(finder.find(picture)) for picture in pictures]


def candidates(
    finder: Finder, scenes: Sequence[FaceScene], batch: int = 32
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Score of every proposal (n,) and whether it is a face; proposals on faces that do not count are left out."""
    scores: list[float] = []
    right: list[bool] = []
    for start in range(0, len(scenes), batch):
        part = scenes[start : start + batch]
        for scene, faces in zip(part, finder.find_batch([s.image for s in part]), strict=True):
            wanted = [Box(*box.tolist()) for box in scene.boxes.astype(float)]
            ignored = [Box(*box.tolist()) for box in scene.ignored.astype(float)]
            for face in faces:
                if any(box.iou(face.box) > 0.1 for box in ignored):
                    continue
                scores.append(face.score)
                right.append(any(box.iou(face.box) >= MATCH for box in wanted))
    return np.array(scores), np.array(right, bool)


def threshold_for(finder: Finder, scenes: Sequence[FaceScene], share: float, floor: float) -> float:
    """The lowest threshold at which at most `share` of face-free scenes get a false face, not below `floor`.

    The scenes must hold no face, and the finder must report everything from `floor` on.
    """
    worst = [max((face.score for face in finder.find(scene.image)), default=0.0) for scene in scenes]
    limit = sorted(worst, reverse=True)[int(share * len(worst))]
    return max(floor, float(np.nextafter(np.float32(limit), np.float32(1))))


def score_folder(
    finder: Finder, folder: Path, read: Callable[[Path], NDArray[np.uint8]], batch: int = 16
) -> FolderScores:
    """Found rate on `folder` with `labels.csv` (`file` and, where known, `x0 y0 ... ` or `leye_x ...` points of each
    face).

    A face with points is found when the nearest proposal's centre lies within three quarters of the points' extent of
    theirs; a face without points when there is any proposal. `read` decodes a picture. Raises InputError without
    labels.
    """
    path = folder / "labels.csv"
    if not path.is_file():
        raise InputError(f"{folder} has no labels.csv; give a folder with labels.csv and the pictures that it names")
    by_file: dict[str, list[dict[str, str]]] = {}
    for row in read_small_table(path, "labels", ["file"]).rows:
        by_file.setdefault(row["file"], []).append(row)
    files = list(by_file)
    found = extra = 0
    spent = 0.0
    for start in range(0, len(files), batch):
        part = files[start : start + batch]
        pictures = [read(folder / name) for name in part]
        began = time.process_time()
        answers = finder.find_batch(pictures)
        spent += time.process_time() - began
        for name, faces in zip(part, answers, strict=True):
            hit, spare = _labelled(by_file[name], faces)
            found, extra = found + hit, extra + spare
    labelled = sum(map(len, by_file.values()))
    return FolderScores(folder.name, labelled, found, len(files), extra, 1000 * spent / len(files))


def _labelled(rows: list[dict[str, str]], faces: Sequence[Detection]) -> tuple[int, int]:
    """How many labelled faces of a picture were found, and how many proposals belong to none of them."""
    used: set[int] = set()
    found = 0
    for row in rows:
        points = _points(row)
        if not faces:
            continue
        if points is None:
            used.add(max(range(len(faces)), key=lambda i: faces[i].box.area))
            found += 1
            continue
        best = nearest_box([face.box for face in faces], points)
        if best is not None:
            found += 1
            used.add(best)
    return found, len(faces) - len(used)


def _points(row: Mapping[str, str]) -> NDArray[np.float64] | None:
    """The labelled points of a face, (n, 2), or None where the table has none."""
    if row.get("x0"):
        count = sum(1 for name in row if name[0] == "x" and name[1:].isdigit() and row[name])
        return np.array([[float(row[f"x{i}"]), float(row[f"y{i}"])] for i in range(count)])
    names = ("leye", "reye", "nose", "lmouth", "rmouth")
    if row.get("leye_x"):
        points = np.array([[float(row[f"{n}_x"]), float(row[f"{n}_y"])] for n in names])
        points = points[np.isfinite(points).all(1)]
        return points if len(points) else None
    return None
