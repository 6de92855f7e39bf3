"""Image files to tensors and back: the one place where BGR/HWC/uint8 becomes RGB/CHW/float."""

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags
from torch import Tensor

from dfnet import __version__
from dfnet.errors import InputError
from dfnet.io.colour import Colours, colours_of
from dfnet.io.decode import UNREADABLE, decode, open_picture
from dfnet.io.encode import WRITABLE, Blocks, encode, largest_side_px
from dfnet.io.exif import made_by
from dfnet.resizing import row_strips

CAMERA_FIELDS = ("FocalLength", "FocalLengthIn35mmFilm", "FNumber", "Make", "Model")
SOFTWARE = f"dfnet {__version__}"
VISIBLE = 8 / 255  # beyond sRGB by more than compression alone shifts saturated colours
_EXIF_IFD = ExifTags.IFD.Exif


def read_image(path: Path | str, frame: int | None = None) -> Tensor:
    """Read a photo, upright (EXIF orientation applied) and in sRGB (its ICC profile applied).

    Args:
        path: an 8 or 16-bit image file; HEIC and DNG need their extras. Gray becomes three equal
            channels; alpha is dropped.
        frame: which picture of a file that holds several; its main one when None.

    Returns:
        (3, H, W) float32, RGB, in [0, 1], sRGB; colours that sRGB lacks are clipped.

    Raises:
        InputError: the file is missing, no image, truncated, too small or absurdly large.
    """
    decoded = decode(Path(path), frame)
    colours, _ = known_colours(decoded.metadata.icc)
    return planes_of(decoded.pixels, colours)[0]


def read_levels(path: Path | str) -> Tensor:
    """As `read_image`, but in 8-bit levels where the file has such: a quarter of the memory.

    Returns:
        (3, H, W), uint8, or float32 in [0, 1] where the file is deeper or in other colours.

    Raises:
        InputError: as `read_image`.
    """
    decoded = decode(Path(path))
    colours, _ = known_colours(decoded.metadata.icc)
    if colours is not None or decoded.pixels.dtype != np.uint8:
        return planes_of(decoded.pixels, colours)[0]
    return torch.from_numpy(np.array(decoded.pixels).transpose(2, 0, 1))  # Pillow's is read-only


def known_colours(icc: bytes) -> tuple[Colours | None, bool]:
    """The colour space of a profile, None for sRGB; and whether the profile was understood."""
    try:
        return (colours_of(icc) if icc else None), True
    except ValueError:
        return None, False


def planes_of(pixels: np.ndarray, colours: Colours | None) -> tuple[Tensor, float]:
    """Pixels as a file has them to a picture in sRGB.

    Args:
        pixels: (H, W, 3) uint8 or uint16.
        colours: their colour space; None for sRGB.

    Returns:
        (3, H, W) float32 in [0, 1], and the share of pixels whose colour sRGB visibly
        lacks.
    """
    height, width = pixels.shape[:2]
    top = np.float32(np.iinfo(pixels.dtype).max)
    planes = np.empty((3, height, width), dtype=np.float32)
    beyond = 0
    for rows in row_strips(height, width):
        strip = planes[:, rows]
        for c in range(3):  # no float copy beside the result
            np.divide(pixels[rows, :, c], top, out=strip[c], dtype=np.float32)
        if colours is not None:
            seen = colours.to_srgb(strip)
            beyond += int((np.abs(seen - 0.5) > 0.5 + VISIBLE).any(0).sum())
            np.clip(seen, 0, 1, out=strip)
    return torch.from_numpy(planes), beyond / (height * width)


def floats_of(pixels: np.ndarray) -> np.ndarray:
    """Part of a photo, as contiguous float32 in [0, 1]; the part itself where it is that already.

    Args:
        pixels: any shape and layout, floats in [0, 1] or 8-bit levels.
    """
    if pixels.dtype == np.uint8:
        return np.divide(np.ascontiguousarray(pixels), np.float32(255), dtype=np.float32)
    return np.ascontiguousarray(pixels, dtype=np.float32)


