"""Photos with what their files say beside the pixels: EXIF, colour profile, XMP; in and out."""

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from dfnet.errors import InputError
from dfnet.io.colour import srgb_profile
from dfnet.io.content_credentials import Signing, sign
from dfnet.io.decode import decode
from dfnet.io.disclosure import Disclosure, xmp_for
from dfnet.io.encode import MAX_JPEG_EXIF_BYTES, MAX_JPEG_XMP_BYTES, Blocks
from dfnet.io.exif import MAKER_NOTE, File, exif_for
from dfnet.io.images import known_colours, planes_of, write_image
from dfnet.io.metadata import Metadata
from dfnet.io.tiff_tags import TagTree, without, write_tags

CLIPPED_SHARE = 1e-3
JPEG = (".jpg", ".jpeg")


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


def read_photo(path: Path | str, frame: int | None = None) -> Photo:
    """Read a photo upright and in sRGB, with its metadata.

    Args:
        path: JPEG, PNG, WebP, TIFF; HEIC and DNG with their extras. The content counts, not the
            name's ending.
        frame: which picture of a file that holds several; its main one when None.

    Raises:
        InputError: the file is missing, no image, damaged, too small or absurdly large.
    """
    pixels, metadata, notes = decode(Path(path), frame)
    colours, understood = known_colours(metadata.icc)
    image, beyond = planes_of(pixels, colours)
    if not understood:
        notes += ("its colour profile is damaged or of a rare kind: its colours are taken as sRGB",)
    if beyond > CLIPPED_SHARE:
        notes += (f"{beyond:.1%} of the photo has colours that sRGB lacks; they are clipped",)
    return Photo(image, metadata, notes)


def write_photo(
    image: Tensor,
    path: Path | str,
    bits: int = 8,
    metadata: Metadata | None = None,
    disclosure: Disclosure | None = Disclosure(),  # noqa: B008 - frozen
    signing: Signing | None = None,
) -> tuple[str, ...]:
    """Write a picture with its metadata, whole or not at all.

    Args:
        image: (3, H, W) float in [0, 1] (clipped), upright, sRGB.
        path: .jpg, .png, .webp or .tif.
        bits: 8, or 16 for PNG and TIFF.
        metadata: of the photo it was made from (`read_photo`). The file is in its colour space.
        disclosure: what the file says of its making; None turns that off, and whoever does so
            answers for saying it elsewhere.
        signing: adds signed content credentials, which are a disclosure.

    Returns:
        Notes for people: what of the metadata did not fit into the file.

    Raises:
        InputError: unknown suffix, a bit depth the format lacks, a place that cannot be written,
            or a certificate that cannot be used.
    """
    if signing and not disclosure:
        raise InputError(
            f"{path}: content credentials are a disclosure\n  Leave them out, or disclosure on."
        )
    metadata = metadata or Metadata()
    colours, understood = known_colours(metadata.icc)
    icc = metadata.icc if metadata.icc and understood else srgb_profile()
    height, width = image.shape[-2:]
    software = disclosure.software if disclosure else None
    exif, lost = exif_for(metadata, File(width, height, colours is None, software))
    xmp, lost_too = xmp_for(metadata, disclosure)
    notes = lost + lost_too
    if Path(path).suffix.lower() in JPEG:
        exif, xmp, cut = _fitted(exif, xmp, disclosure)
        notes += cut
    finish = (lambda partial: sign(partial, disclosure, signing)) if signing else None
    write_image(image, path, bits, Blocks(exif, xmp, icc), finish)
    return notes


def _fitted(
    exif: TagTree, xmp: bytes, disclosure: Disclosure | None
) -> tuple[TagTree, bytes, tuple[str, ...]]:
    """What fits into a JPEG's segments of 64 kB; notes on the rest."""
    notes: tuple[str, ...] = ()
    if len(write_tags(exif)) > MAX_JPEG_EXIF_BYTES:
        exif, notes = without(exif, MAKER_NOTE), ("the maker's note is too long for a JPEG",)
    if len(write_tags(exif)) > MAX_JPEG_EXIF_BYTES:
        exif, notes = TagTree(), ("its EXIF is too long for a JPEG",)
    if len(xmp) > MAX_JPEG_XMP_BYTES:
        xmp, notes = xmp_for(Metadata(), disclosure)[0], (*notes, "its XMP is too long for a JPEG")
    return exif, xmp, notes
