"""One process at a time beside a file that several may write."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

_WAIT_S, _STALE_S = 10.0, 60.0


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Only one process at a time is inside. Raises OSError."""
    lock = path.with_name(path.name + ".lock")
    with _locked(lock) if fcntl is not None else _made(lock):
        yield


@contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """The system's own lock, which ends with the process that holds it; the file stays, empty."""
    until = time.monotonic() + _WAIT_S
    place = os.open(lock, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        while True:
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                _wait(lock, until)
        yield
    finally:
        os.close(place)


@contextmanager
def _made(lock: Path) -> Iterator[None]:
    """A file that exactly one process can make, for systems without such locks."""
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
            _wait(lock, until)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()


def _wait(lock: Path, until: float) -> None:
    if time.monotonic() > until:
        raise OSError(f"{lock} is held by another process")
    time.sleep(0.01)