def pixels_of(image: Tensor, bits: int, colours: Colours | None = None) -> np.ndarray:
    """A picture in sRGB to pixels as a file has them.

    Args:
        image: (3, H, W) or (1, H, W) float in [0, 1] (clipped).
        bits: 8 or 16.
        colours: of the file; None for sRGB.

    Returns:
        (H, W, C) uint8 or uint16.
    """
    channels, height, width = image.shape
    kind = np.uint16 if bits == 16 else np.uint8
    pixels = np.empty((height, width, channels), dtype=kind)
    for rows in row_strips(height, width):
        strip = image[:, rows].detach().clamp(0, 1).float().cpu().numpy()
        if colours is not None:
            strip = colours.from_srgb(strip)
        pixels[rows] = np.rint(strip * np.iinfo(kind).max).transpose(1, 2, 0)
    return pixels


def read_exif(
    path: Path | str, names: tuple[str, ...] = CAMERA_FIELDS, frame: int | None = None
) -> dict[str, float | str]:
    """EXIF fields by name, of the file's main picture or of the given one; empty where none are.

    Raises:
        InputError: HEIC, and its extra is not installed.
    """
    try:
        with open_picture(Path(path), frame) as image:
            exif = image.getexif()
            found = {ExifTags.TAGS.get(k): v for k, v in exif.items()}
            found |= {ExifTags.TAGS.get(k): v for k, v in exif.get_ifd(_EXIF_IFD).items()}
            numbers = {n: found[n] for n in names if n in found}
            return {n: v if isinstance(v, str) else float(v) for n, v in numbers.items()}
    except InputError:
        raise
    except UNREADABLE:
        return {}


def write_image(
    image: Tensor,
    path: Path | str,
    bits: int = 8,
    blocks: Blocks | None = None,
    finish: Callable[[Path], object] | None = None,
) -> None:
    """Write a picture whole or not at all; `write_photo` is for what was made from a photo.

    Args:
        image: (3, H, W) or (1, H, W) float in [0, 1] (clipped).
        path: the suffix chooses the format; JPEG and WebP are 8-bit only.
        bits: 8, or 16 for PNG and TIFF.
        blocks: what the file holds beside the pixels; only the software's name when None.
        finish: called with the finished file before it gets its name.

    Raises:
        InputError: unknown suffix, a bit depth the format lacks, or a place that cannot be written.
    """
    blocks = Blocks(exif=made_by(SOFTWARE)) if blocks is None else blocks
    path = Path(path)
    _check_format(path, bits)
    _check_size(path, image)
    colours, _ = known_colours(blocks.icc)
    pixels = pixels_of(image, bits, colours)

    def write(partial: Path) -> None:
        encode(pixels, partial, blocks)
        if finish:
            finish(partial)

    write_whole(path, write)


def check_writable(path: Path | str, bits: int = 8) -> None:
    """Refuse what `write_image` would refuse, before the work is done; leaves nothing behind.

    Raises:
        InputError: as `write_image`.
    """
    path = Path(path)
    _check_format(path, bits)
    folder = path.parent
    try:
        while not folder.exists():
            folder = folder.parent
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "the file there is write-protected")
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(_cannot_write(path, error)) from error


def _check_format(path: Path, bits: int) -> None:
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise InputError(
            f"{path}: cannot write `{suffix or 'a file without suffix'}`\n"
            f"  End the name in one of {', '.join(WRITABLE)}."
        )
    if bits == 16 and suffix not in (".png", ".tif", ".tiff"):
        raise InputError(f"{path}: {suffix} holds 8 bits only\n  Use .png or .tif for 16 bits.")


def _check_size(path: Path, image: Tensor) -> None:
    height, width = image.shape[-2:]
    if max(height, width) > largest_side_px(path.suffix):
        raise InputError(
            f"{path}: {path.suffix} holds at most {largest_side_px(path.suffix)} pixels a side, "
            f"not {width}x{height}\n  Use .png or .tif."
        )


def _cannot_write(path: Path, error: OSError) -> str:
    return (
        f"{path}: cannot be written ({error.strerror or error})\n"
        "  Choose another place, or make room and permit writing there."
    )


def write_whole(path: Path | str, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary neighbour of `path`, then rename: no half-written file is left.

    Args:
        path: where the file shall be.
        write: called with the temporary path, which has the same suffix.

    Raises:
        InputError: the place cannot be written (missing permission, full disk, a folder's name).
    """
    path = Path(path)
    partial = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=path.suffix)
        os.close(handle)
        partial = Path(name)
        write(partial)
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        raise InputError(_cannot_write(path, error)) from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)
