"""What the matcher left out, filled by why it did: occluded, or not matched."""

import cv2
import numba
import numpy as np

from dfnet.preprocess.refine import COLOUR_SIGMA, median_of

MIN_STEP_PX = 1.5  # between what hides and what is hidden
FLOOR = 1e-3  # weight of a neighbour of any colour
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))


def fill_unknown(disparity: np.ndarray, guide: np.ndarray, strips_at: int) -> np.ndarray:
    """Values for what the matcher left out, by why it did.

    A gap on the side of a near surface where the other camera's view of the far one is blocked,
    about as long as the two differ, is an occlusion: the far surface goes on behind. Any other gap
    is a failed match, and takes the weighted median of the nearest known values in eight
    directions, near ones and those of like colour first (Hirschmüller 2008 has it unweighted).

    Args:
        disparity: (H, W) px along x, larger is nearer; NaN where unknown.
        guide: (H, W, 3), this view's picture.
        strips_at: 1 where hidden strips lie right of what hides them, else -1.

    Returns:
        (H, W) float32 without NaN; zeros where nothing is known at all.
    """
    values = np.ascontiguousarray(disparity, dtype=np.float32)
    smooth = cv2.GaussianBlur(np.ascontiguousarray(guide, dtype=np.float32), (0, 0), 1.0)
    filled = np.zeros_like(values)
    _fill(values, _distances(values), smooth, np.float32(strips_at), filled)
    return filled


@numba.njit(cache=True)
def _distances(values):
    """How far the nearest known pixel lies in eight directions; 0 where there is none."""
    height, width = values.shape
    distance = np.zeros((8, height, width), dtype=np.int16)
    for k in range(8):
        dx, dy = DIRECTIONS[k]
        for j in range(height):
            y = height - 1 - j if dy > 0 else j
            for i in range(width):
                x = width - 1 - i if dx > 0 else i
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    if not np.isnan(values[y + dy, x + dx]):
                        distance[k, y, x] = 1
                    elif distance[k, y + dy, x + dx] > 0:
                        distance[k, y, x] = distance[k, y + dy, x + dx] + 1
    return distance


@numba.njit(cache=True, parallel=True)
def _fill(values, distance, guide, strips_at, filled):
    height, width = values.shape
    for y in numba.prange(height):
        for x in range(width):
            value = values[y, x]
            if np.isnan(value):
                value = _behind(values, distance, y, x, strips_at)
            filled[y, x] = _voted(values, distance, guide, y, x) if np.isnan(value) else value


@numba.njit(cache=True)
def _behind(values, distance, y, x, strips_at):
    """The farther side's value if the gap has the side and the length of an occlusion, else NaN."""
    right, left = distance[0, y, x], distance[1, y, x]
    if right == 0 or left == 0:
        return np.float32(np.nan)
    before, after = values[y, x - left], values[y, x + right]
    step = (before - after) * strips_at
    if step > MIN_STEP_PX and left + right - 1 < 1.5 * step + 4:
        return min(before, after)
    return np.float32(np.nan)


@numba.njit(cache=True)
def _voted(values, distance, guide, y, x):
    taps, weights = np.empty(8, dtype=np.float32), np.empty(8, dtype=np.float32)
    count, total = 0, np.float32(0)
    for k in range(8):
        far = distance[k, y, x]
        if far > 0:
            j, i = y + DIRECTIONS[k][1] * far, x + DIRECTIONS[k][0] * far
            unlike = np.float32(0)
            for c in range(guide.shape[2]):
                unlike += (guide[y, x, c] - guide[j, i, c]) ** 2
            taps[count] = values[j, i]
            weights[count] = (np.exp(-unlike / (2 * COLOUR_SIGMA**2)) + FLOOR) / far
            total += weights[count]
            count += 1
    return median_of(taps, weights, count, total) if count > 0 else np.float32(0)
