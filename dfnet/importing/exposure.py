"""Slices of one exposure: a gain per channel, found where nothing is clipped or out of focus."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from dfnet.photo import linear_from_srgb, srgb_from_linear

SIDE_PX = 320
BLUR_SHARE = 0.02  # of the longer side: hides the difference in focus
USABLE = (0.04, 0.9)  # encoded values; beyond, pixels are clipped or noise
MAX_GAIN = 2.0
NO_GAIN = 0.003  # below it, a slice is left as it is
STRIP_ROWS = 256  # of a large photo, worked on at a time
SHOULDER = 0.85  # encoded value from which a gain fades out towards white


def exposure_gains(slices: Sequence[np.ndarray], reference: int) -> np.ndarray:
    """Factors on linear light that give each slice the reference's exposure, (n, 3).

    Args:
        slices: aligned and small, (H, W, 3) float32 in [0, 1].
        reference: index of the slice that keeps its own.
    """
    sigma = BLUR_SHARE * max(slices[0].shape)
    soft = [cv2.GaussianBlur(image, (0, 0), sigma) for image in slices]
    gains = np.ones((len(slices), 3))
    for i, image in enumerate(soft):
        low, high = np.minimum(image, soft[reference]), np.maximum(image, soft[reference])
        usable = (low.min(axis=2) > USABLE[0]) & (high.max(axis=2) < USABLE[1])
        if usable.mean() < 0.02:
            continue
        ratio = _linear(soft[reference])[usable] / _linear(image)[usable]
        gains[i] = np.median(ratio, axis=0).clip(1 / MAX_GAIN, MAX_GAIN)
    gains[np.abs(gains - 1).max(axis=1) < NO_GAIN] = 1.0
    return gains


def apply_gain(image: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """A slice (H, W, 3) in [0, 1] at another exposure; clipped white stays white."""
    if (gain == 1).all():
        return image
    gain = gain.astype(np.float32)
    strips = np.split(image, range(STRIP_ROWS, len(image), STRIP_ROWS))  # memory
    return np.concatenate([_exposed(strip, gain) for strip in strips])


def _exposed(image: np.ndarray, gain: np.ndarray) -> np.ndarray:
    bright = image.max(axis=2, keepdims=True)
    fade = ((bright - SHOULDER) / (1 - SHOULDER)).clip(0, 1)
    factor = gain + (1 - gain) * fade
    return _encoded((_linear(image) * factor).clip(0, 1))


def _linear(image: np.ndarray) -> np.ndarray:
    return linear_from_srgb(torch.from_numpy(np.ascontiguousarray(image))).numpy()


def _encoded(linear: np.ndarray) -> np.ndarray:
    return srgb_from_linear(torch.from_numpy(np.ascontiguousarray(linear))).numpy()
