"""Errors between two pictures, each a mean over what is trusted."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dfnet.model.blocks import double, halve

_WINDOW_PX = 5  # whose pixels have to agree on one shift
_LEVELS = 4


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of (B, C, H, W) over the weight (B, 1, H, W); 0 where nothing weighs."""
    total = (values * weight).sum() / values.shape[1]
    return total / weight.sum().clamp_min(1e-6)


def charbonnier(error: Tensor, epsilon: float) -> Tensor:
    """The absolute error, rounded at its tip: `sqrt(e² + ε²) - ε`; with ε = 0 the error itself.

    After Charbonnier et al., "Deterministic edge-preserving regularization", 1997.
    """
    if epsilon == 0:
        return error.abs()
    return (error.square() + epsilon**2).sqrt() - epsilon


def gradient_l1(image: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute error of horizontal plus vertical neighbour differences."""
    error = image - target
    total = error.new_zeros(())
    for axis in (-1, -2):
        count = error.shape[axis] - 1
        both = torch.minimum(weight.narrow(axis, 0, count), weight.narrow(axis, 1, count))
        total = total + weighted_mean(error.diff(dim=axis).abs(), both)
    return total


def coarse_l1(images_by_scale: list[Tensor], target: Tensor, weight: Tensor) -> Tensor:
    """Sum of the mean absolute errors at 1/2 size and coarser, inside the unpadded frame."""
    total = target.new_zeros(())
    for image in images_by_scale[1:]:
        target, weight = halve(target), halve(weight)
        height, width = target.shape[-2:]
        total = total + weighted_mean((image[..., :height, :width] - target).abs(), weight)
    return total


def laplacian_l1(image: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Sum of the mean absolute errors of four octaves and of what is coarser than they.

    After Bojanowski et al., "Optimizing the latent space of generative networks", 2018. A pixel
    beyond the last even one is left out of an octave.
    """
    error = image - target
    total = error.new_zeros(())
    for _ in range(_LEVELS):
        coarse = halve(error)
        height, width = (2 * side for side in coarse.shape[-2:])
        octave = error[..., :height, :width] - double(coarse)
        total = total + weighted_mean(octave.abs(), weight[..., :height, :width])
        error, weight = coarse, halve(weight)
    return total + weighted_mean(error.abs(), weight)


def shift_tolerant_l1(image: Tensor, target: Tensor, weight: Tensor, reach_px: int) -> Tensor:
    """Mean absolute error after each small window has found its best shift.

    For each pixel, the absolute error averaged over 5x5 pixels around it, for each shift of the
    target by whole pixels; the least counts. The idea of Zhang et al.'s contextual bilateral loss
    ("Zoom to learn, learn to zoom", 2019), on pixels instead of features.

    Args:
        image: (B, C, H, W).
        target: same shape; its borders are repeated.
        weight: (B, 1, H, W).
        reach_px: largest shift in x and in y; 0 allows none.
    """
    height, width = image.shape[-2:]
    padded = F.pad(target, [reach_px] * 4, mode="replicate")
    least: Tensor | None = None
    for row in range(2 * reach_px + 1):
        for column in range(2 * reach_px + 1):
            shifted = padded[..., row : row + height, column : column + width]
            error = _window_mean((image - shifted).abs().mean(1, keepdim=True))
            least = error if least is None else torch.minimum(least, error)
    return weighted_mean(least, weight)


def _window_mean(values: Tensor) -> Tensor:
    """Mean over the window around each pixel; only what lies inside the picture counts."""
    return F.avg_pool2d(values, _WINDOW_PX, 1, _WINDOW_PX // 2, count_include_pad=False)
