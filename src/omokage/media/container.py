"""Why a video file gives no pictures, read from its first and last bytes: the decoder itself only says no.

Knows MP4 and QuickTime (ISO/IEC 14496-12: `ftyp`, `moov`, `hdlr`), Matroska and WebM (RFC 9559: codec ids), AVI (RIFF
stream headers) and the usual sound files.
"""

from __future__ import annotations

import os
from pathlib import Path

_HEAD, _TAIL = 1 << 20, 4 << 20  # bytes that are looked at; an index at the end of a file lies in its last part
_SOUND = ((b"ID3", 0), (b"fLaC", 0), (b"OggS", 0), (b"WAVE", 8), (b"\xff\xfb", 0), (b"\xff\xf1", 0))
_BRANDS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MATROSKA = b"\x1a\x45\xdf\xa3"


def explain(path: str | Path) -> str:
    """One clause about a file that could not be opened as a video."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as stream:
            head = stream.read(_HEAD)
            stream.seek(max(len(head), size - _TAIL))
            tail = stream.read(_TAIL)
    except OSError as error:
        return f"cannot be read ({(error.strerror or str(error)).lower()})"
    if size == 0:
        return "the file is empty"
    if not any(head):
        return "the file holds only zeros: an unfinished download or copy"
    if _only_sound(head, tail):
        return "only sound, no pictures"
    if head[4:8] in _BRANDS and b"moov" not in head and b"moov" not in tail:
        return "the index is missing: the recording or download broke off before it was written"
    return "not a video that can be decoded (damaged, cut off or an unknown format)"


def _only_sound(head: bytes, tail: bytes) -> bool:
    if any(head[at : at + len(mark)] == mark for mark, at in _SOUND):
        return True
    both = head + tail
    if head[4:8] in _BRANDS:
        kinds = _handlers(both)
        return b"soun" in kinds and b"vide" not in kinds
    if head.startswith(_MATROSKA):
        return b"A_" in head and b"V_" not in head
    return head[8:12] == b"AVI " and b"auds" in head and b"vids" not in head


def _handlers(content: bytes) -> set[bytes]:
    """The kinds of tracks that MP4 handler boxes name: 4 bytes of version and flags, 4 reserved, then the kind."""
    kinds: set[bytes] = set()
    at = content.find(b"hdlr")
    while at >= 0:
        kinds.add(content[at + 12 : at + 16])
        at = content.find(b"hdlr", at + 4)
    return kinds
