"""Ctrl-C and SIGTERM while a run trains: the step at hand is made whole and kept, then the run ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Stopped(KeyboardInterrupt):
    """A run was ended by the signal `number`; `step` is where it goes on from, None before its first step."""

    def __init__(self, number: int = signal.SIGINT, step: int | None = None) -> None:
        super().__init__(number)
        self.number, self.step = number, step


@contextmanager
def as_interrupt(number: int = signal.SIGTERM) -> Iterator[None]:
    """Within the block a signal raises `Stopped`, as Ctrl-C raises KeyboardInterrupt: for whole programs, which alone
    may say what their signals do."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(number)

    before = signal.signal(number, stop)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def held() -> Iterator[None]:
    """Signals that the program handles wait until the block is done: half a step must not be kept. The second one of
    them does not wait."""
    late: list[int] = []
    before: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def hold(number: int, frame: FrameType | None) -> None:
        if late:
            before[number](number, frame)
        late.append(number)

    if threading.current_thread() is threading.main_thread():
        for kind in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(kind)
            if callable(handler):
                before[kind] = handler
                signal.signal(kind, hold)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if late:
        before[late[0]](late[0], None)
