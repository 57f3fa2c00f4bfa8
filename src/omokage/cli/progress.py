"""Progress bars on standard error, on a terminal, for work that takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from omokage.cli.words import line

if TYPE_CHECKING:
    from omokage.media.table import Reading

PATIENCE_S = 2.0


class Counter:
    """A context manager around work whose `update(done, total)` is called now and then. Silent when there is no
    terminal. `verb` is said behind the number of what is done."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self._since = time.monotonic()
        self._wanted = sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, total: int, text: str = "") -> None:
        """So much is done; the bar appears when this takes longer than patience lasts."""
        if not self._wanted:
            return
        if self._bar is None and time.monotonic() - self._since > PATIENCE_S:
            self._open(total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, description=text or f"{done} {self.verb}")

    def _open(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=total)
        self._bar.start()


class Readings:
    """Counts readings for a `Counter`: the bar shows finished sources, the text frames and speed."""

    def __init__(self, counter: Counter, sources: int, language: str = "en") -> None:
        self.counter, self.sources, self.language = counter, sources, language
        self.frames = self.ended = 0
        self._since = time.monotonic()

    def step(self, reading: Reading) -> None:
        """Count one picture or video frame."""
        self.frames += not reading.silent
        self.ended += reading.last
        rate = self.frames / max(time.monotonic() - self._since, 1e-9)
        self.counter.update(self.ended, self.sources, line("speed", self.language, n=self.frames, rate=rate))
