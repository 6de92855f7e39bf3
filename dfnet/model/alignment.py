"""The last pixels of the guide's alignment: W and the guide matched by learned features.

Estimated flow is off by a pixel or two in places, which no blend of the two pictures can mend. A
local search, first at a quarter and then at half the resolution, looks for each pixel of W around
the place that preprocessing found, as optical flow networks do with their cost volumes (Sun et al.,
"PWC-Net", CVPR 2018). It only moves the guide; W's features never reach the refinement of UW.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfnet.model.blocks import convolution, head, stack
from dfnet.warp import backward_warp

_COMPARED = 16  # channels
_DILATIONS = (1, 2, 3)


class GuideAlignment(nn.Module):
    """Where on the guide each pixel of W should have looked.

    Args:
        map_channels: channels of the maps.
        width: channels of the features; no multiple of 16 gave NaN gradients in bfloat16 on a CPU.
    """

    def __init__(self, map_channels: int, width: int = 32):
        super().__init__()
        self.coarse = LocalSearch(map_channels, width, step=4, reach=4)
        self.fine = LocalSearch(map_channels, width, step=2, reach=2)

    def forward(self, image_w: Tensor, uw_on_w: Tensor, maps: Tensor) -> list[Tensor]:
        """Remaining motions of the guide [px], (B, 2, H, W) float32, coarse and fine.

        Args:
            image_w: (B, 3, H, W), sides multiples of 4.
            uw_on_w: the guide, same shape.
            maps: (B, C, H, W), see `dfnet.model.maps.encode_maps`.
        """
        coarse = self.coarse(image_w, uw_on_w, maps)
        nearer = backward_warp(uw_on_w, coarse.detach())
        return [coarse, coarse + self.fine(image_w, nearer, maps)]


class LocalSearch(nn.Module):
    """Features of both pictures, their likeness at each offset, a motion out of it.

    Args:
        map_channels: channels of the maps.
        width: channels of the features.
        step: pixels per feature.
        reach: of the search, in features.
    """

    def __init__(self, map_channels: int, width: int, step: int, reach: int):
        super().__init__()
        self.step, self.reach = step, reach
        offsets = (2 * reach + 1) ** 2
        self.encode_w = _encoder(3 * step**2 + map_channels, width)
        self.encode_uw = _encoder(3 * step**2, width)
        self.compare_w = nn.Conv2d(width, _COMPARED, 1)
        self.compare_uw = nn.Conv2d(width, _COMPARED, 1)
        self.join = convolution(offsets + width, width)
        self.body = stack(width, _DILATIONS)
        self.head = head(width, 2)

    def forward(self, image_w: Tensor, uw_on_w: Tensor, maps: Tensor) -> Tensor:
        """The motion [px], (B, 2, H, W) float32."""
        small_w, small_uw = (F.pixel_unshuffle(x - 0.5, self.step) for x in (image_w, uw_on_w))
        features_w = self.encode_w(torch.cat([small_w, F.avg_pool2d(maps, self.step)], dim=1))
        features_uw = self.encode_uw(small_uw)
        alike = likeness(
            F.normalize(self.compare_w(features_w), dim=1),
            F.normalize(self.compare_uw(features_uw), dim=1),
            self.reach,
        )
        state = self.body(self.join(torch.cat([alike, features_w], dim=1)))
        motion = self.step * self.head(state).float()
        return F.interpolate(motion, scale_factor=self.step, mode="bilinear")


def likeness(features_w: Tensor, features_uw: Tensor, reach: int) -> Tensor:
    """Dot products of W's features with the guide's, at all offsets up to `reach`.

    Args:
        features_w: (B, C, H, W).
        features_uw: same shape; beyond the border its edge goes on.
        reach: largest offset in x and in y.

    Returns:
        (B, (2 reach + 1)², H, W), offsets row by row: (dx, dy) = (-reach, -reach) first.
    """
    height, width = features_w.shape[-2:]
    padded = F.pad(features_uw, [reach] * 4, mode="replicate").contiguous()
    features_w = features_w.contiguous()  # two layouts, multiplied, took ten times as long
    side = range(2 * reach + 1)
    products = [
        (features_w * padded[..., row : row + height, column : column + width]).sum(1)
        for row in side
        for column in side
    ]
    return torch.stack(products, dim=1)


def _encoder(in_channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(convolution(in_channels, width), *stack(width, (1, 1)))
