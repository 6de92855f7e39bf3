"""What a photo's file says beside the pixels, and what of it does not survive an edit."""

import re
from dataclasses import dataclass, replace

from PIL import Image

MAX_XMP_BYTES = 1 << 20

# What tells, somewhere in a file, that it holds more than one picture's pixels.
LOST = (
    (
        rb"hdrgm:Version|aux:hdrgainmap|HDRGainMapVersion",
        "SDR output: the photo's HDR gain map is not kept",
    ),
    (
        rb"GCamera:(MotionPhoto|MicroVideo)\W+1\b|MotionPhoto_Data",
        "the motion photo's video is not kept",
    ),
    (
        rb"AuxiliaryImageType\W+(disparity|depth)\b|GDepth:Data|auxid:1|aux:hevc:2",
        "the depth map inside the photo is not kept",
    ),
    (rb"jumbc2pa|c2pa\.claim", "the photo's content credentials (C2PA) are not kept"),
)


@dataclass(frozen=True)
class Metadata:
    """What a photo's file says beside the pixels, for the file made from it; empty is absent.

    Attributes:
        exif: a TIFF structure.
        xmp: a packet, UTF-8.
        icc: a colour profile; empty means sRGB.
        turned: whether the pixels were turned upright, so that places in the metadata are wrong.
        located: whether the place where it was taken may be told to others.
    """

    exif: bytes = b""
    xmp: bytes = b""
    icc: bytes = b""
    turned: bool = False
    located: bool = True

    def without_location(self) -> "Metadata":
        """The same, but files made with it do not tell where the photo was taken."""
        return replace(self, located=False)


def metadata_of(image: Image.Image) -> Metadata:
    """From what Pillow found in an open file; `exif` is filled for formats other than TIFF."""
    info = image.info
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", errors="replace")
    return Metadata(
        exif=_bytes(info.get("exif")),
        xmp=_bytes(xmp) if len(xmp) <= MAX_XMP_BYTES else b"",
        icc=_bytes(info.get("icc_profile")),
    )


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def parts_lost(data: bytes) -> tuple[str, ...]:
    """Notes on what a file holds that no edit of its picture keeps.

    Args:
        data: the whole file.
    """
    return tuple(note for pattern, note in LOST if re.search(pattern, data))
