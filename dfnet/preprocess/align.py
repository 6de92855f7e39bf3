"""Working copies of the two photos, and the rectification found on them."""

from typing import NamedTuple

import cv2
import numpy as np

from dfnet.io.images import floats_of
from dfnet.preprocess.colour import apply_curves, histogram_curves
from dfnet.preprocess.flow import across_from_flow, consistent_flow
from dfnet.preprocess.rectify import (
    CONSISTENT_PX,
    Bend,
    Rectification,
    fit_cross_correction,
    pixel_grid,
    sample_uw,
)
from dfnet.preprocess.register import Registration
from dfnet.preprocess.sweep_images import noise_deviation
from dfnet.resizing import row_strips

MEASURED_PX = 1024  # side of the part of a photo that noise is measured on

MIN_TRUSTED_SHARE = 0.1
ASTRAY_PX = 2.0  # at working resolution, across the baseline
ASTRAY_AREA_PX = 9  # side of the smallest area that counts
MAX_ASTRAY_SHARE = 0.065  # more, and the epipolar model is given up; glass alone reached 0.06


class Views(NamedTuple):
    """W and UW reduced to the working size; UW's histogram is W's.

    Attributes:
        image_w: (h, w, 3) float32 in [0, 1].
        scale: of `image_w` against W's full size.
        image_uw: (h', w', 3), UW at about the same pixels per scene detail.
        plain_uw: the same with the colours it was photographed in.
        scale_uw: of `image_uw` against UW's full size.
        curves: the histogram curves that were applied to UW.
        w_per_uw: full W px per full UW px.
        noise_w: standard deviation of W's noise at full size, sRGB-encoded gray.
        noise_uw: the same of UW, its histogram W's.
    """

    image_w: np.ndarray
    scale: float
    image_uw: np.ndarray
    plain_uw: np.ndarray
    scale_uw: float
    curves: list[np.ndarray]
    w_per_uw: float
    noise_w: float
    noise_uw: float


def working_views(
    image_w: np.ndarray, image_uw: np.ndarray, registration: Registration, side_px: int
) -> Views:
    """Shrink both photos so that W's longer side is at most `side_px`, and match histograms.

    Args:
        image_w: (H, W, 3) in [0, 1] or 8-bit levels, of any layout.
        image_uw: the same of UW.
        registration: of both.
        side_px: wanted.
    """
    scale = min(1.0, side_px / max(image_w.shape[:2]))
    w_per_uw = float(np.sqrt(abs(np.linalg.det(registration.w_from_uw[:2, :2]))))
    scale_uw = min(1.0, scale * w_per_uw)
    small_w, small_uw = floats_of(shrink(image_w, scale)), floats_of(shrink(image_uw, scale_uw))
    rectification = Rectification(registration, image_w.shape[:2])
    points = rectification.points_uw(pixel_grid(small_w.shape[:2], scale))
    roughly_aligned, inside = sample_uw(small_uw, points, scale_uw)
    curves = histogram_curves(roughly_aligned, small_w, inside)
    noise_w = noise_deviation(gray(_middle(image_w)))
    noise_uw = noise_deviation(gray(apply_curves(_middle(image_uw), curves)))
    curved = apply_curves(small_uw, curves)
    return Views(small_w, scale, curved, small_uw, scale_uw, curves, w_per_uw, noise_w, noise_uw)


