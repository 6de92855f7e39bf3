"""A flat scene seen at a slant: a homography explains all of it, whatever the cameras did."""

import cv2
import numpy as np

from dfnet.preprocess.epipolar import Matches, apply_homography

TOLERANCE_SHARE = 0.003  # of W's longer side
TRIALS = 10_000
MIN_INLIERS = 40  # unrelated pictures reach 8
MIN_SHARE = 0.3
MAX_STRETCH = 6.0  # between the picture's most and least enlarged corner


def fit_plane(
    matches: Matches, shape_uw: tuple[int, int], side_px: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Homography (3, 3), UW px to W px, and its inliers (n,); None where it explains too little.

    Args:
        matches: from `dfnet.preprocess.keypoints`.
        shape_uw: (height, width) of UW.
        side_px: W's longer side.
    """
    if len(matches) < MIN_INLIERS:
        return None
    cv2.setRNGSeed(0)
    homography, inliers = cv2.findHomography(
        matches.ultrawide,
        matches.wide,
        cv2.USAC_MAGSAC,
        TOLERANCE_SHARE * side_px,
        maxIters=TRIALS,
        confidence=0.9999,
    )
    if homography is None or not _is_plausible(homography, shape_uw):
        return None
    error = np.linalg.norm(apply_homography(homography, matches.ultrawide) - matches.wide, axis=1)
    inliers = error < TOLERANCE_SHARE * side_px
    if inliers.sum() < max(MIN_INLIERS, MIN_SHARE * len(matches)):
        return None
    return homography / homography[2, 2], inliers


def _is_plausible(homography: np.ndarray, shape_uw: tuple[int, int]) -> bool:
    """Whether no part of UW's frame is mirrored or lies at the horizon."""
    height, width = shape_uw
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1.0]])
    depth = corners @ homography[2]
    stretched = depth.max() < MAX_STRETCH * depth.min() if depth.min() > 0 else False
    return bool(stretched and np.linalg.det(homography) > 0)
