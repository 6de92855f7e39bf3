"""Textbook deblurring where the blur differs from place to place: a disc per level of the map.

The picture is restored for a few diameters, in linear light, and each pixel takes the results of
the two nearest to its own. Only the part of the picture that needs a diameter is restored for it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor

from dfnet.blur import disc_kernel

RATIO = 1.3  # between the diameters of neighbouring levels
MAX_COC_PX = 64.0  # nothing is left to be restored beyond
_EPSILON = 1e-6

Restore = Callable[[Tensor, Tensor, Tensor], Tensor]


def deconvolve(image_linear: Tensor, coc_px: Tensor, restore: Restore) -> Tensor:
    """A picture without the blur that a map describes.

    Args:
        image_linear: (3, H, W), in linear light.
        coc_px: (1, H, W) diameter that it shows [px].
        restore: `Wiener`, `RichardsonLucy` or `BlindRichardsonLucy`: given a picture (3, h, w), the
            blur's kernel (K, K) and each pixel's weight (1, h, w), the sharp picture (3, h, w).

    Returns:
        (3, H, W), not negative.
    """
    level_of = coc_px.clamp(1.0, MAX_COC_PX).log() / math.log(RATIO)
    result = torch.zeros_like(image_linear)
    for level in range(math.ceil(float(level_of.max())) + 1):
        weight = (1 - (level_of - level).abs()).clamp_min(0)
        if level == 0:
            result += weight * image_linear  # a disc of one pixel is no blur
        elif weight.any():
            kernel = disc_kernel(RATIO**level, image_linear.device)
            window = _window(weight[0], margin=2 * kernel.shape[0])
            restored = restore(image_linear[window], kernel, weight[window])
            result[window] += weight[window] * restored
    return result.clamp_min(0)


@dataclass(frozen=True)
class Wiener:
    """One linear filter per diameter (Wiener 1949).

    The picture's power is taken to fall with the square of frequency, as natural pictures' does.

    Attributes:
        noise_to_signal: power of what the blur does not explain over the picture's, at one cycle
            per diameter. Errors of the map and clipped lights outweigh the sensor's noise.
    """

    noise_to_signal: float = 0.1

    def __call__(self, image: Tensor, kernel: Tensor, weight: Tensor) -> Tensor:
        """See `deconvolve`."""
        framed, crop = _framed(image, kernel.shape[0])
        mean = image.mean((1, 2), keepdim=True)
        transfer = _transfer(kernel, framed)
        noise = self.noise_to_signal * _cycles_per_diameter(kernel, framed).square()
        gain = transfer.conj() / (transfer.abs().square() + noise)
        return mean + _filtered(framed - mean, gain)[crop]


@dataclass(frozen=True)
class RichardsonLucy:
    """The iteration of Richardson (1972) and Lucy (1974), from a flat picture.

    Attributes:
        iterations: more restore more, and more noise.
    """

    iterations: int = 15

    def __call__(self, image: Tensor, kernel: Tensor, weight: Tensor) -> Tensor:
        """See `deconvolve`."""
        framed, crop = _framed(image.clamp_min(_EPSILON), kernel.shape[0])
        transfer = _transfer(kernel, framed)
        sharp = torch.ones_like(framed)
        for _ in range(self.iterations):
            ratio = framed / _filtered(sharp, transfer).clamp_min(_EPSILON)
            sharp = sharp * _filtered(ratio, transfer.conj()).clamp_min(0)
        return sharp[crop]


@dataclass(frozen=True)
class BlindRichardsonLucy:
    """Kernel and picture in turn (Fish et al. 1995); the disc of the map is the first guess.

    The kernel is fitted to the level's own pixels, on the mean of the channels.

    Attributes:
        rounds: how often the kernel is fitted.
        iterations: of the picture, each time.
        kernel_iterations: of the kernel, each time.
    """

    rounds: int = 3
    iterations: int = 15
    kernel_iterations: int = 40

    def __call__(self, image: Tensor, kernel: Tensor, weight: Tensor) -> Tensor:
        """See `deconvolve`."""
        restore = RichardsonLucy(self.iterations)
        border = max(1, kernel.shape[0] // 4)  # the true one may be wider
        guess = F.pad(kernel, [border] * 4) + 0.05 * float(kernel.max())
        guess = guess / guess.sum()
        gray = image.mean(0, keepdim=True)
        for _ in range(self.rounds):
            sharp = restore(gray, guess, weight)[0]
            guess = fit_kernel(guess, sharp, gray[0], weight[0], self.kernel_iterations)
        return restore(image, guess, weight)


def fit_kernel(
    guess: Tensor, sharp: Tensor, blurred: Tensor, weight: Tensor, iterations: int
) -> Tensor:
    """The kernel that turns one picture into the other, from a guess: Richardson-Lucy for kernels.

    Args:
        guess: (K, K), nowhere zero where the kernel may be something.
        sharp: (h, w).
        blurred: (h, w).
        weight: (h, w), which pixels count how much.
        iterations: how far to go from the guess.

    Returns:
        (K, K), sum 1.
    """
    size, reach = guess.shape[0], guess.shape[0] // 2
    darkest = sharp.min()  # light that is everywhere tells nothing, and slows the iteration
    sharp, blurred = sharp - darkest, (blurred - darkest).clamp_min(0)
    inside = torch.zeros_like(weight)  # Fourier sees the picture go round
    inside[reach:-reach, reach:-reach] = weight[reach:-reach, reach:-reach]
    spectrum = torch.fft.rfft2(sharp)
    everywhere = _correlated(spectrum, inside, size).clamp_min(_EPSILON)
    for _ in range(iterations):
        again = _filtered(sharp, _transfer(guess, sharp)).clamp_min(_EPSILON)
        ratio = inside * blurred / again
        better = guess * (_correlated(spectrum, ratio, size) / everywhere).clamp_min(0)
        if better.sum() <= 0:  # no weight away from the border, or nothing but darkness there
            break
        guess = better / better.sum()
    return guess


def _window(wanted: Tensor, margin: int) -> tuple[slice, slice, slice]:
    """The rows and columns around all pixels (H, W) that are not zero."""
    spans = [slice(None)]
    for axis in (1, 0):
        places = wanted.any(dim=axis).nonzero()
        first, last = int(places.min()) - margin, int(places.max()) + margin + 1
        spans.append(slice(max(0, first), last))
    return tuple(spans)


def _framed(image: Tensor, margin: int) -> tuple[Tensor, tuple[slice, ...]]:
    """The picture mirrored beyond its borders, fading to one value: Fourier sees it go round.

    Returns:
        (3, h', w') of a fast size, and where in it the picture lies.
    """
    height, width = image.shape[-2:]
    grown = [next_fast_len(side + 2 * margin, real=True) for side in (height, width)]
    fade, framed = 1.0, image
    for axis, (side, size) in enumerate(zip((height, width), grown, strict=True), start=1):
        place = (torch.arange(size, device=image.device) - margin).remainder(2 * side)
        framed = framed.index_select(axis, torch.minimum(place, 2 * side - 1 - place))
        outside = torch.arange(size, device=image.device).float()
        outside = torch.minimum(outside + 1, size - outside) / margin
        ramp = 0.5 - 0.5 * torch.cos(math.pi * outside.clamp(0, 1))
        fade = fade * ramp.view([-1, 1] if axis == 1 else [1, -1])
    mean = image.mean((1, 2), keepdim=True)
    crop = (slice(None), slice(margin, margin + height), slice(margin, margin + width))
    return torch.lerp(mean.expand_as(framed), framed, fade.to(image.dtype)), crop


def _transfer(kernel: Tensor, image: Tensor) -> Tensor:
    """The spectrum of a kernel whose middle is the origin, of the picture's size."""
    reach = kernel.shape[0] // 2
    placed = image.new_zeros(image.shape[-2:])
    placed[: kernel.shape[0], : kernel.shape[1]] = kernel
    return torch.fft.rfft2(placed.roll((-reach, -reach), (0, 1)))


def _cycles_per_diameter(kernel: Tensor, image: Tensor) -> Tensor:
    """Frequencies of a spectrum of the picture's size, in units of a disc's inverse diameter."""
    at = torch.arange(kernel.shape[0], device=kernel.device) - kernel.shape[0] // 2
    diameter_px = 4 * (kernel.sum(0) * at.square()).sum().sqrt()  # a disc's variance is D²/16
    down = torch.fft.fftfreq(image.shape[-2], device=image.device)
    right = torch.fft.rfftfreq(image.shape[-1], device=image.device)
    return diameter_px * torch.hypot(down[:, None], right[None])


def _filtered(image: Tensor, transfer: Tensor) -> Tensor:
    return torch.fft.irfft2(torch.fft.rfft2(image) * transfer, image.shape[-2:])


def _correlated(spectrum: Tensor, other: Tensor, size: int) -> Tensor:
    """Correlation of two pictures at the shifts that a kernel of that size spans."""
    found = torch.fft.irfft2(torch.fft.rfft2(other) * spectrum.conj(), other.shape)
    return found.roll((size // 2, size // 2), (0, 1))[:size, :size]
