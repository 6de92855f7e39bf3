"""How alike W and blurred UW are, patch by patch, band by band, for every blur: moments only.

All that a blur law is judged by later is in these moments, so laws are compared without touching
the pictures again.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from scipy import fft
from scipy.special import j1

from dfnet.photo import linear_from_srgb

PATCH_PX = 16
BANDS = 5  # octaves of a Laplacian pyramid, finest first
SAMPLES = np.array([(PATCH_PX / 2**band) ** 2 for band in range(BANDS)])  # of a whole patch
MAX_COC_SHARE = 0.14  # of the longer side
SOFTER_UW_PX = (1.0, 1.5, 2.0, 3.0, 4.0, 5.5, 7.5, 10.0, 13.0)
EDGE_PX = 4.0  # disparity that changes so much within 5 px has an edge
AWAY_FROM_EDGES_PX = (3, 6, 12, 12, 12)  # per band: there two blurs mix
CLIPPED, CLIPPED_REACH_PX = 0.98, 13
MIN_SHARE = 0.3  # of a patch, to count
ENOUGH_PATCHES = 0.15
NOISE_QUANTILES = (0.15, 0.08, 0.03, 0.03, 0.03)  # so many patches of a band show noise alone
PAD_PX = 40


class BlurPatches(NamedTuple):
    """Moments of W's and UW's bands, (bands, y, x), and of either when blurred, (level, ...).

    Sums over a patch's usable pixels; values are square roots of linear light, which makes noise
    about even.

    Attributes:
        disparity_px: (y, x) mean of the usable pixels.
        usable: bool (y, x).
        count: usable samples.
        power_w: sum of W².
        power_uw: sum of UW².
        coc_px: (levels,) diameters that UW was blurred by, from 0.
        product_uw: sum of W times blurred UW.
        blurred_uw: sum of blurred UW².
        coc_w_px: (levels,) diameters that W was blurred by, for where UW is the softer one.
        product_w: sum of UW times blurred W.
        blurred_w: sum of blurred W².
        noise_w: (bands,) variance.
        noise_uw: (bands,).
    """

    disparity_px: np.ndarray
    usable: np.ndarray
    count: np.ndarray
    power_w: np.ndarray
    power_uw: np.ndarray
    coc_px: np.ndarray
    product_uw: np.ndarray
    blurred_uw: np.ndarray
    coc_w_px: np.ndarray
    product_w: np.ndarray
    blurred_w: np.ndarray
    noise_w: np.ndarray
    noise_uw: np.ndarray


def measure_patches(
    image_w: np.ndarray, uw_on_w: np.ndarray, disparity_px: np.ndarray, valid: np.ndarray
) -> BlurPatches:
    """Try every blur on aligned UW, and on W, and hold the two against each other.

    Args:
        image_w: (H, W, 3) in [0, 1]; about 512 px wide, as the cost grows with the pixels.
        uw_on_w: aligned, colour-matched UW, the same shape.
        disparity_px: (H, W).
        valid: bool (H, W), visible in both and matched well.
    """
    height, width = (side // PATCH_PX * PATCH_PX for side in image_w.shape[:2])
    inside = slice(height), slice(width)
    image_w, uw_on_w, valid = image_w[inside], uw_on_w[inside], valid[inside]
    disparity = np.ascontiguousarray(disparity_px[inside], dtype=np.float32)
    clipped = (image_w.max(axis=2) > CLIPPED) | (uw_on_w.max(axis=2) > CLIPPED)
    blurs = Blurs(linear_gray(image_w)), Blurs(linear_gray(uw_on_w))
    bands_w, bands_uw = (b.bands(0.0) for b in blurs)
    masks = _masks(disparity, valid & ~_grown(clipped, CLIPPED_REACH_PX))
    shape = height // PATCH_PX, width // PATCH_PX
    count = _sums(masks, masks, masks, shape)
    share = count[0] / SAMPLES[0]
    mean = _box(masks[0] * disparity, shape) / np.maximum(share, 1e-6)
    levels = _levels(MAX_COC_SHARE * max(height, width))
    power_w, power_uw = (_sums(masks, b, b, shape) for b in (bands_w, bands_uw))
    return BlurPatches(
        mean,
        share > MIN_SHARE,
        count,
        power_w,
        power_uw,
        levels,
        *_blurred_sums(blurs[1], bands_w, levels, masks, shape),
        np.array(SOFTER_UW_PX),
        *_blurred_sums(blurs[0], bands_uw, SOFTER_UW_PX, masks, shape),
        _noise(power_w, count),
        _noise(power_uw, count),
    )


class Blurs:
    """One picture (H, W) in linear light under discs of any diameter, and its bands."""

    def __init__(self, gray: np.ndarray):
        self._gray = gray
        size = tuple(fft.next_fast_len(s + 2 * PAD_PX, real=True) for s in gray.shape)
        bottom, right = (n - s - PAD_PX for n, s in zip(size, gray.shape, strict=True))
        padded = cv2.copyMakeBorder(gray, PAD_PX, bottom, PAD_PX, right, cv2.BORDER_REFLECT_101)
        self._spectrum, self._size = fft.rfft2(padded), size

    def bands(self, diameter_px: float) -> list[np.ndarray]:
        """All bands, finest first; 0 leaves the picture as it is."""
        image = self._gray if diameter_px == 0 else self._blurred(diameter_px)
        return _laplacian(np.sqrt(image.clip(0)))

    def _blurred(self, diameter_px: float) -> np.ndarray:
        height, width = self._gray.shape
        blurred = fft.irfft2(self._spectrum * _transfer(self._size, diameter_px), s=self._size)
        return blurred[PAD_PX : PAD_PX + height, PAD_PX : PAD_PX + width]


def disc_gain(frequency: np.ndarray, diameter_px: float | np.ndarray) -> np.ndarray:
    """What a disc leaves of a wave, 1 to about -0.13; `frequency` in waves per pixel."""
    x = np.maximum(np.pi * diameter_px * frequency, 1e-6)
    return 2 * j1(x) / x


def _transfer(size: tuple[int, int], diameter_px: float) -> np.ndarray:
    frequency = np.hypot(fft.fftfreq(size[0])[:, None], fft.rfftfreq(size[1])[None])
    return disc_gain(frequency, diameter_px).astype(np.float32)


def linear_gray(image: np.ndarray) -> np.ndarray:
    """Luminance (H, W) in linear light of an sRGB picture (H, W, 3)."""
    linear = linear_from_srgb(torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32)))
    return (linear @ torch.tensor([0.2126, 0.7152, 0.0722])).numpy()


def _levels(top_px: float) -> np.ndarray:
    wide = 6.5 * 1.08 ** np.arange(int(np.log(top_px / 6.5) / np.log(1.08)) + 2)
    return np.concatenate([[0.0], np.arange(1.0, 6.1, 0.5), wide])


def _laplacian(image: np.ndarray) -> list[np.ndarray]:
    bands = []
    for _ in range(BANDS):
        smaller = cv2.pyrDown(image)
        bands.append(image - cv2.pyrUp(smaller, dstsize=image.shape[::-1]))
        image = smaller
    return bands


def _masks(disparity: np.ndarray, usable: np.ndarray) -> list[np.ndarray]:
    """Per band, 1 where a pixel tells of one blur alone.

    Where nearly all of the picture is beside some depth edge (a fence, leaves), nearer ones have to
    do.
    """
    window = np.ones((5, 5), np.uint8)
    edges = cv2.dilate(disparity, window) - cv2.erode(disparity, window) > EDGE_PX
    distance = cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_C, 3)
    distance = distance if edges.any() else np.full_like(distance, np.inf)
    shape = disparity.shape[0] // PATCH_PX, disparity.shape[1] // PATCH_PX
    for share in (1.0, 0.6, 0.3, 0.0, -1.0):
        full = [(usable & (distance > r * share)).astype(np.float32) for r in AWAY_FROM_EDGES_PX]
        if (_box(full[0], shape) > MIN_SHARE).mean() > ENOUGH_PATCHES:
            break
    masks, size = [full[0]], disparity.shape
    for mask in full[1:]:
        size = (size[0] + 1) // 2, (size[1] + 1) // 2
        small = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_AREA)
        masks.append((small > 0.99).astype(np.float32))
    return masks


def _grown(flags: np.ndarray, side_px: int) -> np.ndarray:
    return cv2.dilate(flags.astype(np.uint8), np.ones((side_px, side_px), np.uint8)) > 0


def _blurred_sums(blurs, other, levels, masks, shape) -> tuple[np.ndarray, np.ndarray]:
    """Products with the other picture, and powers, (levels, bands, y, x)."""
    products = np.zeros((len(levels), BANDS, *shape), np.float32)
    powers = np.zeros_like(products)
    for i, diameter_px in enumerate(levels):
        bands = blurs.bands(float(diameter_px))
        products[i] = _sums(masks, other, bands, shape)
        powers[i] = _sums(masks, bands, bands, shape)
    return products, powers


def _sums(masks, a, b, shape) -> np.ndarray:
    """Sum of a*b over each patch's usable samples, (bands, y, x)."""
    means = [_box(m * x * y, shape) for m, x, y in zip(masks, a, b, strict=True)]
    return np.stack(means) * SAMPLES[:, None, None]


def _box(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(values, shape[::-1], interpolation=cv2.INTER_AREA)


def _noise(power: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Variance in the emptiest patches of each band."""
    variance = []
    for p, n, whole, quantile in zip(power, count, SAMPLES, NOISE_QUANTILES, strict=True):
        here = n > MIN_SHARE * whole
        known = here.sum() > 20
        variance.append(np.quantile(p[here] / n[here], quantile) if known else 1e-5)
    return np.array(variance)
