"""All maps at W's full resolution; what is large is made strip by strip."""

from typing import NamedTuple

import cv2
import numpy as np

from dfnet.preprocess.align import Views, shrink
from dfnet.preprocess.colour import ColourMap
from dfnet.preprocess.occlusion import find_hidden
from dfnet.preprocess.rectify import Rectification, net_around, sample_uw
from dfnet.preprocess.refine import upsample_along_edges
from dfnet.preprocess.stereo import Stereo
from dfnet.preprocess.sweep_images import noise_on_canvas
from dfnet.preprocess.validity import Validity, judge, texture_along

STRIP_ROWS = 128


class FullMaps(NamedTuple):
    """Arrays on W's full grid.

    Attributes:
        disparity_w_px: (H, W) float32.
        flow_w_to_uw: (2, H, W) float32.
        uw_on_w: (3, H, W) float32, in W's colours.
        hidden_w: bool (H, W), behind something as seen from UW.
        inside_uw: bool (H, W), lands in UW's frame.
        validity: how far to believe each pixel.
    """

    disparity_w_px: np.ndarray
    flow_w_to_uw: np.ndarray
    uw_on_w: np.ndarray
    hidden_w: np.ndarray
    inside_uw: np.ndarray
    validity: Validity


def full_size_maps(
    photos: tuple[np.ndarray, np.ndarray],
    views: Views,
    rectification: Rectification,
    stereo: Stereo,
    guide_w: np.ndarray,
    colour: ColourMap,
) -> FullMaps:
    """Enlarge what was found on the working grid, and sample UW once through the composed flow.

    Args:
        photos: W and UW at full size, (H, W, 3) in [0, 1], of any layout; UW may be 8-bit levels.
        views: the working photos.
        rectification: W's rectified grid to UW.
        stereo: disparity, confidence and hidden pixels on the working grid.
        guide_w: UW on the working grid.
        colour: UW's colours to W's.
    """
    image_w, image_uw = photos
    shape = image_w.shape[:2]
    disparity, hidden = stereo.disparity_w_px, stereo.hidden_w
    if disparity.shape != shape:
        disparity = upsample_along_edges(
            disparity, stereo.confidence_w, views.image_w, image_w, 1 / views.scale
        )
        hidden = find_hidden(disparity, stereo.baseline_direction)
        hidden |= _enlarged(stereo.hidden_by_uw_w.astype(np.float32), shape) > 0.5
    scale_uw = min(1.0, views.w_per_uw)
    reduced = shrink(image_uw, scale_uw)
    flow, guide, inside = _sampled(reduced, scale_uw, rectification, disparity, stereo, colour)
    del reduced
    noise = noise_on_canvas(views.noise_uw, views.w_per_uw * views.scale)
    texture = texture_along(guide_w, stereo.baseline_direction, noise)
    validity = judge(stereo.confidence_w, texture, hidden, inside)
    return FullMaps(disparity, flow, guide, hidden, inside, validity)


def _sampled(image_uw, scale_uw, rectification, disparity, stereo, colour):
    """Flow (2, H, W), recoloured UW on W (3, H, W), and what lies inside UW's frame (H, W)."""
    height, width = disparity.shape
    flow = np.empty((2, height, width), dtype=np.float32)
    guide = np.empty((3, height, width), dtype=np.float32)
    inside = np.empty((height, width), dtype=bool)
    direction = stereo.baseline_direction
    net = net_around(rectification, disparity, direction)
    columns = np.arange(width, dtype=np.float32)
    for top in range(0, height, STRIP_ROWS):
        rows = slice(top, min(top + STRIP_ROWS, height))
        points = net.points_uw(disparity[rows], direction, top=top)
        flow[0, rows] = points[..., 0] - columns
        flow[1, rows] = points[..., 1] - np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        sampled, inside[rows] = sample_uw(image_uw, points, scale_uw)
        colour.apply_rows(sampled, top, guide)
    return flow, guide, inside


def _enlarged(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR)
