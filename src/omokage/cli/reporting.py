"""Collects the faces of a run for `--report`, keeping only their surroundings and explanation cards in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omokage.media.table import Reading
from omokage.metrics.paths import Ends, Parts, ends, parts_of
from omokage.report.html import ReportFace, write_report
from omokage.results import PIXEL_MIDDLE, Box, FaceAnalysis, RelevanceMap

Why = Callable[[FaceAnalysis, NDArray[np.uint8]], Sequence[RelevanceMap]]
FACES = 200  # a page with more is no longer read by anybody, and browsers become slow
_MARGIN = 1.0  # of the box, around it
EXPLAINED = 20  # faces whose answers are explained: each card is a third of a megabyte
_SIDE = 900  # pixels that a kept cut-out has at most


class ReportPages:
    """`add` every reading (with pixels), then `write`. Faces beyond `FACES` are counted and left out, as the page then
    says; `why` explains the first `EXPLAINED`."""

    def __init__(self, path: Path, language: str, why: Why | None = None) -> None:
        self.path, self.language, self.why = path, language, why
        self._faces: list[ReportFace] = []
        self._without: list[tuple[str, str]] = []
        self.left_out = 0

    def add(self, reading: Reading) -> None:
        """Keep what the page will show of one reading."""
        if not reading.silent and not reading.faces and len(self._without) < FACES:
            self._without.append((reading.source, reading.status))
        for face in reading.faces:
            if reading.pixels is None or len(self._faces) >= FACES:
                self.left_out += 1
            else:
                small, pixels = cut_out(face, reading.pixels)
                evidence = self._evidence(face, reading.pixels)
                self._faces.append(ReportFace(small, pixels, reading.source, evidence))

    def _evidence(self, face: FaceAnalysis, pixels: NDArray[np.uint8]) -> tuple[str, ...]:
        """The explanation cards of a face of the first few."""
        number = len(self._faces)
        if self.why is None or number >= EXPLAINED or face.outline is None:
            return ()
        from omokage.report.explain import explanation_card

        found = self.why(face, pixels)
        return tuple(explanation_card(one, self.language, f"{number}-{k}") for k, one in enumerate(found))

    def write(self, about: Mapping[str, str]) -> int:
        """Write the page; returns how many faces it shows. Raises OutputError."""
        names = short_names(face.name for face in self._faces)
        faces = [replace(face, name=names[face.name]) for face in self._faces]
        write_report(self.path, faces, self.language, self._without, about, len(faces) + self.left_out)
        return len(faces)


def short_names(sources: Iterable[str]) -> dict[str, str]:
    """Each source by its file name, with as many folders before it as tell it from the others."""
    whole = {source: parts_of(source) for source in sources}
    bearers = ends(whole.values())
    return {source: _short(parts, bearers) for source, parts in whole.items()}


def _short(parts: Parts, bearers: Ends) -> str:
    """The shortest end of a path that no other has; the whole path where every end of it is another's too."""
    own = (parts[k:] for k in reversed(range(len(parts))))
    return str(Path(*next((end for end in own if len(bearers[end]) == 1), parts)))


def cut_out(face: FaceAnalysis, pixels: NDArray[np.uint8]) -> tuple[FaceAnalysis, NDArray[np.uint8]]:
    """The surroundings of a face, reduced where large, and the analysis in the coordinates of that smaller picture."""
    height, width = pixels.shape[:2]
    pad = _MARGIN * max(face.box.width, face.box.height)
    x0, y0 = int(np.clip(face.box.x0 - pad, 0, width - 1)), int(np.clip(face.box.y0 - pad, 0, height - 1))
    x1, y1 = int(np.clip(face.box.x1 + pad, x0 + 1, width)), int(np.clip(face.box.y1 + pad, y0 + 1, height))
    scale = min(1.0, _SIDE / max(x1 - x0, y1 - y0))
    part = np.ascontiguousarray(pixels[y0:y1, x0:x1])
    if scale < 1:
        size = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
        part = np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BOX), np.uint8)
    b = face.box
    box = Box((b.x0 - x0) * scale, (b.y0 - y0) * scale, (b.x1 - x0) * scale, (b.y1 - y0) * scale)
    points, spread = face.outline, face.landmark_sigma
    return replace(
        face,
        box=box,
        landmarks=None if points is None else ((points - np.array([x0, y0])) * scale - PIXEL_MIDDLE).astype(np.float32),
        landmark_sigma=None if spread is None else (spread * scale).astype(np.float32),
    ), part
