"""Rows of work done so far as JSON lines beside an output: added to as work goes on, read back when it is resumed.

The first line says what the work is; a last line that was cut short by a kill is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omokage.errors import InputError
from omokage.media.files import check_writable, output_error

_HINT = "work done so far is kept: run the same command with --resume"


class Lines:
    """The unfinished rows of `out`, in ``<out>.parts``; `rows` are those that are done.

    `identity` is everything that the rows depend on besides their input. Raises InputError when there is unfinished
    work and `resume` is off, or when it was begun with another identity; OutputError when it cannot be written.
    """

    def __init__(self, out: Path, identity: Mapping[str, Any], resume: bool) -> None:
        check_writable(out)
        self.out, self.path = out, out.with_name(out.name + ".parts")
        self.rows: list[dict[str, Any]] = []
        same = json.loads(json.dumps(identity))
        if self.path.exists():
            if not resume:
                raise InputError(
                    f"{self.path} holds unfinished work for this output: add --resume to go on, or delete it"
                )
            self.rows = self._recalled(same)
        else:
            self._add([same], "w")

    def _recalled(self, identity: Mapping[str, Any]) -> list[dict[str, Any]]:
        whole = self.path.read_text(encoding="utf-8").split("\n")[:-1]
        if not whole or json.loads(whole[0]) != identity:
            raise InputError(
                f"{self.out} was begun with other inputs, models or options: use the same, or another file"
            )
        with self.path.open("w", encoding="utf-8") as file:
            file.write("\n".join(whole) + "\n")
        return [json.loads(line) for line in whole[1:]]

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep some more rows. Raises OutputError; what was there before stays."""
        self._add(rows, "a")
        self.rows += [dict(row) for row in rows]

    def _add(self, rows: Sequence[Mapping[str, Any]], mode: str) -> None:
        try:
            with self.path.open(mode, encoding="utf-8") as file:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        except OSError as error:
            raise output_error(self.path, error, _HINT) from error

    def close(self) -> None:
        """The output is written: forget the parts."""
        self.path.unlink(missing_ok=True)
