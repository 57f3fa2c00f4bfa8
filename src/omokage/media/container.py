"""Why a video file gives no pictures, read from its first and last bytes: the decoder itself only says no.

And whether a file may lack its end. Knows MP4 and QuickTime (ISO/IEC 14496-12: `ftyp`, `moov`, `hdlr`), Matroska and
WebM (RFC 9559: codec ids, `Segment`), AVI (RIFF stream headers), FLV, ASF and the usual sound files.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import IO

_HEAD, _TAIL = 1 << 20, 4 << 20  # bytes that are looked at; an index at the end of a file lies in its last part
_SOUND = ((b"ID3", 0), (b"fLaC", 0), (b"OggS", 0), (b"WAVE", 8), (b"\xff\xfb", 0), (b"\xff\xf1", 0))
_BRANDS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MATROSKA = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"  # of Matroska: holds everything behind the header
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # its object of file properties
_END = 64  # the last bytes of a file, which are never all zero


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


def may_be_cut(path: str | Path) -> bool:
    """Whether a file whose pictures end before the stated length may lack its end.

    MP4 and AVI count the pictures themselves, so fewer are damage. Elsewhere the length is that of the longest stream,
    and sound may outlast the pictures: there the file's own structure says whether something is missing. Transport and
    program streams and Ogg state no length: what the decoder gives was read from the end that is there.
    """
    try:
        with open(path, "rb") as stream:
            head = stream.read(_HEAD)
            size = os.fstat(stream.fileno()).st_size
            stream.seek(max(size - _END, 0))
            if not any(stream.read()):
                return True  # room that was set aside and never filled
            return _cut(stream, head, size)
    except (OSError, ValueError, IndexError, struct.error):  # too short for what it begins with
        return True


def _cut(stream: IO[bytes], head: bytes, size: int) -> bool:
    if head.startswith(_MATROSKA):
        return _segment_end(head) > size
    if head.startswith(b"FLV"):
        return not _ends_with_tag(stream, size)
    if head.startswith(_ASF):
        stated = int.from_bytes(head[(at := head.find(_ASF_FILE) + 40) : at + 8], "little")
        return not 0 < stated <= size
    if head[4:8] in _BRANDS and b"mvex" in head:  # in fragments, of which the index counts none
        return _boxes_end(stream, size) != size
    packets = head[:189:188] == b"GG" or head[4:193:188] == b"GG"
    return not (packets or head.startswith((b"OggS", b"\0\0\1\xba")))


def _segment_end(head: bytes) -> float:
    """Where Matroska's segment ends; beyond any file when that is not stated."""
    at = head.find(_SEGMENT) + len(_SEGMENT)
    width = 9 - head[at].bit_length()  # the leading zero bits of the first byte say how many more follow
    number = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
    unknown = number == (1 << 7 * width) - 1
    return float("inf") if unknown or at < len(_SEGMENT) else at + width + number


def _ends_with_tag(stream: IO[bytes], size: int) -> bool:
    """Whether an FLV file ends with a whole tag: the last four bytes say how long it is, and so does its header."""
    stream.seek(size - 4)
    length = int.from_bytes(stream.read(4), "big")
    if not 11 <= length <= size - 4:
        return False
    stream.seek(size - 4 - length)
    tag = stream.read(4)
    return tag[0] & 0x1F in (8, 9, 18) and int.from_bytes(tag[1:], "big") + 11 == length


def _boxes_end(stream: IO[bytes], size: int) -> int:
    """Where the outermost boxes of an MP4 file end, beyond `size` when the last one is cut off."""
    at = 0
    while at < size:
        stream.seek(at)
        length, _ = struct.unpack(">I4s", stream.read(8))
        if length == 1:
            (length,) = struct.unpack(">Q", stream.read(8))
        if length < 8:
            return size if length == 0 else size + 1  # 0: up to the end
        at += length
    return at
