"""Blur by hand, for tests: kernels counted on a fine grid, convolution by SciPy."""

import math

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve


def disc(diameter_px):
    """A disc counted on a grid 15 times finer."""
    reach = math.ceil(diameter_px / 2 + 1)
    at = (np.arange((2 * reach + 1) * 15) + 0.5) / 15 - (2 * reach + 1) / 2
    fine = (at[:, None] ** 2 + at**2 <= max(diameter_px, 1.0) ** 2 / 4).astype(float)
    kernel = fine.reshape(2 * reach + 1, 15, 2 * reach + 1, 15).mean((1, 3))
    return kernel / kernel.sum()


def blurred(image, diameter_px):
    if diameter_px < 1:
        return image
    kernel = disc(diameter_px)[..., None] if image.ndim == 3 else disc(diameter_px)
    return fftconvolve(image, kernel, mode="same", axes=(0, 1))


def texture(seed, shape):
    noise = np.random.default_rng(seed).normal(size=(*shape, 3))
    return (0.4 + 0.5 * gaussian_filter(noise, (1, 1, 0))).clip(0, 1)


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()


def psnr(a, b, margin=14):  # what lies beyond the frame is anybody's guess
    inside = (..., slice(margin, -margin), slice(margin, -margin))
    return float(-10 * torch.log10((a[inside] - b[inside]).square().mean()))
