"""Which end of the motion range is near, solved from the images: what is hidden is behind.

Where two surfaces move towards each other, a strip of the farther one vanishes from the other view
and so has no match. The strip's colour tells which of the two surfaces beside it it belongs to.
UW's strips count in full: it is sharp at all depths. W's count half, as its halos of defocus can
look like strips. And what is lower in a picture is mostly nearer.
"""

import math
from typing import NamedTuple

import numpy as np

from dfnet.preprocess.specks import without_specks

MIN_STEP_PX = 1.5  # motion difference of two surfaces, at the matcher's resolution
MAX_VOTE = 0.15  # colour differences above this say no more
SKIPPED_PX = 2  # matches smear surfaces over their edges by about this much
SIDE_PX = 5
CELL_PX = 12  # gaps in one cell of the picture are one witness
W_WEIGHT = 0.5
LAYOUT_WEIGHT = 3.0  # times the correlation of nearness with the picture's rows
SURE = 1.5
CERTAINTY_PER_SCORE = 0.76  # logistic fit to 35 rendered and real captures, 3 of them wrong
SECOND_WEIGHT = 0.5  # of the evidence in a second match of the same photos
MIN_AREA_PX = 60


class NearFar(NamedTuple):
    """The answer and how sure it is.

    Attributes:
        near_is_larger: the motion along the axis is larger for nearer things.
        score: standard deviations of evidence, positive for larger; +-infinite from metadata.
        source: `images` or `metadata`.
    """

    near_is_larger: bool
    score: float
    source: str

    @property
    def is_sure(self) -> bool:
        """Whether the evidence is more than a guess."""
        return abs(self.score) >= SURE

    @property
    def certainty(self) -> float:
        """Chance of being right, from 0.5 to 1, as on rendered scenes."""
        return 1 / (1 + math.exp(-CERTAINTY_PER_SCORE * abs(self.score)))

    @property
    def sign(self) -> float:
        """Disparity is this times the motion."""
        return 1.0 if self.near_is_larger else -1.0

    def seconded(self, other: "NearFar") -> "NearFar":
        """With what a second match says, which knew the first one's answer and counts less."""
        score = self.score + SECOND_WEIGHT * other.score
        return NearFar(score >= 0, score, self.source)


def solve_near_far(
    image_w: np.ndarray,
    image_uw: np.ndarray,
    motion_w: np.ndarray,
    motion_uw: np.ndarray,
    upright_motion_w: np.ndarray,
) -> NearFar:
    """Find the end of the motion range that is near.

    Args:
        image_w: (H, W, C) in [0, 1], baseline along x.
        image_uw: the same of rectified UW.
        motion_w: W (x, y) is UW (x + m, y); NaN where unknown.
        motion_uw: UW (x, y) is W (x - m, y); NaN where unknown.
        upright_motion_w: `motion_w` on the upright picture's grid.
    """
    motion_w, motion_uw, upright = (
        without_specks(motion, MIN_AREA_PX) for motion in (motion_w, motion_uw, upright_motion_w)
    )
    score = (
        -_z_score(_gap_votes(image_uw, -motion_uw))
        + W_WEIGHT * _z_score(_gap_votes(image_w, motion_w))
        + LAYOUT_WEIGHT * _correlation_with_row(upright)
    )
    return NearFar(score >= 0, score, "images")


def _z_score(votes: np.ndarray) -> float:
    scatter = float(np.sqrt((votes**2).sum()))
    return float(votes.sum()) / scatter if scatter > 0 else 0.0


def _gap_votes(image: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Votes of image cells: positive where gaps look like their right side, so that left is near.

    Args:
        image: (H, W, C).
        motion: towards the other camera, NaN where that camera does not agree.
    """
    row, first, last = _gaps(np.isfinite(motion))
    before, after = motion[row, first - 1], motion[row, last]
    step, length = before - after, last - first
    fits = (step > MIN_STEP_PX) & (length > 0.5 * step - 1) & (length < 2 * step + 4)
    row, first, last = row[fits], first[fits], last[fits]
    sums = np.cumsum(np.pad(image, ((0, 0), (1, 0), (0, 0))), axis=1, dtype=np.float64)
    width = image.shape[1]

    def mean(start, stop):
        start, stop = start.clip(0, width - 1), stop.clip(1, width)
        return (sums[row, stop] - sums[row, start]) / (stop - start)[:, None]

    gap = mean(first, last)
    left = mean(first - SKIPPED_PX - SIDE_PX, (first - SKIPPED_PX).clip(1))
    right = mean((last + SKIPPED_PX).clip(None, width - 2), last + SKIPPED_PX + SIDE_PX)
    to_left, to_right = (np.abs(gap - side).mean(axis=-1) for side in (left, right))
    vote = (to_left - to_right).clip(-MAX_VOTE, MAX_VOTE)
    columns = width // CELL_PX + 1
    cell = row // CELL_PX * columns + first // CELL_PX
    return np.bincount(cell, weights=vote, minlength=1).clip(-4 * MAX_VOTE, 4 * MAX_VOTE)


def _gaps(known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Runs of unknown pixels with known ones on both sides: row, first, one past the last."""
    edges = np.diff(known.astype(np.int8), axis=1)
    row_in, first = np.nonzero(edges == -1)
    row_out, last = np.nonzero(edges == 1)
    first, last = first + 1, last + 1
    width = known.shape[1]
    opening, closing = row_in * width + first, row_out * width + last
    at = np.searchsorted(closing, opening)
    inside = at < len(closing)
    row_in, first, at = row_in[inside], first[inside], at[inside]
    same_row = row_out[at] == row_in
    return row_in[same_row], first[same_row], last[at][same_row]


def _correlation_with_row(motion: np.ndarray) -> float:
    """People mostly photograph floors and tables below, walls and sky above."""
    known = np.isfinite(motion)
    row, values = np.nonzero(known)[0], motion[known]
    values = values.clip(*np.quantile(values, [0.02, 0.98])) if len(values) else values
    if len(row) < 2 or np.ptp(row) == 0 or np.ptp(values) == 0:
        return 0.0
    return float(np.corrcoef(row, values)[0, 1])
