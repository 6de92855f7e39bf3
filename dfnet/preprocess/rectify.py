"""UW on W's grid so that all that is left between the two is motion along the baseline.

A phone's lens shift (OIS), rolling shutter and imperfect undistortion leave pixels of misalignment
that no homography explains; a smooth cubic polynomial across the baseline does, and it cannot touch
parallax.
"""

import math
from typing import NamedTuple

import cv2
import numba
import numpy as np

from dfnet.io.images import floats_of
from dfnet.preprocess.register import Registration

CONSISTENT_PX = 1.0  # forward-backward, at working resolution
MAX_SAMPLES = 20_000
REWEIGHTINGS = 8
RIDGE = 1e-3
BEND_COLUMNS = 2048
NET_PX = 8.0  # mesh of `Net`
TAPS = 4  # more rows than cubic sampling reads beside a place
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
        flat = points.reshape(-1, 2)
        if self.bend is not None:
            flat = flat + self.bend.at(flat)[:, None] * across
        corrections = np.array(self.corrections[::-1]).reshape(-1, len(POWERS))
        inverse = np.linalg.inv(self.registration.w_from_uw)
        middle = (np.array(self.shape_w[::-1]) - 1) / 2
        out = np.empty(flat.shape)
        half = max(self.shape_w) / 2
        _straightened(np.ascontiguousarray(flat), middle, half, corrections, across, inverse, out)
        return out.reshape(points.shape)


def _basis(points: np.ndarray, shape_w: tuple[int, int]) -> np.ndarray:
    height, width = shape_w
    half = max(shape_w) / 2
    x, y = (points[:, 0] - (width - 1) / 2) / half, (points[:, 1] - (height - 1) / 2) / half
    powers_x, powers_y = ([np.ones_like(v), v, v * v, v * v * v] for v in (x, y))
    return np.stack([powers_x[i] * powers_y[j] for i, j in POWERS], axis=1)


@numba.njit(cache=True, parallel=True)
def _straightened(points, middle, half, corrections, across, homography, out):
    """The polynomials of `_basis` one after the other, then the homography."""
    for k in numba.prange(len(points)):
        px, py = points[k, 0], points[k, 1]
        for c in corrections:
            x, y = (px - middle[0]) / half, (py - middle[1]) / half
            moved = c[0] + y * (c[1] + y * (c[2] + y * c[3]))
            moved += x * (c[4] + y * (c[5] + y * c[6]) + x * (c[7] + y * c[8] + x * c[9]))
            px, py = px + moved * across[0], py + moved * across[1]
        scale = homography[2, 0] * px + homography[2, 1] * py + homography[2, 2]
        out[k, 0] = (homography[0, 0] * px + homography[0, 1] * py + homography[0, 2]) / scale
        out[k, 1] = (homography[1, 0] * px + homography[1, 1] * py + homography[1, 2]) / scale


def pixel_grid(shape: tuple[int, int], scale: float = 1.0) -> np.ndarray:
    """Full-resolution positions (H, W, 2) of the pixels of a grid resized by `scale`."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (np.stack([x, y], axis=-1) + 0.5) / scale - 0.5


def sample_uw(
    image_uw: np.ndarray, points: np.ndarray, scale_uw: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """UW at full-resolution UW positions (H, W, 2), from UW resized by `scale_uw`.

    Only the rows that are needed become floats.

    Args:
        image_uw: (h, w[, C]) in [0, 1] or 8-bit levels.
        points: (H, W, 2).
        scale_uw: of `image_uw` against full size.

    Returns:
        image (H, W[, C]) float32, its border repeated outwards; bool (H, W): inside UW's frame.
    """
    at = ((points + 0.5) * scale_uw - 0.5).astype(np.float32)
    height, width = image_uw.shape[:2]
    x, y = at[..., 0], at[..., 1]
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    low = int(y.min().clip(0, height - 1)) // TAPS * TAPS
    low, high = max(0, low - TAPS), int(y.max().clip(0, height - 1)) + 2 * TAPS
    part = floats_of(image_uw[low:high])
    image = cv2.remap(part, x, y - low, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
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


class Net(NamedTuple):
    """The map to UW, which is smooth, at knots `NET_PX` apart: for whole pictures.

    Attributes:
        low: rectified W-grid position (2,) of the first knot.
        moved: (rows, columns, 2), from a knot to its UW position.
    """

    low: np.ndarray
    moved: np.ndarray

    def points_uw(
        self, disparity_w_px: np.ndarray, direction: np.ndarray, scale: float = 1.0, top: int = 0
    ) -> np.ndarray:
        """Full-resolution UW positions (rows, w, 2), float32, of some rows of W's pixels.

        Args:
            disparity_w_px: (rows, w) [full W px] of these rows.
            direction: unit vector W to UW.
            scale: of their grid against W's full size.
            top: the first row's place.
        """
        out = np.empty((*disparity_w_px.shape, 2), dtype=np.float32)
        _through_net(disparity_w_px, direction, scale, top, self.low, self.moved, out)
        return out


def net_around(
    rectification: Rectification, disparity_w_px: np.ndarray, direction: np.ndarray, scale=1.0
) -> Net:
    """A net that holds wherever the pixels of a whole grid are moved; as `Net.points_uw`."""
    moved = np.outer([disparity_w_px.min(), disparity_w_px.max()], -np.asarray(direction))
    first, last = np.full(2, 0.5) / scale, (np.array(disparity_w_px.shape[::-1]) - 0.5) / scale
    low = first - 0.5 + moved.min(axis=0) - NET_PX
    high = last - 0.5 + moved.max(axis=0)
    count = np.ceil((high - low) / NET_PX).astype(int) + 2
    knots = pixel_grid((count[1], count[0])) * NET_PX + low
    return Net(low, rectification.points_uw(knots) - knots)


@numba.njit(cache=True, parallel=True)
def _through_net(disparity, direction, scale, top, low, moved, out):
    rows, width = disparity.shape
    for j in numba.prange(rows):
        for i in range(width):
            x = (i + 0.5) / scale - 0.5 - disparity[j, i] * direction[0]
            y = (top + j + 0.5) / scale - 0.5 - disparity[j, i] * direction[1]
            at_x, at_y = (x - low[0]) / NET_PX, (y - low[1]) / NET_PX
            column, row = int(at_x), int(at_y)
            u, v = at_x - column, at_y - row
            for c in range(2):
                upper = moved[row, column, c] * (1 - u) + moved[row, column + 1, c] * u
                lower = moved[row + 1, column, c] * (1 - u) + moved[row + 1, column + 1, c] * u
                out[j, i, c] = (y if c else x) + upper * (1 - v) + lower * v
