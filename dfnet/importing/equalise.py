"""Two photos of different focus made equally soft, so that they differ in place only.

A lens blurs light, not its encoded values: where bright meets dark, a blurred edge in a photo lies
towards the dark side. Blurring encoded values instead would leave the two edges apart by up to a
third of a pixel, always to the same side.
"""

import cv2
import numpy as np
import torch

from dfnet.photo import linear_from_srgb, srgb_from_linear

SIGMAS_PX = (0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
WINDOW_PX = 11
LIGHT = linear_from_srgb(torch.linspace(0, 1, 256)).numpy()  # of 8-bit values


def equally_soft(
    gray_a: np.ndarray, gray_b: np.ndarray, a_to_b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Blur each photo where the other one is softer, until their local contrasts agree.

    Args:
        gray_a: (H, W) uint8.
        gray_b: (H, W) uint8.
        a_to_b: homography, a's pixels to b's.

    Returns:
        Both photos, (H, W) float32 in [0, 255], each on its own grid.
    """
    contrast_a, contrast_b = _contrast(gray_a), _contrast(gray_b)
    size = gray_a.shape[1], gray_a.shape[0]
    options = {"dsize": size, "borderMode": cv2.BORDER_REPLICATE}
    b_on_a = cv2.warpPerspective(
        contrast_b, a_to_b, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, **options
    )
    a_on_b = cv2.warpPerspective(contrast_a, a_to_b, flags=cv2.INTER_LINEAR, **options)
    return _softened(gray_a, b_on_a), _softened(gray_b, a_on_b)


def _contrast(gray: np.ndarray) -> np.ndarray:
    """Mean square of the gradient nearby."""
    gray = gray.astype(np.float32)
    dx, dy = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    return cv2.blur(dx * dx + dy * dy, (WINDOW_PX, WINDOW_PX))


def _softened(gray: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The photo blurred per pixel to a wanted contrast, interpolated between a few blurs."""
    light = LIGHT[gray]
    soft = [gray.astype(np.float32)]
    soft += [_encoded(cv2.GaussianBlur(light, (0, 0), s)) for s in SIGMAS_PX]
    logs = np.stack([np.log1p(_contrast(image)) for image in soft])
    wanted = np.log1p(wanted)
    upper = (logs > wanted).sum(axis=0)  # this many blurs still leave too much contrast
    first, second = (upper - 1).clip(0), upper.clip(0, len(soft) - 1)
    at_first, at_second = (np.take_along_axis(logs, i[None], axis=0)[0] for i in (first, second))
    share = ((at_first - wanted) / (at_first - at_second + 1e-6)).clip(0, 1)
    position = np.where(first == second, first, first + share)
    out = np.zeros(gray.shape, dtype=np.float32)
    for k, image in enumerate(soft):
        out += image * (1 - np.abs(position - k)).clip(0)
    return out


def _encoded(light: np.ndarray) -> np.ndarray:
    return 255 * srgb_from_linear(torch.from_numpy(light)).numpy()
