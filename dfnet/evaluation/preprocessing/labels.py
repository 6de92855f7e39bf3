"""Pairs of points that a person called nearer and farther, held against a disparity map."""

from pathlib import Path

import numpy as np
from torch import Tensor

from dfnet.errors import InputError

RADIUS_PX = 12  # of W's full size: each point stands for the median around it


def read_labels(path: Path) -> np.ndarray:
    """The pairs of a text file, one a line: `near_x near_y far_x far_y` in W's full-size pixels.

    Returns:
        (n, 4) int.

    Raises:
        InputError: a line is not four whole numbers.
    """
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        labels = np.array(lines, dtype=int)
    except ValueError:
        labels = np.zeros(0, dtype=int)
    if labels.ndim != 2 or labels.shape[1] != 4:
        raise InputError(
            f"{path}: not pairs of points\n"
            "  Write `near_x near_y far_x far_y` on each line, whole pixels of the wide photo."
        )
    return labels


def agreeing_share(disparity_w_px: Tensor, labels: np.ndarray, w_px_full: float) -> float:
    """Share of the pairs whose nearer point has the larger disparity.

    Args:
        disparity_w_px: (1, h, w), larger is nearer.
        labels: (n, 4) of `read_labels`.
        w_px_full: W's full-size pixels per pixel of the map.
    """
    disparity, radius = disparity_w_px[0].numpy(), max(1, round(RADIUS_PX / w_px_full))

    def around(x: int, y: int) -> float:
        x, y = round(x / w_px_full), round(y / w_px_full)
        top, left = max(0, y - radius), max(0, x - radius)
        return float(np.median(disparity[top : y + radius + 1, left : x + radius + 1]))

    return float(np.mean([around(*pair[:2]) > around(*pair[2:]) for pair in labels.tolist()]))
