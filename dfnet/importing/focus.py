"""Which end of a sweep is near, from what the pictures and names suggest when nothing says it.

None of these is proof: a lens that moves out to focus near enlarges the picture (phones do; a
camera on a rail does the opposite), people photograph floors and tables below and walls and
sky above, and most focus brackets run from near to far.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

MIN_ZOOM = 0.002  # difference between the ends of the sweep that counts as breathing
WEIGHTS = {"breathing": 1.0, "layout": 1.5, "names": 0.75}


class Direction(NamedTuple):
    """Which way a sweep runs.

    Attributes:
        near_first: whether the first slice is focused nearest.
        source: `focus distances`, `ultra-wide disparity` or `guess`.
        reason: for people.
    """

    near_first: bool
    source: str
    reason: str


def direction_from_disparity(
    disparity_w_px: np.ndarray, index: np.ndarray, known: np.ndarray
) -> Direction:
    """Near end from the ultra-wide photo: near things have the larger disparity.

    Args:
        disparity_w_px: (H, W).
        index: (H, W) sharpest slice.
        known: bool (H, W), where both can be trusted.
    """
    step = max(1, int(known.sum() / 20_000))
    a, b = disparity_w_px[known][::step], index[known][::step]
    agreement = -float(spearmanr(a, b).statistic) if len(a) > 100 and np.ptp(b) > 0 else 0.0
    reason = f"rank correlation of nearness and earliness {agreement:+.2f}"
    return Direction(agreement >= 0, "ultra-wide disparity", reason)


def guess_direction(
    zooms: list[float], index: np.ndarray, confidence: np.ndarray, names_run: int
) -> Direction:
    """Near end from breathing, layout and names.

    Args:
        zooms: of each slice, how much larger it shows things.
        index: (H, W) sharpest slice.
        confidence: (H, W) of it.
        names_run: 1 where file names run along the slices, -1 where against them, 0 otherwise.
    """
    breathing = np.log(zooms[0] / zooms[-1])
    votes = {
        "breathing": float(np.sign(breathing)) if abs(breathing) > MIN_ZOOM else 0.0,
        "layout": _layout(index, confidence),
        "names": float(names_run),
    }
    score = sum(WEIGHTS[k] * v for k, v in votes.items())
    told = ", ".join(f"{k} {v:+.1f}" for k, v in votes.items())
    return Direction(score >= 0, "guess", f"votes for near first: {told}")


def _layout(index: np.ndarray, confidence: np.ndarray) -> float:
    """Correlation of slice and height in the picture: near things are mostly below."""
    row, column = np.nonzero(confidence[::4, ::4] > 0.5)
    slices = index[::4, ::4][row, column]
    if len(row) < 100 or np.ptp(slices) < 0.5:
        return 0.0
    return -float(np.corrcoef(row, slices)[0, 1])
