"""Which matches agree on one geometry, and could that be chance?

Across the baseline there is no parallax: there the matches of two cameras that look the same way
obey a line with three unknowns, however deep the scene is. Lines through random triples are tried,
and the one whose followers are least likely to follow by chance wins (a contrario RANSAC, Moisan
and Stival 2004). What is left of chance also says whether the photos show the same scene at all.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from dfnet.preprocess.epipolar import Matches

TRIALS = 2000
MAX_ROLL = math.tan(math.radians(8.0))
MAX_ACROSS_SHARE = 0.015  # of W's longer side
FLOOR_SHARE = 0.0015  # nearer than this is no better witness
MAX_ALONG_SHARE = 0.75
MIN_CONTAINED = 0.8  # of the narrower field of view; repeated patterns suggest otherwise
MAX_CENTRE_SHARE = 0.3  # of W's side, between the centres across the baseline: so do they
CELL_SHARE = 0.02  # matches in one cell of this side are one witness


class Agreement(NamedTuple):
    """The geometry that most matches share.

    Attributes:
        similarity: (3, 3), UW px to W px, up to motion along the axis.
        axis: unit vector along the baseline.
        inliers: bool (n,).
        log10_chance: how many such agreements chance would bring, as a power of ten.
    """

    similarity: np.ndarray
    axis: np.ndarray
    inliers: np.ndarray
    log10_chance: float


class Frames(NamedTuple):
    """(height, width) of both photos."""

    wide: tuple[int, int]
    ultrawide: tuple[int, int]

    @property
    def side_px(self) -> int:
        """W's longer side."""
        return max(self.wide)


def find_agreement(
    matches: Matches, axis: np.ndarray, frames: Frames, scale_range: tuple[float, float]
) -> Agreement | None:
    """The least accidental line of W's across-position over UW's position.

    Args:
        matches: from `dfnet.preprocess.keypoints`.
        axis: assumed baseline.
        frames: of the photos; the narrower field of view must mostly lie in the wider one.
        scale_range: of W px per UW px that is looked for.

    Returns:
        None where no three matches allow a plausible line.
    """
    side_px = frames.side_px
    to_axis = np.array([[axis[0], axis[1]], [-axis[1], axis[0]]])
    wide, uw = matches.wide @ to_axis.T, matches.ultrawide @ to_axis.T
    witness = _witnesses(wide, side_px)
    lines = _lines(wide[witness], uw[witness], scale_range)
    if len(lines) == 0:
        return None
    across, along = _errors(lines, wide[witness], uw[witness])
    middle = np.median(along, axis=1, keepdims=True)
    far = np.abs(along - middle) > MAX_ALONG_SHARE * side_px
    chance, reach = _chance(np.where(far, np.inf, np.abs(across)), side_px)
    chance[~_contained(lines, middle[:, 0], frames, to_axis)] = np.inf
    best = int(chance.argmin())
    across, along = _errors(lines[best : best + 1], wide, uw)
    inliers = np.abs(across[0]) <= reach[best]
    inliers &= np.abs(along[0] - middle[best]) <= MAX_ALONG_SHARE * side_px
    if not np.isfinite(chance[best]):
        return None
    p, q, t = lines[best]
    shift = -float(np.median(along[0][inliers])) if inliers.any() else 0.0
    turned = np.array([[p, -q, shift], [q, p, t], [0.0, 0.0, 1.0]])
    turn = np.eye(3)
    turn[:2, :2] = to_axis
    return Agreement(turn.T @ turned @ turn, np.asarray(axis), inliers, float(chance[best]))


def _witnesses(wide: np.ndarray, side_px: float) -> np.ndarray:
    cell = np.floor(wide / (CELL_SHARE * side_px))
    return np.sort(np.unique(cell, axis=0, return_index=True)[1])


def _lines(wide: np.ndarray, uw: np.ndarray, scale_range: tuple[float, float]) -> np.ndarray:
    """(m, 3): across_w = p across_uw + q along_uw + t, through random triples of matches."""
    count = len(wide)
    if count < 4:
        return np.zeros((0, 3))
    generator = np.random.default_rng(0)
    triple = generator.integers(0, count, (TRIALS, 3))
    differ = (np.diff(np.sort(triple, axis=1), axis=1) > 0).all(axis=1)
    triple = triple[differ]
    system = np.stack([uw[triple, 1], uw[triple, 0], np.ones(triple.shape)], axis=-1)
    spread = np.abs(np.linalg.det(system))
    solid = spread > 1e-3 * np.ptp(uw, axis=0).prod() + 1e-9
    lines = np.linalg.solve(system[solid], wide[triple[solid], 1][..., None])[..., 0]
    scale, roll = np.hypot(lines[:, 0], lines[:, 1]), np.abs(lines[:, 1])
    low, high = scale_range
    return lines[(lines[:, 0] > low) & (scale < high) & (roll < MAX_ROLL * lines[:, 0])]


def _errors(lines, wide, uw) -> tuple[np.ndarray, np.ndarray]:
    """Across and along each line (m, n)."""
    p, q, t = (lines[:, i : i + 1] for i in range(3))
    across = p * uw[:, 1] + q * uw[:, 0] + t - wide[:, 1]
    along = p * uw[:, 0] - q * uw[:, 1] - wide[:, 0]
    return across, along


def _contained(lines, middle, frames: Frames, to_axis: np.ndarray) -> np.ndarray:
    """Whether most of the narrower field of view lies in the wider one, and centrally, (m,)."""
    wide, uw = (_corners(shape) @ to_axis.T for shape in frames)
    across, along = _errors(lines, np.zeros_like(uw), uw)
    contained = np.ones(len(lines), dtype=bool)
    for moved, still in ((along - middle[:, None], wide[:, 0]), (across, wide[:, 1])):
        low, high = moved.min(axis=1), moved.max(axis=1)
        common = np.minimum(high, still.max()) - np.maximum(low, still.min())
        contained &= common > MIN_CONTAINED * np.minimum(high - low, np.ptp(still))
    return contained & (
        np.abs(across.mean(axis=1) - wide[:, 1].mean()) < MAX_CENTRE_SHARE * frames.side_px
    )


def _corners(shape: tuple[int, int]) -> np.ndarray:
    height, width = shape
    return np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=np.float64)


def _chance(error: np.ndarray, side_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Number of false alarms (log10) of each line's best set of followers, and their reach."""
    count = error.shape[1]
    error = np.sort(error, axis=1)[:, 3:]
    k = np.arange(4, count + 1)
    log_sets = gammaln(count + 1) - gammaln(k + 1) - gammaln(count - k + 1)
    log_triples = gammaln(k + 1) - gammaln(4) - gammaln(k - 2)
    log_alpha = np.log(np.maximum(2 * error / side_px, 2 * FLOOR_SHARE).clip(max=1.0))
    log_chance = math.log(count - 3) + log_sets + log_triples + (k - 3) * log_alpha
    log_chance = np.where(error > MAX_ACROSS_SHARE * side_px, np.inf, log_chance)
    best = log_chance.argmin(axis=1)
    rows = np.arange(len(error))
    reach = np.maximum(error[rows, best], FLOOR_SHARE * side_px)
    return log_chance[rows, best] / math.log(10), reach
