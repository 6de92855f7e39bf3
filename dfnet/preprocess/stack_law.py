"""One blur law for all slices of a stack, from how each looks against the blurred merge."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import least_squares

from dfnet.preprocess.blur_posterior import LOG_SPREAD, TYPICAL_DEFOCUS_PER_DISPARITY
from dfnet.preprocess.blur_table import EVIDENCE, BlurTable, explained

CENTRES = 600
CLEAR = 0.1  # a bin whose best blur explains so much more than the mean blur tells its diameter
ROBUST_PX = 1.0
MIN_STEP_PX = 0.05  # between the focus of two slices
REFINEMENTS = 2  # finer searches around the best centre


def fit_stack_law(
    tables: Sequence[BlurTable], known_defocus_per_disparity: float | None = None
) -> tuple[float | None, tuple[float, ...]]:
    """One slope for all tables, one focus for each.

    Args:
        tables: of the slices, over one disparity, in the same pixels.
        known_defocus_per_disparity: aperture over baseline, if known.

    Returns:
        the slope, None where no table says anything; and the disparity in focus of each slice.
    """
    usable = [t for t in tables if len(t.disparity_px)]
    if len(usable) < len(tables) or not usable:
        return None, ()
    if known_defocus_per_disparity is None:
        slopes = TYPICAL_DEFOCUS_PER_DISPARITY * np.exp(np.linspace(-1.2, 1.2, 49))
    else:
        slopes = np.array([known_defocus_per_disparity])
    low = min(t.disparity_px.min() for t in tables)
    high = max(t.disparity_px.max() for t in tables)
    reach = tables[0].coc_px[-1] / TYPICAL_DEFOCUS_PER_DISPARITY
    centres = np.linspace(low - reach, high + reach, CENTRES)
    total = sum(_misfit(t, slopes, centres).min(axis=1) for t in tables)
    prior = 0.5 * (np.log(slopes / TYPICAL_DEFOCUS_PER_DISPARITY) / LOG_SPREAD) ** 2
    slope = slopes[(total + prior).argmin()]
    return float(slope), tuple(_centre(t, slope, centres) for t in tables)


def _misfit(table: BlurTable, slopes: np.ndarray, centres: np.ndarray) -> np.ndarray:
    weight = table.weight / table.weight.sum()
    residual = np.einsum("scb,b->sc", explained(table, slopes, centres), weight)
    return EVIDENCE * np.log(residual + 1e-6)


def _centre(table: BlurTable, slope: float, centres: np.ndarray) -> float:
    for _ in range(REFINEMENTS + 1):
        best = centres[_misfit(table, np.array([slope]), centres)[0].argmin()]
        step = centres[1] - centres[0]
        centres = np.linspace(best - step, best + step, 41)
    return float(best)


def fit_focus_positions(tables: Sequence[BlurTable]) -> np.ndarray:
    """Where the slices' focus lies on a scale of blur, without any disparity.

    What is sharp at position x shows a blur of diameter |x - x_k| in slice k.

    Args:
        tables: of the slices near to far, over the index of the sharpest slice.

    Returns:
        (n,) positions [px], from 0 upwards.
    """
    count = len(tables)
    index, blur, weight, which = (np.concatenate(v) for v in zip(*_diameters(tables), strict=True))
    if len(index) < count:
        return np.arange(count) * 1.0

    def positions(x):
        return np.concatenate([[0.0], np.cumsum(np.exp(x) + MIN_STEP_PX)])

    def residuals(x):
        at = positions(x)
        expected = np.abs(np.interp(index, np.arange(count), at) - at[which])
        # Where the picture ran out of blur levels the true diameter may be larger.
        error = np.where(
            blur >= tables[0].coc_px[-1], np.minimum(expected - blur, 0), expected - blur
        )
        return np.concatenate([weight * error, 0.05 * (x - x.mean())])

    start = np.full(count - 1, np.log(max(float(np.median(blur)) / count, 0.5)))
    return positions(least_squares(residuals, start, loss="soft_l1", f_scale=ROBUST_PX).x)


def _diameters(tables):
    """Per slice: index, best diameter, weight and slice number of the bins that tell one."""
    for k, table in enumerate(tables):
        if not len(table.disparity_px):
            yield np.empty(0), np.empty(0), np.empty(0), np.empty(0, dtype=int)
            continue
        best = table.residual.argmin(axis=1)
        least = table.residual.min(axis=1)
        clear = 1 - least / table.residual.mean(axis=1) > CLEAR
        weight = np.sqrt(table.weight / table.weight.max())
        count = int(clear.sum())
        yield (
            table.disparity_px[clear],
            np.array(
                [_vertex(table.coc_px, r, b) for r, b in zip(table.residual, best, strict=True)]
            )[clear],
            weight[clear],
            np.full(count, k),
        )


def _vertex(levels: np.ndarray, row: np.ndarray, best: int) -> float:
    """Least point of a parabola through the smallest entry and its neighbours."""
    if best in (0, len(levels) - 1):
        return float(levels[best])
    coefficients = np.polyfit(levels[best - 1 : best + 2], row[best - 1 : best + 2], 2)
    if coefficients[0] <= 0:
        return float(levels[best])
    return float(-coefficients[1] / (2 * coefficients[0]))
