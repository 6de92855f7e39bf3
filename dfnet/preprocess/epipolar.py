"""Two cameras that look nearly the same way: motion along the baseline is depth, across it nothing.

A similarity or homography fitted to all matches would swallow parallax (the ground plane, the tilt
of a wall); one fitted to what is left across the baseline cannot.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

AXIS_PRIOR_DEG = 1.0  # phones carry their lenses along an image axis
TILT_PRIOR = 0.02  # of pan and tilt, about 1 degree
CAUCHY_SHARE = 0.0008  # of W's longer side: the scale of a good match's error
# How far the fit may go from the start: log-scale, rotation, shift x, y [share of W's longer side],
# pan, baseline angle, tilt. A phone's cameras look almost the same way; repeated patterns suggest
# otherwise.
LIMITS = np.array([0.2, 0.15, 0.25, 0.25, 0.08, 0.35, 0.08])


class Matches(NamedTuple):
    """Points of W and of UW (n, 2) that seem to show the same, at full resolution."""

    wide: np.ndarray
    ultrawide: np.ndarray

    def __len__(self) -> int:
        return len(self.wide)

    def at(self, index: np.ndarray) -> "Matches":
        """Some of them."""
        return Matches(self.wide[index], self.ultrawide[index])


class EpipolarFit(NamedTuple):
    """A homography that leaves only motion along the axis.

    Attributes:
        w_from_uw: (3, 3), UW px to W px.
        axis: unit vector along the baseline in W's image axes.
        cost: robust sum of squared errors across the axis, per match.
    """

    w_from_uw: np.ndarray
    axis: np.ndarray
    cost: float


def apply_homography(homography: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (n, 2) mapped by a homography (3, 3)."""
    moved = points @ homography[:, :2].T + homography[:, 2]
    return moved[:, :2] / moved[:, 2:]


def along_and_across(
    matches: Matches, w_from_uw: np.ndarray, axis: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Motion of each match along the axis and across it, (n,) each [W px]."""
    moved = apply_homography(w_from_uw, matches.ultrawide) - matches.wide
    return moved @ axis, moved @ np.array([-axis[1], axis[0]])


def fit_across(
    matches: Matches, similarity: np.ndarray, axis: np.ndarray, side_px: float
) -> EpipolarFit:
    """Similarity, two perspective terms and the baseline's angle, from errors across it (Cauchy).

    Args:
        matches: most of them good.
        similarity: start (3, 3), UW px to W px.
        axis: where the baseline is believed to lie.
        side_px: W's longer side.
    """
    centre = matches.wide.mean(axis=0)
    start_angle = math.atan2(axis[1], axis[0])
    unit = 1 / (CAUCHY_SHARE * side_px)

    def residuals(x):
        homography, angle = _unpack(x, similarity, centre, side_px)
        _, across = along_and_across(matches, homography, _unit(angle))
        # Pseudo-measurements keep what the data leave open near the starting point.
        spread = math.sqrt(len(matches))
        prior = 0.3 * spread * (x[5] - start_angle) / math.radians(AXIS_PRIOR_DEG)
        tilts = x[[4, 6]] / TILT_PRIOR
        return np.concatenate([across * unit, [prior, 10 * x[2], 10 * x[3], *tilts]])

    start = np.array([0.0, 0.0, 0.0, 0.0, 0.0, start_angle, 0.0])
    bounds = (start - LIMITS, start + LIMITS)
    fit = least_squares(residuals, start, bounds=bounds, loss="cauchy", x_scale=LIMITS / 10)
    homography, angle = _unpack(fit.x, similarity, centre, side_px)
    return EpipolarFit(homography, _unit(angle), float(fit.cost) / len(matches))


def translation(by: np.ndarray) -> np.ndarray:
    """Homography that moves points by (x, y)."""
    return np.array([[1.0, 0.0, by[0]], [0.0, 1.0, by[1]], [0.0, 0.0, 1.0]])


def _unit(angle: float) -> np.ndarray:
    return np.array([math.cos(angle), math.sin(angle)])


def _unpack(x, similarity, centre, side_px) -> tuple[np.ndarray, float]:
    """Corrections about W's centre: log-scale, rotation, shift x, y, pan, angle, tilt."""
    log_scale, turn, dx, dy, pan, angle, tilt = x
    c, s = math.exp(log_scale) * math.cos(turn), math.exp(log_scale) * math.sin(turn)
    shift, radius = np.array([dx, dy]) * side_px, np.abs(centre).max() + 1.0
    correction = np.array([[c, -s, shift[0]], [s, c, shift[1]], [pan / radius, tilt / radius, 1]])
    return translation(centre) @ correction @ translation(-centre) @ similarity, angle
