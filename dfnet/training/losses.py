"""The losses of DC² (section 4.1): L1, image gradients, SSIM, and VGG features on request."""

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

    def forward(self, output: DFNetOutput, target: Tensor) -> Tensor:
        """The loss of a batch, a scalar; `target` is (B, 3, H, W) in [0, 1]."""
        image = output.image
        loss = F.l1_loss(image, target)
        loss = loss + self.gradient * gradient_l1(image, target)
        if self.ssim > 0:
            loss = loss + self.ssim * ssim_loss(image, target, window_size=11)
        if self.coarse > 0:
            loss = loss + self.coarse * coarse_l1(output.images_by_scale, target)
        if self.features is not None:
            loss = loss + self.perceptual * self._perceptual(image, target)
        return loss

    def _perceptual(self, image: Tensor, target: Tensor) -> Tensor:
        mean = image.new_tensor(_IMAGENET_MEAN).view(3, 1, 1)
        std = image.new_tensor(_IMAGENET_STD).view(3, 1, 1)
        with torch.no_grad():
            wanted = self.features((target - mean) / std)
        return F.l1_loss(self.features((image - mean) / std), wanted)


def gradient_l1(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of horizontal plus vertical neighbour differences."""
    error = image - target
    return error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()


def coarse_l1(images_by_scale: list[Tensor], target: Tensor) -> Tensor:
    """Sum of the mean absolute errors at 1/2 size and coarser, inside the unpadded frame."""
    total = target.new_zeros(())
    for image in images_by_scale[1:]:
        target = halve(target)
        height, width = target.shape[-2:]
        total = total + F.l1_loss(image[..., :height, :width], target)
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
