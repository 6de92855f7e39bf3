"""Disparity to a fraction of a pixel, through W's blur.

A sweep tells whole pixels of its canvas well and fractions badly, and on a photo of many megapixels
a fraction of the canvas is pixels of the photo. What is left between W and UW, brought to W's place
and blurred as W, is small enough for least squares (Lucas and Kanade, "An iterative image
registration technique", 1981), along the baseline alone.
"""

import cv2
import numpy as np

from dfnet.optics import BlurLaw
from dfnet.preprocess.align import Views, gray
from dfnet.preprocess.blur_match import blurred_as_w
from dfnet.preprocess.stereo import Stereo

WINDOWS_PX = (129, 65, 33)  # of the working grid; each starts from what the wider one found
ROUNDS = 3
MAX_MOTION_PX = 1.0  # of the working grid: more is another match
LEAST_CONTRAST = 1e-3  # mean squared gradient in a window below which the wider one is believed


def refine_along_baseline(views: Views, stereo: Stereo, guide: np.ndarray, law: BlurLaw) -> Stereo:
    """The same stereo with finer disparities where it matched; elsewhere they follow smoothly.

    Args:
        views: the working photos.
        stereo: a result.
        guide: UW on W's working grid by it, in W's colours (h, w, 3).
        law: blur of W by disparity [full W px].
    """
    seen = (stereo.matched_w & ~stereo.hidden_w).astype(np.float32)
    like_w = blurred_as_w(guide, stereo.disparity_w_px, law, views.scale)
    moved_px = motion_left(
        gray(views.image_w).astype(np.float32), like_w, seen, stereo.baseline_direction
    )
    # W's content at p was found further along the baseline: a longer motion, a smaller disparity.
    return stereo._replace(disparity_w_px=stereo.disparity_w_px - moved_px / views.scale)


def motion_left(
    image: np.ndarray, other: np.ndarray, weight: np.ndarray, direction: np.ndarray
) -> np.ndarray:
    """How far along a direction `other` must be read to look like `image`.

    Args:
        image: (h, w) float32.
        other: (h, w) float32, within about a pixel of it; means over windows may differ.
        weight: (h, w) float32 in [0, 1], where the two show the same.
        direction: unit vector (x, y).

    Returns:
        (h, w) float32 [px], at most `MAX_MOTION_PX` either way: `image` at p is `other` at
        p + motion * direction.
    """
    x_step, y_step = (np.float32(v) for v in direction)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    motion = np.zeros(image.shape, dtype=np.float32)
    for _ in range(ROUNDS):
        at = x + motion * x_step, y + motion * y_step
        there = cv2.remap(other, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        slope = _slope_along(0.5 * (image + there), x_step, y_step)
        motion += _step(slope, image - there, weight)
        np.clip(motion, -MAX_MOTION_PX, MAX_MOTION_PX, out=motion)
    return motion


def _slope_along(image: np.ndarray, x_step: np.float32, y_step: np.float32) -> np.ndarray:
    eighth = {"ddepth": cv2.CV_32F, "scale": 1 / 8}  # Sobel's weights add up to 8
    return x_step * cv2.Sobel(image, dx=1, dy=0, **eighth) + y_step * cv2.Sobel(
        image, dx=0, dy=1, **eighth
    )


def _step(slope: np.ndarray, difference: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Least squares of `difference = slope * step + offset` in each window, coarse to fine."""
    step = np.zeros_like(slope)
    for side in WINDOWS_PX:
        share = _mean(weight, side) + 1e-6

        def mean(values, side=side, share=share):
            return _mean(values * weight, side) / share

        mean_slope, mean_difference = mean(slope), mean(difference)
        variance = mean(slope * slope) - mean_slope * mean_slope
        covariance = mean(slope * difference) - mean_slope * mean_difference
        step = (covariance * share + LEAST_CONTRAST * step) / (variance * share + LEAST_CONTRAST)
    return step


def _mean(values: np.ndarray, side: int) -> np.ndarray:
    return cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
