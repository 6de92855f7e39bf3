"""From linear radiance to a phone's photo: exposure, white balance, noise, clipping, tone curve.

Rendered stacks are stored noise-free and linear; they become photos when they are loaded, so that
one render serves any number of noise draws.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sensor:
    """What one camera does to the light that reaches it.

    Noise follows the usual Poisson-Gaussian model (Foi et al., "Practical Poissonian-Gaussian noise
    modeling", 2008): variance = `shot_noise` * radiance + `read_noise`².

    Attributes:
        exposure: factor on radiance; 1 puts radiance 1 at white.
        white_balance: error of the red, green and blue gains, as factors.
        shot_noise: variance per unit of radiance.
        read_noise: standard deviation in radiance units.
    """

    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shot_noise: float = 0.0
    read_noise: float = 0.0


CLEAN = Sensor()
WIDE = Sensor(shot_noise=2e-4, read_noise=1e-3)
ULTRAWIDE = Sensor(exposure=0.9, white_balance=(1.06, 1.0, 0.95), shot_noise=6e-4, read_noise=2e-3)


def develop(radiance: Tensor, sensor: Sensor, generator: torch.Generator) -> Tensor:
    """Take a photo of the radiance.

    Args:
        radiance: linear light, (..., 3, H, W), non-negative; 1 is white.
        sensor: the camera.
        generator: the source of the noise, so that a seed repeats it.

    Returns:
        sRGB-encoded photo, same shape, in [0, 1].
    """
    gains = radiance.new_tensor(sensor.white_balance).view(3, 1, 1) * sensor.exposure
    signal = radiance * gains
    if sensor.shot_noise > 0 or sensor.read_noise > 0:
        deviation = (sensor.shot_noise * signal.clamp(0, 1) + sensor.read_noise**2).sqrt()
        signal = signal + deviation * torch.randn(signal.shape, generator=generator)
    return srgb_from_linear(signal.clamp(0, 1))


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
