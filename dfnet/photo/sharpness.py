"""Softness of the pixels, sharpening with its halo, and the shake of a hand."""

import cv2
import numpy as np
import torch
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)  # of JPEG's YCbCr (ITU-R BT.601)
_SHAKE_STEPS = 24


def soften(image: Tensor, sigma_px: float) -> Tensor:
    """Gaussian blur of (3, H, W), as demosaicing leaves it; 0 changes nothing."""
    if sigma_px == 0:
        return image
    return _per_plane(image, lambda plane: _gaussian(plane, sigma_px))


def sharpen(encoded: Tensor, amount: float, radius_px: float) -> Tensor:
    """Unsharp mask on brightness, as phones do: edges overshoot on both sides.

    Args:
        encoded: (3, H, W) in [0, 1], after the tone curve.
        amount: factor on what a Gaussian blur takes away; 0 changes nothing.
        radius_px: sigma of that blur.

    Returns:
        Same shape, clipped to [0, 1].
    """
    if amount == 0:
        return encoded
    luma = np.tensordot(np.float32(_LUMA), encoded.numpy(), axes=1)
    detail = luma - _gaussian(luma, radius_px)
    return (encoded + amount * torch.from_numpy(detail)).clamp(0, 1)


def shake_kernel(length_px: float, generator: torch.Generator) -> np.ndarray:
    """Point spread of a short curved hand movement.

    The path turns steadily, by up to a half circle on the whole; its points are shared out to the
    pixels around them (bilinear), its centroid is the kernel's middle.

    Args:
        length_px: of the path.
        generator: direction and curvature.

    Returns:
        float32 (k, k), k odd, sum 1.
    """
    start, bend = (torch.rand(2, generator=generator) * 2 - 1).tolist()
    share = (np.arange(_SHAKE_STEPS) + 0.5) / _SHAKE_STEPS
    heading = np.pi * (start + bend * (share - 0.5))
    path = np.stack([np.cos(heading), np.sin(heading)]).cumsum(1) * length_px / _SHAKE_STEPS
    path -= path.mean(axis=1, keepdims=True)
    reach = int(np.ceil(length_px / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    first = np.floor(path).astype(int)
    part = path - first
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        weight = np.abs(1 - dx - part[0]) * np.abs(1 - dy - part[1])
        np.add.at(kernel, (first[1] + dy + reach, first[0] + dx + reach), weight)
    return (kernel / kernel.sum()).astype(np.float32)


def shake(linear: Tensor, length_px: float, generator: torch.Generator) -> Tensor:
    """Blur (3, H, W) of linear light by one `shake_kernel`; length 0 changes nothing."""
    if length_px == 0:
        return linear
    kernel = shake_kernel(length_px, generator)[::-1, ::-1]  # filter2D correlates
    return _per_plane(
        linear, lambda plane: cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REFLECT)
    )


def _gaussian(plane: np.ndarray, sigma_px: float) -> np.ndarray:
    size = 2 * int(np.ceil(3 * sigma_px)) + 1
    return cv2.GaussianBlur(plane, (size, size), sigma_px, borderType=cv2.BORDER_REFLECT)


def _per_plane(image: Tensor, blur) -> Tensor:
    return torch.from_numpy(np.stack([blur(plane) for plane in image.numpy()]))
