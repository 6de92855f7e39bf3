"""How much brighter than white a sharp picture's white parts were: windows, skies, reflections."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfnet.model.blocks import double, halve, sum_of_scales
from dfnet.model.refinement import RefinementPath, level_widths

_SCALES = 3
_CLIPPED_FROM, _CLIPPED_AT = 0.9, 0.98  # of each channel, encoded
_FIRST_GAIN = -2.0  # before the softplus: an eighth brighter than white
_LARGEST_LOG_GAIN = 2.0  # seven times white; a file of 4 at an exposure of 1.4 ends below


class Highlights(NamedTuple):
    """A guess of the light that a sharp picture clips, other than the light of lamps.

    Attributes:
        clipped: (B, 3, H, W) in [0, 1], where a channel is at its end.
        log_gain: (B, 3, H/2, W/2), logarithm of how many times brighter than white that was; >= 0.
    """

    clipped: Tensor
    log_gain: Tensor

    def light(self) -> Tensor:
        """Linear light to be added to the picture before it is blurred, (B, 3, H, W)."""
        return self.clipped * torch.expm1(double(self.log_gain))


class HighlightFinder(nn.Module):
    """Tells a window from a white wall.

    Blurred, light beyond white spreads further than white, and in a sharp photo both are white.
    What surrounds them tells them apart. It learns from the renderer's light itself.

    Args:
        width: channels at a quarter of the resolution.
        blocks: residual blocks per level.
    """

    def __init__(self, width: int, blocks: int):
        super().__init__()
        widths = level_widths(width, _SCALES, widest=2)
        self.path = RefinementPath(widths, blocks, image_channels=18)

    def forward(self, image_w: Tensor, sharp: Tensor, maps: Tensor) -> Highlights:
        """Look at what is clipped.

        Args:
            image_w: (B, 3, H, W), sides multiples of 16.
            sharp: all in focus, same shape.
            maps: (B, 6, H, W), see `dfnet.model.maps.encode_maps`; not told what blur is wanted, as
                light does not depend on it.
        """
        clipped = ((sharp.float() - _CLIPPED_FROM) / (_CLIPPED_AT - _CLIPPED_FROM)).clamp(0, 1)
        ends = F.pixel_unshuffle(sharp, 2)
        seen = torch.cat([halve(image_w), ends, halve(clipped)], dim=1)
        parts, _ = self.path(seen, halve(maps))
        gain = F.softplus(_FIRST_GAIN + sum_of_scales(parts))
        return Highlights(clipped, gain.clamp_max(_LARGEST_LOG_GAIN))
