"""A local log of purposes whose lines are chained by hashes: a line that is changed, moved or taken out breaks it.

    log = PurposeLog(default_log())
    log.append("search", gallery="faces.parquet", purpose="find similar smiles for study 12", asked="query.jpg")
    log.verify()                       # Verdict(entries=1, sound=True, ...)

One JSON object a line; `hash` is the SHA-256 of all its other fields, `previous` the hash of the line before. A chain
cannot see that its own end was cut off: ``<log>.head`` beside the log notes the end, and nothing is appended where the
two disagree. Somebody who can rewrite both files is noticed only by a hash noted elsewhere (`verify(known=...)`).
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omokage.errors import InputError, OutputError
from omokage.governance.locks import alone
from omokage.media.controls import CONTROLS

try:
    import pwd
except ImportError:  # Windows has none
    pwd = None  # type: ignore[assignment]

START = "0" * 64  # what the first line names as the hash before it
VARIABLE = "OMOKAGE_PURPOSE_LOG"
_FIELDS = ("number", "when", "who", "action", "gallery", "asked", "purpose", "facts", "previous")
_NO_TEXT = ("number", "facts")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `when` in UTC (ISO 8601), `who` as the operating system names them, `facts` further plain values."""

    number: int
    when: str
    who: str
    action: str
    gallery: str
    asked: str
    purpose: str
    facts: Mapping[str, Any]
    previous: str
    hash: str

    def seal(self) -> str:
        """The hash that belongs to the other fields."""
        fields = {name: getattr(self, name) for name in _FIELDS}
        text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain holds; `problem` says in one sentence where it first breaks, empty when it is sound."""

    entries: int
    sound: bool
    head: str
    problem: str = ""


def default_log() -> Path:
    """The file that `OMOKAGE_PURPOSE_LOG` names, else ``purpose.jsonl`` in the user's folder for state."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "omokage" / "purpose.jsonl"


def stated(purpose: str) -> str:
    """The purpose without surrounding blanks. Raises InputError when there is none, or one that would act on the
    terminal of whoever lists the log."""
    words = " ".join(purpose.split())
    if found := CONTROLS.search(words):
        raise InputError(f"the purpose {words!a} holds the control character {found[0]!a}: state it in plain text")
    if not any(c.isalnum() for c in words):
        raise InputError(
            "a purpose is needed in words: add --purpose, for example --purpose 'pilot 3, consent form 2b'"
        )
    return words


