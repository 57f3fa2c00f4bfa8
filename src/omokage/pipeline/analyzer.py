"""`Analyzer`: the parts of the street opened once, then used on one picture or on many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from omokage.errors import InputError
from omokage.media.ahead import Ahead, Frame, frames
from omokage.media.image import PictureLike, name_of, pixels_of
from omokage.media.sources import Source, expand, is_video
from omokage.media.table import Reading
from omokage.pipeline.check import FaceCheck
from omokage.pipeline.config import AnalyzerConfig, Finder, Given, Predictor
from omokage.pipeline.reader import Image, read_faces
from omokage.results import FaceAnalysis
from omokage.schema import SHIPPED, AttributeSchema
from omokage.weights.registry import DEFAULT_SET, has_model, read_card


class Analyzer:
    """Reads faces off pictures and videos with a finder and a predictor.

    `weights` is a shipped set's name or a folder, `finder` a shipped finder's name, a file, or an object with `find`
    and `find_batch`; `predictor` replaces the shipped network. Models are opened at the first use, on `device` ("cpu",
    "cuda", None: CUDA where there is one). `given` fixes attributes that are known ({"age": 70}), so that the rest is
    read in their light. Raises WeightsError when weights are missing or damaged.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        finder: str | Path | Finder | None = None,
        device: str | None = None,
        batch_size: int | None = None,
        predictor: Predictor | None = None,
        given: Given | None = None,
        config: AnalyzerConfig | None = None,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise InputError(f"a batch of {batch_size} faces is not possible: give 1 or more")
        chosen = config or AnalyzerConfig()
        self.config = chosen if batch_size is None else replace(chosen, batch_size=batch_size)
        self._weights, self._device, self._given = weights, device, given
        named = finder is None or isinstance(finder, str | Path)
        self._finder_name: str | Path | None = finder if isinstance(finder, str | Path) else None
        self._finder: Finder | None = None if named else cast(Finder, finder)
        self._predictor = predictor
        self._own_parts = named and predictor is None

    @property
    def finder(self) -> Finder:
        """The opened finder."""
        if self._finder is None:
            self._finder = open_finder(self._finder_name, self._weights, self._device, self.check)
        return self._finder

    @cached_property
    def check(self) -> FaceCheck | None:
        """What tells faces from false finds; None when finder and network do not come from one set that has it."""
        return open_check(self._finder_name, self._weights) if self._own_parts else None

    @property
    def predictor(self) -> Predictor:
        """The opened attribute network."""
        if self._predictor is None:
            self._predictor = open_predictor(self._weights, self._device)
        return self._predictor

    def __call__(self, image: PictureLike, crops: bool = False) -> list[FaceAnalysis]:
        """The faces of one picture, largest first; an empty list when there is none.

        `image` is a path, encoded bytes, RGB uint8 pixels (h, w, 3), or a Pillow image, whose EXIF orientation is
        applied. With `crops` the whole picture is one face. Raises UnreadableError for a picture that cannot be
        decoded, InputError for a video, other arrays and other objects.
        """
        path = name_of(image)
        if path and is_video(path):
            raise InputError(f"{path} is a video: use analyze_many, which gives its frames one by one")
        name = Source(path).name
        pixels = pixels_of(image)
        return [replace(f, source=name) for f in self._read([pixels], crops)[0]]

    def analyze_many(
        self,
        inputs: str | Path | Source | Iterable[str | Path | Source],
        *,
        every: int = 1,
        crops: bool = False,
        keep_pixels: bool = False,
        done: Mapping[str, set[int]] | None = None,
    ) -> Iterator[Reading]:
        """One `Reading` per picture or video frame, in order; pictures are decoded ahead of the network.

        `inputs` are what the command line takes (files, folders, patterns) or `Source` objects, one or many. A file
        that cannot be read gives a reading with its problem. `done` names frames by source that are left out;
        `keep_pixels` keeps each picture in its reading. Raises InputError when nothing is found.
        """
        if every < 1:
            raise InputError(f"every {every}-th frame is not possible: give 1 or more")
        sources = _sources(inputs)
        with Ahead(frames(sources, every, done)) as ahead:
            for group in _groups(ahead, self.config):
                yield from self._readings(group, crops, keep_pixels)

    def _readings(self, group: Sequence[Frame], crops: bool, keep_pixels: bool) -> Iterator[Reading]:
        images = [frame.pixels for frame in group if frame.pixels is not None]
        answers = iter(self._read(images, crops) if images else [])
        for f in group:
            where: dict[str, Any] = {"source": f.source, "frame": f.index, "timestamp_s": f.timestamp_s}
            if f.pixels is None:
                yield Reading(**where, problem=f.problem, last=True, silent=f.end)
                continue
            faces = tuple(replace(face, **where) for face in next(answers))
            yield Reading(**where, faces=faces, note=f.note, last=f.last, pixels=f.pixels if keep_pixels else None)

    def _read(self, images: Sequence[Image], crops: bool) -> list[list[FaceAnalysis]]:
        finder, check = (None, None) if crops else (self.finder, self.check)
        return read_faces(images, finder, self.predictor, self.config, self._given, check)

    @property
    def schema(self) -> AttributeSchema:
        """What the opened network reads."""
        return getattr(self.predictor, "schema", SHIPPED)

    def describe(self, crops: bool = False) -> dict[str, str]:
        """Ids of the weights in use (set, model and the first digits of the hash) by their task."""
        named: dict[str, object] = {"attributes": self.predictor}
        if not crops:
            named["finder"] = self.finder
            if self.check is not None:
                named["check"] = self.check
        return {task: _id_of(part) for task, part in named.items()}


