"""All blur laws of a grid, each with its probability given the evidence."""

from typing import NamedTuple

import numba
import numpy as np

from dfnet.preprocess.blur_evidence import STEP_PX, BlurEvidence

# Apertures of phones' main cameras are 2.4 to 4.6 mm wide and their lenses 9 to 22 mm apart; the
# presets of configs/camera with 10 to 22 mm give 0.17 to 0.38.
TYPICAL_DEFOCUS_PER_DISPARITY = 0.24
LOG_SPREAD = 0.3
SLOPES = np.linspace(-3.0, 2.5, 34)  # tried, in standard deviations of the prior
# An ultra-wide's aperture is 1.00 to 1.07 mm, the main camera's 3.7 to 3.8 mm (configs/camera).
UW_APERTURE_SHARE = 0.275
FLOORS_PX2 = np.array([-8.0, -3.0, 0.0, 3.0, 8.0, 15.0])  # diameters squared: 16 variances
FLOOR_MEAN_PX2, FLOOR_SPREAD_PX2 = 2.0, 6.0
UW_FOCUS_COUNT = 7
# Least blur of the picture: photos without any sharp spot are so much rarer. In front of everything
# a lens may be focused by intent, beyond everything hardly, and not at all beyond infinity.
NEARER_PX, FARTHER_PX = 6.0, 2.0
FOCUS_STEP_PX = 1.5
FARTHER = 1.12  # outside of the scene's range steps grow


class SlopePrior(NamedTuple):
    """What is known of a phone's slope before a look at the picture, log-normal.

    Attributes:
        defocus_per_disparity: the middle.
        log_spread: standard deviation of its logarithm; 0 where it is known.
    """

    defocus_per_disparity: float = TYPICAL_DEFOCUS_PER_DISPARITY
    log_spread: float = LOG_SPREAD

    @property
    def slopes(self) -> np.ndarray:
        """Those that are tried, (s,)."""
        if self.log_spread == 0:
            return np.array([self.defocus_per_disparity])
        return self.defocus_per_disparity * np.exp(self.log_spread * SLOPES)

    @property
    def log_prior(self) -> np.ndarray:
        """Of `slopes`."""
        return np.zeros(1) if self.log_spread == 0 else -0.5 * SLOPES**2


PHONES = SlopePrior()


class Posterior(NamedTuple):
    """Probability of each law, and the nuisance that goes best with the best of them.

    Attributes:
        slopes: (s,) defocus per disparity.
        focus_px: (f,) disparity in focus.
        probability: (s, f), sum 1.
        log_best: of the best law, nuisances included.
        log_without: of the best explanation by a sharp W.
        best: slope, focus, floor [px²] and UW's focus of the best law.
    """

    slopes: np.ndarray
    focus_px: np.ndarray
    probability: np.ndarray
    log_best: float
    log_without: float
    best: tuple[float, float, float, float]


def posterior(evidence: BlurEvidence, prior: SlopePrior) -> Posterior:
    """Probability of all laws of a grid.

    W's blur and UW's own add up like variances: relative diameter² = (slope (d - focus))² -
    (UW's slope (d - UW's focus))² + floor.

    Args:
        evidence: of a pair.
        prior: of the slope.
    """
    slopes = prior.slopes
    low, high = evidence.disparity_px.min(), evidence.disparity_px.max()
    top_px = evidence.lowest_px + STEP_PX * evidence.log_likelihood.shape[1]
    focus = _focus_grid(low, high, top_px / TYPICAL_DEFOCUS_PER_DISPARITY)
    uw_focus = np.linspace(low - 0.2 * (high - low), high, UW_FOCUS_COUNT)
    table, lowest, disparity = evidence.log_likelihood, evidence.lowest_px, evidence.disparity_px
    score = _scores(table, lowest, disparity, slopes, focus, FLOORS_PX2, uw_focus)
    floor_prior = -0.5 * ((FLOORS_PX2 - FLOOR_MEAN_PX2) / FLOOR_SPREAD_PX2) ** 2
    nuisance = (prior.log_prior[:, None] + floor_prior)[:, :, None]
    score += nuisance[:, None]
    outside = (low - focus).clip(0) / FARTHER_PX + (focus - high).clip(0) / NEARER_PX
    score -= (slopes[:, None] * outside)[:, :, None, None]
    i, j, k, m = np.unravel_index(score.argmax(), score.shape)
    best = float(slopes[i]), float(focus[j]), float(FLOORS_PX2[k]), float(uw_focus[m])
    log_best = float(score.max())
    chance = np.exp(score - log_best).sum(axis=(2, 3)) * np.gradient(focus)
    sharp = _scores_of_sharp_w(table, lowest, disparity, slopes, FLOORS_PX2, uw_focus)
    log_without = float((sharp + nuisance).max())
    return Posterior(slopes, focus, chance / chance.sum(), log_best, log_without, best)