class PurposeLog:
    """A log file; it is made, with its folder, at the first `append`. Several processes may append at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(
        self, action: str, gallery: str, purpose: str, asked: str = "", facts: Mapping[str, Any] | None = None
    ) -> Entry:
        """Add one line, flushed to disk before this returns.

        Raises InputError for a purpose without words and for a log that is damaged, shortened or gone, OutputError when
        the log cannot be written: then what was asked must not be done.
        """
        purpose = stated(purpose)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with alone(self.path):
                last, ended = self._last()
                self._check_end(last)
                entry = self._next(last, action, gallery, purpose, asked, dict(facts or {}))
                self._write(entry, ended)
        except OSError as error:
            raise OutputError(
                f"the purpose log {self.path} cannot be written ({error.strerror or error}), so nothing was done; "
                f"free it or name another with {VARIABLE}"
            ) from error
        return entry

    def _check_end(self, last: Entry | None) -> None:
        """Raises InputError where the log is not what its head notes: a line more would hide what was cut off."""
        noted = self._noted()
        if noted is None and last is None:
            self._note(0, START)  # from now on a log without a head has lost it
            return
        problem = self._end_problem(noted, last)
        if problem:
            raise InputError(
                f"the purpose log {self.path} was changed from outside: {problem}; nothing was done, move both files "
                f"aside as evidence or name another log with {VARIABLE}"
            )

    def _end_problem(self, noted: str | None, last: Entry | None) -> str:
        """How the log's last line disagrees with what its head notes; empty when it does not."""
        number, end, before = (last.number, last.hash, last.previous) if last is not None else (0, START, START)
        if noted is None:
            return f"{self._head.name}, which notes its end, is gone" if number else ""
        # One behind is what a process leaves that was killed between writing its line and noting it.
        if noted in (f"{number} {end}", f"{number - 1} {before}"):
            return ""
        what = f"it ends at line {number}" if self.path.exists() else "the log is gone"
        return f"{what}, but {self._head.name} notes another end"

    def _write(self, entry: Entry, ended: bool) -> None:
        """The line and then its note; when the disk refuses either, the log is again as it was. Raises OSError."""
        size = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("ab") as stream:
                stream.write((b"" if ended else b"\n") + _line(entry) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            self._note(entry.number, entry.hash)
        except OSError:
            with suppress(OSError):  # part of a line would damage the log for good
                os.truncate(self.path, size)
            raise

    def _note(self, number: int, end: str) -> None:
        """Write the head, whole or not at all. Raises OSError."""
        partial = self._head.with_name(self._head.name + ".tmp")
        with partial.open("wb") as stream:
            stream.write(f"{number} {end}\n".encode())
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, self._head)

    def _next(
        self, last: Entry | None, action: str, gallery: str, purpose: str, asked: str, facts: Mapping[str, Any]
    ) -> Entry:
        number, previous = (last.number + 1, last.hash) if last is not None else (1, START)
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        # A round trip through text, so that what is hashed is what a reader of the file will see.
        texts = [t.encode("utf-8", "backslashreplace").decode() for t in (_who(), action, gallery, asked, purpose)]
        plain = json.loads(json.dumps(facts, default=str, ensure_ascii=True))
        who, action, gallery, asked, purpose = texts
        bare = Entry(number, when, who, action, gallery, asked, purpose, plain, previous, "")
        return replace(bare, hash=bare.seal())

    def _last(self) -> tuple[Entry | None, bool]:
        """The last line, found from the end of the file, and whether it ends in a newline. Raises InputError when it
        is damaged."""
        if not self.path.exists():
            return None, True
        with self.path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            reach = 4096
            while True:
                stream.seek(max(size - reach, 0))
                tail = stream.read()
                if b"\n" in tail[:-1] or reach >= size:
                    break
                reach *= 4
        if not tail:
            return None, True
        try:
            return _sound(tail.removesuffix(b"\n").rpartition(b"\n")[2]), tail.endswith(b"\n")
        except ValueError as error:
            raise InputError(f"the last line of the purpose log {self.path} is damaged: {error}; keep the file aside "
                             f"as evidence and start another with {VARIABLE}") from error  # fmt: skip

    def entries(self) -> Iterator[Entry]:
        """The lines in order. Raises InputError when the log cannot be read or a line is no entry."""
        for number, line in enumerate(self._lines(), 1):
            try:
                yield _parsed(line)
            except ValueError as error:
                raise InputError(f"line {number} of the purpose log {self.path} is damaged: {error}") from error

    def _lines(self) -> list[bytes]:
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise InputError(f"the purpose log {self.path} cannot be read: {error.strerror or error}") from error
        return content.removesuffix(b"\n").split(b"\n") if content else []

    def verify(self, known: str | None = None) -> Verdict:
        """Whether every line is the one that was written and none is missing, doubled or moved.

        `known` is the hash of any line that was noted elsewhere; it must still be in the log. Raises InputError when
        the log cannot be read, and for a `known` without a hash.
        """
        if known is not None and not known.strip():
            raise InputError(
                "the known hash is empty: give one that a command printed, or leave --known away (is a variable unset?)"
            )
        try:
            noted = self._noted()  # before the lines, which another process may be adding to
        except OSError as error:
            raise InputError(f"{self._head} cannot be read: {error.strerror or error}") from error
        if noted is not None and not self.path.exists():
            problem = self._end_problem(noted, None)
            return Verdict(0, not problem, START, problem)
        return self._verified(noted, known)

    def _verified(self, noted: str | None, known: str | None) -> Verdict:
        last, seen = None, known in (None, START)
        for number, line in enumerate(self._lines(), 1):
            previous = last.hash if last is not None else START
            try:
                entry = _sound(line)
            except ValueError as error:
                return Verdict(number - 1, False, previous, f"line {number} is damaged: {error}")
            if entry.number != number or entry.previous != previous:
                return Verdict(number - 1, False, previous, f"line {number} does not follow the line before it")
            last, seen = entry, seen or entry.hash.startswith((known or "").strip())
        count, end = (last.number, last.hash) if last is not None else (0, START)
        if not seen:
            return Verdict(
                count, False, end, f"no line has the known hash {(known or '')[:16]}: lines were cut off or replaced"
            )
        problem = self._end_problem(noted, last)
        return Verdict(count, not problem, end, problem)

    @property
    def _head(self) -> Path:
        return self.path.with_name(self.path.name + ".head")

    def _noted(self) -> str | None:
        """The end that the neighbour notes; None when there is no neighbour. Raises OSError."""
        try:
            return self._head.read_bytes().decode("ascii", "backslashreplace").strip()
        except FileNotFoundError:
            return None


def _line(entry: Entry) -> bytes:
    fields = {name: getattr(entry, name) for name in (*_FIELDS, "hash")}
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _parsed(line: bytes) -> Entry:
    """Raises ValueError when the line is no entry."""
    try:
        row = json.loads(line.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(row, dict) or set(row) != {*_FIELDS, "hash"}:
        raise ValueError("it does not have the fields of an entry")
    texts = all(isinstance(row[name], str) for name in row if name not in _NO_TEXT)
    if not texts or type(row["number"]) is not int or not isinstance(row["facts"], dict):
        raise ValueError("it does not have the fields of an entry")
    return Entry(**row)


def _sound(line: bytes) -> Entry:
    """The entry of a line that is as it was written. Raises ValueError."""
    entry = _parsed(line)
    # A key given twice, or another spelling of the same values, would leave the hash as it is.
    if entry.seal() != entry.hash or _line(entry) != line:
        raise ValueError("it was changed after it was written")
    return entry


def _who() -> str:
    """The user's name; not from the environment, where everybody can set it, if the system itself knows."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name if pwd is not None else getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
