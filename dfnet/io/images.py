"""Image files to tensors and back: the one place where BGR/HWC/uint8 becomes RGB/CHW/float."""

import errno
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from dfnet import __version__
from dfnet.errors import InputError
from dfnet.io.phone_formats import DNG, HEIC, decode_dng, let_pillow_read_heic

MIN_SIDE_PX = 64
MAX_PIXELS = 220_000_000
WRITABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
Image.MAX_IMAGE_PIXELS = None  # phones take 200 megapixels; MAX_PIXELS is checked here
CAMERA_FIELDS = ("FocalLength", "FocalLengthIn35mmFilm", "FNumber", "Make", "Model")
_EXIF_IFD = ExifTags.IFD.Exif


def read_image(path: Path | str, frame: int | None = None) -> Tensor:
    """Read a photo, upright (EXIF orientation applied).

    Args:
        path: an 8 or 16-bit image file; HEIC and DNG need their extras. Gray becomes three equal
            channels; alpha is dropped.
        frame: which picture of a file that holds several; its main one when None.

    Returns:
        (3, H, W) float32, RGB, in [0, 1], still in the file's own encoding (sRGB for photos).

    Raises:
        InputError: the file is missing, no image, truncated, too small or absurdly large.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  Check the spelling; paths are relative to here.")
    pixels = _decode(path, frame)
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise InputError(
            f"{path}: the picture is only {width}x{height} pixels\n"
            f"  At least {MIN_SIDE_PX} on each side are needed. Is it a thumbnail?"
        )
    planes = np.empty((3, height, width), dtype=np.float32)
    scale = np.float32(255) if pixels.dtype == np.uint8 else np.float32(1)
    for c in range(3):  # no float copy beside the result: photos are large
        np.divide(pixels[..., c], scale, out=planes[c], dtype=np.float32)
    return torch.from_numpy(planes)


def _decode(path: Path, frame: int | None) -> np.ndarray:
    """(H, W, 3) RGB, uint8 or float32 in [0, 1]; Pillow finds damage, OpenCV keeps 16 bits."""
    if path.suffix.lower() in DNG:
        return decode_dng(path)
    if path.suffix.lower() in HEIC:
        let_pillow_read_heic(path)
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            image.seek(image.tell() if frame is None else frame)
            _refuse_unusable(path, image)
            if any(";16" in str(part) for part in image.tile):
                image.load()
                return _decode_16_bit(path)
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright)
    except (UnidentifiedImageError, OSError, EOFError, SyntaxError, cv2.error) as error:
        raise InputError(
            f"{path}: cannot be read as an image ({error})\n"
            "  The file is damaged, cut short or of a kind not supported (JPEG, PNG, WebP and\n"
            "  TIFF are). Copy it again from the phone, or export it as JPEG."
        ) from error


def _decode_16_bit(path: Path) -> np.ndarray:
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if pixels is None or pixels.dtype != np.uint16:
        raise OSError("its 16-bit data cannot be decoded")
    return pixels[..., ::-1].astype(np.float32) / 65535


def _refuse_unusable(path: Path, image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise InputError(
            f"{path}: {image.width}x{image.height} pixels is more than this tool takes\n"
            f"  The limit is {MAX_PIXELS // 10**6} megapixels. Resize the picture."
        )
    if image.mode == "F":
        raise InputError(
            f"{path}: holds floating-point values, which have no fixed white\n"
            "  Export the photo as 8 or 16-bit PNG, TIFF or JPEG."
        )


def read_exif(
    path: Path | str, names: tuple[str, ...] = CAMERA_FIELDS, frame: int | None = None
) -> dict[str, float | str]:
    """EXIF fields by name, of the file's main picture or of the given one; empty where none are."""
    if Path(path).suffix.lower() in HEIC:
        let_pillow_read_heic(Path(path))
    try:
        with Image.open(path) as image:
            image.seek(image.tell() if frame is None else frame)
            exif = image.getexif()
            found = {ExifTags.TAGS.get(k): v for k, v in exif.items()}
            found |= {ExifTags.TAGS.get(k): v for k, v in exif.get_ifd(_EXIF_IFD).items()}
    except (UnidentifiedImageError, OSError, EOFError, SyntaxError, ValueError):
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
    _check_format(path, bits)
    top, kind = (65535, np.uint16) if bits == 16 else (255, np.uint8)
    pixels = (image.detach().clamp(0, 1) * top).round().cpu().numpy().astype(kind)
    pixels = np.ascontiguousarray(pixels.transpose(1, 2, 0))
    write_whole(path, _save_16_bit(pixels) if bits == 16 else _save_8_bit(pixels))


def _save_8_bit(pixels: np.ndarray) -> Callable[[Path], None]:
    picture = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = f"dfnet {__version__}"
    options = {"exif": exif, "quality": 95, "subsampling": 0, "compress_level": 3}
    return lambda path: picture.save(path, **options)


def _save_16_bit(pixels: np.ndarray) -> Callable[[Path], None]:
    """Pillow has no 16-bit colour."""

    def save(path: Path) -> None:
        _, encoded = cv2.imencode(path.suffix.lower(), np.ascontiguousarray(pixels[..., ::-1]))
        path.write_bytes(encoded.tobytes())

    return save


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
