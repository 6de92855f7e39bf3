"""The losses of DC² (section 4.1): L1, image gradients, SSIM, and VGG features on request."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from kornia.losses import ssim_loss
from torch import Tensor, nn
from torchvision.models import vgg16

from dfnet.errors import InputError
from dfnet.model.blocks import halve
from dfnet.model.dfnet import DFNetOutput

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_VGG_LAYERS = 16  # up to relu3_3


class RefocusLoss(nn.Module):
    """A weighted sum of image losses at every scale of the blend.

    The gradient and SSIM terms are taken at the finest scale only: coarser scales exist to lead the
    finest one, and L1 does that.

    Args:
        gradient: weight of the L1 of horizontal and vertical differences.
        ssim: weight of (1 - SSIM) / 2, 11x11 window.
        coarse: weight of each coarser scale's L1.
        perceptual: weight of the L1 between VGG-16 relu3_3 features (Johnson et al., 2016).
        vgg_weights: file with torchvision's VGG-16 state dict; needed when `perceptual` > 0, since
            nothing is downloaded silently.
    """

    def __init__(
        self,
        gradient: float = 0.5,
        ssim: float = 0.05,
        coarse: float = 0.25,
        perceptual: float = 0.0,
        vgg_weights: str | None = None,
    ):
        super().__init__()
        self.gradient, self.ssim, self.coarse = gradient, ssim, coarse
        self.perceptual = perceptual
        self.features = _load_vgg(vgg_weights) if perceptual > 0 else None

    def forward(self, output: DFNetOutput, target: Tensor, weight: Tensor) -> Tensor:
        """The loss of a batch, a scalar.

        Args:
            output: of the network.
            target: (B, 3, H, W) in [0, 1].
            weight: (B, 1, H, W) trust in the target, 0 to 1; what has none is left out.
        """
        image = output.image
        loss = weighted_mean((image - target).abs(), weight)
        loss = loss + self.gradient * gradient_l1(image, target, weight)
        if self.ssim > 0:
            unlike = ssim_loss(image, target, window_size=11, reduction="none")
            loss = loss + self.ssim * weighted_mean(unlike, weight)
        if self.coarse > 0:
            loss = loss + self.coarse * coarse_l1(output.images_by_scale, target, weight)
        if self.features is not None:
            # Features mix neighbours: where the target is not trusted, the answer stands in for it.
            trusted = target + (1 - weight) * (image.detach() - target)
            loss = loss + self.perceptual * self._perceptual(image, trusted)
        return loss

    def _perceptual(self, image: Tensor, target: Tensor) -> Tensor:
        mean = image.new_tensor(_IMAGENET_MEAN).view(3, 1, 1)
        std = image.new_tensor(_IMAGENET_STD).view(3, 1, 1)
        with torch.no_grad():
            wanted = self.features((target - mean) / std)
        return F.l1_loss(self.features((image - mean) / std), wanted)


def guide_misfit_px(motions_px: Sequence[Tensor], error_px: Tensor, weight: Tensor) -> Tensor:
    """Mean distance of the guide's motions from those that would put it right, a scalar [px].

    Args:
        motions_px: (B, 2, H', W') each, at least as large as the error; 0 where there are none.
        error_px: (B, 2, H, W), see `TrainingBatch`.
        weight: (B, 1, H, W).
    """
    height, width = error_px.shape[-2:]
    total = error_px.new_zeros(())
    for motion in motions_px:
        distance = (motion[..., :height, :width] - error_px).norm(dim=1, keepdim=True)
        total = total + weighted_mean(distance, weight)
    return total


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of (B, C, H, W) over the weight (B, 1, H, W); 0 where nothing weighs."""
    total = (values * weight).sum() / values.shape[1]
    return total / weight.sum().clamp_min(1e-6)


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


def _load_vgg(path: str | None) -> nn.Module:
    if path is None or not Path(path).is_file():
        raise InputError(
            f"loss.vgg_weights={path}: no such file, but loss.perceptual is above 0\n"
            "  Give the file of torchvision's VGG-16 weights (vgg16-397923af.pth), or set\n"
            "  loss.perceptual=0. Nothing is downloaded behind your back."
        )
    network = vgg16(weights=None)
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.features[:_VGG_LAYERS].eval().requires_grad_(False)
