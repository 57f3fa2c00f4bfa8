"""Hand the items of an iterator to another thread, a few at a time, without running the iterator there.

A generator over a database or an open file must stay in the thread that made it, and may wait for its next item as long
as it likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Feed(Generic[T]):
    """Items for another thread, which iterates over this; at most `ahead` of them are on their way at once.

    A context manager: leaving it tells the other thread that nothing more comes.
    """

    def __init__(self, items: Iterable[T], ahead: int) -> None:
        self._items, self._room = iter(items), ahead
        self._waiting: SimpleQueue[tuple[T] | None] = SimpleQueue()
        self._open = True
        self._error: Exception | None = None

    def __enter__(self) -> Feed[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def hand_on(self, done: int = 0) -> None:
        """Take items from the iterator in the calling thread, as long as there is room; `done` of those before are
        dealt with. What the iterator raises is kept for `check`, since earlier items are still on their way."""
        self._room += done
        while self._open and self._room > 0:
            try:
                self._waiting.put((next(self._items),))
            except StopIteration:
                self._close()
            except Exception as error:
                self._error = error
                self._close()
            self._room -= 1

    def check(self) -> None:
        """Raises what the iterator raised, for when everything before it is dealt with."""
        if self._error is not None:
            raise self._error

    def __iter__(self) -> Iterator[T]:
        while (item := self._waiting.get()) is not None:
            yield item[0]

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._waiting.put(None)
