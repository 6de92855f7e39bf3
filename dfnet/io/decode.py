"""The pixels of a photo's file. The content counts, not the name's ending; all files may lie."""

import struct
import tokenize
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import ExifTags, Image

from dfnet.errors import InputError
from dfnet.io.colour import pillow_to_srgb
from dfnet.io.heic import HeicImage, is_heic
from dfnet.io.metadata import Metadata, metadata_of, parts_lost
from dfnet.io.phone_formats import DNG, decode_dng
from dfnet.io.png import SIGNATURE, only_pixels
from dfnet.io.tiff_tags import read_tags, write_tags

MIN_SIDE_PX = 64
MAX_PIXELS = 220_000_000
MAX_PIXELS_PER_BYTE = 10_000  # photos have 0.3 to 30; an empty PNG of one bit has 8256
MAX_FILE_BYTES = 1 << 30  # 16-bit TIFFs of 100 megapixels are smaller
# Pillow's others have seen less hostile files; PPM is what stereo benchmarks come in.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "PPM")
TIFF_MAGIC = (b"II*\0", b"MM\0*")
DNG_VERSION = 0xC612
Image.MAX_IMAGE_PIXELS = None  # phones take 200 megapixels; MAX_PIXELS is checked here
# What decoders raise on damage.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    tokenize.TokenError,  # of NumPy, for a file's head
    zlib.error,
    cv2.error,
)


class Decoded(NamedTuple):
    """A file's picture.

    Attributes:
        pixels: (H, W, 3) RGB, uint8 or uint16, upright, in the colours of `metadata.icc`.
        metadata: beside the pixels; a profile that was already applied is left out.
        notes: for people.
    """

    pixels: np.ndarray
    metadata: Metadata
    notes: tuple[str, ...] = ()


