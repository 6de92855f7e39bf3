"""A small network that mends what the layered renderer gets wrong."""

import torch
from torch import Tensor, nn

from dfnet.model.blocks import double, head
from dfnet.model.change import change_weight
from dfnet.model.refinement import RefinementPath, level_widths

_SCALES = 3
_W_AT_FIRST = -4.0  # logit of W's share


class Finish(nn.Module):
    """What the layered renderer gets wrong, put right.

    A wrong edge of the map or a hidden surface made up too plainly is corrected by a residual.
    Where source and target blur are alike, W itself may know better than a picture that was
    sharpened and blurred again.

    Args:
        width: channels at half resolution.
        blocks: residual blocks per level.
    """

    def __init__(self, width: int, blocks: int):
        super().__init__()
        self.path = RefinementPath(level_widths(width, _SCALES), blocks, image_channels=9)
        self.mask_head = head(width, 4)
        nn.init.constant_(self.mask_head.bias, _W_AT_FIRST)

    def forward(self, image_w: Tensor, sharp: Tensor, rendered: Tensor, maps: Tensor) -> Tensor:
        """The picture with the wanted blur, (B, 3, H, W) float32.

        Args:
            image_w: (B, 3, H, W), sides multiples of 16.
            sharp: all in focus, same shape.
            rendered: with the wanted blur, same shape.
            maps: (B, 6, H, W), see `dfnet.model.maps.encode_maps`.
        """
        seen = torch.cat([image_w, sharp, rendered], dim=1)
        residuals, features = self.path(seen, maps)
        residual = residuals[-1].float()
        for finer in reversed(residuals[:-1]):
            residual = double(residual) + finer.float()
        share_w = torch.sigmoid(nn.functional.pixel_shuffle(self.mask_head(features[0]), 2).float())
        return torch.lerp(rendered, image_w, share_w) + residual


def blur_weight(target_defocus_w_px: Tensor) -> Tensor:
    """Where a picture that is wanted blurred differs from the sharp one, (B, 1, H, W) in [0, 1]."""
    return change_weight(torch.zeros_like(target_defocus_w_px), target_defocus_w_px)
