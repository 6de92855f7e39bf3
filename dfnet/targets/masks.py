"""Masks that people paint or other programs make, feathered without crossing depth edges."""

import base64
import io
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from dfnet.errors import InputError
from dfnet.io.decode import MAX_PIXELS

EMBEDDED = "data:image/png;base64,"
SAME_SHAPE = 0.02  # part by which a mask's proportions may differ from the photo's
LAYERS = 16  # of disparity; a pixel lies between two
CELLS_PER_FEATHER = 2  # of the grid on which masks are averaged


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
        feather_px: about the width of the transition; 0 leaves the mask as it is.

    Returns:
        (1, H, W) in [0, 1].
    """
    if feather_px <= 0:
        return mask
    level = _level(disparity_w_px)
    height, width = mask.shape[-2:]
    cell_px = max(1.0, feather_px / CELLS_PER_FEATHER)
    size = (max(2, round(height / cell_px)), max(2, round(width / cell_px)))
    total, weight = torch.zeros_like(mask[0]), torch.zeros_like(mask[0])
    for k in range(LAYERS):  # one layer at a time bounds the memory
        near = (1 - (level - k).abs()).clamp_min(0)
        if not near.any():
            continue
        sums = torch.cat([mask * near, near])[None]
        means = _smoothed(F.interpolate(sums, size, mode="area"))
        means = F.interpolate(means, (height, width), mode="bilinear")[0]
        total += near[0] * means[0]
        weight += near[0] * means[1]
    return (total / weight.clamp_min(1e-6))[None].clamp(0, 1)


def _level(disparity_w_px: Tensor) -> Tensor:
    """Disparity as 0 .. LAYERS - 1."""
    values = disparity_w_px.flatten()
    values = values[:: max(1, values.numel() // 100_000)].sort().values
    low, high = values[int(0.01 * (len(values) - 1))], values[int(0.99 * (len(values) - 1))]
    return ((disparity_w_px - low) / (high - low).clamp_min(1e-6)).clamp(0, 1) * (LAYERS - 1)


def _smoothed(grid: Tensor) -> Tensor:
    """Binomial over five cells, both ways; beyond the border there is nothing to weigh."""
    kernel = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    weights = (kernel[:, None] * kernel)[None, None].expand(grid.shape[1], 1, 5, 5)
    return F.conv2d(grid, weights, padding=2, groups=grid.shape[1])


def _levels(source: str) -> tuple[np.ndarray, str]:
    """(H, W) float32 in [0, 1], and what to call it."""
    embedded = source.startswith(EMBEDDED)
    name = "painted mask" if embedded else source
    try:
        if embedded:
            file = io.BytesIO(base64.b64decode(source[len(EMBEDDED) :], validate=True))
        else:
            file = Path(source)
        with warnings.catch_warnings(action="ignore"), Image.open(file) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise OSError(f"{picture.width}x{picture.height} pixels are too many")
            deep = picture.mode.startswith("I")
            values = np.asarray(picture if deep else picture.convert("L"), dtype=np.float32)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(
            f"{name}: cannot be read as a mask ({error})\n"
            "  Give a gray picture: white where the step applies, black where it does not."
        ) from error
    return np.ascontiguousarray(values / (65535 if deep else 255)), name
