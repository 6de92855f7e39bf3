"""Shot and read noise of a sensor."""

import torch
from torch import Tensor


def add_noise(
    signal: Tensor, shot_noise: float, read_noise: float, generator: torch.Generator
) -> Tensor:
    """Poisson-Gaussian noise: variance = `shot_noise` * signal + `read_noise`².

    The usual model (Foi et al., "Practical Poissonian-Gaussian noise modeling", 2008), with the
    Poisson part as a Gaussian of the same variance.

    Args:
        signal: linear light, 1 is white; light above white is noisy as white.
        shot_noise: variance per unit of signal.
        read_noise: standard deviation in the dark.
        generator: of the noise.

    Returns:
        Noisy signal, not clipped.
    """
    if shot_noise == 0 and read_noise == 0:
        return signal
    deviation = (shot_noise * signal.clamp(0, 1) + read_noise**2).sqrt()
    return signal + deviation * torch.randn(signal.shape, generator=generator)
