"""Target maps in files: signed circle-of-confusion diameters in the wide photo's pixels."""

import math
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.errors import InputError

MAX_COC_OF_DIAGONAL = 0.2


def read_map(
    path: Path | str,
    shape: tuple[int, int],
    px_per_level: float | None = None,
    zero_level: float = 0.0,
) -> Tensor:
    """A target map drawn or computed elsewhere.

    Args:
        path: an .npy file of floats, signed diameters in W's pixels, or an 8 or 16-bit gray PNG
            (or .npy of integers), whose levels mean `(level - zero_level) * px_per_level`.
        shape: (H, W) of the photo; the map must have it.
        px_per_level: needed for integer levels.
        zero_level: the level that is sharp; lower ones are nearer than the focus.

    Returns:
        Signed diameter [px], (1, H, W) float32.

    Raises:
        InputError: the file is no map of this size, has NaN or infinity, or absurd values.
    """
    path = Path(path)
    values = _read_map(path)
    if values.shape != shape:
        height, width = shape
        raise InputError(
            f"{path}: the map is {values.shape[1]}x{values.shape[0]}, the wide photo "
            f"{width}x{height} pixels\n"
            "  A target map has one value for each pixel of the wide photo."
        )
    if np.issubdtype(values.dtype, np.integer):
        if px_per_level is None:
            raise InputError(
                f"{path}: the map holds whole levels, and nothing says what they mean\n"
                "  Give map_px_per_level=… (pixels of blur diameter per level) and, for a signed\n"
                "  map, map_zero_level=… (the level that is sharp)."
            )
        values = (values.astype(np.float64) - zero_level) * px_per_level
    return _refuse_absurd(torch.from_numpy(values.astype(np.float32))[None], path)


def write_map(target_defocus_w_px: Tensor, path: Path) -> None:
    """Write a map so that `read_map` reads it back: .npy, (H, W) float16, to half a thousandth."""
    np.save(path, target_defocus_w_px[0].cpu().numpy().astype(np.float16))


def _read_map(path: Path) -> np.ndarray:
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  Check the spelling; paths are relative to here.")
    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
            values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except (OSError, ValueError, EOFError, cv2.error) as error:
        raise InputError(_unreadable(path, f" ({error})")) from error
    if values is None:
        raise InputError(_unreadable(path, ""))
    if values.dtype.kind not in "uif":
        raise InputError(_unreadable(path, f" (it holds {values.dtype})"))
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values.squeeze(0 if values.shape[0] == 1 else 2)
    if values.ndim != 2:
        raise InputError(_unreadable(path, f" (its shape is {values.shape}; colour?)"))
    return values


def _unreadable(path: Path, why: str) -> str:
    return (
        f"{path}: cannot be read as a target map{why}\n"
        "  Give an .npy file of floats (signed blur diameter in pixels) or a gray PNG."
    )


def _refuse_absurd(target: Tensor, path: Path) -> Tensor:
    strange = int((~target.isfinite()).sum())
    if strange:
        raise InputError(
            f"{path}: {strange} of the map's values are NaN or infinite\n"
            "  Fill them before use; 0 means sharp."
        )
    limit = MAX_COC_OF_DIAGONAL * math.hypot(*target.shape[-2:])
    largest = float(target.abs().max())
    if largest > limit:
        raise InputError(
            f"{path}: the map asks for blur {largest:.0f} px wide; the limit here is {limit:.0f}\n"
            "  Values are blur diameters in pixels of the wide photo. Are they in another unit?"
        )
    return target
