"""A small network that mends what the layered renderer gets wrong."""

import torch
from torch import Tensor, nn

from dfnet.model.blocks import sum_of_scales
from dfnet.model.change import change_weight
from dfnet.model.refinement import RefinementPath, level_widths
from dfnet.nearby import greatest_nearby

_SCALES = 3
MENDED_PX = 4.0  # diameter up to which the finest scale is mended; twice that at each coarser one
_BESIDE = 9  # px, side of the square whose least blur counts


class Finish(nn.Module):
    """What the layered renderer gets wrong, put right.

    A wrong edge of the map or a hidden surface made up too plainly is corrected by a residual,
    never by anything finer than the blur that is wanted there: else a sharp photo would show
    through.

    Args:
        width: channels at half resolution.
        blocks: residual blocks per level.
    """

    def __init__(self, width: int, blocks: int):
        super().__init__()
        self.path = RefinementPath(level_widths(width, _SCALES), blocks, image_channels=9)

    def forward(
        self,
        image_w: Tensor,
        sharp: Tensor,
        rendered: Tensor,
        maps: Tensor,
        target_defocus_w_px: Tensor,
    ) -> Tensor:
        """The picture with the wanted blur, (B, 3, H, W) float32.

        Args:
            image_w: (B, 3, H, W), sides multiples of 16.
            sharp: all in focus, same shape.
            rendered: with the wanted blur, same shape.
            maps: (B, 6, H, W), see `dfnet.model.maps.encode_maps`.
            target_defocus_w_px: (B, 1, H, W), the wanted diameter.
        """
        residuals, _ = self.path(torch.cat([image_w, sharp, rendered], dim=1), maps)
        shares = mended_shares(target_defocus_w_px, _SCALES)
        parts = [r.float() * share for r, share in zip(residuals, shares, strict=True)]
        return rendered + sum_of_scales(parts)


def mended_shares(target_defocus_w_px: Tensor, scales: int) -> list[Tensor]:
    """How much of each scale's detail the wanted blur can leave, finest first.

    A disc wipes out what is finer than it: scale k holds detail of some `MENDED_PX` 2^k px; it is
    left whole by blur up to that diameter and gone at twice as much.

    Args:
        target_defocus_w_px: (B, 1, H, W); the least nearby counts, since maps err by a few px.
        scales: how many.

    Returns:
        (B, 1, H/2^k, W/2^k) in [0, 1].
    """
    least = -greatest_nearby(-target_defocus_w_px.float().abs(), _BESIDE)
    steps = [2**scale for scale in range(scales)]
    return [(2 - least[..., ::k, ::k] / (MENDED_PX * k)).clamp(0, 1) for k in steps]


def blur_weight(target_defocus_w_px: Tensor) -> Tensor:
    """Where a picture that is wanted blurred differs from the sharp one, (B, 1, H, W) in [0, 1]."""
    return change_weight(torch.zeros_like(target_defocus_w_px), target_defocus_w_px)
