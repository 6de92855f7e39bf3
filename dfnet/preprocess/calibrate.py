"""The blur law from the pictures: which blur of UW looks like W, at each disparity.

Defocus is disparity across the aperture, so all surfaces lie on one V: CoC = slope * |d - d_focus|.
All laws of a grid are weighed against the evidence of `blur_patches` and `blur_evidence`; what is
answered errs least on average over what remains possible.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dfnet.optics import BlurLaw
from dfnet.preprocess.blur_evidence import weigh_blurs
from dfnet.preprocess.blur_patches import MIN_SHARE, SAMPLES, BlurPatches
from dfnet.preprocess.blur_posterior import (
    PHONES,
    Posterior,
    SlopePrior,
    posterior,
    relative_coc_px,
)

MIN_PATCHES = 8
GAIN_BANDS = (2, 3, 4)  # coarse ones, which hardly depend on the blur
GAIN_RANGE = (0.9, 1.35)  # colour fitted on unequal sharpness has too little contrast
# Nats by which a law must be better than no blur at all. Low, as defocus that is not seen costs
# more than a little that is not there.
LEAST_EVIDENCE = 0.0
CONSIDERED, CANDIDATES = 600, 250  # of the laws, most probable first
QUANTILES = np.linspace(0.02, 0.98, 25)  # of the disparities that an answer is judged at


class BlurFit(NamedTuple):
    """The fitted law and how far to trust it.

    Attributes:
        law: in the pixels of the patches; slope 0 where W shows no defocus.
        evidence: nats by which the law explains W better than no blur does.
        focus_deviation_px: standard deviation of `disparity_at_focus_px`.
        slope_deviation: the same of `defocus_per_disparity`.
        correlation: of the two.
    """

    law: BlurLaw
    evidence: float
    focus_deviation_px: float
    slope_deviation: float
    correlation: float = 0.0

    def scaled(self, factor: float) -> "BlurFit":
        """For images resized by `factor`."""
        return self._replace(
            law=self.law.scaled(factor), focus_deviation_px=self.focus_deviation_px * factor
        )


def fit_blur_law(patches: BlurPatches, prior: SlopePrior = PHONES) -> BlurFit | None:
    """The V through the evidence.

    Args:
        patches: of `measure_patches`.
        prior: what is known of aperture over baseline.

    Returns:
        The law in the patches' pixels, or None where there is too little to see.
    """
    if patches.usable.sum() < MIN_PATCHES:
        return None
    rough = posterior(weigh_blurs(patches, 1.05), prior)
    found = posterior(weigh_blurs(patches, _gain(patches, rough)), prior)
    disparity = np.quantile(patches.disparity_px[patches.usable], QUANTILES)
    law = _least_error(found, disparity)
    deviations = _deviations(found)
    evidence = found.log_best - found.log_without
    if evidence < LEAST_EVIDENCE:
        law = BlurLaw(0.0, law.disparity_at_focus_px)
    return BlurFit(law, evidence, *deviations)


def defocus_deviation_px(
    disparity_w_px: Tensor, disparity_deviation_px: Tensor | float, fit: BlurFit
) -> Tensor:
    """Standard deviation of the defocus map, pixel by pixel.

    Args:
        disparity_w_px: any shape, in the frame of the law.
        disparity_deviation_px: standard deviation of it, for each pixel or for all.
        fit: the law's own uncertainty.

    Returns:
        Same shape [px of CoC diameter]: law and disparity taken as independent errors.
    """
    slope, focus = fit.law.defocus_per_disparity, fit.law.disparity_at_focus_px
    if slope == 0:
        return torch.zeros_like(disparity_w_px)
    distance = focus - disparity_w_px
    s, f = fit.slope_deviation, fit.focus_deviation_px
    variance = (distance * s) ** 2 + (slope * f) ** 2
    variance = variance + 2 * distance * slope * fit.correlation * s * f
    return (variance.clamp(min=0) + (slope * disparity_deviation_px) ** 2).sqrt()


def _gain(patches: BlurPatches, rough: Posterior) -> float:
    """W's contrast over UW's in coarse bands, UW blurred by the rough law; weighted medians."""
    blur = relative_coc_px(patches.disparity_px, rough.best).clip(0)
    level = np.abs(patches.coc_px[:, None, None] - blur).argmin(axis=0)[None]
    total = weight = 0.0
    for band in GAIN_BANDS:
        here = patches.usable & (patches.count[band] > MIN_SHARE * SAMPLES[band])
        power = np.take_along_axis(patches.blurred_uw[:, band], level, 0)[0][here]
        product = np.take_along_axis(patches.product_uw[:, band], level, 0)[0][here]
        if len(power) <= MIN_PATCHES or power.max() <= 0:
            continue
        contrast = np.sqrt(power)
        ratio = product / np.maximum(power, 1e-9)
        order = np.argsort(ratio)
        rising = np.cumsum(contrast[order])
        median = ratio[order][np.searchsorted(rising, rising[-1] / 2)]
        total, weight = total + contrast.sum() * median, weight + contrast.sum()
    return float(np.clip(total / weight, *GAIN_RANGE)) if weight > 0 else 1.0


def _least_error(found: Posterior, disparity: np.ndarray) -> BlurLaw:
    """The law whose diameters are wrong least, on average over all laws by their probability."""
    likely = np.argsort(-found.probability, axis=None)[:CONSIDERED]
    rows, columns = np.unravel_index(likely, found.probability.shape)
    weight = found.probability[rows, columns] / found.probability[rows, columns].sum()
    slopes, focus = found.slopes[rows], found.focus_px[columns]
    coc = _coc(slopes, focus, disparity)
    best = _argmin_error(slopes[:CANDIDATES], focus[:CANDIDATES], coc, weight, disparity)
    if len(found.slopes) == 1:
        around = np.ones(1)
    else:
        around = (found.slopes[1] / found.slopes[0]) ** np.linspace(-0.5, 0.5, 5)
    step = np.gradient(found.focus_px)[np.abs(found.focus_px - focus[best]).argmin()]
    finer = np.meshgrid(slopes[best] * around, focus[best] + step * np.linspace(-0.5, 0.5, 9))
    slopes, focus = (x.ravel() for x in finer)
    best = _argmin_error(slopes, focus, coc, weight, disparity)
    return BlurLaw(float(slopes[best]), float(focus[best]))


def _argmin_error(slopes, focus, coc, weight, disparity) -> int:
    errors = [np.abs(coc - c).mean(axis=1) @ weight for c in _coc(slopes, focus, disparity)]
    return int(np.argmin(errors))


def _coc(slopes, focus, disparity) -> np.ndarray:
    return slopes[:, None] * np.abs(disparity[None] - focus[:, None])


def _deviations(found: Posterior) -> tuple[float, float, float]:
    """Of focus, of slope, and their correlation."""
    chance = found.probability
    by_slope, by_focus = chance.sum(axis=1), chance.sum(axis=0)
    slope, focus = by_slope @ found.slopes, by_focus @ found.focus_px
    s = np.sqrt(by_slope @ (found.slopes - slope) ** 2)
    f = np.sqrt(by_focus @ (found.focus_px - focus) ** 2)
    both = (found.slopes - slope) @ chance @ (found.focus_px - focus)
    return float(f), float(s), float(both / max(s * f, 1e-12))
