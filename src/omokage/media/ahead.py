"""Read pictures and video frames ahead of the network: decoding in a thread, a bounded number of pixels in memory."""

from __future__ import annotations

import atexit
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from omokage.errors import UnreadableError
from omokage.media.feed import Feed
from omokage.media.image import read_picture
from omokage.media.sources import Source
from omokage.media.video import read_video

T = TypeVar("T")
AHEAD_PIXELS = 24_000_000  # about 70 MB of RGB waits at most, or one picture where it is larger


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture or video frame, or the problem in its place. `end` closes a video and carries nothing
    else."""

    source: str
    pixels: NDArray[np.uint8] | None
    index: int = 0
    timestamp_s: float = 0.0
    problem: str = ""
    note: str = ""
    last: bool = True
    end: bool = False


def frames(sources: Iterable[Source], every: int = 1, done: Mapping[str, set[int]] | None = None) -> Iterator[Frame]:
    """All frames of all sources in order; `done` names frames (by source name) that are not wanted again. Never raises
    for a bad file: it yields a frame with the problem."""
    known = done or {}
    for source in sources:
        if source.problem:
            yield Frame(source.name, None, problem=source.problem)
        elif source.video:
            yield from _video(source, every, known.get(source.name, set()))
        elif 0 not in known.get(source.name, ()):
            yield _picture(source)


def frames_ahead(
    sources: Iterable[Source], every: int = 1, done: Mapping[str, set[int]] | None = None, ahead: int = 16
) -> Generator[Frame, None, None]:
    """As `frames`, decoded in a thread. `sources` is asked for its next one in the calling thread, when fewer than
    `ahead` are on their way; what it raises comes after the frames of those before. Frames that nobody takes to the end
    stop with the program: later, while Python takes itself down, a thread can no longer be waited for."""
    feed = Feed(sources, ahead)
    with ExitStack() as running:
        decoded = running.enter_context(Ahead(_marked(feed, every, done)))
        running.enter_context(feed)
        atexit.register(running.close)
        running.callback(atexit.unregister, running.close)
        feed.hand_on()
        for frame in decoded:
            if frame is None:
                feed.hand_on(done=1)
            else:
                yield frame
        feed.check()


def _marked(sources: Iterable[Source], every: int, done: Mapping[str, set[int]] | None) -> Iterator[Frame | None]:
    """The frames of each source and then None, also where it has none: whoever waits for frames hands on the next
    source at that."""
    for source in sources:
        yield from frames([source], every, done)
        yield None


def _picture(source: Source) -> Frame:
    try:
        picture = read_picture(source.path)
    except UnreadableError as error:
        return Frame(source.name, None, problem=_reason(error, source))
    return Frame(source.name, picture.pixels, note=picture.note)


def _video(source: Source, every: int, skip: set[int]) -> Iterator[Frame]:
    index = known = max(skip, default=-1)
    seconds = 0.0
    try:
        # The last known frame is read again: where nothing follows it, the end has its time.
        for frame in read_video(source.path, every, skip - {known}):
            index, seconds = frame.index, frame.timestamp_s
            if index != known:
                yield Frame(source.name, frame.pixels, index, seconds, last=False)
    except UnreadableError as error:
        yield Frame(source.name, None, index + 1, seconds, problem=_reason(error, source))
        return
    yield Frame(source.name, None, index + 1, seconds, end=True)


def _reason(error: UnreadableError, source: Source) -> str:
    """The error's text without the path in front, which the table holds in a column of its own."""
    return str(error).removeprefix(f"{source.path}: ")


class Ahead(Generic[T]):
    """Runs an iterator in a thread and hands its items on in order; waits when the waiting items cost more than
    `budget`.

    A context manager: leaving it stops the thread. An exception of the iterator is raised to the reader in its place.
    """

    def __init__(self, items: Iterator[T], budget: int = AHEAD_PIXELS) -> None:
        self._items, self._budget = items, budget
        self._ready: deque[tuple[T, int]] = deque()
        self._waiting = 0
        self._state = threading.Condition()
        self._ended = self._stopped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="omokage-decode", daemon=True)

    def __enter__(self) -> Ahead[T]:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._thread.is_alive():  # also in a forked process, where its lock may be held for ever
            return
        with self._state:
            self._stopped = True
            self._state.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            for item in self._items:
                pixels = getattr(item, "pixels", None)
                cost = 1 if pixels is None else int(pixels.shape[0] * pixels.shape[1])
                with self._state:
                    while self._ready and self._waiting + cost > self._budget and not self._stopped:
                        self._state.wait()
                    if self._stopped:
                        return
                    self._ready.append((item, cost))
                    self._waiting += cost
                    self._state.notify_all()
        except BaseException as error:
            self._error = error
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()  # releases an open video at once
            with self._state:
                self._ended = True
                self._state.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._state:
                while not self._ready and not self._ended:
                    self._state.wait()
                if not self._ready:
                    break
                item, cost = self._ready.popleft()
                self._waiting -= cost
                self._state.notify_all()
            yield item
        if self._error is not None:
            raise self._error
