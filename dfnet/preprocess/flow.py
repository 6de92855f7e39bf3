"""Dense 2-D flow between two photos that are already roughly aligned (DIS, Kroeger et al. 2016)."""

import cv2
import numpy as np


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
    there, back = dense_flow(gray_w, gray_uw), dense_flow(gray_uw, gray_w)
    height, width = gray_w.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x_there, y_there = x + there[..., 0], y + there[..., 1]
    returned = cv2.remap(back, x_there, y_there, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (x_there >= 0) & (x_there <= width - 1) & (y_there >= 0) & (y_there <= height - 1)
    return there, inside & (np.linalg.norm(there + returned, axis=-1) < tolerance_px)
