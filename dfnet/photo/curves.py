"""Tone curves that act on every pixel alike."""

import torch
from torch import Tensor


def srgb_from_linear(linear: Tensor) -> Tensor:
    """The sRGB transfer curve (IEC 61966-2-1), [0, 1] to [0, 1]."""
    low = 12.92 * linear
    high = 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, low, high)


def linear_from_srgb(encoded: Tensor) -> Tensor:
    """Inverse of `srgb_from_linear`."""
    low = encoded / 12.92
    high = ((encoded.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(encoded <= 0.04045, low, high)


def add_contrast(encoded: Tensor, contrast: float) -> Tensor:
    """An S-curve through 0, 1/2 and 1: x + contrast * x (1 - x) (2 x - 1).

    Args:
        encoded: values in [0, 1].
        contrast: 0 changes nothing; the slope at 1/2 is 1 + contrast / 2. It rises everywhere for
            contrasts between -2 and 1.
    """
    if contrast == 0:
        return encoded
    return encoded + contrast * encoded * (1 - encoded) * (2 * encoded - 1)
