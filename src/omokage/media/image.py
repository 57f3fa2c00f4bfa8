"""Decode one picture to RGB uint8, upright. The only place where colour channels are swapped and EXIF orientation is
applied.

Plain 8-bit JPEG goes through OpenCV (about three times faster than PIL); everything else through PIL. Colour profiles
are not applied: pixels are taken as sRGB. Transparent pixels are laid over white.
"""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from omokage.errors import InputError, UnreadableError

BYTE_LIMIT = 1 << 30  # of a file; far above what any picture within the limit of pixels needs
PIXEL_LIMIT = 89_000_000  # just below the size at which PIL itself begins to warn of decompression bombs
_ORIENTATION = 0x0112
# What a picture may be given as in Python: a path, encoded bytes, RGB uint8 pixels (h, w, 3), an opened Pillow image.
PictureLike = str | os.PathLike[str] | bytes | NDArray[np.uint8] | Image.Image


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture (h, w, 3) RGB uint8; `note` says what the reader left out (empty: nothing)."""

    pixels: NDArray[np.uint8]
    note: str = ""


def pixels_of(image: PictureLike) -> NDArray[np.uint8]:
    """Pixels (h, w, 3), RGB uint8, upright, of a picture given in any way. Raises UnreadableError for one that cannot
    be decoded, InputError for other arrays and other objects."""
    if isinstance(image, np.ndarray):
        return _checked(image)
    if isinstance(image, Image.Image):
        return of_pillow(image)
    if isinstance(image, str | bytes | os.PathLike):
        return read_image(image)
    raise _no_picture(image)


def _no_picture(image: object) -> InputError:
    return InputError(
        f"a {type(image).__name__} is no picture: give a path, encoded bytes, RGB uint8 pixels or a Pillow image, and "
        "several pictures to analyze_many"
    )


def name_of(image: PictureLike) -> str:
    """The path of a picture as text; empty where it was not given by a path."""
    return os.fsdecode(image) if isinstance(image, str | os.PathLike) else ""


def _checked(image: NDArray) -> NDArray[np.uint8]:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        empty = "an empty array, " if image.size == 0 else ""
        raise InputError(
            f"pixels must be RGB uint8 of shape (height, width, 3), not {empty}{image.dtype} {image.shape}"
        )
    return image


def read_image(source: str | os.PathLike[str] | bytes) -> NDArray[np.uint8]:
    """Pixels (h, w, 3), RGB uint8, upright, of a file or of encoded bytes.

    Raises UnreadableError with the reason when the file is missing, empty, truncated, no picture, or above
    `PIXEL_LIMIT` pixels (refused from the header alone, without decoding); InputError for other objects.
    """
    return read_picture(source).pixels


def read_picture(source: str | os.PathLike[str] | bytes) -> Picture:
    """As `read_image`, with a note where only a part was read (the first frame of an animation)."""
    if isinstance(source, bytes):
        return decode(source, "the picture")
    if not isinstance(source, str | os.PathLike):
        raise _no_picture(source)
    return decode(read_bytes(source), os.fsdecode(source))


def read_bytes(file: str | os.PathLike[str]) -> bytes:
    """The content of a file. Raises UnreadableError when it is missing, unreadable, empty, above `BYTE_LIMIT`, or no
    regular file: reading from a pipe may wait for ever, and a device may never end."""
    path = os.fsdecode(file)
    if not path:
        raise UnreadableError("the path is an empty text: name a file")
    if "\0" in path:
        raise UnreadableError(f"{path}: a path cannot hold a null byte")
    try:
        _check_file(path, Path(path).stat())
        content = Path(path).read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if not content:
        raise UnreadableError(f"{path}: the file is empty (0 bytes)")
    return content


def _check_file(path: str, state: os.stat_result) -> None:
    if not (stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode)):  # the system has words for a folder
        raise UnreadableError(f"{path}: a pipe or a device, no file; save the picture as a file first")
    if state.st_size > BYTE_LIMIT:
        raise UnreadableError(f"{path}: over the limit of {BYTE_LIMIT >> 30} GiB; make the picture smaller first")


def of_pillow(image: Image.Image) -> NDArray[np.uint8]:
    """Pixels (h, w, 3), RGB uint8, upright, of an opened Pillow image, as if its file had been read. Raises
    UnreadableError."""
    name = "the picture"
    try:
        _check_size(image.size, name)
        image.load()
        return upright(_to_rgb(image), _orientation(image))
    except UnreadableError:
        raise
    except Exception as error:  # Pillow reads only now, with the many errors that `decode` knows
        raise UnreadableError(f"{name}: damaged picture ({_one_line(error)})") from error


def decode(content: bytes, name: str) -> Picture:
    """Decode encoded bytes; `name` is for error texts. Raises UnreadableError."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            _check_size(image.size, name)
            if image.format in ("JPEG", "MPO") and image.mode in ("RGB", "L"):
                return Picture(upright(_decode_jpeg(content, name), _orientation(image)))
            image.load()
            turn = _orientation(image)  # asked only now: PIL's TIFF reader has undone and cleared it while loading
            frames = int(getattr(image, "n_frames", 1))
            note = f"first of {frames} frames" if frames > 1 else ""
            return Picture(upright(_to_rgb(image), turn), note)
    except UnidentifiedImageError as error:
        raise UnreadableError(f"{name}: {_unknown(content)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableError(
            f"{name}: more than {PIXEL_LIMIT // 1_000_000} million pixels; make it smaller first"
        ) from error
    except UnreadableError:
        raise
    except Exception as error:  # PIL's plugins raise many kinds (struct.error, SyntaxError, ...) on damaged content
        raise UnreadableError(f"{name}: damaged picture ({_one_line(error)})") from error


