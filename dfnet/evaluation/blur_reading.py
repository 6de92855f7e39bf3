"""How much blur a picture shows, patch by patch, held against the sharp picture of the scene.

The diameter read is that of the disc that brings the sharp picture nearest to the patch. It is read
where there is texture and no depth edge. The same reading of rendered slices, whose blur is known,
tells how far to trust it.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dfnet.blur import disc_blur
from dfnet.evaluation.bands import SceneMaps, near_depth_edges
from dfnet.photo import linear_from_srgb, srgb_from_linear

PATCH_PX = 24
LEVELS_PX = (0.0, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 28, 34, 40)
MIN_TEXTURE = 0.04  # deviation of the sharp picture within a patch
MAX_SPREAD_PX = 1.5  # of true blur within a patch
MIN_PATCHES = 8


class BlurReader(NamedTuple):
    """The sharp picture at every blur, and the patches that can be read.

    Attributes:
        references: (levels, 3, H, W), sRGB.
        patches: bool (h, w), which of the grid can be read.
    """

    references: Tensor
    patches: Tensor

    def read(self, picture: Tensor) -> Tensor:
        """Blur diameters [px] of the readable patches, (N,).

        Args:
            picture: (3, H, W) sRGB.
        """
        difference = picture - self.references
        error = _in_patches(difference.square()) - _in_patches(difference).square()
        return _lowest(error.mean(dim=1)[:, self.patches])

    def mean(self, values: Tensor) -> Tensor:
        """Means of a map (1, H, W) over the readable patches, (N,)."""
        return _in_patches(values[None])[0, 0][self.patches]


def blur_reader(sharp: Tensor, maps: SceneMaps, trusted: Tensor | None = None) -> BlurReader:
    """Prepare to read pictures of one scene.

    Args:
        sharp: (3, H, W) sRGB, in focus everywhere.
        maps: of a picture with blur.
        trusted: bool (1, H, W), where the sharp picture counts.
    """
    linear = linear_from_srgb(sharp)[None]
    blurred = [srgb_from_linear(disc_blur(linear, float(coc))[0]) for coc in LEVELS_PX]
    deviation = (_in_patches(sharp[None].square()) - _in_patches(sharp[None]).square()).mean(1)
    coc = _in_patches(maps.coc_px[None])[0, 0]
    spread = (_in_patches(maps.coc_px[None].square())[0, 0] - coc.square()).clamp_min(0).sqrt()
    away = near_depth_edges(maps.disparity_px)
    if trusted is not None:
        away = away | ~trusted
    clear = _in_patches(away[None].float())[0, 0] == 0
    patches = (deviation[0].clamp_min(0).sqrt() > MIN_TEXTURE) & clear & (spread < MAX_SPREAD_PX)
    return BlurReader(torch.stack(blurred), patches)


def _in_patches(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, PATCH_PX)


def _lowest(error: Tensor) -> Tensor:
    """Where the error (levels, N) is least, between levels by a parabola, (N,) [px]."""
    levels = torch.tensor(LEVELS_PX)
    best = error.argmin(dim=0).clamp(1, len(levels) - 2)
    before, at, after = (error.gather(0, (best + i)[None])[0] for i in (-1, 0, 1))
    left, right = levels[best] - levels[best - 1], levels[best + 1] - levels[best]
    # The parabola through three points that need not lie equally far apart.
    rise, fall = (after - at) / right, (at - before) / left
    bend = (rise - fall).clamp_min(1e-12)
    offset = -(rise * left + fall * right) / (2 * bend)
    return (levels[best] + offset.clamp(-left, right)).clamp_min(0)
