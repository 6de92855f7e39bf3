"""Dense parallax on thumbnails: does one geometry explain whole pictures, and over what range?

Keypoints lie where both photos are sharp; what is near and blurred moves farthest and has none.
Thumbnails are sharp enough everywhere, and a wide search costs little on them.
"""

from typing import NamedTuple

import cv2
import numpy as np

from dfnet.preprocess.epipolar import apply_homography
from dfnet.preprocess.match import EpipolarPair, SemiGlobalMatcher, turn_to_axis
from dfnet.preprocess.specks import without_specks

SIDE_PX = 160
REACH_SHARE = 0.6  # of the side, to both ends
BLURS_PX = (0.0, 2.0)  # sigma, of the UW copies tried
MIN_TEXTURE = 2.0  # local standard deviation, of 255
LEVELS = 64
SURE_LIKENESS = 0.7
SPECK_SHARE = 0.004  # of W's area: smaller agreeing areas are chance


class Overlap(NamedTuple):
    """How well two thumbnails fit.

    Attributes:
        share: of W's textured pixels, those that W and UW agree on.
        likeness: mean local correlation over these, in [-1, 1].
        motion_range_px: of the larger areas among these, along the axis [full W px].
    """

    share: float
    likeness: float
    motion_range_px: tuple[float, float]


def measure_overlap(
    gray_w: np.ndarray, gray_uw: np.ndarray, w_from_uw: np.ndarray, axis: np.ndarray
) -> Overlap:
    """Match whole pictures under a geometry.

    Args:
        gray_w: 8-bit (H, W).
        gray_uw: 8-bit, any size.
        w_from_uw: homography (3, 3), UW px to W px, up to motion along the axis.
        axis: unit vector along the baseline.
    """
    scale = min(1.0, SIDE_PX / max(gray_w.shape))
    small_w = cv2.resize(gray_w, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    reach = REACH_SHARE * max(small_w.shape)
    turn = turn_to_axis(small_w.shape, axis, int(reach))
    canvas_w = turn.apply(small_w).astype(np.float32)
    inside_w = turn.apply(np.full(small_w.shape, 255, np.uint8), cv2.INTER_NEAREST)
    positions = (turn.positions() + 0.5) / scale - 0.5
    canvas_uw, inside_uw = _on_canvas(gray_uw, w_from_uw, positions, scale)
    inside_w = inside_w.astype(bool) & _framed(turn, small_w.shape)
    tries = []
    for sigma in BLURS_PX:
        blurred = cv2.GaussianBlur(canvas_uw, (0, 0), sigma) if sigma > 0 else canvas_uw
        blurred = _matched_levels(blurred, canvas_w, inside_uw, inside_w)
        pair = EpipolarPair(canvas_w / 255, blurred / 255, (-reach, reach))
        motion = SemiGlobalMatcher()(pair).motion_w
        tries.append(_judged(motion, canvas_w, blurred, inside_w, scale))
    return max(tries, key=lambda overlap: overlap.share * overlap.likeness)


def _framed(turn, shape) -> np.ndarray:
    at = turn.positions().round(3)
    return (at >= 0).all(axis=-1) & (at[..., 0] <= shape[1] - 1) & (at[..., 1] <= shape[0] - 1)


def _on_canvas(gray_uw, w_from_uw, positions, scale) -> tuple[np.ndarray, np.ndarray]:
    uw_from_w = np.linalg.inv(w_from_uw)
    at = apply_homography(uw_from_w, positions.reshape(-1, 2)).reshape(positions.shape)
    zoom = min(1.0, scale * float(np.sqrt(abs(np.linalg.det(w_from_uw[:2, :2])))))
    small = cv2.resize(gray_uw, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    at = ((at + 0.5) * zoom - 0.5).astype(np.float32)
    x, y = at[..., 0], at[..., 1]
    inside = (x >= 0) & (y >= 0) & (x <= small.shape[1] - 1) & (y <= small.shape[0] - 1)
    image = cv2.remap(small, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return image.astype(np.float32), inside


def _matched_levels(canvas_uw, canvas_w, inside_uw, inside_w) -> np.ndarray:
    shares = np.linspace(0, 1, LEVELS)
    if not inside_uw.any():
        return canvas_uw
    levels, first = np.unique(np.quantile(canvas_uw[inside_uw], shares), return_index=True)
    wanted = np.quantile(canvas_w[inside_w], shares)[first]
    return np.interp(canvas_uw, levels, wanted).astype(np.float32)


def _judged(motion, canvas_w, canvas_uw, inside_w, scale) -> Overlap:
    y, x = np.mgrid[: motion.shape[0], : motion.shape[1]].astype(np.float32)
    known = np.isfinite(motion) & inside_w
    there = cv2.remap(
        canvas_uw, x + np.where(known, motion, 0).astype(np.float32), y, cv2.INTER_LINEAR
    )
    likeness, texture = _local_correlation(canvas_w, there)
    textured = inside_w & (texture > MIN_TEXTURE)
    used = known & textured
    if not used.any():
        return Overlap(0.0, 0.0, (0.0, 0.0))
    sure = np.where(used & (likeness > SURE_LIKENESS), motion, np.nan)
    sure = without_specks(sure, round(SPECK_SHARE * inside_w.sum()))
    sure = sure[np.isfinite(sure)]
    low, high = np.quantile(sure, [0.005, 0.995]) / scale if len(sure) else (0.0, 0.0)
    share = used.sum() / textured.sum()
    return Overlap(float(share), float(likeness[used].mean()), (float(low), float(high)))


def _local_correlation(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation in 7 x 7 windows, and a's standard deviation there."""
    mean_a, mean_b, aa, bb, ab = (cv2.boxFilter(v, -1, (7, 7)) for v in (a, b, a * a, b * b, a * b))
    var_a, var_b = np.maximum(aa - mean_a**2, 0), np.maximum(bb - mean_b**2, 0)
    return (ab - mean_a * mean_b) / np.sqrt(var_a * var_b + 1.0), np.sqrt(var_a)
