"""How likely each blur of UW is to look like W, from the moments of `blur_patches`.

A patch's band of W is Gaussian about the blurred UW: what noise and a slight misalignment leave
unexplained is expected, more is not. As the variance is part of the likelihood, a blur gains
nothing by averaging noise away. UW may be the softer one: relative blur is signed then.
"""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from dfnet.preprocess.blur_patches import MIN_SHARE, SAMPLES, BlurPatches, disc_gain

FREQUENCY = np.array([0.33, 0.16, 0.08, 0.04, 0.02])  # middle of each band [waves per px]
MISALIGNED_PX = 0.3  # standard deviation of where UW is
UNLIKE = 0.3  # part of the contrast that the two cameras render differently
FREEDOM = 12.0  # of Student's t; smaller trusts single patches less
# What a blur model gets wrong it gets wrong alike in many patches, so that a pixel counts little.
# Chosen such that errors on rendered pairs agree with the stated deviations.
EVIDENCE_PER_SAMPLE = 0.002
BINS = 48
STEP_PX = 0.25
FLOOR = 1e-7


class BlurEvidence(NamedTuple):
    """Log-likelihood [disparity bin, signed relative blur].

    Attributes:
        disparity_px: (bins,) mean of each bin's patches.
        lowest_px: the first column's relative blur: diameter of the disc that makes UW look like
            W; negative where it is W that must be blurred. Columns are `STEP_PX` apart.
        log_likelihood: (bins, columns).
    """

    disparity_px: np.ndarray
    lowest_px: float
    log_likelihood: np.ndarray


def weigh_blurs(patches: BlurPatches, gain: float) -> BlurEvidence:
    """Evidence per range of disparities.

    Args:
        patches: with at least one usable patch.
        gain: contrast of W over UW's where both are equally sharp.
    """
    softer_w = _log_likelihood(
        patches,
        (patches.power_w, gain * patches.product_uw, gain**2 * patches.blurred_uw),
        (patches.noise_w, gain**2 * patches.noise_uw),
        patches.coc_px,
        patches.power_uw,
    )
    softer_uw = _log_likelihood(
        patches,
        (patches.power_uw, patches.product_w / gain, patches.blurred_w / gain**2),
        (patches.noise_uw, patches.noise_w / gain**2),
        patches.coc_w_px,
        patches.power_w,
    )
    blur = np.concatenate([-patches.coc_w_px[::-1], patches.coc_px])
    each = np.concatenate([softer_uw[::-1], softer_w]) * EVIDENCE_PER_SAMPLE
    disparity = patches.disparity_px[patches.usable]
    centres, table = _binned(disparity, each)
    columns = np.arange(blur[0], blur[-1] + STEP_PX / 2, STEP_PX).clip(max=blur[-1])
    return BlurEvidence(centres, float(blur[0]), PchipInterpolator(blur, table, axis=1)(columns))


def _log_likelihood(patches, moments, noise, coc_px, power_blurred_one) -> np.ndarray:
    """(levels, usable patches); the sharper picture's own likelihood is part of it."""
    power, product, blurred = moments
    total = 0.0
    for band in range(len(SAMPLES)):
        count = patches.count[band]
        n = np.maximum(count, 1)
        alike = np.exp(-((2 * np.pi * FREQUENCY[band] * MISALIGNED_PX) ** 2)) * (1 - UNLIKE**2)
        error = power[band] - 2 * np.sqrt(alike) * product[:, band] + alike * blurred[:, band]
        kept = disc_gain(FREQUENCY[band], coc_px)[:, None, None] ** 2
        expected = noise[0][band] + alike * kept * noise[1][band]
        expected = expected + (1 - alike) * blurred[:, band] / n + FLOOR
        log_likelihood = -0.5 * n * (np.log(expected) + np.log(power_blurred_one[band] / n + FLOOR))
        log_likelihood -= 0.5 * (n + FREEDOM) * np.log1p(error / (FREEDOM * expected))
        total = total + np.where(count > MIN_SHARE * SAMPLES[band], log_likelihood, 0.0)
    return total[:, patches.usable]


def _binned(disparity, each) -> tuple[np.ndarray, np.ndarray]:
    """Mean disparity and summed evidence of equal ranges, (bins,) and (bins, levels)."""
    low, high = disparity.min(), disparity.max()
    index = ((disparity - low) / max(high - low, 1e-6) * BINS).astype(int).clip(max=BINS - 1)
    count = np.bincount(index, minlength=BINS)
    table = np.zeros((BINS, len(each)))
    np.add.at(table, index, each.T)
    centres = np.bincount(index, weights=disparity, minlength=BINS) / np.maximum(count, 1)
    return centres[count > 0], table[count > 0]
