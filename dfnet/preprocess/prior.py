"""A phone's own depth map where matching knows nothing.

Such maps are complete and smooth, but coarse and seldom metric. They are fitted to the matched
disparity by one scale and one shift, in disparity, and moved near what was matched so that no seam
is left.
"""

from typing import NamedTuple

import cv2
import numpy as np

SAMPLES = 20_000
REWEIGHTINGS = 10
TRUSTED = 0.5  # confidence from which a matched disparity is kept and fitted to
MIN_TRUSTED_SHARE = 0.05
MIN_EXPLAINED = 0.5  # of the disparity's spread; less, and the map shows something else
SEAM_SHARE = 0.02  # of the longer side: how far around it a match moves the fitted map


class PriorFit(NamedTuple):
    """Disparity is about `scale * prior + shift`.

    Attributes:
        scale: positive.
        shift: [px].
        explained: share of the disparity's robust spread that the fit takes away.
    """

    scale: float
    shift: float
    explained: float


def fit_prior(prior: np.ndarray, disparity: np.ndarray, confidence: np.ndarray) -> PriorFit | None:
    """Scale and shift of least absolute error; None where the two do not fit.

    Args:
        prior: (H, W), larger is nearer, any unit linear in inverse depth.
        disparity: (H, W) matched [px].
        confidence: (H, W) in [0, 1].
    """
    trusted = confidence >= TRUSTED
    if trusted.mean() < MIN_TRUSTED_SHARE:
        return None
    step = max(1, int(trusted.sum()) // SAMPLES)
    x, y = (values[trusted][::step].astype(np.float64) for values in (prior, disparity))
    terms, weight = np.stack([x, np.ones_like(x)], axis=1), np.ones_like(x)
    for _ in range(REWEIGHTINGS):
        root = np.sqrt(weight)[:, None]
        solution = np.linalg.lstsq(terms * root, y * root[:, 0], rcond=None)[0]
        error = np.abs(y - terms @ solution)
        weight = 1 / np.maximum(error, 0.05 + 0.1 * np.median(error))
    spread = np.median(np.abs(y - np.median(y)))
    explained = 1 - np.median(error) / max(spread, 1e-6)
    if solution[0] <= 0 or explained < MIN_EXPLAINED:
        return None
    return PriorFit(float(solution[0]), float(solution[1]), float(explained))


def fill_from_prior(
    disparity: np.ndarray, confidence: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, PriorFit | None]:
    """Keep trusted disparities, take the fitted prior elsewhere.

    Args:
        disparity: (H, W) matched [px], without NaN.
        confidence: (H, W) in [0, 1].
        prior: (h, w) of the same field of view, larger is nearer.

    Returns:
        (H, W) disparity, and the fit; the disparity unchanged where there is none.
    """
    size = disparity.shape[1], disparity.shape[0]
    prior = cv2.resize(prior.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    fit = fit_prior(prior, disparity, confidence)
    if fit is None:
        return disparity, None
    fitted = fit.scale * prior + fit.shift
    trusted = (confidence >= TRUSTED).astype(np.float32)
    sigma = SEAM_SHARE * max(size)
    moved, near = (
        cv2.GaussianBlur(x.astype(np.float32), (0, 0), sigma)
        for x in (trusted * (disparity - fitted), trusted)
    )
    fitted += moved / (near + 0.1)
    return np.where(trusted > 0, disparity, fitted).astype(np.float32), fit
