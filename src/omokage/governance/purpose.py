"""A local log of purposes whose lines are chained by hashes: a line that is changed, moved or taken out breaks it.

    log = PurposeLog(default_log())
    log.append("search", gallery="faces.parquet", purpose="find similar smiles for study 12", asked="query.jpg")
    log.verify()                       # Verdict(entries=1, sound=True, ...)

One JSON object a line; `hash` is the SHA-256 of all its other fields, `previous` the hash of the line before. A chain
cannot see that its own end was cut off and rewritten by someone who may write the file: `head` beside the log catches
accidents, and a hash noted elsewhere (`verify(known=...)`) catches the rest.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omokage.errors import InputError, OutputError

START = "0" * 64  # what the first line names as the hash before it
VARIABLE = "OMOKAGE_PURPOSE_LOG"
_FIELDS = ("number", "when", "who", "action", "gallery", "asked", "purpose", "facts", "previous")
_WAIT_S, _STALE_S = 10.0, 60.0


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
    """The purpose without surrounding blanks. Raises InputError when there is none."""
    words = " ".join(purpose.split())
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

        Raises InputError for a purpose without words or a log whose last line is damaged, OutputError when the log
        cannot be written: then what was asked must not be done.
        """
        purpose = stated(purpose)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(self.path):
                entry = self._next(action, gallery, purpose, asked, dict(facts or {}))
                with self.path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
                    stream.write(_line(entry) + "\n")
                    stream.flush()
                    os.fsync(stream.fileno())
                self._head.write_text(f"{entry.number} {entry.hash}\n", encoding="ascii")
        except OSError as error:
            raise OutputError(
                f"the purpose log {self.path} cannot be written ({error.strerror or error}), so nothing was done; "
                f"free it or name another with {VARIABLE}"
            ) from error
        return entry

    def _next(self, action: str, gallery: str, purpose: str, asked: str, facts: Mapping[str, Any]) -> Entry:
        last = self._last()
        number, previous = (last.number + 1, last.hash) if last is not None else (1, START)
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        # A round trip through text, so that what is hashed is what a reader of the file will see.
        texts = [t.encode("utf-8", "backslashreplace").decode() for t in (_who(), action, gallery, asked, purpose)]
        plain = json.loads(json.dumps(facts, default=str, ensure_ascii=True))
        who, action, gallery, asked, purpose = texts
        bare = Entry(number, when, who, action, gallery, asked, purpose, plain, previous, "")
        return replace(bare, hash=bare.seal())

    def _last(self) -> Entry | None:
        """The last line, found from the end of the file. Raises InputError when it is damaged."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            reach = 4096
            while True:
                stream.seek(max(size - reach, 0))
                tail = stream.read().rstrip(b"\n")
                if b"\n" in tail or reach >= size:
                    break
                reach *= 4
        if not tail:
            return None
        try:
            entry = _parsed(tail.rpartition(b"\n")[2])
        except ValueError as error:
            raise InputError(f"the last line of the purpose log {self.path} is damaged: {error}; keep the file aside "
                             f"as evidence and start another with {VARIABLE}") from error  # fmt: skip
        return entry

    def entries(self) -> Iterator[Entry]:
        """The lines in order. Raises InputError when the log cannot be read or a line is no entry."""
        for number, line in enumerate(self._lines(), 1):
            try:
                yield _parsed(line)
            except ValueError as error:
                raise InputError(f"line {number} of the purpose log {self.path} is damaged: {error}") from error

    def _lines(self) -> list[bytes]:
        try:
            return self.path.read_bytes().splitlines()
        except OSError as error:
            raise InputError(f"the purpose log {self.path} cannot be read: {error.strerror or error}") from error

    def verify(self, known: str = "") -> Verdict:
        """Whether every line is the one that was written and none is missing, doubled or moved.

        `known` is the hash of any line that was noted elsewhere; it must still be in the log. Raises InputError when
        the log cannot be read.
        """
        previous, count, seen = START, 0, known in ("", START)
        for number, line in enumerate(self._lines(), 1):
            try:
                entry = _parsed(line)
            except ValueError as error:
                return Verdict(count, False, previous, f"line {number} is damaged: {error}")
            if entry.number != number or entry.previous != previous:
                return Verdict(count, False, previous, f"line {number} does not follow the line before it")
            if entry.seal() != entry.hash:
                return Verdict(count, False, previous, f"line {number} was changed after it was written")
            previous, count, seen = entry.hash, number, seen or entry.hash.startswith(known)
        if not seen:
            return Verdict(
                count, False, previous, f"no line has the known hash {known[:16]}: lines were cut off or replaced"
            )
        if self._noted() not in ("", f"{count} {previous}"):
            return Verdict(
                count, False, previous, f"the log ends at line {count}, but {self._head.name} notes another end"
            )
        return Verdict(count, True, previous)

    @property
    def _head(self) -> Path:
        return self.path.with_name(self.path.name + ".head")

    def _noted(self) -> str:
        """The end that the neighbour notes; empty when there is none."""
        try:
            return self._head.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""


def _line(entry: Entry) -> str:
    return json.dumps({name: getattr(entry, name) for name in (*_FIELDS, "hash")}, ensure_ascii=False)


def _parsed(line: bytes) -> Entry:
    """Raises ValueError when the line is no entry."""
    try:
        row = json.loads(line.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(row, dict) or set(row) != {*_FIELDS, "hash"}:
        raise ValueError("it does not have the fields of an entry")
    return Entry(**row)


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time is inside: a neighbour file that exactly one of them can make. Raises OSError."""
    lock = path.with_name(path.name + ".lock")
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            with suppress(OSError):
                if time.time() - lock.stat().st_mtime > _STALE_S:  # its maker was killed
                    lock.unlink()
                    continue
            if time.monotonic() > until:
                raise OSError(f"{lock} is held by another process") from None
            time.sleep(0.01)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
