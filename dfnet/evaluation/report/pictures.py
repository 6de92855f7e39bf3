"""Pictures inside the report: thumbnails, and crops where the methods differ most."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

from dfnet.evaluation.alignment import margin_px
from dfnet.evaluation.metrics import MARGIN_PX

THUMBNAIL_PX = 192
CROP_SHARE = 0.19  # of the longer side: 96 px of 512
MAX_CROP_PX = 256


class Box(NamedTuple):
    """A square part of a picture, in its pixels."""

    left: int
    top: int
    side: int


class Spot(NamedTuple):
    """Where pictures differ most.

    Attributes:
        box: there.
        difference: mean deviation between the methods, in [0, 1].
    """

    box: Box
    difference: float


def thumbnail(path: Path) -> str:
    """A small copy as a `data:` address."""
    with Image.open(path) as image:
        image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
        return _address(image.convert("RGB"), "JPEG", quality=82)


def crop(path: Path, box: Box) -> str:
    """A part pixel by pixel, without loss, as a `data:` address."""
    with Image.open(path) as image:
        part = image.crop((box.left, box.top, box.left + box.side, box.top + box.side))
        return _address(part.convert("RGB"), "WEBP", lossless=True)


def most_different(paths: Sequence[Path]) -> Spot | None:
    """The square in which pictures of one size deviate most from their mean.

    Args:
        paths: of the methods' pictures; with fewer than two nothing differs.
    """
    if len(paths) < 2:
        return None
    total = squares = np.zeros(())
    for path in paths:
        with Image.open(path) as image:
            gray = np.asarray(image.convert("L"), dtype=np.float64) / 255
        total, squares = total + gray, squares + gray**2
    n = len(paths)
    deviation = np.sqrt(np.maximum(squares / n - (total / n) ** 2, 0))
    side = min(MAX_CROP_PX, round(CROP_SHARE * max(deviation.shape)))
    margin = max(MARGIN_PX, margin_px(deviation.shape))
    reach = margin + side // 2
    if min(deviation.shape) <= 2 * reach:
        return None
    inside = uniform_filter(deviation, side)[reach:-reach, reach:-reach]
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    box = Box(int(column) + margin, int(row) + margin, side)
    return Spot(box, float(inside.max()))


def existing(pictures: Mapping[str, Path]) -> dict[str, Path]:
    """Those that are there; a store that was emptied has none."""
    return {name: path for name, path in pictures.items() if path.is_file()}


def _address(image: Image.Image, kind: str, **options) -> str:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
