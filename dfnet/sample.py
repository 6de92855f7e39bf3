"""What the network is given: one record for training, evaluation and use."""

from typing import NamedTuple

import torch
from torch import Tensor


class Sample(NamedTuple):
    """A batch of network inputs, all on W's grid (DC², section 3.3).

    Attributes:
        image_w: (B, 3, H, W) the photo to be refocused, sRGB in [0, 1].
        uw_on_w: (B, 3, H, W) the ultra-wide guide, aligned and colour matched.
        occluded_w: (B, 1, H, W) float, 1 where UW cannot see the point.
        defocus_w_px: (B, 1, H, W) signed circle-of-confusion diameter that W shows [px].
        target_defocus_w_px: (B, 1, H, W) the one that is wanted [px].
        radial_w: (B, 1, H, W) distance from the full frame's optical centre, 1 in its corner.
    """

    image_w: Tensor
    uw_on_w: Tensor
    occluded_w: Tensor
    defocus_w_px: Tensor
    target_defocus_w_px: Tensor
    radial_w: Tensor


def absent_guide(image_w: Tensor) -> tuple[Tensor, Tensor]:
    """What stands for UW where there is none: W itself, told to be hidden everywhere.

    Training, single photos and the evaluation all say it this way.

    Args:
        image_w: (..., 3, H, W).

    Returns:
        `uw_on_w` of the same shape, and `occluded_w` (..., 1, H, W) bool.
    """
    return image_w.clone(), torch.ones_like(image_w[..., :1, :, :], dtype=torch.bool)
