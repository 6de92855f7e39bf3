"""Masks that people paint or other programs make, feathered without crossing depth edges."""

import base64
import io
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from dfnet.errors import InputError
from dfnet.io.decode import FORMATS, UNREADABLE, check_size

EMBEDDED = "data:image/png;base64,"
SAME_SHAPE = 0.02  # part by which a mask's proportions may differ from the photo's
LAYERS = 16  # of disparity; a pixel lies between two
CELLS_PER_FEATHER = 3  # of the grid on which masks are averaged
MAX_CELLS = 1024  # on the longer side
STRIP_ROWS = 256  # at a time, which bounds the memory


def painted(mask: np.ndarray) -> str:
    """A painted mask as text that a step can hold and a recipe can keep.

    Args:
        mask: (H, W), bool, uint8 or float in [0, 1]; of the photo or of a smaller preview of it.
    """
    values = np.asarray(mask)
    if values.ndim != 2 or values.size == 0:
        raise InputError(f"mask: its shape is {values.shape}\n  A mask is (height, width).")
    levels = values if values.dtype == np.uint8 else np.clip(values * 255.0, 0, 255).round()
    buffer = io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(buffer, "PNG", optimize=True)
    return EMBEDDED + base64.b64encode(buffer.getvalue()).decode("ascii")


def read_mask(source: str, size: tuple[int, int], shape: tuple[int, int]) -> Tensor:
    """A mask on the photo's grid.

    Args:
        source: a picture's path, white is chosen, black is not; or what `painted` gave.
        size: (width, height) of the photo; the mask may be smaller or larger, of its proportions.
        shape: (H, W) wanted.

    Returns:
        (1, H, W) float32 in [0, 1].

    Raises:
        InputError: no picture, or of another shape than the photo.
    """
    levels, name = _levels(source)
    height, width = levels.shape
    if abs(width * size[1] / (height * size[0]) - 1) > SAME_SHAPE:
        raise InputError(
            f"{name}: the mask is {width}x{height}, the photo {size[0]}x{size[1]} pixels\n"
            "  A mask covers the wide photo's whole frame, at any size."
        )
    mask = torch.from_numpy(levels)[None, None]
    if (height, width) != shape:
        shrinks = height > shape[0]
        mask = F.interpolate(mask, shape, mode="bilinear", antialias=shrinks)
    return mask[0].clamp(0, 1)


def feather(mask: Tensor, disparity_w_px: Tensor, feather_px: float) -> Tensor:
    """Soften a mask's border, but only among things of like depth.

    Each pixel takes the mean of the mask around it over what lies about as near (a bilateral grid:
    Chen, Paris and Durand 2007). A border painted a little beside a depth edge moves onto it.

    Args:
        mask: (1, H, W) in [0, 1].
        disparity_w_px: (1, H, W).
        feather_px: about the width of the transition, which is no less than a five-hundredth of
            the longer side; 0 leaves the mask as it is.

    Returns:
        (1, H, W) in [0, 1].
    """
    if feather_px <= 0:
        return mask
    height, width = mask.shape[-2:]
    cell_px = max(1.0, feather_px / CELLS_PER_FEATHER, max(height, width) / MAX_CELLS)
    size = (max(2, round(height / cell_px)), max(2, round(width / cell_px)))
    levels = _levels_of(disparity_w_px)
    grid = _smoothed(_splat(mask[0], levels[0], size))
    feathered = torch.empty_like(mask)
    for rows in _strips(height):
        means = _slice(grid, levels[0, rows], rows, height)
        feathered[0, rows] = means[0] / means[1].clamp_min(1e-6)
    return feathered.clamp(0, 1)


def _levels_of(disparity_w_px: Tensor) -> Tensor:
    """Disparity as 0 .. LAYERS - 1."""
    values = disparity_w_px.flatten()
    values = values[:: max(1, values.numel() // 100_000)].sort().values
    low, high = values[int(0.01 * (len(values) - 1))], values[int(0.99 * (len(values) - 1))]
    return ((disparity_w_px - low) / (high - low).clamp_min(1e-6)).clamp(0, 1) * (LAYERS - 1)


def _splat(mask: Tensor, levels: Tensor, size: tuple[int, int]) -> Tensor:
    """Sums of the mask and of ones by cell and layer, (2, LAYERS, h, w)."""
    height, width = mask.shape
    grid = torch.zeros(2, LAYERS * size[0] * size[1], dtype=torch.float64)
    columns = torch.arange(width) * size[1] // width
    for rows in _strips(height):
        cell_rows = torch.arange(rows.start, rows.stop) * size[0] // height
        cells = (cell_rows[:, None] * size[1] + columns).flatten()
        level, values = levels[rows].flatten(), mask[rows].flatten()
        low = level.long().clamp_max(LAYERS - 2)
        for layer, share in ((low, 1 - (level - low)), (low + 1, level - low)):
            index = layer * (size[0] * size[1]) + cells
            for sums, weights in zip(grid, (share * values, share), strict=True):
                sums += torch.bincount(index, weights.double(), minlength=sums.numel())
    return grid.float().reshape(2, LAYERS, *size)


def _smoothed(grid: Tensor) -> Tensor:
    """Binomial over five cells, both ways; beyond the border there is nothing to weigh."""
    kernel = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    flat = grid.flatten(0, 1)[:, None]
    flat = F.conv2d(flat, kernel.reshape(1, 1, 5, 1), padding=(2, 0))
    return F.conv2d(flat, kernel.reshape(1, 1, 1, 5), padding=(0, 2)).reshape(grid.shape)


def _slice(grid: Tensor, levels: Tensor, rows: slice, height: int) -> Tensor:
    """Between the cells and layers, at the pixels of some rows, (2, rows, W)."""
    width = levels.shape[1]
    y = (2 * torch.arange(rows.start, rows.stop) + 1) / height - 1
    x = (2 * torch.arange(width) + 1) / width - 1
    at = torch.stack(
        [
            x.expand_as(levels),
            y[:, None].expand_as(levels),
            (2 * levels + 1) / LAYERS - 1,
        ],
        dim=-1,
    )
    return F.grid_sample(grid[None], at[None, None], padding_mode="border", align_corners=False)[
        0, :, 0
    ]


def _strips(height: int) -> list[slice]:
    return [slice(y, min(y + STRIP_ROWS, height)) for y in range(0, height, STRIP_ROWS)]


def _levels(source: str) -> tuple[np.ndarray, str]:
    """(H, W) float32 in [0, 1], and what to call it."""
    embedded = source.startswith(EMBEDDED)
    name = "painted mask" if embedded else source
    try:
        if embedded:
            data = base64.b64decode(source[len(EMBEDDED) :], validate=True)
        else:
            data = Path(source).read_bytes()
        file = io.BytesIO(data)
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as picture:
            check_size(*picture.size, len(data))
            deep = picture.mode.startswith("I")
            values = np.asarray(picture if deep else picture.convert("L"), dtype=np.float32)
    except UNREADABLE as error:
        raise InputError(
            f"{name}: cannot be read as a mask ({error})\n"
            "  Give a gray picture: white where the step applies, black where it does not."
        ) from error
    return np.ascontiguousarray(values / (65535 if deep else 255)), name
