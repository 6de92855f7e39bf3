"""Our defocus against the map that DC²'s authors used on their staged scene.

Their map is a picture in the colours of `magma`, unsigned and without a unit: the brighter, the
wider the blur. So only its shape can be compared.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dfnet.preprocess import Preprocessed


class MapScore(NamedTuple):
    """How alike the two maps are.

    Attributes:
        pearson: correlation of circle-of-confusion diameters over the pixels called valid.
        valid: share of those pixels.
        defocus_per_disparity: of our blur law, to be held against the device's.
    """

    pearson: float
    valid: float
    defocus_per_disparity: float


def compare_maps(result: Preprocessed, authors_coc: Tensor) -> MapScore:
    """Correlate our map with the authors'.

    Args:
        result: of the same photo.
        authors_coc: (1, h, w), any size and unit.
    """
    size = authors_coc.shape[-2:]
    ours, valid = (
        F.interpolate(x[None].float(), size, mode="area")[0]
        for x in (result.defocus_w_px.abs(), result.valid_w)
    )
    where = valid > 0.5
    pair = torch.stack([ours[where], authors_coc[where]]).double()
    return MapScore(
        float(torch.corrcoef(pair)[0, 1]),
        float(result.valid_w.float().mean()),
        result.blur_law.defocus_per_disparity,
    )


def levels_from_magma(picture: Tensor) -> Tensor:
    """Undo the colour map: the level (1, H, W) in [0, 1] of the nearest of its 256 colours."""
    colours = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_MAGMA)
    table = torch.from_numpy(colours[:, 0, ::-1].astype(np.float32)) / 255
    rows = [torch.cdist(row.T, table).argmin(dim=1) for row in picture.unbind(dim=1)]
    return torch.stack(rows)[None] / 255