_HEIF = {b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"heim": "HEIC", b"heis": "HEIC", b"mif1": "HEIF",
         b"msf1": "HEIF", b"avif": "AVIF", b"avis": "AVIF"}  # fmt: skip


def _unknown(content: bytes) -> str:
    """Why bytes that no reader took are no picture here: brands of ISO/IEC 23008-12 are known by name."""
    kind = _HEIF.get(content[8:12]) if content[4:8] == b"ftyp" else None
    if kind is None:
        return "not a picture in a known format"
    return f"pictures in the format {kind} cannot be read here; convert it to JPEG first"


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo the EXIF orientation 1..8 of stored pixels (h, w, 3)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """RGB pixels (h, w, 3) as JPEG bytes."""
    import cv2

    ok, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    return bytes(data)


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > PIXEL_LIMIT:
        limit = PIXEL_LIMIT // 1_000_000
        raise UnreadableError(
            f"{name}: {width} x {height} pixels is over the limit of {limit} million; make it smaller first"
        )


def _orientation(image: Image.Image) -> int:
    try:
        value = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF must not cost the picture
        return 1
    return value if 1 <= value <= 8 else 1


def _decode_jpeg(content: bytes, name: str) -> NDArray[np.uint8]:
    import cv2

    # OpenCV fills the missing part of a truncated file with grey and says nothing. Inside compressed data the byte FF
    # is always followed by 00 or a restart mark, so a complete file has an end mark behind its last start-of-scan
    # mark.
    if content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda"):
        raise UnreadableError(f"{name}: truncated JPEG (the end is missing); copy or download it again")
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if pixels is None:
        raise UnreadableError(f"{name}: damaged JPEG; copy or download it again")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels), np.uint8)


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """The first frame of any PIL picture as RGB uint8."""
    if image.mode.startswith(("I", "F")):
        grey = _eight_bits(np.asarray(image))
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", coloured.size, (255, 255, 255, 255)), coloured)
    return np.array(image.convert("RGB"), np.uint8)


def _eight_bits(values: NDArray) -> NDArray[np.uint8]:
    """Grey values of 16-bit, 32-bit or float pictures on the 8-bit scale (PIL's own conversion clips instead of
    scaling)."""
    wide = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)  # float pictures mark gaps by NaN
    top = float(wide.max(initial=0.0))
    if values.dtype.kind == "f":
        scale = 255.0 if top <= 1.0 else 1.0 if top <= 255.0 else 255.0 / 65535.0
    else:
        # Integer modes wider than 8 bits come from 16-bit files; only a genuine 32-bit file goes beyond.
        scale = 255.0 / max(top, 65535.0)
    return np.clip(np.rint(wide * scale), 0, 255).astype(np.uint8)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.replace(os.linesep, " ")[:160]
