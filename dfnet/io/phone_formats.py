"""Names of the files that need extras, and DNG: `pip install dfnet[dng]`."""

from pathlib import Path

import numpy as np

from dfnet.errors import InputError

HEIC = (".heic", ".heif")
DNG = (".dng",)


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
        raise missing_extra(path, "DNG", "dng") from error
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


def missing_extra(path: Path, kind: str, extra: str) -> InputError:
    """The refusal of a file that cannot be read without an extra."""
    return InputError(
        f"{path}: reading {kind} needs an extra that is not installed\n"
        f"  pip install 'dfnet[{extra}]', or export the photo as JPEG."
    )
