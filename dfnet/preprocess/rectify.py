"""UW on W's grid so that all that is left between the two is motion along the baseline.

A phone's lens shift (OIS), rolling shutter and imperfect undistortion leave pixels of misalignment
that no homography explains; a smooth cubic polynomial across the baseline does, and it cannot touch
parallax.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from dfnet.preprocess.epipolar import apply_homography
from dfnet.preprocess.register import Registration

CONSISTENT_PX = 1.0  # forward-backward, at working resolution
MAX_SAMPLES = 20_000
REWEIGHTINGS = 8
RIDGE = 1e-3
BEND_COLUMNS = 2048
NET_PX = 8.0  # mesh of `dense_points_uw`
POWERS = tuple((i, j) for i in range(4) for j in range(4) if i + j <= 3)


class Bend(NamedTuple):
    """Where no smooth polynomial explains what moves across the baseline: a dense map of it.

    Attributes:
        across_px: (h, w) [full W px], on the rectified grid.
        scale: of that grid against W's full size.
    """

    across_px: np.ndarray
    scale: float

    def at(self, points: np.ndarray) -> np.ndarray:
        """Across the baseline (n,) at full-resolution positions (n, 2); repeated outwards."""
        x, y = ((points + 0.5) * self.scale - 0.5).astype(np.float32).T
        # OpenCV takes pictures, not lists, of up to 32767 rows.
        rows = math.ceil(len(points) / BEND_COLUMNS)
        padded = np.zeros((2, rows * BEND_COLUMNS), np.float32)
        padded[:, : len(points)] = x, y
        x, y = padded.reshape(2, rows, BEND_COLUMNS)
        way, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
        return cv2.remap(self.across_px, x, y, way, borderMode=border).ravel()[: len(points)]


class Rectification(NamedTuple):
    """The map from W's rectified grid to UW's pixels, both at full resolution.

    Attributes:
        registration: the rigid part.
        shape_w: (height, width) of W; polynomial coordinates are centred and divided by half of the
            longer side.
        corrections: coefficients (10,) in W px, applied one after the other across the baseline.
        bend: applied before them, or None where they suffice.
        astray_share: of the pixels with a sure flow, those that the rest does not explain: things
            that moved between the photos, or lenses unlike any polynomial.
    """

    registration: Registration
    shape_w: tuple[int, int]
    corrections: tuple[np.ndarray, ...] = ()
    bend: Bend | None = None
    astray_share: float = 0.0

    def points_uw(self, points: np.ndarray) -> np.ndarray:
        """UW pixels (..., 2) of rectified W-grid positions (..., 2)."""
        across = np.array([-self.registration.axis[1], self.registration.axis[0]])
        shape, flat = points.shape, points.reshape(-1, 2)
        if self.bend is not None:
            flat = flat + self.bend.at(flat)[:, None] * across
        for coefficients in reversed(self.corrections):
            flat = flat + (_basis(flat, self.shape_w) @ coefficients)[:, None] * across
        inverse = np.linalg.inv(self.registration.w_from_uw)
        return apply_homography(inverse, flat).reshape(shape)


def _basis(points: np.ndarray, shape_w: tuple[int, int]) -> np.ndarray:
    height, width = shape_w
    half = max(shape_w) / 2
    x, y = (points[:, 0] - (width - 1) / 2) / half, (points[:, 1] - (height - 1) / 2) / half
    powers_x, powers_y = ([np.ones_like(v), v, v * v, v * v * v] for v in (x, y))
    return np.stack([powers_x[i] * powers_y[j] for i, j in POWERS], axis=1)


def pixel_grid(shape: tuple[int, int], scale: float = 1.0) -> np.ndarray:
    """Full-resolution positions (H, W, 2) of the pixels of a grid resized by `scale`."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (np.stack([x, y], axis=-1) + 0.5) / scale - 0.5


def sample_uw(
    image_uw: np.ndarray, points: np.ndarray, scale_uw: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """UW at full-resolution UW positions (H, W, 2), from UW resized by `scale_uw`.

    Returns:
        image (H, W[, C]), its border repeated outwards, and bool (H, W): inside UW's frame.
    """
    at = ((points + 0.5) * scale_uw - 0.5).astype(np.float32)
    height, width = image_uw.shape[:2]
    x, y = at[..., 0], at[..., 1]
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    image = cv2.remap(image_uw, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return image, inside


def fit_cross_correction(
    flow: np.ndarray, valid: np.ndarray, axis: np.ndarray, shape_w: tuple[int, int], scale: float
) -> np.ndarray:
    """Cubic polynomial of the flow across the baseline, by reweighted least squares (about L1).

    Args:
        flow: W to rectified UW [px at `scale`], (H, W, 2).
        valid: where the flow can be trusted, (H, W).
        axis: unit vector along the baseline.
        shape_w: W's full size.
        scale: of the flow's grid against W's full size.

    Returns:
        Coefficients (10,) [full W px] for `Rectification.corrections`.
    """
    step = max(1, int(np.sqrt(valid.sum() / MAX_SAMPLES)))
    keep = valid[::step, ::step]
    at = pixel_grid(flow.shape[:2], scale)[::step, ::step][keep]
    moved = flow[::step, ::step][keep] / scale
    if len(at) < 10 * len(POWERS):
        return np.zeros(len(POWERS))
    across = moved @ np.array([-axis[1], axis[0]])
    basis = _basis(at + moved, shape_w)
    ridge = RIDGE * np.eye(len(POWERS))
    ridge[0, 0] = 0
    weights = np.ones(len(at))
    for _ in range(REWEIGHTINGS):
        weighted = basis * weights[:, None]
        system = weighted.T @ basis + ridge * weights.sum()
        coefficients = np.linalg.solve(system, weighted.T @ across)
        weights = 1 / np.maximum(np.abs(across - basis @ coefficients), 0.2)
    return coefficients


def dense_points_uw(rectification: Rectification, points: np.ndarray) -> np.ndarray:
    """`Rectification.points_uw` for whole pictures: the smooth map is interpolated from a net.

    Args:
        rectification: the map.
        points: rectified W-grid positions (H, W, 2), at full resolution.

    Returns:
        UW positions (H, W, 2), float32.
    """
    low = points.reshape(-1, 2).min(axis=0) - NET_PX
    count = np.ceil((points.reshape(-1, 2).max(axis=0) - low) / NET_PX).astype(int) + 2
    knots = pixel_grid((count[1], count[0])) * NET_PX + low
    moved = (rectification.points_uw(knots) - knots).astype(np.float32)
    at = ((points - low) / NET_PX).astype(np.float32)
    return points + cv2.remap(moved, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