def relative_coc_px(disparity_px: np.ndarray, law: tuple[float, float, float, float]) -> np.ndarray:
    """Signed relative blur of a law (`Posterior.best`) at these disparities."""
    slope, focus, floor, uw_focus = law
    squared = (slope * (disparity_px - focus)) ** 2 + floor
    squared -= (UW_APERTURE_SHARE * slope * (disparity_px - uw_focus)) ** 2
    return np.sign(squared) * np.sqrt(np.abs(squared))


def _focus_grid(low: float, high: float, reach: float) -> np.ndarray:
    """Even over the scene's range, ever coarser beyond it."""
    inside = np.linspace(low, high, int(np.clip((high - low) / FOCUS_STEP_PX, 40, 160)))
    step = inside[1] - inside[0]
    count = int(np.log1p(reach / max(step, 0.05) * (FARTHER - 1)) / np.log(FARTHER)) + 1
    beyond = max(step, 0.05) * (FARTHER ** np.arange(1, count + 1) - 1) / (FARTHER - 1)
    return np.concatenate([low - beyond[::-1], inside, high + beyond])


@numba.njit(cache=True, fastmath=True)
def _sum_at(table, lowest, disparity, a, b, uw_slope, floor, uw_focus):  # pragma: no cover
    """Evidence for diameters |a * (d - b)| of W."""
    last = table.shape[1] - 1.001
    total = 0.0
    for i in range(len(disparity)):
        w, uw = a * (disparity[i] - b), uw_slope * (disparity[i] - uw_focus)
        squared = w * w - uw * uw + floor
        blur = np.sqrt(squared) if squared > 0 else -np.sqrt(-squared)
        at = min(max((blur - lowest) / STEP_PX, 0.0), last)
        column = int(at)
        share = at - column
        total += table[i, column] * (1 - share) + table[i, column + 1] * share
    return total


@numba.njit(cache=True, fastmath=True)
def _scores(table, lowest, disparity, slopes, focus, floors, uw_focus):  # pragma: no cover
    out = np.empty((len(slopes), len(focus), len(floors), len(uw_focus)))
    for s in range(len(slopes)):
        uw_slope = UW_APERTURE_SHARE * slopes[s]
        for f in range(len(focus)):
            for q in range(len(floors)):
                for u in range(len(uw_focus)):
                    out[s, f, q, u] = _sum_at(
                        table,
                        lowest,
                        disparity,
                        slopes[s],
                        focus[f],
                        uw_slope,
                        floors[q],
                        uw_focus[u],
                    )
    return out


@numba.njit(cache=True, fastmath=True)
def _scores_of_sharp_w(table, lowest, disparity, slopes, floors, uw_focus):  # pragma: no cover
    out = np.empty((len(slopes), len(floors), len(uw_focus)))
    for s in range(len(slopes)):
        uw = UW_APERTURE_SHARE * slopes[s]
        for q in range(len(floors)):
            for u in range(len(uw_focus)):
                out[s, q, u] = _sum_at(
                    table, lowest, disparity, 0.0, 0.0, uw, floors[q], uw_focus[u]
                )
    return out
