"""What a name of weights stands for at this moment, as a key for what was opened from it.

A folder may be written anew under its name, and a relative path means another folder after a change of directory. So
what is kept open is kept by where it lies and by what its cards say:

@lru_cache(maxsize=2)
def _opened(weights: Identity, device: str | None) -> Network:
    return Network(weights.given, device)

def open_network(weights: str | Path | None = None, device: str | None = None) -> Network:
    return _opened(identity(weights), device)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from omokage.errors import WeightsError
from omokage.weights import registry


@dataclass(frozen=True, slots=True)
class Identity:
    """Equal, and of one hash, for weights of one place and content, however they were named.

    `place` is the resolved folder, or the name itself where there is no folder (an id of Hugging Face). `files` holds
    a name and a mark of each file: of a card or another JSON file its sha256, of any other its size in bytes and the
    time of its last change, since tensors are large and have their hash in the card. `given` is the name as it was
    given, to open the weights by; it does not count when identities are compared.
    """

    place: str
    files: tuple[tuple[str, str], ...]
    given: str | Path | None = field(compare=False)


def identity(weights: str | Path | None) -> Identity:
    """Which weights a shipped set's name, a folder or another name stands for; None is the default set. Reads the
    cards, not the tensors, and raises nothing: what cannot be opened is for the opener to say."""
    wanted = registry.DEFAULT_SET if weights is None else weights
    try:
        folder = registry.folder_of(wanted)
        return Identity(str(folder.resolve()), _files(folder), weights)
    except (WeightsError, OSError, ValueError):  # no folder, one that may not be read, a name that no path can have
        pass
    return Identity(str(wanted), (), weights)


def _files(folder: Path) -> tuple[tuple[str, str], ...]:
    """Names and marks of a set's files, with those of the base set, which a shipped set borrows from."""
    borrows = folder.parent == registry.HOME and folder.name != registry.BASE_SET
    return _marks(folder) + (_marks(registry.HOME / registry.BASE_SET) if borrows else ())


def _marks(folder: Path) -> tuple[tuple[str, str], ...]:
    """Name and mark of each file of a folder, by name."""
    return tuple((path.name, _mark(path)) for path in sorted(folder.iterdir()) if path.is_file())


def _mark(path: Path) -> str:
    if path.suffix == ".json":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    state = path.stat()
    return f"{state.st_size} {state.st_mtime_ns}"
