"""Where UW's pixels lie on W's grid, up to parallax: keypoints, then a robust cross-epipolar fit.

A similarity or homography fitted to all matches would swallow parallax (the ground plane, the tilt
of a wall). Motion along the baseline is depth; only what is left across it tells of misalignment.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from scipy.optimize import least_squares

from dfnet.errors import InputError

SIFT_SIDE_PX = 1280
SIFT_FEATURES = 8000
SIFT_CONTRAST = 0.01
BLUR_SHARES = (0.0, 0.005, 0.01)  # sigma over the longer side, of the UW copies that are searched
PATCH_PX = 3.0
MATCH_RATIO = 0.75
RANSAC_TOLERANCE = 0.02  # of W's longer side: parallax must fit into the first, rough similarity
PARALLAX_TOLERANCE = 0.06
MAX_PARALLAX = 0.25
ACROSS_TOLERANCE = 0.01
MIN_INLIERS = 12  # unrelated photos reached 5
MIN_INLIER_SHARE = 0.12
MIN_EXPECTED = 8  # where metadata foretell the place
FEW = 40
MIN_FIELD_RATIO = 0.9  # of UW's to W's field of view; below it the two files are swapped
AXIS_PRIOR_DEG = 1.0  # phones carry their lenses along an image axis
CAUCHY_PX = 1.0  # at SIFT resolution
# How far the fit may go from the start: log-scale, rotation, shift x, y [SIFT px], pan, baseline
# angle, tilt. A phone's cameras look almost the same way; repeated patterns suggest otherwise.
LIMITS = np.array([0.2, 0.15, 300.0, 300.0, 0.08, 0.35, 0.08])


class Registration(NamedTuple):
    """UW's place on W's grid, as if all were infinitely far.

    Attributes:
        w_from_uw: homography (3, 3), UW px to W px, at full resolution.
        axis: unit vector along the baseline in W's image axes; which way UW lies is not yet known.
        inliers: keypoint matches that agree.
        cross_residual_px: median distance of the matches from their epipolar lines, full W px.
        motion_range_px: of the matches along the axis, full W px.
    """

    w_from_uw: np.ndarray
    axis: np.ndarray
    inliers: int
    cross_residual_px: float
    motion_range_px: tuple[float, float]


def register(
    gray_w: np.ndarray,
    gray_uw: np.ndarray,
    axis: np.ndarray | None = None,
    expected_w_from_uw: np.ndarray | None = None,
) -> Registration:
    """Register UW to W.

    Args:
        gray_w: 8-bit gray (H, W).
        gray_uw: 8-bit gray, any size and scale.
        axis: the baseline's axis where it is known from metadata.
        expected_w_from_uw: homography (3, 3) of infinitely far points where metadata tell it; it is
            refined, or dropped where the photos contradict it.

    Raises:
        InputError: the photos have too little in common, or are swapped.
    """
    points_w, points_uw, scale_w = match_keypoints(gray_w, gray_uw)
    start = _expected(points_w, points_uw, axis, expected_w_from_uw, max(gray_w.shape))
    similarity, near = start or _rough_similarity(points_w, points_uw, max(gray_w.shape))
    _refuse_swapped(similarity, gray_w.shape, gray_uw.shape)
    all_w, all_uw = points_w, points_uw
    points_w, points_uw = points_w[near], points_uw[near]
    angles = [0.0, math.pi / 2] if axis is None else [math.atan2(axis[1], axis[0])]
    if start is not None and len(points_w) < FEW:  # metadata know better than a handful of points
        homography, angle = similarity, angles[0]
    else:
        homography, angle = _best_fit(points_w, points_uw, similarity, angles, scale_w)
    along, across = _residuals(points_w, points_uw, homography, angle)
    unit = np.array([math.cos(angle), math.sin(angle)])
    homography = _shift(-unit * np.median(along)) @ homography
    moved = _motion_range(*_residuals(all_w, all_uw, homography, angle), max(gray_w.shape))
    left = float(np.median(np.abs(across)))
    return Registration(homography, unit, len(points_w), left, moved)


def _motion_range(along: np.ndarray, across: np.ndarray, side_px: int) -> tuple[float, float]:
    """Also of things so near that the rough similarity did not count them in."""
    plausible = (np.abs(across) < ACROSS_TOLERANCE * side_px) & (
        np.abs(along) < MAX_PARALLAX * side_px
    )
    low, high = np.quantile(along[plausible], [0.02, 0.98]) if plausible.any() else (0.0, 0.0)
    return float(low), float(high)


def match_keypoints(
    gray_w: np.ndarray, gray_uw: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """SIFT matches (Lowe 2004) that pass the ratio test and are each other's best.

    UW is tried at several blurs, as W may be far out of focus.

    Returns:
        points in W and in UW (n, 2) at full resolution, and the scale that W was searched at.
    """
    sift = cv2.SIFT_create(nfeatures=SIFT_FEATURES, contrastThreshold=SIFT_CONTRAST)
    (small_w, scale_w), (small_uw, scale_uw) = (_shrunk(gray) for gray in (gray_w, gray_uw))
    points_w, described_w = _described(sift, small_w)
    pairs = []
    for share in BLUR_SHARES:
        blurred = small_uw
        if share > 0:
            blurred = cv2.GaussianBlur(small_uw, (0, 0), share * max(small_uw.shape))
        points_uw, described_uw = _described(sift, blurred)
        matches = _mutual_matches(described_w, described_uw)
        pairs.append(np.hstack([points_w[matches[:, 0]], points_uw[matches[:, 1]]]))
    found = _distinct(np.concatenate(pairs))
    return (found[:, :2] + 0.5) / scale_w - 0.5, (found[:, 2:] + 0.5) / scale_uw - 0.5, scale_w


def _shrunk(gray: np.ndarray) -> tuple[np.ndarray, float]:
    scale = min(1.0, SIFT_SIDE_PX / max(gray.shape))
    return cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale


def _described(sift, gray: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    found, descriptors = sift.detectAndCompute(gray, None)
    return np.array([k.pt for k in found], dtype=np.float64).reshape(-1, 2), descriptors


def _distinct(pairs: np.ndarray) -> np.ndarray:
    """One match per small patch of W: a detail found at several blurs is still one witness."""
    _, first = np.unique((pairs[:, :2] / PATCH_PX).round(), axis=0, return_index=True)
    return pairs[np.sort(first)]


def _mutual_matches(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray:
    if a is None or b is None or min(len(a), len(b)) < 2:
        return np.empty((0, 2), dtype=int)
    # Root-SIFT (Arandjelović and Zisserman 2012); a matrix product is faster than a k-d tree here.
    a, b = (np.sqrt(d / np.maximum(d.sum(axis=1, keepdims=True), 1e-6)) for d in (a, b))
    similarity = a @ b.T
    best = similarity.argmax(axis=1)
    rows = np.arange(len(a))
    first = similarity[rows, best]
    mutual = similarity.argmax(axis=0)[best] == rows
    similarity[rows, best] = -1
    second = similarity.max(axis=1)
    distinct = np.sqrt(np.maximum(1 - first, 0)) < MATCH_RATIO * np.sqrt(np.maximum(1 - second, 0))
    keep = np.flatnonzero(distinct & mutual)
    return np.stack([keep, best[keep]], axis=1)


def _expected(points_w, points_uw, axis, homography, side_px):
    """The homography of the metadata and the matches that fit it, or None if too few do."""
    if axis is None or homography is None:
        return None
    angle = math.atan2(axis[1], axis[0])
    along, across = _residuals(points_w, points_uw, homography, angle)
    near = (np.abs(across) < RANSAC_TOLERANCE * side_px) & (np.abs(along) < MAX_PARALLAX * side_px)
    enough = near.sum() >= max(MIN_EXPECTED, len(points_w) / 3)
    return (homography / homography[2, 2], near) if enough else None


def _rough_similarity(
    points_w: np.ndarray, points_uw: np.ndarray, side_px: int
) -> tuple[np.ndarray, np.ndarray]:
    matrix, inliers = None, np.zeros(0)
    if len(points_w) >= MIN_INLIERS:
        cv2.setRNGSeed(0)
        matrix, inliers = cv2.estimateAffinePartial2D(
            points_uw,
            points_w,
            ransacReprojThreshold=RANSAC_TOLERANCE * side_px,
            maxIters=5000,
            confidence=0.999,
        )
    if matrix is None or inliers.sum() < max(MIN_INLIERS, MIN_INLIER_SHARE * len(points_w)):
        raise InputError(
            f"wide and ultrawide: only {int(inliers.sum())} of {len(points_w)} details that both"
            " seem to show agree\n"
            "  The two photos must show the same scene, taken at the same moment.\n"
            "  Check that the files belong together and are neither black nor badly blurred."
        )
    similarity = np.vstack([matrix, [0, 0, 1]])
    error = np.linalg.norm(apply_homography(similarity, points_uw) - points_w, axis=1)
    return similarity, error < PARALLAX_TOLERANCE * side_px


def _refuse_swapped(similarity: np.ndarray, shape_w: tuple, shape_uw: tuple) -> None:
    scale = math.sqrt(abs(np.linalg.det(similarity[:2, :2])))
    field_ratio = scale * math.hypot(*shape_uw) / math.hypot(*shape_w)
    if field_ratio < MIN_FIELD_RATIO:
        raise InputError(
            f"wide and ultrawide: `ultrawide` sees only {field_ratio:.2f} times as much as `wide`\n"
            "  The ultra-wide photo must have the wider field of view; the two look swapped.\n"
            "  Give them the other way round."
        )


def _best_fit(points_w, points_uw, similarity, angles, scale_w) -> tuple[np.ndarray, float]:
    fits = [_fit_cross_epipolar(points_w, points_uw, similarity, a, scale_w) for a in angles]
    return _unpack(min(fits, key=lambda fit: fit.cost).x, similarity, _centre(points_w))


def _fit_cross_epipolar(points_w, points_uw, similarity, start_angle, scale_w):
    """Similarity + two perspective terms + baseline angle, on the cross-epipolar residual only."""
    centre = _centre(points_w)
    unit = scale_w / CAUCHY_PX

    def residuals(x):
        homography, angle = _unpack(x, similarity, centre)
        _, across = _residuals(points_w, points_uw, homography, angle)
        # Pseudo-measurements keep what the data leave open near the starting point.
        spread = math.sqrt(len(points_w))
        priors = [
            spread * (x[5] - start_angle) / math.radians(AXIS_PRIOR_DEG) * 0.3,
            0.01 * x[2] * unit,
            0.01 * x[3] * unit,
        ]
        return np.concatenate([across * unit, priors])

    start = np.array([0.0, 0.0, 0.0, 0.0, 0.0, start_angle, 0.0])
    reach = LIMITS * np.array([1, 1, 1 / scale_w, 1 / scale_w, 1, 1, 1])
    bounds = (start - reach, start + reach)
    return least_squares(residuals, start, bounds=bounds, loss="cauchy", x_scale=reach / 10)


def _unpack(x, similarity, centre) -> tuple[np.ndarray, float]:
    """Corrections about W's centre: log-scale, rotation, shift x, y, pan, angle, tilt."""
    log_scale, turn, dx, dy, pan, angle, tilt = x
    c, s = math.exp(log_scale) * math.cos(turn), math.exp(log_scale) * math.sin(turn)
    radius = np.abs(centre).max() + 1.0
    correction = np.array([[c, -s, dx], [s, c, dy], [pan / radius, tilt / radius, 1.0]])
    return _shift(centre) @ correction @ _shift(-centre) @ similarity, angle


def _residuals(points_w, points_uw, homography, angle) -> tuple[np.ndarray, np.ndarray]:
    moved = apply_homography(homography, points_uw) - points_w
    c, s = math.cos(angle), math.sin(angle)
    return moved @ np.array([c, s]), moved @ np.array([-s, c])


def _centre(points: np.ndarray) -> np.ndarray:
    return points.mean(axis=0)


def _shift(by: np.ndarray) -> np.ndarray:
    return np.array([[1.0, 0.0, by[0]], [0.0, 1.0, by[1]], [0.0, 0.0, 1.0]])


def apply_homography(homography: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (n, 2) mapped by a homography (3, 3)."""
    moved = points @ homography[:, :2].T + homography[:, 2]
    return moved[:, :2] / moved[:, 2:]
