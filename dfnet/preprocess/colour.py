"""UW's colours made W's: first by histograms, then by a robust quadratic fit on aligned pixels."""

import cv2
import numpy as np

HISTOGRAM_LEVELS = 256
FIT_BLUR_SIDE_SHARE = 1 / 160  # sigma over the longer side: kills the difference in defocus
FIT_SAMPLES = 20_000
REWEIGHTINGS = 6
RIDGE = 2e-3
CLIPPED = (0.015, 0.985)


def histogram_curves(
    image_uw: np.ndarray, image_w: np.ndarray, common: np.ndarray
) -> list[np.ndarray]:
    """Per-channel curves that give UW's histogram W's shape; needs no exact alignment.

    Args:
        image_uw: (H, W, 3) in [0, 1], roughly on W's grid.
        image_w: the same of W.
        common: bool (H, W), where both show the scene.

    Returns:
        Three arrays (levels,): the value each evenly spaced input level becomes.
    """
    levels = np.linspace(0, 1, HISTOGRAM_LEVELS)
    shares = np.linspace(0, 1, HISTOGRAM_LEVELS)
    curves = []
    for c in range(3):
        from_uw = np.quantile(image_uw[..., c][common], shares)
        from_w = np.quantile(image_w[..., c][common], shares)
        # Ties (clipped areas) would make the curve jump: keep one entry per level.
        from_uw, index = np.unique(from_uw, return_inverse=True)
        target = np.bincount(index, weights=from_w) / np.bincount(index)
        curves.append(np.interp(levels, from_uw, target))
    return curves


def apply_curves(image: np.ndarray, curves: list[np.ndarray]) -> np.ndarray:
    """Curves of `histogram_curves` on an image (H, W, 3)."""
    levels = np.linspace(0, 1, HISTOGRAM_LEVELS)
    channels = [np.interp(image[..., c], levels, curves[c]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def fit_colour(uw_on_w: np.ndarray, image_w: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Quadratic colour map from UW to W, gamma-encoded, robust against what is misaligned.

    The pair is blurred first, so that defocus does not count as a colour difference. The ridge
    pulls towards the identity where the scene shows too few colours to tell.

    Args:
        uw_on_w: aligned UW (H, W, 3) in [0, 1].
        image_w: W (H, W, 3).
        valid: bool (H, W), visible in both.

    Returns:
        Coefficients (10, 3) for `apply_colour`.
    """
    sigma = max(1.0, FIT_BLUR_SIDE_SHARE * max(valid.shape))
    share = cv2.GaussianBlur(valid.astype(np.float32), (0, 0), sigma)
    unclipped = _unclipped(uw_on_w) & _unclipped(image_w)
    keep = valid & unclipped & (share > 0.9)
    start = _identity()
    if keep.sum() < 500:
        return start
    source, target = (
        cv2.GaussianBlur(image * valid[..., None], (0, 0), sigma) / (share[..., None] + 1e-6)
        for image in (uw_on_w, image_w)
    )
    step = max(1, int(keep.sum() / FIT_SAMPLES))
    terms = _terms(source[keep][::step])
    wanted = target[keep][::step]
    weights = np.ones(len(wanted))
    coefficients = start
    for _ in range(REWEIGHTINGS):
        weighted = terms * weights[:, None]
        system = weighted.T @ terms + RIDGE * weights.sum() * np.eye(terms.shape[1])
        correction = np.linalg.solve(system, weighted.T @ (wanted - terms @ start))
        coefficients = start + correction
        error = np.abs(wanted - terms @ coefficients).mean(axis=1)
        weights = 1 / np.maximum(error, 0.01)
    return coefficients


def apply_colour(image: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """A colour map on an image (H, W, 3), clipped to [0, 1]."""
    out = np.empty_like(image, dtype=np.float32)
    for top in range(0, image.shape[0], 256):  # ten terms of a whole 12-megapixel photo are large
        rows = image[top : top + 256]
        mapped = _terms(rows.reshape(-1, 3)).astype(np.float32) @ coefficients.astype(np.float32)
        out[top : top + 256] = mapped.reshape(rows.shape).clip(0, 1)
    return out


def match_colour(
    uw_on_w: np.ndarray, image_w: np.ndarray, valid: np.ndarray, common: np.ndarray
) -> np.ndarray:
    """Both steps on an aligned pair: histograms over `common`, the quadratic fit over `valid`."""
    curves = histogram_curves(uw_on_w, image_w, np.asarray(common))
    matched = apply_curves(uw_on_w, curves)
    return apply_colour(matched, fit_colour(matched, image_w, valid))


def _identity() -> np.ndarray:
    start = np.zeros((10, 3))
    start[1:4] = np.eye(3)
    return start


def _terms(rgb: np.ndarray) -> np.ndarray:
    r, g, b = rgb[:, 0], rgb[:, 1], rgb[:, 2]
    return np.stack([np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, r * b, g * b], axis=1)


def _unclipped(image: np.ndarray) -> np.ndarray:
    return (image.max(axis=-1) < CLIPPED[1]) & (image.max(axis=-1) > CLIPPED[0])