def _middle(image: np.ndarray) -> np.ndarray:
    """The middle of a picture, at its native resolution."""
    top, left = (max(0, (side - MEASURED_PX) // 2) for side in image.shape[:2])
    return floats_of(image[top : top + MEASURED_PX, left : left + MEASURED_PX])


def straighten(
    views: Views, rectification: Rectification, rounds: int
) -> tuple[Rectification, tuple[float, float], float]:
    """Remove what moves across the baseline, by dense flow and a smooth polynomial.

    Where that leaves whole areas astray, the flow itself takes the polynomial's place, and the
    rectification has a `bend`.

    Args:
        views: the working photos.
        rectification: the rigid start.
        rounds: how often to repeat; two are enough.

    Returns:
        the rectification; the range of motion along the baseline [full W px]; and the median
        distance across it that is left [full W px].
    """
    axis = rectification.registration.axis
    for _ in range(rounds):
        flow, valid = rectified_flow(views, rectification)
        if valid.mean() < MIN_TRUSTED_SHARE:  # a cubic through a few spots runs wild elsewhere
            break
        correction = fit_cross_correction(flow, valid, axis, rectification.shape_w, views.scale)
        rectification = rectification._replace(corrections=(*rectification.corrections, correction))
    flow, valid = rectified_flow(views, rectification)
    astray = _astray(flow, valid, axis)
    rectification = rectification._replace(astray_share=astray)
    if astray > MAX_ASTRAY_SHARE:
        rectification = _bent(views, rectification)
        flow, valid = rectified_flow(views, rectification)
    moved = flow[valid] / views.scale
    if len(moved) == 0:
        return rectification, rectification.registration.motion_range_px, float("inf")
    low, high = np.quantile(moved @ axis, [0.01, 0.99])
    # Flow misses what is small, near and moves far; thumbnails and keypoints do not.
    low = min(low, rectification.registration.motion_range_px[0])
    high = max(high, rectification.registration.motion_range_px[1])
    left = np.median(np.abs(moved @ np.array([-axis[1], axis[0]])))
    return rectification, (float(low), float(high)), float(left)


def _astray(flow: np.ndarray, valid: np.ndarray, axis: np.ndarray) -> float:
    """Share of trusted flow that goes across the baseline, where whole areas do."""
    across = np.abs(flow @ np.array([-axis[1], axis[0]]))
    off = (valid & (across > ASTRAY_PX)).astype(np.uint8)
    area = np.ones((ASTRAY_AREA_PX, ASTRAY_AREA_PX), np.uint8)
    off = cv2.morphologyEx(off, cv2.MORPH_OPEN, area)
    return float(off.sum() / max(1, valid.sum()))


def _bent(views: Views, rectification: Rectification) -> Rectification:
    """Rectified by dense flow: the epipolar model does not hold."""
    rectified, _ = rectified_uw(views, rectification)
    grays = gray_8_bit(views.image_w), gray_8_bit(rectified)
    axis = rectification.registration.axis
    across = across_from_flow(*grays, axis, CONSISTENT_PX)
    if across is None:
        return rectification
    return rectification._replace(bend=Bend(across / views.scale, views.scale))


def rectified_flow(views: Views, rectification: Rectification) -> tuple[np.ndarray, np.ndarray]:
    """Dense flow W to rectified UW [working px] and where it can be trusted."""
    rectified, inside = rectified_uw(views, rectification)
    flow, valid = consistent_flow(gray_8_bit(views.image_w), gray_8_bit(rectified), CONSISTENT_PX)
    return flow, valid & inside


def rectified_uw(views: Views, rectification: Rectification) -> tuple[np.ndarray, np.ndarray]:
    """UW on the rectified working grid (h, w, 3), and where it has been photographed."""
    points = rectification.points_uw(pixel_grid(views.image_w.shape[:2], views.scale))
    return sample_uw(views.image_uw, points, views.scale_uw)


def shrink(image: np.ndarray, scale: float) -> np.ndarray:
    """Area-averaged copy at `scale` <= 1; the image itself where nothing is to be done.

    Large photos may come as planes or as 8 bits: each plane is then converted by itself.
    """
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    if size == (image.shape[1], image.shape[0]):
        return image
    if image.flags.c_contiguous and image.dtype == np.float32:
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    planes = (floats_of(image[..., c]) for c in range(image.shape[2]))
    return cv2.merge([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes])


def gray_8_bit(image: np.ndarray) -> np.ndarray:
    """8-bit luma (H, W) of an image (H, W, 3) in [0, 1] or of 8 bits, made strip by strip."""
    luma = np.empty(image.shape[:2], dtype=np.uint8)
    for rows in row_strips(*image.shape[:2]):
        part = gray(image[rows])
        luma[rows] = cv2.convertScaleAbs(np.clip(part, 0, 1, out=part), alpha=255)
    return luma


def gray(image: np.ndarray) -> np.ndarray:
    """Float32 luma (H, W) of an image (H, W, 3): 0.299 R + 0.587 G + 0.114 B."""
    return cv2.cvtColor(floats_of(image), cv2.COLOR_RGB2GRAY)
