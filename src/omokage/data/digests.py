"""Whether a folder still holds the records that a run began with: told from the shards' ends, pictures unread."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from omokage.data.records import shards
from omokage.errors import RecordError

_TAIL = 8  # bytes that end a parquet file: the length of its metadata, and a mark


def digest(folder: str | Path) -> str:
    """Changes with the names, sizes and metadata (rows, columns, their least and largest values) of a folder's shards.
    Raises RecordError when there are none or they cannot be read."""
    found = 0
    for path in shards(Path(folder)):
        try:
            with path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(size - _TAIL, 0))
                length = int.from_bytes(file.read(4), "little")
                file.seek(max(size - _TAIL - length, 0))
                found = crc32(f"{path.name} {size}".encode() + file.read(), found)
        except OSError as error:
            raise RecordError(f"{path} cannot be read as a record shard: {error}") from error
    return f"{found:08x}"
