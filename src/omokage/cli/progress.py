"""A progress bar on standard error, on a terminal, for work that takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omokage.media.table import Reading

PATIENCE_S = 2.0


class Progress:
    """A context manager; `step` is called for every reading. Silent when standard error is no terminal."""

    def __init__(self, sources: int) -> None:
        self.sources, self.frames, self.ended = sources, 0, 0
        self._since = time.monotonic()
        self._wanted = sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, reading: Reading) -> None:
        """Count one picture or video frame."""
        self.frames += not reading.silent
        self.ended += reading.last
        if not self._wanted:
            return
        if self._bar is None and time.monotonic() - self._since > PATIENCE_S:
            self._open()
        if self._bar is not None:
            rate = self.frames / max(time.monotonic() - self._since, 1e-9)
            self._bar.update(self._task, completed=self.ended, description=f"{self.frames} read, {rate:.0f}/s")

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=self.sources)
        self._bar.start()
