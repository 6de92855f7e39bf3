"""Pixels and what goes with them, as the bytes of a JPEG, PNG, WebP or TIFF file."""

import io
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from dfnet.io.png import PNG_START, png_chunk
from dfnet.io.tiff_tags import (
    HEADER_BYTES,
    LONG,
    SHORT,
    UNDEFINED,
    TagTree,
    Value,
    pack_directories,
    write_tags,
)

WRITABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
MAX_JPEG_EXIF_BYTES = 65533 - len(b"Exif\0\0")
MAX_JPEG_XMP_BYTES = 65502  # one segment without its name
JPEG = {"quality": 95, "subsampling": 0}
WEBP = {"quality": 95}
PNG_LEVEL = 3
TIFF_LEVEL = 3
STRIP_ROWS = 128
# TIFF tags of the picture itself.
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, PLANAR, PREDICTOR = (
    273,
    277,
    278,
    279,
    284,
    317,
)
XMP, ICC = 700, 34675
DEFLATE, DIFFERENCES, CONTIGUOUS, GRAY, RGB = 8, 2, 1, 1, 2


@dataclass(frozen=True)
class Blocks:
    """What a file holds beside its pixels.

    Attributes:
        exif: tags.
        xmp: a packet.
        icc: a colour profile; the pixels are in its colours.
    """

    exif: TagTree = field(default_factory=TagTree)
    xmp: bytes = b""
    icc: bytes = b""


def largest_side_px(suffix: str) -> int:
    """What the format can hold."""
    return {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}.get(suffix.lower(), 2**31 - 1)


def encode(pixels: np.ndarray, path: Path, blocks: Blocks) -> None:
    """Write a file; its suffix chooses the format.

    Args:
        pixels: (H, W, 1 or 3) uint8, or uint16 for PNG and TIFF.
        path: of the file.
        blocks: small enough for the format (`MAX_JPEG_...`).

    Raises:
        OSError: the place cannot be written.
    """
    pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    suffix = path.suffix.lower()
    if suffix == ".png":
        path.write_bytes(_png(pixels, blocks))
    elif suffix in (".tif", ".tiff"):
        _write_tiff(pixels, path, blocks)
    else:
        options = {"exif": b"Exif\0\0" + write_tags(blocks.exif), "xmp": blocks.xmp}
        options |= {"icc_profile": blocks.icc} | (WEBP if suffix == ".webp" else JPEG)
        Image.fromarray(pixels).save(path, **{k: v for k, v in options.items() if v})


def _png(pixels: np.ndarray, blocks: Blocks) -> bytes:
    chunks = b""
    if blocks.icc:
        chunks += png_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(blocks.icc))
    if blocks.exif.main or blocks.exif.below:
        chunks += png_chunk(b"eXIf", write_tags(blocks.exif))
    if blocks.xmp:
        chunks += png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + blocks.xmp)
    if pixels.dtype == np.uint16:  # Pillow has no 16-bit colour
        picture = cv2.imencode(".png", pixels[..., ::-1] if pixels.ndim == 3 else pixels)[1]
        data = picture.tobytes()
    else:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=PNG_LEVEL)
        data = buffer.getvalue()
    return data[:PNG_START] + chunks + data[PNG_START:]


def _write_tiff(pixels: np.ndarray, path: Path, blocks: Blocks) -> None:
    """Strips of differences, deflated, then the tags; in the byte order of the EXIF."""
    tree = blocks.exif
    offsets, sizes, at = [], [], HEADER_BYTES
    with path.open("wb") as file:
        file.write(b"\0" * HEADER_BYTES)
        for top in range(0, len(pixels), STRIP_ROWS):
            strip = zlib.compress(
                _differences(pixels[top : top + STRIP_ROWS], tree.order), TIFF_LEVEL
            )
            strip += b"\0" * (len(strip) % 2)  # directories begin at even places
            file.write(strip)
            offsets.append(at)
            sizes.append(len(strip))
            at += len(strip)
        tags = _picture_tags(pixels, tree) | {
            STRIP_OFFSETS: tree.number(LONG, *offsets),
            STRIP_BYTES: tree.number(LONG, *sizes),
        }
        tags |= {XMP: Value(1, blocks.xmp)} if blocks.xmp else {}
        tags |= {ICC: Value(UNDEFINED, blocks.icc)} if blocks.icc else {}
        file.write(pack_directories(TagTree(tree.order, tree.main | tags, tree.below), at))
        file.seek(0)
        file.write(b"II*\0" if tree.order == "<" else b"MM\0*")
        file.write(struct.pack(tree.order + "I", at))


def _differences(pixels: np.ndarray, order: str) -> bytes:
    """Each pixel minus its left neighbour, modulo the type's range."""
    steps = pixels.copy()
    steps[:, 1:] -= pixels[:, :-1]
    return steps.astype(steps.dtype.newbyteorder(order)).tobytes()


def _picture_tags(pixels: np.ndarray, tree: TagTree) -> dict[int, Value]:
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return {
        WIDTH: tree.number(LONG, width),
        HEIGHT: tree.number(LONG, height),
        BITS: tree.number(SHORT, *[8 * pixels.itemsize] * channels),
        COMPRESSION: tree.number(SHORT, DEFLATE),
        PHOTOMETRIC: tree.number(SHORT, GRAY if channels == 1 else RGB),
        SAMPLES: tree.number(SHORT, channels),
        ROWS_PER_STRIP: tree.number(LONG, STRIP_ROWS),
        PLANAR: tree.number(SHORT, CONTIGUOUS),
        PREDICTOR: tree.number(SHORT, DIFFERENCES),
    }
