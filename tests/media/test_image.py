"""Pictures of every make come out as the same upright RGB uint8 pixels; what is no picture says why."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from omokage.errors import InputError, UnreadableError
from omokage.media.image import BYTE_LIMIT, PIXEL_LIMIT, encode_jpeg, of_pillow, read_image, read_picture, upright

# What a camera in each position stores, told by PIL's own names for the way back to upright.
_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def scene(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A smooth picture without any symmetry, which survives JPEG nearly unchanged."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x + 2 * y) * 255 // (width + 2 * height)], -1).astype(
        np.uint8
    )


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def off(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_all_orientations_give_the_same_picture(orientation: int, kind: str) -> None:
    image = Image.fromarray(scene())
    way = _STORED[orientation]
    stored = image if way is None else image.transpose(way)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    got = read_image(encoded(stored, kind, exif=exif, **options))
    assert got.shape == (48, 64, 3)
    assert off(got, scene()) < 2


@given(st.integers(1, 8))
def test_upright_agrees_with_pil(orientation: int) -> None:
    image = Image.fromarray(scene(6, 9))
    exif = image.getexif()
    exif[0x0112] = orientation
    from PIL import ImageOps

    expected = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(upright(scene(6, 9), orientation), expected)


def test_colours_are_not_swapped_on_either_path() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    for content in (encode_jpeg(red, 95), encoded(Image.fromarray(red), "JPEG"), encoded(Image.fromarray(red), "PNG")):
        assert off(read_image(content), red) < 3


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "CMYK", "YCbCr", "HSV", "LAB"])
def test_modes_become_rgb(mode: str) -> None:
    image = Image.fromarray(scene()).convert(mode)
    kind = {"CMYK": "JPEG", "YCbCr": "JPEG", "HSV": "TIFF", "LAB": "TIFF"}.get(mode, "PNG")
    if mode == "HSV":
        image = image.convert("RGB")
    got = read_image(encoded(image, kind))
    assert got.shape == (48, 64, 3)
    assert got.dtype == np.uint8
    if mode in ("CMYK", "YCbCr", "RGBA"):
        assert off(got, scene()) < 6
    if mode in ("L", "LA"):
        assert off(got[..., 0], np.asarray(Image.fromarray(scene()).convert("L"))) < 1


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    wide = np.linspace(0, 65535, 48 * 64).reshape(48, 64).astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        got = read_image(encoded(Image.fromarray(wide), kind))
        assert off(got[..., 0], (wide / 257).astype(np.uint8)) < 1
        assert np.array_equal(got[..., 0], got[..., 2])


def test_sixteen_bit_colour() -> None:
    import cv2

    ok, content = cv2.imencode(".png", (scene()[..., ::-1].astype(np.uint16) * 257))
    assert ok
    assert off(read_image(bytes(content)), scene()) < 1.5


def test_floats_between_0_and_1() -> None:
    grey = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(48, 64)
    assert off(read_image(encoded(Image.fromarray(grey), "TIFF"))[..., 0], (grey * 255).astype(np.uint8)) < 1


def test_transparency_lies_over_white() -> None:
    clear = np.zeros((8, 8, 4), np.uint8)
    assert (read_image(encoded(Image.fromarray(clear), "PNG")) == 255).all()


def test_animation_gives_its_first_frame_and_says_so() -> None:
    first, second = Image.fromarray(scene()), Image.fromarray(255 - scene())
    picture = read_picture(encoded(first, "GIF", save_all=True, append_images=[second], duration=100))
    assert picture.note == "first of 2 frames"
    assert off(picture.pixels, scene()) < 30
    assert read_picture(encoded(first, "GIF")).note == ""


def test_a_huge_header_is_refused_without_decoding() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(UnreadableError, match=f"{PIXEL_LIMIT // 1_000_000} million"):
        read_image(content)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95, 0.999])
def test_truncated_jpeg_is_never_taken_for_a_whole_one(share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    content = encode_jpeg(noise)
    with pytest.raises(UnreadableError):
        read_image(content[: int(len(content) * share)])


def test_truncated_jpeg_with_a_thumbnail_inside() -> None:
    exif = Image.Exif()
    exif[0x010E] = "description"
    thumbnail = encode_jpeg(scene(8, 8))
    content = encoded(Image.fromarray(scene(256, 256)), "JPEG", exif=exif.tobytes() + thumbnail)
    assert read_image(content).shape == (256, 256, 3)
    with pytest.raises(UnreadableError, match="truncated"):
        read_image(content[:-40])


def test_bytes_behind_the_end_do_no_harm() -> None:
    assert read_image(encode_jpeg(scene()) + b"\0" * 500 + b"camera maker's trailer").shape == (48, 64, 3)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF", "BMP", "WEBP"])
def test_other_truncated_formats(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    content = encoded(noise, kind)
    with pytest.raises(UnreadableError):
        read_image(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"these are words, not pixels", "not a picture"),
        (b"\xff\xd8\xff", "picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC cannot be read here; convert it to JPEG"),
    ],
)
def test_what_is_no_picture_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "words.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=why) as raised:
        read_image(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_files_and_folders_say_why(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no such file"):
        read_image(tmp_path / "gone.jpg")
    with pytest.raises(UnreadableError, match="directory"):
        read_image(tmp_path)


@pytest.mark.parametrize("name", ["面影.jpg", "späte größe.png", "a b'c\".jpg", "🙂.jpg"])
def test_names_beyond_ascii(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.fromarray(scene()).save(path)
    assert read_image(path).shape == (48, 64, 3)


@given(st.binary(max_size=400))
def test_random_bytes_never_raise_anything_else(content: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        read_image(content)


@given(st.integers(0, 2000), st.integers(0, 255))
def test_one_flipped_byte_never_raises_anything_else(at: int, value: int) -> None:
    content = bytearray(encoded(Image.fromarray(scene()), "PNG"))
    content[at % len(content)] = value
    with contextlib.suppress(UnreadableError):
        read_image(bytes(content))


def test_an_opened_picture_is_read_as_its_file_is() -> None:
    clear = np.zeros((5, 6, 4), np.uint8)
    wide = np.full((5, 6), 130 * 257, np.uint16)
    lying = Image.fromarray(scene(6, 9))
    exif = lying.getexif()
    exif[0x0112] = 6
    for content in (
        encoded(Image.fromarray(clear), "PNG"), encoded(Image.fromarray(wide), "PNG"),
        encoded(lying, "PNG", exif=exif.tobytes()),
    ):  # fmt: skip
        assert np.array_equal(of_pillow(Image.open(io.BytesIO(content))), read_image(content))
    cut = encoded(Image.fromarray(scene(64, 64)), "PNG")
    with pytest.raises(UnreadableError, match="the picture: damaged picture"):
        of_pillow(Image.open(io.BytesIO(cut[: len(cut) // 2])))


def test_gaps_of_a_float_picture_leave_the_rest() -> None:
    grey = np.full((4, 5), 0.5, np.float32)
    grey[0, 0] = np.nan
    got = read_image(encoded(Image.fromarray(grey), "TIFF"))
    assert (got[1:] == 128).all()
    assert (got[0, 0] == 0).all()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
@pytest.mark.parametrize("what", ["pipe", "endless"])
def test_what_is_no_file_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = tmp_path / "a.jpg"
    os.mkfifo(path) if what == "pipe" else path.symlink_to("/dev/zero")
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(UnreadableError, match="a pipe or a device, no file; save"):
        read_image(path)


def test_an_enormous_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    with path.open("wb") as stream:
        stream.truncate(BYTE_LIMIT + 1)  # takes no room on the disk
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(UnreadableError, match="over the limit of 1 GiB; make"):
        read_image(path)


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="is a directory"):
        read_image(tmp_path)


@pytest.mark.parametrize("other", [None, 3, io.BytesIO(b"x"), bytearray(b"x")])
def test_what_is_no_picture_is_told_by_its_kind(other: object) -> None:
    with pytest.raises(InputError, match=f"a {type(other).__name__} is no picture"):
        read_image(other)  # type: ignore[arg-type]
