"""Where the edit changes the picture at all: elsewhere W is kept, noise and all."""

import torch
import torch.nn.functional as F
from torch import Tensor

KEEP_BELOW_PX = 0.5
CHANGE_FROM_PX = 1.5
_REACHES_PX = (1, 2, 4, 8, 16, 32)


def change_weight(defocus_w_px: Tensor, target_defocus_w_px: Tensor) -> Tensor:
    """Weight of the network's picture against W.

    A pixel keeps W when its own defocus stays (within `KEEP_BELOW_PX`) and so does that of every
    pixel whose blur, before or after the edit, reaches it.

    Args:
        defocus_w_px: signed diameter that W shows [px], (B, 1, H, W).
        target_defocus_w_px: signed diameter that is wanted [px], same shape.

    Returns:
        (B, 1, H, W) in [0, 1]: 0 keeps W, 1 takes the network's picture, smooth between.
    """
    source, target = defocus_w_px.float(), target_defocus_w_px.float()
    change_px = (target - source).abs()
    blur_radius_px = torch.maximum(source.abs(), target.abs()) / 2
    reached = change_px
    for shorter, reach in zip((0, *_REACHES_PX), _REACHES_PX, strict=False):
        spreading = torch.where(blur_radius_px > shorter, change_px, 0.0)
        reached = torch.maximum(reached, _dilate(spreading, reach))
    rise = (reached - KEEP_BELOW_PX) / (CHANGE_FROM_PX - KEEP_BELOW_PX)
    weight = rise.clamp(0, 1)
    weight = weight * weight * (3 - 2 * weight)
    return F.avg_pool2d(F.pad(weight, (2, 2, 2, 2), mode="replicate"), 5, stride=1)


def _dilate(values: Tensor, radius: int) -> Tensor:
    """Maximum over a square of the given radius."""
    for axis in (-1, -2):
        values = _running_maximum(values, radius, axis)
    return values


def _running_maximum(values: Tensor, radius: int, axis: int) -> Tensor:
    """Maximum over `2 radius + 1` neighbours, in as many steps as that has binary digits."""
    sides = [radius, radius, 0, 0] if axis == -1 else [0, 0, radius, radius]
    values = F.pad(values, sides, value=-torch.inf)
    size, reached = 2 * radius + 1, 1
    while reached < size:
        step = min(reached, size - reached)
        count = values.shape[axis] - step
        values = torch.maximum(values.narrow(axis, 0, count), values.narrow(axis, step, count))
        reached += step
    return values
