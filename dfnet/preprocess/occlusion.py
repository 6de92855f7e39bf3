"""Which of W's pixels UW cannot see: hidden behind something nearer, or out of its frame."""

import cv2
import numba
import numpy as np

HIDDEN_BY_PX = 1.0  # the hiding surface must be this much nearer, in disparity
INCONSISTENT_PX = 2.0


def find_hidden(disparity_w: np.ndarray) -> np.ndarray:
    """Z-buffer test: another pixel of the row lands on the same UW pixel and is nearer.

    Args:
        disparity_w: (H, W) [px], larger is nearer, without NaN; baseline along x:
            W (x, y) is UW (x - disparity, y).

    Returns:
        bool (H, W).
    """
    hidden = np.zeros(disparity_w.shape, dtype=bool)
    _z_buffer(np.ascontiguousarray(disparity_w, dtype=np.float32), hidden)
    return _opened(hidden, 3)


def find_inconsistent(disparity_w: np.ndarray, disparity_uw: np.ndarray) -> np.ndarray:
    """Forward-backward test: W's disparity and UW's at the landing point differ.

    Args:
        disparity_w: (H, W) without NaN, as in `find_hidden`.
        disparity_uw: (H, W) of UW's pixels, without NaN: UW (x, y) is W (x + disparity, y).

    Returns:
        bool (H, W), small specks opened away.
    """
    height, width = disparity_w.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    there = cv2.remap(
        disparity_uw.astype(np.float32),
        x - disparity_w.astype(np.float32),
        y,
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _opened(np.abs(there - disparity_w) > INCONSISTENT_PX, 5)


def _opened(flags: np.ndarray, side: int) -> np.ndarray:
    element = np.ones((side, side), dtype=np.uint8)
    return cv2.morphologyEx(flags.astype(np.uint8), cv2.MORPH_OPEN, element).astype(bool)


@numba.njit(cache=True)
def _z_buffer(disparity, hidden):
    height, width = disparity.shape
    nearest = np.empty(width + 1, dtype=np.float32)
    for y in range(height):
        nearest[:] = -np.inf
        for x in range(width):
            landing = x - disparity[y, x]
            first = int(np.floor(landing))
            # A pixel covers both neighbours; stretched surfaces then leave no cracks.
            for q in range(first, first + 2):
                if 0 <= q < width and disparity[y, x] > nearest[q]:
                    nearest[q] = disparity[y, x]
        for x in range(width):
            q = int(np.round(x - disparity[y, x]))
            if 0 <= q < width and nearest[q] > disparity[y, x] + HIDDEN_BY_PX:
                hidden[y, x] = True