def decode(path: Path, frame: int | None = None) -> Decoded:
    """A picture of a file.

    Args:
        path: of the file.
        frame: which picture of a file that holds several; its main one when None.

    Raises:
        InputError: the file is missing, no image, truncated, too small or absurdly large.
    """
    check_readable(path)
    try:
        if _is_raw(path):
            return _decode_raw(path)
        with open_picture(path, frame) as image:
            if image.format == "TIFF" and DNG_VERSION in image.tag_v2:
                return _decode_raw(path)
            _refuse_unusable(path, image)
            return _decode_picture(path, image)
    except InputError:
        raise
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def read_about(path: Path | str) -> tuple[Metadata, tuple[str, ...]]:
    """What a photo's file says beside its pixels, and notes on what it holds beside the photo.

    Raises:
        InputError: the file is missing or no image.
    """
    path = Path(path)
    check_readable(path)
    try:
        if _is_raw(path):
            return _about_raw(path)
        with open_picture(path) as image:
            _refuse_unusable(path, image)
            if image.format == "PNG":  # text may come after the pixels
                image.load()
            return _about(image, path.read_bytes())
    except InputError:
        raise
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def check_readable(path: Path) -> None:
    """Refuse what is no file of a photo's size.

    Raises:
        InputError: missing, a folder, empty, or larger than any photo.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a photo\n  Name a file in it.")
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  Check the spelling; paths are relative to here.")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{path}: the file is empty\n  Copy it again from the phone.")
    if size > MAX_FILE_BYTES:
        raise InputError(
            f"{path}: {size >> 20} MiB is more than a photo has\n  Is it a video? Name a photo."
        )


def _unreadable(path: Path, error: BaseException) -> InputError:
    return InputError(
        f"{path}: cannot be read as an image ({error or type(error).__name__})\n"
        "  The file is damaged, cut short or of a kind not supported (JPEG, PNG, WebP, TIFF;\n"
        "  HEIC and DNG with extras). Copy it again from the phone, or export it as JPEG."
    )


@contextmanager
def open_picture(path: Path, frame: int | None = None) -> Iterator[Image.Image]:
    """A file's picture, opened by Pillow; its pixels are not decoded yet.

    Raises:
        InputError: HEIC, and its extra is not installed.
        UNREADABLE: no image.
    """
    with warnings.catch_warnings(action="ignore"), _opened(path) as image:
        image.seek(image.tell() if frame is None else frame)
        yield image


def _opened(path: Path) -> Image.Image:
    return HeicImage(path) if is_heic(_head(path)) else Image.open(path, formats=FORMATS)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _is_raw(path: Path) -> bool:
    """Whether Pillow may find no picture in it, or only the preview; others show when opened."""
    return path.suffix.lower() in DNG and _head(path)[:4] in TIFF_MAGIC


def _decode_raw(path: Path) -> Decoded:
    return Decoded(decode_dng(path, MAX_PIXELS), *_about_raw(path))


def _about_raw(path: Path) -> tuple[Metadata, tuple[str, ...]]:
    data = path.read_bytes()
    return Metadata(exif=_tags_of(data)), parts_lost(data)


def _tags_of(data: bytes) -> bytes:
    """The tags of a TIFF file without its pixels."""
    return write_tags(read_tags(data))


def _about(image: Image.Image, data: bytes) -> tuple[Metadata, tuple[str, ...]]:
    metadata = metadata_of(image)
    if image.format == "TIFF":
        metadata = replace(metadata, exif=_tags_of(data))
    before = image.info.get("original_orientation")  # of HEIC, which comes upright
    turned = orientation_of(image) != 1 or before not in (None, 1)
    return replace(metadata, turned=turned), parts_lost(data)


def _decode_picture(path: Path, image: Image.Image) -> Decoded:
    deep = any(";16" in str(part) for part in image.tile)
    image.load()
    data = path.read_bytes()
    metadata, notes = _about(image, data)
    if deep:
        pixels = _decode_16_bit(data)
    else:
        pixels, metadata, bad = _in_rgb(image, metadata)
        notes += bad
    return Decoded(turn_upright(pixels, orientation_of(image)), metadata, notes)


def _in_rgb(image: Image.Image, metadata: Metadata) -> tuple[np.ndarray, Metadata, tuple[str, ...]]:
    """8-bit pixels; colours other than RGB by their profile where they have one."""
    if image.mode in ("CMYK", "L", "LAB") and metadata.icc:
        try:
            converted = pillow_to_srgb(image, metadata.icc)
            return np.asarray(converted), replace(metadata, icc=b""), ()
        except ValueError:
            plain = replace(metadata, icc=b"")
            return np.asarray(image.convert("RGB")), plain, ("its colour profile is damaged",)
    return np.asarray(image.convert("RGB")), metadata, ()


def orientation_of(image: Image.Image) -> int:
    """EXIF's 1 to 8; 1, upright, where it is missing or nonsense."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except UNREADABLE:
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, ...) stored with an EXIF orientation, as it is meant to be seen; a view."""
    if orientation >= 5:  # rows are columns
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _decode_16_bit(data: bytes) -> np.ndarray:
    """By OpenCV: Pillow has no 16-bit colour, but has found damage before."""
    if data.startswith(SIGNATURE):
        data = only_pixels(data)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    if pixels is None or pixels.dtype != np.uint16:
        raise OSError("its 16-bit data cannot be decoded")
    return pixels[..., ::-1]


def check_size(width: int, height: int, size_bytes: int) -> None:
    """Refuse a picture that would fill the memory, before it is decoded.

    Raises:
        ValueError: absurdly large, or larger than so few bytes can honestly hold.
    """
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"{width}x{height} pixels is more than this tool takes\n"
            f"  The limit is {MAX_PIXELS // 10**6} megapixels. Resize the picture."
        )
    if width * height > MAX_PIXELS_PER_BYTE * size_bytes:
        raise ValueError(
            f"claims to hold {width}x{height} pixels in {size_bytes} bytes\n"
            "  Nothing real is so small; the file is damaged or made to do harm."
        )


def _refuse_unusable(path: Path, image: Image.Image) -> None:
    try:
        check_size(*image.size, path.stat().st_size)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    if min(image.size) < MIN_SIDE_PX:
        raise InputError(
            f"{path}: the picture is only {image.width}x{image.height} pixels\n"
            f"  At least {MIN_SIDE_PX} on each side are needed. Is it a thumbnail?"
        )
    if image.mode == "F" or (image.mode == "I" and ";16" not in str(image.tile)):
        raise InputError(
            f"{path}: holds floating-point or 32-bit values, which have no fixed white\n"
            "  Export the photo as 8 or 16-bit PNG, TIFF or JPEG."
        )
