"""Whole patches of W looked for in UW: what is left to match where W shows no detail at all."""

import cv2
import numpy as np

from dfnet.preprocess.epipolar import Matches

SIDE_PX = 128
PATCH_PX = 36
STEP_PX = 15
BLURS_PX = (0.0, 1.5, 3.5)  # sigma, of the UW copies searched
MIN_CONTRAST = 3.0  # standard deviation within a patch, of 255
MIN_LIKENESS = 0.6


def match_patches(gray_w: np.ndarray, gray_uw: np.ndarray, w_per_uw: float) -> Matches:
    """The best place of each patch, by normalised correlation.

    Args:
        gray_w: 8-bit (H, W).
        gray_uw: 8-bit, any size.
        w_per_uw: assumed W px per UW px.
    """
    scale = min(1.0, SIDE_PX / max(gray_w.shape))
    small_w = _resized(gray_w, scale)
    small_uw = _resized(gray_uw, scale * w_per_uw)
    copies = [small_uw] + [cv2.GaussianBlur(small_uw, (0, 0), sigma) for sigma in BLURS_PX[1:]]
    found = [
        (x, y, *place)
        for x, y in _corners(small_w.shape)
        if min(small_uw.shape) > PATCH_PX
        and (place := _place(small_w[y : y + PATCH_PX, x : x + PATCH_PX], copies)) is not None
    ]
    at = np.array(found, dtype=np.float64).reshape(-1, 4) + PATCH_PX / 2
    return Matches(at[:, :2] / scale - 0.5, at[:, 2:] / (scale * w_per_uw) - 0.5)


def _resized(gray: np.ndarray, scale: float) -> np.ndarray:
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(gray, None, fx=scale, fy=scale, interpolation=way).astype(np.float32)


def _corners(shape: tuple[int, int]) -> list[tuple[int, int]]:
    height, width = shape
    return [
        (x, y)
        for y in range(0, height - PATCH_PX + 1, STEP_PX)
        for x in range(0, width - PATCH_PX + 1, STEP_PX)
    ]


def _place(patch: np.ndarray, copies: list[np.ndarray]) -> tuple[float, float] | None:
    if patch.std() < MIN_CONTRAST:
        return None
    likeness = [cv2.matchTemplate(copy, patch, cv2.TM_CCOEFF_NORMED) for copy in copies]
    best = max(likeness, key=np.max)
    _, top, _, (x, y) = cv2.minMaxLoc(best)
    if top < MIN_LIKENESS:
        return None
    return x + _vertex(best[y], x), y + _vertex(best[:, x], y)


def _vertex(values: np.ndarray, at: int) -> float:
    """Of the parabola through a maximum and its neighbours, relative to it."""
    if not 0 < at < len(values) - 1:
        return 0.0
    low, top, high = values[at - 1 : at + 2]
    bend = 2 * top - low - high
    return float((high - low) / (2 * bend)) if bend > 1e-6 else 0.0
