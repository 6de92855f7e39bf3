"""Which of W's pixels UW cannot see: hidden behind something nearer, or out of its frame."""

import cv2
import numba
import numpy as np

HIDDEN_BY_PX = 1.0  # the hiding surface must be this much nearer, in disparity
NEARER_IN_UW_PX = 2.0  # the same where UW's own map says so
SPECK_SHARE = 1 / 16_000  # of the picture
CELLS_PER_PX = 4  # of the depth buffer
FOOTPRINT_PX = 0.55  # half of it: neighbours of one surface overlap and leave no cracks


def find_hidden(disparity_w_px: np.ndarray, baseline_direction: np.ndarray) -> np.ndarray:
    """Depth buffer: another pixel on the same epipolar line lands on the same spot and is nearer.

    Works on W's upright grid at any resolution, for any direction: every pixel belongs to one line
    of pixels along the baseline.

    Args:
        disparity_w_px: (H, W) [px of this grid], larger is nearer, without NaN.
        baseline_direction: unit vector W to UW in W's image axes; a point at p is seen by UW at
            p - disparity * baseline_direction.

    Returns:
        bool (H, W).
    """
    along, across = (0, 1) if abs(baseline_direction[0]) >= abs(baseline_direction[1]) else (1, 0)
    rows = np.ascontiguousarray(disparity_w_px if along == 0 else disparity_w_px.T, np.float32)
    hidden = np.zeros(rows.shape, dtype=bool)
    moved = float(baseline_direction[along])
    _depth_buffer(rows, moved, float(baseline_direction[across]) / moved, hidden)
    return _without_specks(np.ascontiguousarray(hidden if along == 0 else hidden.T))


def nearer_in_uw(disparity_w: np.ndarray, disparity_uw_there: np.ndarray) -> np.ndarray:
    """Forward-backward test with a sign: UW sees something nearer where W's pixel should land.

    This also finds what is hidden by things beyond W's frame.

    Args:
        disparity_w: (H, W).
        disparity_uw_there: UW's disparity where W's pixels land, (H, W); NaN where unknown.

    Returns:
        bool (H, W), small specks opened away.
    """
    nearer = disparity_uw_there > disparity_w + NEARER_IN_UW_PX
    return cv2.morphologyEx(nearer.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3))).astype(bool)


def _without_specks(flags: np.ndarray) -> np.ndarray:
    """Islands too small to be anything but noise of the disparity, removed."""
    _, label, found, _ = cv2.connectedComponentsWithStats(flags.astype(np.uint8), connectivity=8)
    large = found[:, cv2.CC_STAT_AREA] >= SPECK_SHARE * flags.size
    large[0] = False
    return large[label]


@numba.njit(cache=True, parallel=True)
def _depth_buffer(disparity, moved, slope, hidden):
    """Lines x -> (x, line + slope * x); a pixel moves by -disparity * moved along x."""
    height, width = disparity.shape
    low = np.float32(disparity.min()) * moved
    high = np.float32(disparity.max()) * moved
    start = -max(low, high) - 2
    cells = int((width + abs(high - low) + 5) * CELLS_PER_PX)
    reach = int(abs(slope) * width) + 1
    for line in numba.prange(height + 2 * reach):
        nearest = np.full(cells, -np.inf, dtype=np.float32)
        for x in range(width):
            y = int(np.floor(line - reach + slope * x + 0.5))
            if 0 <= y < height:
                landing = x - disparity[y, x] * moved - start
                first = int(np.ceil((landing - FOOTPRINT_PX) * CELLS_PER_PX))
                last = int(np.floor((landing + FOOTPRINT_PX) * CELLS_PER_PX))
                for cell in range(first, last + 1):
                    nearest[cell] = max(nearest[cell], disparity[y, x])
        for x in range(width):
            y = int(np.floor(line - reach + slope * x + 0.5))
            if 0 <= y < height:
                cell = int((x - disparity[y, x] * moved - start) * CELLS_PER_PX + 0.5)
                hidden[y, x] = nearest[cell] > disparity[y, x] + HIDDEN_BY_PX
