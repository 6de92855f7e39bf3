"""Image files to tensors and back: the one place where BGR/HWC/uint8 becomes RGB/CHW/float."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from dfnet.errors import InputError

MIN_SIDE_PX = 64
MAX_PIXELS = 220_000_000
WRITABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
_EXIF_IFD = ExifTags.IFD.Exif


def read_image(path: Path | str) -> Tensor:
    """Read a photo, upright (EXIF orientation applied).

    Args:
        path: an 8 or 16-bit image file. Gray becomes three equal channels; alpha is dropped.

    Returns:
        (3, H, W) float32, RGB, in [0, 1], still in the file's own encoding (sRGB for photos).

    Raises:
        InputError: the file is missing, no image, truncated, too small or absurdly large.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  Check the spelling; paths are relative to here.")
    pixels = _decode_16_bit(path)
    if pixels is None:
        pixels = _decode_8_bit(path)
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise InputError(
            f"{path}: the picture is only {width}x{height} pixels\n"
            f"  At least {MIN_SIDE_PX} on each side are needed. Is it a thumbnail?"
        )
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def _decode_8_bit(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(
                    f"{path}: {image.width}x{image.height} pixels is more than this tool takes\n"
                    f"  The limit is {MAX_PIXELS // 10**6} megapixels. Resize the picture."
                )
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright, dtype=np.float32) / 255
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path}: cannot be read as an image ({error})\n"
            "  The file is damaged, cut short or of a kind not supported (JPEG, PNG, WebP and\n"
            "  TIFF are). Copy it again from the phone, or export it as JPEG."
        ) from error


def _decode_16_bit(path: Path) -> np.ndarray | None:
    """16-bit PNG and TIFF, which Pillow would reduce to 8 bits; None for anything else."""
    if path.suffix.lower() not in (".png", ".tif", ".tiff"):
        return None
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    try:
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except cv2.error:
        return None
    if pixels is None or pixels.dtype != np.uint16:
        return None
    if pixels.ndim == 2:
        pixels = pixels[..., None].repeat(3, axis=2)
    return pixels[..., 2::-1].astype(np.float32) / 65535


def read_exif(path: Path | str) -> dict[str, float | str]:
    """The EXIF fields this project uses, by name; empty where the file has none."""
    names = ("FocalLength", "FocalLengthIn35mmFilm", "FNumber", "Make", "Model")
    try:
        with Image.open(path) as image:
            exif = image.getexif()
            found = {ExifTags.TAGS.get(k): v for k, v in exif.items()}
            found |= {ExifTags.TAGS.get(k): v for k, v in exif.get_ifd(_EXIF_IFD).items()}
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return {}
    numbers = {n: found[n] for n in names if n in found}
    return {n: v if isinstance(v, str) else float(v) for n, v in numbers.items()}


def write_image(image: Tensor, path: Path | str, bits: int = 8) -> None:
    """Write a picture whole or not at all.

    Args:
        image: (3, H, W) or (1, H, W) float in [0, 1] (clipped).
        path: the suffix chooses the format; JPEG and WebP are 8-bit only.
        bits: 8, or 16 for PNG and TIFF.

    Raises:
        InputError: unknown suffix, a bit depth the format lacks, or a place that cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise InputError(
            f"{path}: cannot write `{suffix or 'a file without suffix'}`\n"
            f"  End the name in one of {', '.join(WRITABLE)}."
        )
    if bits == 16 and suffix not in (".png", ".tif", ".tiff"):
        raise InputError(f"{path}: {suffix} holds 8 bits only\n  Use .png or .tif for 16 bits.")
    top, kind = (65535, np.uint16) if bits == 16 else (255, np.uint8)
    pixels = (image.detach().clamp(0, 1) * top).round().cpu().numpy().astype(kind)
    bgr = np.ascontiguousarray(pixels.transpose(1, 2, 0)[..., ::-1])
    quality = {".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95], ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95]}
    _, encoded = cv2.imencode(suffix, bgr, quality.get(suffix, []))
    write_whole(path, lambda partial: partial.write_bytes(encoded.tobytes()))


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
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error})\n"
            "  Choose another place, or make room and permit writing there."
        ) from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)
