"""Upright strips at rising disparities, each with the blur that a law asks for."""

import numpy as np
import torch

from dfnet.blur import disc_blur
from dfnet.photo import srgb_from_linear


def textured(seed=0):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 60, 80, generator=generator)
    return torch.nn.functional.interpolate(coarse, scale_factor=4) * 0.8 + 0.1


def as_pixels(linear):
    return srgb_from_linear(linear.clamp(0, 1))[0].permute(1, 2, 0).numpy()


def planes(slope, focus_px, noise=0.0):
    """Six upright strips of rising disparity, each with the blur the law asks for."""
    sharp = textured()
    disparity = np.repeat(np.linspace(-10, 40, 6), 320 // 6 + 1)[:320].astype(np.float32)
    disparity = np.broadcast_to(disparity, (240, 320))
    blurred = torch.zeros_like(sharp)
    for d in np.unique(disparity):
        here = torch.from_numpy(disparity == d)
        blurred = torch.where(here, disc_blur(sharp, float(slope * abs(d - focus_px))), blurred)
    grain = noise * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(1))
    return as_pixels(blurred), as_pixels(sharp + grain), disparity
