"""The one blur model: a uniform disc, anti-aliased, in linear light."""

import math

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor

SUPERSAMPLES = 8
_FEW_TAPS = 13  # on a side: up to here counting them all is faster than Fourier transforms


def disc_kernel(diameter_px: float, device: torch.device | str | None = None) -> Tensor:
    """A uniform disc, each tap the share of its pixel that the disc covers.

    Args:
        diameter_px: of the circle of confusion; below about one pixel the kernel is the identity.
        device: where the kernel is wanted.

    Returns:
        (K, K) float32, K odd, sum 1.
    """
    if not 0 <= diameter_px < math.inf:
        raise ValueError(f"need a finite diameter_px >= 0, got {diameter_px}")
    reach = math.ceil(max(diameter_px, 1.0) / 2 - 0.5)
    size = 2 * reach + 1
    offsets = (torch.arange(size * SUPERSAMPLES, device=device) + 0.5) / SUPERSAMPLES - size / 2
    squared = offsets[:, None] ** 2 + offsets[None, :] ** 2
    fine = (squared <= (max(diameter_px, 1.0) / 2) ** 2).float()
    kernel = F.avg_pool2d(fine[None, None], SUPERSAMPLES)[0, 0]
    return kernel / kernel.sum()


def disc_blur(image_linear: Tensor, diameter_px: float) -> Tensor:
    """Blur linear light by a disc; borders are reflected.

    Args:
        image_linear: (B, C, H, W) in linear light (blur does not commute with a tone curve).
        diameter_px: of the circle of confusion.

    Returns:
        Same shape.
    """
    kernel = disc_kernel(diameter_px, image_linear.device).to(image_linear.dtype)
    return blurred_by(image_linear, kernel)


def blurred_by(image_linear: Tensor, kernel: Tensor) -> Tensor:
    """Blur linear light so that a point becomes the kernel; borders are reflected.

    Args:
        image_linear: (B, C, H, W).
        kernel: (K, K), K odd, of its type and on its device.

    Returns:
        Same shape.
    """
    reach = kernel.shape[0] // 2
    if reach == 0:
        return image_linear
    padded = with_border(image_linear, reach)
    if kernel.shape[0] <= _FEW_TAPS and image_linear.shape[1] > 1:
        return _convolved_directly(padded, kernel)
    return _convolved(padded, kernel)[..., 2 * reach :, 2 * reach :]


def with_border(image: Tensor, reach: int) -> Tensor:
    """Its border reflected; repeated where the picture is too small for that."""
    mode = "reflect" if reach < min(image.shape[-2:]) else "replicate"
    return F.pad(image, (reach, reach, reach, reach), mode=mode)


def _convolved_directly(image: Tensor, kernel: Tensor) -> Tensor:
    """Convolution tap by tap, fast for pictures whose channels lie side by side.

    Args:
        image: (B, C, H, W).
        kernel: (K, K).

    Returns:
        (B, C, H - K + 1, W - K + 1), where the kernel fits.
    """
    channels = image.shape[1]
    taps = kernel.flip(0, 1).expand(channels, 1, *kernel.shape)
    side_by_side = image.contiguous(memory_format=torch.channels_last)
    return F.conv2d(side_by_side, taps, groups=channels)


def _convolved(image: Tensor, kernel: Tensor) -> Tensor:
    """Convolution by Fourier transforms, in time that hardly depends on the kernel.

    Args:
        image: (B, C, H, W).
        kernel: (K, K).

    Returns:
        Same shape; the first K - 1 rows and columns lack what lies beyond the picture.
    """
    height, width = image.shape[-2:]
    size = next_fast_len(height, real=True), next_fast_len(width, real=True)
    spectrum = torch.fft.rfft2(image, size) * torch.fft.rfft2(kernel, size)
    return torch.fft.irfft2(spectrum, size)[..., :height, :width]
