"""The greatest value around each pixel, in time that hardly depends on how far around."""

import torch
import torch.nn.functional as F
from torch import Tensor


def greatest_nearby(x: Tensor, side: int) -> Tensor:
    """Maximum over the square around each pixel, what there is of it at the border.

    Args:
        x: (B, C, H, W).
        side: of the square in pixels, odd.

    Returns:
        Same shape.
    """
    reach = side // 2
    x = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    return _greatest_of_next(_greatest_of_next(x, side, -2), side, -1)


def _greatest_of_next(x: Tensor, count: int, dim: int) -> Tensor:
    """Of each pixel and those after it, `count` in all; runs of 2, 4, ... and one that overlaps."""
    run = 1
    while run < count:
        step = min(run, count - run)
        left = x.shape[dim] - step
        x = torch.maximum(x.narrow(dim, 0, left), x.narrow(dim, step, left))
        run += step
    return x
