"""Which white spots of a sharp picture are lamps, and how bright."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfnet.model.blocks import double, halve, sum_of_scales
from dfnet.model.refinement import RefinementPath, level_widths
from dfnet.nearby import greatest_nearby

_SCALES = 3
_WHITE_FROM, _WHITE_AT = 0.75, 0.9  # of the darkest channel, encoded: a photo softens a dot
_SPOT_PX = 9  # what is as wide as this is no spot
_SURE_LOG_ODDS = 4.0  # 55 to 1: a disc where no lamp is disturbs more than one that is missing
_STEEPNESS = 4.0  # half of the light at those odds, soon none or all
_FIRST_LOG_ODDS, _FIRST_LOG_LIGHT = -3.0, 5.0
_LARGEST_LOG_LIGHT = 8.5


class Lamps(NamedTuple):
    """A guess of the light that a sharp picture clips.

    Attributes:
        spots: (B, 1, H, W) in [0, 1], where the picture is white, but not far and wide.
        log_odds: (B, 1, H/2, W/2) that a spot there is a lamp.
        log_light: (B, 1, H/2, W/2) if so, its linear light per pixel beyond white.
    """

    spots: Tensor
    log_odds: Tensor
    log_light: Tensor

    def light(self) -> Tensor:
        """Linear light to be added to the picture before it is blurred, (B, 1, H, W)."""
        sure = torch.sigmoid(_STEEPNESS * (self.log_odds - _SURE_LOG_ODDS))
        return self.spots * double(sure * torch.exp(self.log_light))


class LampFinder(nn.Module):
    """Tells lamps from white dots of other things.

    Blurred, a lamp is a bright disc where a dot of paper vanishes, and in a sharp photo both are
    white. What surrounds them tells them apart, and W's own disc where W shows the lamp blurred. It
    learns from the renderer's lamps themselves: through rendered blur it learned only that most
    white things are none.

    Args:
        width: channels at a quarter of the resolution.
        blocks: residual blocks per level.
    """

    def __init__(self, width: int, blocks: int):
        super().__init__()
        widths = level_widths(width, _SCALES, widest=2)
        self.path = RefinementPath(widths, blocks, image_channels=19, out_channels=2)

    def forward(self, image_w: Tensor, sharp: Tensor, maps: Tensor) -> Lamps:
        """Look for lamps.

        Args:
            image_w: (B, 3, H, W), sides multiples of 16.
            sharp: all in focus, same shape.
            maps: (B, 6, H, W), see `dfnet.model.maps.encode_maps`; not told what blur is wanted, as
                a lamp's light does not depend on it.
        """
        spots = white_spots(sharp)
        finest = F.pixel_unshuffle(torch.cat([sharp, spots], dim=1), 2)
        seen = torch.cat([halve(image_w), finest], dim=1)
        parts, _ = self.path(seen, halve(maps))
        guess = sum_of_scales(parts)
        log_light = (_FIRST_LOG_LIGHT + guess[:, 1:]).clamp_max(_LARGEST_LOG_LIGHT)
        return Lamps(spots, _FIRST_LOG_ODDS + guess[:, :1], log_light)


def white_spots(image: Tensor) -> Tensor:
    """Where all channels are white, less what an opening by a square leaves.

    Args:
        image: (B, 3, H, W), sRGB in [0, 1].

    Returns:
        (B, 1, H, W) in [0, 1].
    """
    darkest = image.float().amin(dim=1, keepdim=True)
    white = ((darkest - _WHITE_FROM) / (_WHITE_AT - _WHITE_FROM)).clamp(0, 1)
    wide = greatest_nearby(-greatest_nearby(-white, _SPOT_PX), _SPOT_PX)
    return (white - wide).clamp_min(0)
