"""`Analyzer`: the parts of the street opened once, then used on one picture or on many."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from omokage.errors import InputError
from omokage.media.ahead import Frame, frames_ahead
from omokage.media.image import PictureLike, name_of, pixels_of
from omokage.media.sources import Input, Source, checked_inputs, each_source, is_video
from omokage.media.table import Reading
from omokage.nn.forked import check_fork, watch_forks
from omokage.pipeline.check import FaceCheck
from omokage.pipeline.config import AnalyzerConfig, Finder, Given, Predictor, whole_number
from omokage.pipeline.reader import Image, read_faces
from omokage.results import FaceAnalysis
from omokage.schema import SHIPPED, AttributeSchema
from omokage.weights.registry import DEFAULT_SET, has_model, read_card

Readings = Generator[Reading, None, None]


class Analyzer:
    """Reads faces off pictures and videos with a finder and a predictor.

    `weights` is a shipped set's name or a folder, `finder` a shipped finder's name, a file, or an object with `find`
    and `find_batch`; `predictor` replaces the shipped network. Models are opened at the first use, on `device` ("cpu",
    "cuda", None: CUDA where there is one). `given` fixes attributes that are known ({"age": 70}), so that the rest is
    read in their light. `weights` stays readable, so that other rooms can open the same set. Raises InputError for
    arguments of another kind, WeightsError when weights are missing or damaged.
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
        if given is not None and not isinstance(given, Mapping):
            raise InputError(f'given holds what is known by name, such as {{"age": 70}}, not a {type(given).__name__}')
        if weights is not None and not isinstance(weights, str | Path):
            raise InputError(f"weights name a shipped set or a folder, not a {type(weights).__name__}")
        chosen = config or AnalyzerConfig()
        self.config = chosen if batch_size is None else replace(chosen, batch_size=batch_size)
        self.weights, self._device, self._given = weights, device, given
        named = finder is None or isinstance(finder, str | Path)
        self._finder_name: str | Path | None = finder if isinstance(finder, str | Path) else None
        self._finder: Finder | None = None if named else cast(Finder, finder)
        self._predictor = predictor
        self._own_parts = named and predictor is None
        self._opens = named or predictor is None

    @property
    def finder(self) -> Finder:
        """The opened finder."""
        if self._finder is None:
            self._finder = open_finder(self._finder_name, self.weights, self._device, self.check)
        return self._finder

    @cached_property
    def check(self) -> FaceCheck | None:
        """What tells faces from false finds; None when finder and network do not come from one set that has it."""
        return open_check(self._finder_name, self.weights) if self._own_parts else None

    @property
    def predictor(self) -> Predictor:
        """The opened attribute network."""
        if self._predictor is None:
            self._predictor = open_predictor(self.weights, self._device)
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
        inputs: Input | Iterable[Input],
        *,
        every: int = 1,
        crops: bool = False,
        keep_pixels: bool = False,
        done: Mapping[str, set[int]] | None = None,
    ) -> Readings:
        """One `Reading` per picture or video frame, in order; pictures are decoded ahead of the network.

        `inputs` are files, folders, patterns or `Source` objects, one or many. Each item of a list gives its own
        readings, a file that is listed twice two (the command line reads a file once); a folder or a pattern gives
        each of its files once. An iterator is read as it comes, a few pictures ahead. A file that is missing or cannot
        be read gives a reading with its problem, no input at all gives no reading. `every` is the step between video
        frames; `done` names frames by source that are left out; `keep_pixels` keeps each picture in its reading.

        Raises InputError: at the call for wrong arguments, later when nothing at all is found behind the inputs.
        """
        readings = self.read_sources(
            each_source(checked_inputs(inputs)), every=every, crops=crops, keep_pixels=keep_pixels, done=done
        )
        return _without_ends(readings)

    def read_sources(
        self,
        sources: Iterable[Source],
        *,
        every: int = 1,
        crops: bool = False,
        keep_pixels: bool = False,
        done: Mapping[str, set[int]] | None = None,
    ) -> Readings:
        """As `analyze_many`, and after the frames of each video a `silent` reading: a table that may be resumed must
        know that a video is finished."""
        if not (done is None or isinstance(done, Mapping)):
            raise InputError(f"done names frames by source, as a mapping: a {type(done).__name__} does not")
        return self._read_many(sources, whole_number("every", every, 1), crops, keep_pixels, done)

    def _read_many(
        self,
        sources: Iterable[Source],
        every: int,
        crops: bool,
        keep_pixels: bool,
        done: Mapping[str, set[int]] | None,
    ) -> Readings:
        # Two groups on their way: while one is in the network, the next is decoded.
        with closing(frames_ahead(sources, every, done, 2 * self.config.pictures)) as ahead:
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
        if self._opens:
            check_fork(self._device)
        watch_forks()
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


def _without_ends(readings: Readings) -> Readings:
    """The readings without the silent ones: the last frame of a video is `last` itself, so each frame waits until it
    is known whether another follows."""
    waiting: list[Reading] = []
    with closing(readings):
        for reading in readings:
            yield from (replace(one, last=reading.silent) for one in waiting)
            waiting = [] if reading.last else [reading]
            if reading.last and not reading.silent:
                yield reading
        yield from waiting


def _groups(ahead: Iterable[Frame], config: AnalyzerConfig) -> Iterator[list[Frame]]:
    """Frames in groups of bounded number and size; an error comes after the frames before it."""
    group: list[Frame] = []
    pixels = 0
    failed: Exception | None = None
    try:
        for frame in ahead:
            size = 0 if frame.pixels is None else frame.pixels.shape[0] * frame.pixels.shape[1]
            if group and (len(group) >= config.pictures or pixels + size > config.pixels):
                yield group
                group, pixels = [], 0
            group.append(frame)
            pixels += size
    except Exception as error:
        failed = error
    if group:
        yield group
    if failed is not None:
        raise failed
