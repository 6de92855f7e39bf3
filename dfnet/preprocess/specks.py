"""Small islands of motion unlike what surrounds them are chance matches."""

import cv2
import numpy as np

_STEPS_PER_PX = 16  # an island ends where neighbours differ by a pixel
_UNKNOWN = -(1 << 15)


def without_specks(motion: np.ndarray, largest_px: int) -> np.ndarray:
    """The motion, unknown where an area that moves alike is too small to be a thing.

    Args:
        motion: (H, W) [px], NaN where unknown.
        largest_px: areas of up to so many pixels are specks.

    Returns:
        (H, W) float32.
    """
    steps = np.where(np.isfinite(motion), motion, 0) * _STEPS_PER_PX
    steps = steps.round().clip(_UNKNOWN + 1, -_UNKNOWN - 1)
    steps = np.where(np.isfinite(motion), steps, _UNKNOWN)
    steps = np.ascontiguousarray(steps, dtype=np.int16)
    cv2.filterSpeckles(steps, _UNKNOWN, largest_px, _STEPS_PER_PX)
    return np.where(steps == _UNKNOWN, np.nan, motion).astype(np.float32)
