"""Target maps in files: signed circle-of-confusion diameters in the wide photo's pixels."""

import math
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dfnet.errors import InputError
from dfnet.io.decode import FORMATS, UNREADABLE, check_size

MAX_COC_OF_DIAGONAL = 0.2


def read_map(
    path: Path | str,
    shape: tuple[int, int],
    px_per_level: float | None = None,
    zero_level: float = 0.0,
) -> Tensor:
    """A target map drawn or computed elsewhere.

    Args:
        path: .npy, .exr or .tif of floats, signed diameters in W's pixels; or whole levels in a
            gray PNG, TIFF or .npy, which mean `(level - zero_level) * px_per_level`.
        shape: (H, W) of the photo; the map must have it.
        px_per_level: needed for whole levels; floats are taken as levels too where it is given.
        zero_level: the level that is sharp; lower ones are nearer than the focus.

    Returns:
        Signed diameter [px], (1, H, W) float32.

    Raises:
        InputError: the file is no map of this size, has NaN or infinity, or absurd values.
    """
    path = Path(path)
    values = _read_values(path)
    if values.shape != shape:
        height, width = shape
        raise InputError(
            f"{path}: the map is {values.shape[1]}x{values.shape[0]}, the wide photo "
            f"{width}x{height} pixels\n"
            "  A target map has one value for each pixel of the wide photo."
        )
    if px_per_level is not None:
        values = (values.astype(np.float64) - zero_level) * px_per_level
    elif values.dtype.kind != "f":
        raise InputError(
            f"{path}: the map holds whole levels, and nothing says what they mean\n"
            f"  Write map_levels=PX_PER_LEVEL,ZERO_LEVEL,{path.name}: pixels of blur diameter per\n"
            "  level, and the level that is sharp."
        )
    return _refuse_absurd(torch.from_numpy(values.astype(np.float32))[None], path)


def write_map(defocus_w_px: Tensor, path: Path) -> None:
    """Write a map so that `read_map` reads it back exactly: .npy, (H, W) float32."""
    np.save(path, defocus_w_px[0].cpu().numpy().astype(np.float32))


def _read_values(path: Path) -> np.ndarray:
    """(H, W), of whatever numbers the file holds."""
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  Check the spelling; paths are relative to here.")
    readers = {".npy": _read_npy, ".exr": _read_exr}
    try:
        values = readers.get(path.suffix.lower(), _read_picture)(path)
    except UNREADABLE as error:
        raise InputError(_unreadable(path, f" ({error})")) from error
    if values.dtype.kind not in "uif":
        raise InputError(_unreadable(path, f" (it holds {values.dtype})"))
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values.squeeze(0 if values.shape[0] == 1 else 2)
    if values.ndim != 2:
        raise InputError(_unreadable(path, f" (its shape is {values.shape}; colour?)"))
    return values


def _read_npy(path: Path) -> np.ndarray:
    return np.load(path, allow_pickle=False, mmap_mode="r")  # a false size cannot fill the memory


def _read_picture(path: Path) -> np.ndarray:
    with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS) as picture:
        check_size(*picture.size, path.stat().st_size)
        return np.array(picture.convert("RGB") if picture.mode == "P" else picture)


def _read_exr(path: Path) -> np.ndarray:
    try:
        import OpenEXR
    except ImportError as error:
        raise InputError(
            f"{path}: reading EXR needs an extra that is not installed\n"
            "  pip install 'dfnet[exr]', or save the map as .npy or a TIFF of floats."
        ) from error
    with OpenEXR.File(str(path)) as file:
        channels = file.channels()
        if len(channels) != 1:
            raise ValueError(f"its channels are {', '.join(channels)}; one is needed")
        (channel,) = channels.values()
        return np.array(channel.pixels)


def _unreadable(path: Path, why: str) -> str:
    return (
        f"{path}: cannot be read as a target map{why}\n"
        "  Give floats (.npy, .exr, .tif: signed blur diameter in pixels) or a gray PNG or TIFF."
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
