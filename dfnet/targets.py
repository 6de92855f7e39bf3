"""What is wanted: target defocus maps, signed circle-of-confusion diameters in W's pixels.

A focus shift moves the sharp plane, and as defocus is linear in disparity it adds one constant to
the whole signed map; an aperture change multiplies the map.
"""

import math
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.errors import InputError

MAX_APERTURE_SCALE = 16.0
MAX_COC_OF_DIAGONAL = 0.2
_CLICK_OF_DIAGONAL = 0.004  # half the side of the window that a click reads, 13 px of a 12 MP photo


def all_in_focus(defocus_w_px: Tensor) -> Tensor:
    """No blur anywhere, (1, H, W)."""
    return torch.zeros_like(defocus_w_px)


def refocus_at(defocus_w_px: Tensor, point: tuple[float, float]) -> Tensor:
    """The same lens focused on what is seen at `point`.

    Args:
        defocus_w_px: signed diameter that W shows [px], (1, H, W).
        point: (x, y) in W's pixels. The median of a small window around it is used, as single
            pixels of an estimated map are noisy.

    Returns:
        Signed diameter that is wanted [px], (1, H, W): zero around the point.

    Raises:
        InputError: the point is not in the picture.
    """
    height, width = defocus_w_px.shape[-2:]
    x, y = point
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        raise InputError(
            f"focus_at=[{x:g},{y:g}]: outside of the picture, which is {width}x{height} pixels\n"
            f"  Give x from 0 to {width - 1} and y from 0 to {height - 1}, from the top left."
        )
    radius = max(2, round(_CLICK_OF_DIAGONAL * math.hypot(height, width)))
    column, row = round(x), round(y)
    window = defocus_w_px[
        ...,
        max(0, row - radius) : row + radius + 1,
        max(0, column - radius) : column + radius + 1,
    ]
    return defocus_w_px - window.median()


def aperture(defocus_w_px: Tensor, scale: float) -> Tensor:
    """The same focus with an aperture `scale` times as wide, (1, H, W).

    Raises:
        InputError: the scale is negative, no number or beyond `MAX_APERTURE_SCALE`.
    """
    check_aperture_scale(scale)
    return defocus_w_px * scale


def check_aperture_scale(scale: float) -> None:
    """Refuse what `aperture` would refuse, before there is a map."""
    if not 0 <= scale <= MAX_APERTURE_SCALE:
        raise InputError(
            f"aperture_scale={scale:g}: must lie between 0 and {MAX_APERTURE_SCALE:g}\n"
            "  It multiplies the blur: 0 is all in focus, 1 the photo as it is, 2 twice the blur."
        )


def from_file(
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
    """Write a map so that `from_file` reads it back: .npy, (H, W) float16, to half a thousandth."""
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
