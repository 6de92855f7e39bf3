"""From a small map to a full-size map whose edges follow the picture's."""

import cv2
import numba
import numpy as np

COLOUR_SIGMA = 0.05
TAP_RADIUS = 2
HOLE_WEIGHT = 0.1  # of a filled value against a measured one


def upsample_along_edges(
    values: np.ndarray,
    trust: np.ndarray,
    guide_small: np.ndarray,
    guide: np.ndarray,
    jump_px: float = 1.0,
) -> np.ndarray:
    """Joint-bilateral weighted median: each pixel takes the value of like-coloured neighbours.

    Only near jumps; what lies on one surface is interpolated. A median, and not a mean (Kopf et al.
    2007): a depth between two surfaces is no surface's.

    Args:
        values: (h, w) float32 without NaN.
        trust: weights (h, w) in [0, 1]; holes that were filled get little.
        guide_small: (h, w, 3) float32, the picture at the map's size.
        guide: (H, W, 3) float32 of any layout, the picture at the wanted size.
        jump_px: values this close that differ less belong to one surface; about a small pixel.

    Returns:
        (H, W) float32.
    """
    out = np.empty(guide.shape[:2], dtype=np.float32)
    weights = (HOLE_WEIGHT + (1 - HOLE_WEIGHT) * trust).astype(np.float32)
    values = values.astype(np.float32)
    window = np.ones((2 * TAP_RADIUS + 1, 2 * TAP_RADIUS + 1), dtype=np.uint8)
    _weighted_median(
        values,
        cv2.dilate(values, window) - cv2.erode(values, window) >= jump_px,
        weights,
        np.ascontiguousarray(guide_small, dtype=np.float32),
        guide,
        out,
    )
    return out


@numba.njit(parallel=True, cache=True, fastmath=True)
def _weighted_median(values, near_jump, weights, guide_small, guide, out):
    height, width = out.shape
    rows, columns = values.shape
    unlike = np.float32(1 / (2 * COLOUR_SIGMA**2))
    for y in numba.prange(height):
        taps = np.empty((2 * TAP_RADIUS + 1) ** 2, dtype=np.float32)
        tap_weights = np.empty((2 * TAP_RADIUS + 1) ** 2, dtype=np.float32)
        at_y = (y + 0.5) * rows / height - 0.5
        centre_y = min(max(round(at_y), 0), rows - 1)
        for x in range(width):
            at_x = (x + 0.5) * columns / width - 0.5
            centre_x = min(max(round(at_x), 0), columns - 1)
            if not near_jump[centre_y, centre_x]:
                out[y, x] = _between(values, at_y, at_x)
                continue
            count = 0
            total = np.float32(0)
            for j in range(max(centre_y - TAP_RADIUS, 0), min(centre_y + TAP_RADIUS + 1, rows)):
                for i in range(
                    max(centre_x - TAP_RADIUS, 0), min(centre_x + TAP_RADIUS + 1, columns)
                ):
                    difference = np.float32(0)
                    for c in range(guide.shape[2]):
                        difference += (guide[y, x, c] - guide_small[j, i, c]) ** 2
                    distance = (j - at_y) ** 2 + (i - at_x) ** 2
                    weight = weights[j, i] * np.exp(-difference * unlike - np.float32(distance / 4))
                    taps[count] = values[j, i]
                    tap_weights[count] = weight + np.float32(1e-12)
                    total += tap_weights[count]
                    count += 1
            out[y, x] = median_of(taps, tap_weights, count, total)


@numba.njit(cache=True)
def _between(values, y, x):
    """Bilinear, the border repeated."""
    rows, columns = values.shape
    y, x = min(max(y, 0.0), rows - 1.0), min(max(x, 0.0), columns - 1.0)
    j, i = min(int(y), rows - 2), min(int(x), columns - 2)
    v, u = np.float32(y - j), np.float32(x - i)
    upper = values[j, i] * (1 - u) + values[j, i + 1] * u
    lower = values[j + 1, i] * (1 - u) + values[j + 1, i + 1] * u
    return upper * (1 - v) + lower * v


@numba.njit(cache=True)
def median_of(taps, weights, count, total):
    """Weighted mean of the taps close to the weighted median: sub-pixel, yet of one surface."""
    for k in range(1, count):  # insertion sort
        value, weight = taps[k], weights[k]
        j = k - 1
        while j >= 0 and taps[j] > value:
            taps[j + 1], weights[j + 1] = taps[j], weights[j]
            j -= 1
        taps[j + 1], weights[j + 1] = value, weight
    passed = np.float32(0)
    median = taps[0]
    for k in range(count):
        passed += weights[k]
        if passed >= total / 2:
            median = taps[k]
            break
    summed, weight_sum = np.float32(0), np.float32(0)
    for k in range(count):
        if abs(taps[k] - median) <= 1.0:
            summed += taps[k] * weights[k]
            weight_sum += weights[k]
    return summed / weight_sum
