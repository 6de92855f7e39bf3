"""Depth that a phone stored inside a photo: Apple's disparity (HEIC, JPEG) and Google's GDepth."""

import base64
import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dfnet.errors import InputError
from dfnet.io.decode import (
    UNREADABLE,
    check_readable,
    open_picture,
    orientation_of,
    turn_upright,
)
from dfnet.io.heic import HeicImage

UNIFORM_DISPARITY = (0, 1)  # of HEIC's depth representations: inverse depth and disparity
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
EXTENSION_HEADER = len(EXTENSION) + 32 + 4 + 4  # GUID, full length, offset
ASPECT_TOLERANCE = 0.02
MAX_PICTURES = 16  # in one file
MAX_MAP_PIXELS = 50_000_000  # real ones have half a million
MAP_FORMATS = ("JPEG", "PNG", "WEBP")
ACCURACY_BYTES = 60  # from the name of the field to the end of its value


class PhoneDepth(NamedTuple):
    """A depth map found inside a photo, as inverse depth.

    Attributes:
        disparity: (1, h, w) float32, larger is nearer; much smaller than the photo, upright.
        metric: whether it is in 1/m; else only its order and its steps mean something.
        source: which format.
    """

    disparity: Tensor
    metric: bool
    source: str


def read_phone_depth(path: Path | str) -> PhoneDepth | None:
    """The depth map inside a photo, upright as `read_image` gives the photo; None without one.

    Raises:
        InputError: the file is missing or no image, or its depth map is damaged.
    """
    path = Path(path)
    check_readable(path)
    try:
        with open_picture(path) as photo:
            turned = orientation_of(photo) >= 5
            upright = photo.size[::-1] if turned else photo.size
            readers = (_heic_disparity,) if photo.format == "HEIF" else (_apple_jpeg, _google_depth)
            found = next(filter(None, (read(path, photo) for read in readers)), None)
            if found is not None and not found.disparity.isfinite().all():
                raise ValueError("its values are not finite")
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(
            f"{path}: its depth map cannot be read ({error})\n"
            "  The file is damaged or was edited; go without: prior=none."
        ) from error
    return found if found is not None and _fits(found, upright) else None


def _fits(depth: PhoneDepth, size: tuple[int, int]) -> bool:
    """Whether the map shows the photo's whole frame, the same way up."""
    aspect = depth.disparity.shape[-1] / depth.disparity.shape[-2]
    return abs(aspect * size[1] / size[0] - 1) < ASPECT_TOLERANCE


def _heic_disparity(path: Path, photo: HeicImage) -> PhoneDepth | None:
    """Apple's auxiliary disparity image; its white is near."""
    images = photo.info["depth_images"]
    if not images:
        return None
    _refuse_huge(*images[0]["size"])
    about = images[0]["metadata"]
    if about.get("representation_type", 1) not in UNIFORM_DISPARITY:
        return None
    data = path.read_bytes()
    accuracy = data.find(b"depthData:Accuracy")
    levels = _levels(photo.depth_levels()) / 255
    low, high = about.get("d_min", 0.0), about.get("d_max", 1.0)
    metric = accuracy >= 0 and b"absolute" in data[accuracy : accuracy + ACCURACY_BYTES]
    return PhoneDepth(_tensor(low + levels * (high - low)), metric, "Apple disparity")


def _apple_jpeg(path: Path, photo: Image.Image) -> PhoneDepth | None:
    """A second picture in the file whose XMP calls it disparity or depth."""
    orientation = orientation_of(photo)
    for k in range(1, min(getattr(photo, "n_frames", 1), MAX_PICTURES)):
        photo.seek(k)
        xmp = _text(photo.info.get("xmp", b""))
        kind = _field(xmp, "apdi:AuxiliaryImageType")
        if kind not in ("disparity", "depth"):
            continue
        levels = _levels(photo)
        low, high = (
            float(_field(xmp, f"apdi:Float{m}Value") or d) for m, d in (("Min", 0), ("Max", 1))
        )
        values = low + levels / float(_field(xmp, "apdi:IntMaxValue") or 255) * (high - low)
        disparity = values if kind == "disparity" else 1 / np.maximum(values, 1e-3)
        metric = _field(xmp, "depthData:Accuracy") == "absolute"
        return PhoneDepth(_tensor(turn_upright(disparity, orientation)), metric, f"Apple {kind}")
    return None


def _google_depth(path: Path, photo: Image.Image) -> PhoneDepth | None:
    """GDepth in XMP: 0 is near; `RangeInverse` is linear in inverse depth."""
    xmp = _text(photo.info.get("xmp", b"")) + _text(_extended_xmp(path.read_bytes()))
    data = _field(xmp, "GDepth:Data")
    if data is None:
        return None
    with Image.open(io.BytesIO(base64.b64decode(data)), formats=MAP_FORMATS) as picture:
        levels = _levels(picture) / 255
    near, far = (float(_field(xmp, f"GDepth:{n}") or d) for n, d in (("Near", 1), ("Far", 100)))
    if not 0 < near < far:
        raise ValueError(f"GDepth from {near} to {far}")
    if _field(xmp, "GDepth:Format") == "RangeLinear":
        disparity = 1 / (near + levels * (far - near))
    else:
        disparity = (far - levels * (far - near)) / (far * near)
    metric = _field(xmp, "GDepth:Units") in ("m", "Meters")
    turned = turn_upright(disparity, orientation_of(photo))
    return PhoneDepth(_tensor(turned), metric, "GDepth")


def _levels(picture: Image.Image) -> np.ndarray:
    """(h, w) float32 gray levels."""
    _refuse_huge(*picture.size)
    return np.asarray(picture.convert("L"), dtype=np.float32)


def _refuse_huge(width: int, height: int) -> None:
    if width * height > MAX_MAP_PIXELS:
        raise ValueError(f"{width}x{height} pixels are too many")


def _extended_xmp(data: bytes) -> bytes:
    """What does not fit into one 64 kB segment of a JPEG, put together again."""
    at, pieces = 2, []
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4])
        segment = data[at + 4 : at + 2 + length]
        if segment.startswith(EXTENSION):
            offset = int.from_bytes(segment[EXTENSION_HEADER - 4 : EXTENSION_HEADER])
            pieces.append((offset, segment[EXTENSION_HEADER:]))
        at += 2 + length
    return b"".join(piece for _, piece in sorted(pieces))


def _field(xmp: str, name: str) -> str | None:
    """A property's value, written as an attribute or as an element."""
    found = re.search(rf'{name}\s*=\s*"([^"]*)"|<{name}>([^<]*)</', xmp)
    return None if found is None else found.group(1) or (found.group(2) or "").strip()


def _text(xmp: bytes | str) -> str:
    return xmp if isinstance(xmp, str) else xmp.decode("utf-8", errors="replace")


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32))[None]
