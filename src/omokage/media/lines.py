"""Rows of work done so far as JSON lines beside an output: added to as work goes on, read back when it is resumed.

The first line says what the work is; a last line that was cut short by a kill is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omokage.errors import InputError
from omokage.media.files import check_writable, output_error

_HINT = "work done so far is kept: run the same command with --resume"


class Lines:
    """The unfinished rows of `out`, in ``<out>.parts``; `done` is how many there are. Without a row there is no file.

    `identity` is everything that the rows depend on besides their input, `of` says in words what it names besides
    options. Raises InputError when there is unfinished work and `resume` is off, when it was begun with another
    identity or is damaged; OutputError when it cannot be written.
    """

    def __init__(self, out: Path, identity: Mapping[str, Any], resume: bool, of: str = "inputs, models") -> None:
        check_writable(out)
        self.out, self.path = out, out.with_name(out.name + ".parts")
        self.done = 0
        self._identity = json.loads(json.dumps(identity))
        if self.path.exists():
            if not resume:
                raise InputError(
                    f"{self.path} holds unfinished work for this output: add --resume to go on, or delete it"
                )
            self._recall(of)

    def _recall(self, of: str) -> None:
        with self.path.open("rb+") as file:
            head = file.readline()
            if not head.endswith(b"\n"):  # the very first write was cut short
                file.truncate(0)
                return
            if self._parsed(head) != self._identity:
                raise InputError(f"{self.out} was begun with other {of} or options: use the same, or another file")
            end = len(head)
            for line in file:
                if line.endswith(b"\n"):
                    self._parsed(line)
                    self.done, end = self.done + 1, end + len(line)
            file.truncate(end)

    def _parsed(self, line: bytes) -> Any:
        try:
            return json.loads(line)
        except ValueError as error:  # not of a kill, which only cuts the end off
            raise InputError(f"{self.path} is damaged: delete it and begin again without --resume") from error

    def read(self) -> Iterator[dict[str, Any]]:
        """The rows that are done, one after the other: memory stays flat."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            file.readline()
            yield from map(json.loads, file)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep some more rows. Raises OutputError; what was there before stays."""
        if not rows:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                head = [] if file.tell() else [self._identity]
                file.writelines(json.dumps(row) + "\n" for row in [*head, *rows])
        except OSError as error:
            raise output_error(self.path, error, _HINT) from error
        self.done += len(rows)

    def close(self) -> None:
        """The output is written: forget the parts."""
        self.path.unlink(missing_ok=True)
