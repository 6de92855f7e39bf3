"""Parts of a picture that are scored on their own: by W's blur, by what UW sees, at depth edges."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

EVERYWHERE = "all"
IN_FOCUS_SHARE = 0.003  # of the longer side: 1.5 px of 512, 8 px of 2688
HEAVY_SHARE = 0.012  # 6 px of 512, 32 px of 2688
EDGE_REACH_PX = 8
EDGE_STEP_PX = 1.0
EDGE_GRID_PX = 1024  # wider maps are looked at this coarsely: there, edges are ramps
MIN_PIXELS = 256  # a smaller part says nothing


class SceneMaps(NamedTuple):
    """Where things are, for scoring; from the truth where there is one, else estimated.

    Attributes:
        coc_px: (1, H, W) blur diameter of W; of the answer where W is sharp everywhere.
        disparity_px: (1, H, W), larger is nearer.
        occluded_w: (1, H, W) bool, True where UW cannot see the point.
    """

    coc_px: Tensor
    disparity_px: Tensor
    occluded_w: Tensor


def bands(maps: SceneMaps) -> dict[str, Tensor]:
    """Masks bool (1, H, W) by name; those of blur are disjoint and cover the picture."""
    side_px = max(maps.coc_px.shape[-2:])
    in_focus = maps.coc_px < IN_FOCUS_SHARE * side_px
    heavy = maps.coc_px >= HEAVY_SHARE * side_px
    return {
        "in_focus": in_focus,
        "lightly_defocused": ~in_focus & ~heavy,
        "heavily_defocused": heavy,
        "occluded": maps.occluded_w,
        "depth_edge": near_depth_edges(maps.disparity_px),
    }


def near_depth_edges(disparity_px: Tensor) -> Tensor:
    """Pixels within `EDGE_REACH_PX` of a step in disparity, bool (1, H, W).

    A step is more than `EDGE_STEP_PX` from one pixel to the next: there, one camera sees what the
    other does not.
    """
    reach = max(1, round(max(disparity_px.shape[-2:]) / EDGE_GRID_PX))
    beside = torch.zeros_like(disparity_px, dtype=torch.bool)
    for axis in (-1, -2):
        ahead = disparity_px.roll(-reach, axis)
        step = (ahead - disparity_px).abs() > EDGE_STEP_PX * reach
        step.narrow(axis, step.shape[axis] - reach, reach).fill_(False)
        beside |= step | step.roll(reach, axis)
    return within(beside, EDGE_REACH_PX)


def within(marked: Tensor, radius_px: float) -> Tensor:
    """Pixels whose centre is at most this far from a marked one's, bool (1, H, W)."""
    if not bool(marked.any()):
        return marked
    free = (~marked[0]).numpy().astype(np.uint8)
    distance_px = cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return torch.from_numpy(distance_px <= radius_px)[None]
