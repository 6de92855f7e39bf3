"""What a defocus-aware sweep compares: W, and UW blurred by discs; what noise does to both."""

from collections.abc import Iterator

import cv2
import numpy as np
import torch

from dfnet.blur import disc_kernel
from dfnet.photo import linear_from_srgb, srgb_from_linear
from dfnet.preprocess.match import EpipolarPair

LARGEST_DISC_PX = 9.0  # larger ones blur a reduced picture
GRADIENT_SCALE = 0.25  # of Sobel's sums
CUBIC_KEEPS = 0.8  # of white noise's deviation, at positions between the pixels
PATCH_PX = 96
PATCH_GRAY = 0.45


def to_linear(gray: np.ndarray) -> np.ndarray:
    """Linear light of sRGB-encoded gray."""
    values = torch.from_numpy(np.ascontiguousarray(gray, dtype=np.float32))
    return linear_from_srgb(values.clamp(0, 1)).numpy()


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Its inverse."""
    return srgb_from_linear(torch.from_numpy(linear).clamp(0, 1)).numpy()


def like_uw(linear_w: np.ndarray, uw_scale: float) -> np.ndarray:
    """W as if taken with UW's larger pixels.

    Args:
        linear_w: (H, W) in linear light.
        uw_scale: canvas px per UW px; up to 1.05 nothing is to be done.
    """
    if uw_scale <= 1.05:
        return linear_w
    return cv2.GaussianBlur(linear_w, (0, 0), 0.5 * float(np.sqrt(uw_scale**2 - 1)))


def blurred(linear: np.ndarray, coc_px: float) -> np.ndarray:
    """Disc blur; what is left after a large disc is computed on a reduced picture.

    Args:
        linear: (H, W) float32 in linear light.
        coc_px: diameter; below 1 nothing is done.
    """
    if coc_px < 1:
        return linear
    reduce = 1
    while coc_px / reduce > LARGEST_DISC_PX:
        reduce *= 2
    if reduce == 1:
        kernel = disc_kernel(coc_px).numpy()
        return cv2.filter2D(linear, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    height, width = linear.shape
    pad = (-height % reduce, -width % reduce)
    padded = cv2.copyMakeBorder(linear, 0, pad[0], 0, pad[1], cv2.BORDER_REPLICATE)
    size = (padded.shape[1] // reduce, padded.shape[0] // reduce)
    small = cv2.resize(padded, size, interpolation=cv2.INTER_AREA)
    # Area averaging and linear interpolation blur too: variances add, a disc's is D^2 / 16.
    own = 16 * ((reduce**2 - 1) / 12 + reduce**2 / 6)
    kernel = disc_kernel(float(np.sqrt(coc_px**2 - own)) / reduce).numpy()
    small = cv2.filter2D(small, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    large = cv2.resize(small, padded.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return large[:height, :width]


def features(encoded: np.ndarray) -> np.ndarray:
    """Value and its two gradients, float32 (3, H, W)."""
    gradients = [cv2.Sobel(encoded, cv2.CV_32F, dx, 1 - dx, scale=GRADIENT_SCALE) for dx in (1, 0)]
    return np.stack([encoded, *gradients])


def noise_pairs(cocs_px: np.ndarray, pair: EpipolarPair) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Features of W and UW as they differ by noise alone, at each blur: a flat gray patch.

    Args:
        cocs_px: (L,) disc diameters.
        pair: its noise and `uw_scale` count.

    Yields:
        W's and UW's features (3, h, w).
    """
    generator = np.random.default_rng(0)
    w = _noisy(generator, pair.noise_w, 1.0)
    uw = _noisy(generator, pair.noise_uw, pair.uw_scale)
    flat_w = features(to_srgb(like_uw(w, pair.uw_scale)))
    for coc in cocs_px:
        yield flat_w, features(to_srgb(blurred(uw, float(coc))))


def _noisy(generator, deviation: float, scale: float) -> np.ndarray:
    """A gray patch in linear light whose noise, of pixels `scale` wide, has this deviation."""
    side = int(np.ceil(PATCH_PX / max(scale, 1.0)))
    noise = generator.normal(size=(side, side)).astype(np.float32)
    noise = cv2.resize(noise, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_CUBIC)
    return to_linear(PATCH_GRAY + deviation * noise / noise.std())


def noise_deviation(gray: np.ndarray) -> float:
    """Standard deviation of the noise in a picture at its native resolution.

    Immerkær's mask (1996), which no plane or slope excites, with a median instead of a mean, so
    that texture counts little.

    Args:
        gray: (H, W) float32, sRGB-encoded, not resampled.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    response = cv2.filter2D(gray, -1, mask)[1:-1, 1:-1]
    return float(np.median(np.abs(response)) / 0.6745 / 6)


def noise_on_canvas(deviation: float, canvas_per_px: float) -> float:
    """Standard deviation of the noise once a native picture is resampled to the canvas.

    Args:
        deviation: of the picture before, as `noise_deviation` finds it.
        canvas_per_px: canvas px per pixel of it; below 1 pixels are averaged, above 1 cubic
            interpolation averages a little.
    """
    return deviation * (canvas_per_px if canvas_per_px < 1 else CUBIC_KEEPS)