def open_finder(
    wish: str | Path | None, weights: str | Path | None, device: str | None, check: FaceCheck | None = None
) -> Finder:
    """The finder that was asked for, else the one of the weight set, else the default set's.

    With a `check` behind it, it proposes more than it would alone. Raises WeightsError or InputError.
    """
    from omokage.faces import detect, finders

    if check is not None:
        limits = detect.Limits(check.proposals, check.proposals)
        return detect.NetworkFinder(weights or DEFAULT_SET, limits=limits, device=_device(device))
    if wish is None:
        wish = weights if weights is not None and has_model(weights, "finder") else DEFAULT_SET
    finder: Finder = finders.open_finder(wish, device=_device(device))
    return finder


def open_check(wish: str | Path | None, weights: str | Path | None) -> FaceCheck | None:
    """The check of a weight set, when its own finder is in use and it was fitted to just these networks."""
    ours = weights or DEFAULT_SET
    if wish not in (None, ours) or not all(has_model(ours, model) for model in ("finder", "attributes", "check")):
        return None
    check = FaceCheck.open(ours)
    fitted = check.card.preprocessing["of"] if check.card else []
    known = [read_card(ours, model).sha256[:8] for model in ("finder", "attributes")]
    return check if [str(name).rpartition("@")[2] for name in fitted] == known else None


def open_predictor(weights: str | Path | None = None, device: str | None = None) -> Predictor:
    """The attribute network of a weight set. Raises WeightsError."""
    from omokage.attributes.predict import AttributePredictor

    return AttributePredictor(weights or DEFAULT_SET, device=device or "auto")


def _device(name: str | None) -> str:
    """The device as PyTorch writes it. Raises the error of `pick_device` when it is not there."""
    from omokage.training.device import pick_device

    return str(pick_device(name or "auto"))


def _id_of(part: object) -> str:
    card = getattr(part, "card", None)
    return str(card.id) if card is not None else str(getattr(part, "name", type(part).__name__))


def _sources(inputs: str | Path | Source | Iterable[str | Path | Source]) -> list[Source]:
    # A lone path is iterable, too: letter by letter.
    listed = [inputs] if isinstance(inputs, str | os.PathLike | Source) else list(inputs)
    for one in listed:
        if not isinstance(one, str | os.PathLike | Source):
            raise InputError(
                f"a {type(one).__name__} is no path: analyze_many takes files, folders and patterns; call the analyzer "
                "itself for a picture in memory"
            )
    ready = [one for one in listed if isinstance(one, Source)]
    if len(ready) == len(listed):
        return ready
    return list(expand([one.path if isinstance(one, Source) else os.fspath(one) for one in listed]).sources)


def _groups(ahead: Iterable[Frame], config: AnalyzerConfig) -> Iterator[list[Frame]]:
    """Frames in groups of bounded number and size."""
    group: list[Frame] = []
    pixels = 0
    for frame in ahead:
        size = 0 if frame.pixels is None else frame.pixels.shape[0] * frame.pixels.shape[1]
        if group and (len(group) >= config.pictures or pixels + size > config.pixels):
            yield group
            group, pixels = [], 0
        group.append(frame)
        pixels += size
    if group:
        yield group
