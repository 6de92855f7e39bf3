"""Exposure, white balance, and local tone differences that are smooth over the picture."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def apply_gains(linear: Tensor, exposure: float, white_balance: Sequence[float]) -> Tensor:
    """Linear light (..., 3, H, W) times the exposure and each channel's gain."""
    return linear * (exposure * linear.new_tensor(white_balance)).view(3, 1, 1)


def draw_tone_waves(
    stops: float,
    period_px: tuple[float, float],
    generator: torch.Generator,
    count: int = 12,
) -> Tensor:
    """Random plane waves whose sum is a smooth gain field: stationary, and never finer than asked.

    Args:
        stops: standard deviation of the field over draws [log2 of the gain].
        period_px: shortest and longest wavelength, drawn log-uniformly.
        generator: of the draw.
        count: how many waves.

    Returns:
        (count, 4): x and y wave number [rad/px], phase [rad], amplitude [stops].
    """
    share, angle, phase = torch.rand(3, count, generator=generator)
    low, high = period_px
    wave_number = 2 * math.pi / (low * (high / low) ** share)
    angle, phase = 2 * math.pi * angle, 2 * math.pi * phase
    amplitude = torch.full((count,), stops * math.sqrt(2 / count))
    return torch.stack(
        [wave_number * angle.cos(), wave_number * angle.sin(), phase, amplitude], dim=1
    )


def tone_field_stops(waves: Tensor, height: int, width: int) -> Tensor:
    """The sum of `draw_tone_waves` on a pixel grid, (H, W) [stops]."""
    kx, ky, phase, amplitude = waves.unbind(1)
    along_x = torch.arange(width)[:, None] * kx + phase
    along_y = torch.arange(height)[:, None] * ky
    # cos(x + y) of all waves as two matrix products: no (H, W, waves) array.
    cosines = (amplitude * along_y.cos()) @ along_x.cos().T
    return cosines - (amplitude * along_y.sin()) @ along_x.sin().T


def apply_local_tone(linear: Tensor, waves: Tensor | None) -> Tensor:
    """Linear light (..., H, W) times a smooth gain; None changes nothing."""
    if waves is None:
        return linear
    return linear * torch.exp2(tone_field_stops(waves, *linear.shape[-2:]))
