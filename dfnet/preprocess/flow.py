"""Dense 2-D flow between two photos that are already roughly aligned (DIS, Kroeger et al. 2016).

It also stands in where the epipolar model does not hold: what moves across the baseline is then
taken from the flow, pixel by pixel, and what is left along it goes on to be matched as ever.
"""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

SMOOTHING_SHARES = (0.006, 0.024, 0.1)  # sigma over the longer side
MIN_SUPPORT = 0.2
MIN_SURE_SHARE = 0.3  # unrelated pictures reach 0.13


def dense_flow(gray_a: np.ndarray, gray_b: np.ndarray) -> np.ndarray:
    """DIS flow a to b, medium preset, (H, W, 2) px; 8-bit gray images of one size."""
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(gray_a, gray_b, None)


def consistent_flow(
    gray_w: np.ndarray, gray_uw: np.ndarray, tolerance_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Flow W to UW, and where going there and back ends within `tolerance_px` of the start.

    Returns:
        flow (H, W, 2) px and bool (H, W).
    """
    with ThreadPoolExecutor(1) as other_core:
        waiting = other_core.submit(dense_flow, gray_uw, gray_w)
        there, back = dense_flow(gray_w, gray_uw), waiting.result()
    height, width = gray_w.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x_there, y_there = x + there[..., 0], y + there[..., 1]
    returned = cv2.remap(back, x_there, y_there, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (x_there >= 0) & (x_there <= width - 1) & (y_there >= 0) & (y_there <= height - 1)
    return there, inside & (np.linalg.norm(there + returned, axis=-1) < tolerance_px)


def across_from_flow(
    gray_w: np.ndarray, gray_uw: np.ndarray, axis: np.ndarray, tolerance_px: float
) -> np.ndarray | None:
    """What moves across the baseline, on UW's grid, filled in where no flow is sure.

    Args:
        gray_w: 8-bit (H, W).
        gray_uw: the same of UW, rectified as well as can be.
        axis: unit vector along the baseline.
        tolerance_px: of forward against backward flow.

    Returns:
        (H, W) [px], positive along (-axis y, axis x); None where hardly any flow is sure.
    """
    back, sure = consistent_flow(gray_uw, gray_w, tolerance_px)
    if sure.mean() < MIN_SURE_SHARE:
        return None
    across = -(back @ np.array([-axis[1], axis[0]])).astype(np.float32)
    # Sure neighbours speak for the unsure; where there are none near, wider and wider ones.
    value, weight = np.where(sure, across, 0).astype(np.float32), sure.astype(np.float32)
    filled, known = np.zeros_like(value), np.zeros_like(value)
    for share in SMOOTHING_SHARES:
        sigma = share * max(across.shape)
        smooth, support = (cv2.GaussianBlur(v, (0, 0), sigma) for v in (value, weight))
        take = (1 - known) * np.minimum(1, support / MIN_SUPPORT)
        filled += take * smooth / np.maximum(support, 1e-6)
        known += take
    return filled / np.maximum(known, 1e-6)
