"""One all-in-focus picture: slices blended band by band (Burt and Adelson 1983).

Fine bands come from the slice that shows most detail, among the sharpest one and its neighbours;
the coarse bands, which carry no focus, from the sharpest alone, blended smoothly. Slices are
taken one at a time, so that memory does not grow with their number.
"""

import itertools
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

FINE_BANDS = 2
MIN_SIDE_PX = 16  # of the coarsest band
POWER = 4.0  # how clearly the strongest detail wins
NEAR = 1.5  # slices from the sharpest one within which detail is believed


def merge(slices: Iterable[np.ndarray], index: np.ndarray) -> np.ndarray:
    """All in focus, (H, W, 3) float32 in the slices' encoding.

    Args:
        slices: aligned, (H, W, 3) float32 in [0, 1], in order of focus.
        index: (H, W) the sharpest slice, fractions allowed.
    """
    bands, weights = None, None
    for i, picture in enumerate(slices):
        distance = np.abs(index - i)
        pyramid = _laplacian_pyramid(picture)
        shares = _gaussian_pyramid((1 - distance).clip(0), len(pyramid))
        near = _gaussian_pyramid(
            (distance < NEAR).astype(np.float32), min(FINE_BANDS, len(pyramid))
        )
        for k, allowed in enumerate(near[: len(pyramid) - 1]):
            shares[k] = (shares[k] + 1e-3) * allowed * _detail(pyramid[k])
        if bands is None:
            bands = [np.zeros_like(b) for b in pyramid]
            weights = [np.full(s.shape, 1e-12, np.float32) for s in shares]
        for total, weight, band, share in zip(bands, weights, pyramid, shares, strict=True):
            total += band * share[..., None]
            weight += share
    return _collapsed([t / w[..., None] for t, w in zip(bands, weights, strict=True)]).clip(0, 1)


def _detail(band: np.ndarray) -> np.ndarray:
    """Weight of a band by its local strength."""
    energy = cv2.GaussianBlur(np.einsum("hwc,hwc->hw", band, band), (0, 0), 1.5)
    return (energy * 1e4 + 1e-3) ** (POWER / 2)


def _levels(shape: tuple[int, ...]) -> int:
    return max(1, int(np.log2(min(shape[:2]) / MIN_SIDE_PX)))


def _gaussian_pyramid(image: np.ndarray, levels: int) -> list[np.ndarray]:
    pyramid = [image.astype(np.float32)]
    while len(pyramid) < levels:
        pyramid.append(cv2.pyrDown(pyramid[-1]))
    return pyramid


def _laplacian_pyramid(image: np.ndarray) -> list[np.ndarray]:
    gaussian = _gaussian_pyramid(image, _levels(image.shape))
    return [*_differences(gaussian), gaussian[-1]]


def _differences(gaussian: list[np.ndarray]) -> Iterator[np.ndarray]:
    for fine, coarse in itertools.pairwise(gaussian):
        yield fine - cv2.pyrUp(coarse, dstsize=fine.shape[1::-1])


def _collapsed(pyramid: list[np.ndarray]) -> np.ndarray:
    image = pyramid[-1]
    for band in reversed(pyramid[:-1]):
        image = cv2.pyrUp(image, dstsize=band.shape[1::-1]) + band
    return image
