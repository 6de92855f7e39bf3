"""HEIC and DNG, which need extras: `pip install dfnet[heic]`, `pip install dfnet[dng]`."""

from pathlib import Path

import numpy as np

from dfnet.errors import InputError

HEIC = (".heic", ".heif")
DNG = (".dng",)


def let_pillow_read_heic(path: Path) -> None:
    """Teach Pillow the format of iPhone photos.

    Raises:
        InputError: the extra is not installed.
    """
    try:
        import pi_heif
    except ImportError as error:
        raise InputError(_missing(path, "HEIC", "heic")) from error
    pi_heif.register_heif_opener()


def decode_dng(path: Path, max_pixels: int) -> np.ndarray:
    """Develop a raw photo plainly: camera white balance, sRGB curve, no local tone mapping.

    Args:
        path: of the file.
        max_pixels: larger ones are refused before they are developed.

    Returns:
        (H, W, 3) RGB uint16, upright.

    Raises:
        InputError: the extra is not installed, or the file is damaged or absurdly large.
    """
    try:
        import rawpy
    except ImportError as error:
        raise InputError(_missing(path, "DNG", "dng")) from error
    try:
        with rawpy.imread(str(path)) as raw:
            if raw.sizes.raw_width * raw.sizes.raw_height > max_pixels:
                raise OSError("its size is absurd")
            return raw.postprocess(
                use_camera_wb=True, no_auto_bright=True, output_bps=16, gamma=(2.4, 12.92)
            )
    except (rawpy.LibRawError, OSError) as error:
        raise InputError(
            f"{path}: cannot be developed ({error})\n"
            "  The file is damaged or of a kind that LibRaw does not know. Export it as JPEG."
        ) from error


def _missing(path: Path, kind: str, extra: str) -> str:
    return (
        f"{path}: reading {kind} needs an extra that is not installed\n"
        f"  pip install 'dfnet[{extra}]', or export the photo as JPEG."
    )
