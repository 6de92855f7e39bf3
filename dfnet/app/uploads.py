"""Files from strangers: looked at before they are decoded, and kept under names of our own."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from dfnet.errors import InputError
from dfnet.io.decode import UNREADABLE, open_picture
from dfnet.io.heic import is_heic

MAX_FILES = 2
MAX_FILE_BYTES = 100 * 2**20
MAX_STEM = 60
MAX_PIXELS = 52_000_000  # 50 MP phones; more does not fit into the memory of a small machine


def take_in(files: Sequence[Path | str], folder: Path) -> list[Path]:
    """Copy uploads into a session's folder.

    Args:
        files: as the page sent them, one or two.
        folder: where the copies go, by names that are like the user's but harmless.

    Returns:
        The copies.

    Raises:
        InputError: too many, too large, not a photo, or too many pixels.
    """
    if not 1 <= len(files) <= MAX_FILES:
        raise InputError(
            f"{len(files)} files were given.\n"
            "  Give two photos, wide and ultra-wide, or one spatial or portrait photo."
        )
    kept = []
    for number, file in enumerate(map(Path, files)):
        name = f"Photo {number + 1}"
        if file.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{name} is larger than {MAX_FILE_BYTES // 2**20} MB.")
        copy = folder / f"{_harmless(file.stem)}{_kind(file, name)}"
        if copy in kept:
            copy = copy.with_stem(f"{copy.stem} (2)")
        shutil.copyfile(file, copy)
        _refuse_huge(copy, name)
        kept.append(copy)
    return kept


def _harmless(stem: str) -> str:
    """Letters, digits, spaces, dots and dashes, and no more than a few."""
    return re.sub(r"[^\w .-]", "_", stem).strip(". ")[:MAX_STEM] or "photo"


def _kind(file: Path, name: str) -> str:
    """The ending that belongs to the content.

    Raises:
        InputError: it is no photo.
    """
    with file.open("rb") as opened:
        head = opened.read(16)
    kinds = {
        ".jpg": head.startswith(b"\xff\xd8\xff"),
        ".png": head.startswith(b"\x89PNG\r\n\x1a\n"),
        ".webp": head.startswith(b"RIFF") and head[8:12] == b"WEBP",
        ".heic": is_heic(head),
        ".tif": head.startswith((b"II*\0", b"MM\0*")),
    }
    for suffix, fits in kinds.items():
        if fits:
            return suffix
    raise InputError(f"{name} is not a photo: JPEG, PNG, WebP, TIFF or HEIC is needed.")


def _refuse_huge(file: Path, name: str) -> None:
    """By the header alone: nothing is decoded."""
    try:
        with open_picture(file) as image:
            width, height = image.size
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(
            f"{name} is damaged or cut short.\n  Copy it again from the phone."
        ) from error
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{name} has {width}x{height} pixels; this page takes up to "
            f"{MAX_PIXELS // 10**6} megapixels.\n  Use refocus.py for larger ones."
        )
