"""The perceptual loss of DC²: VGG-16 features (Johnson et al., 2016), from a file that is given."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import vgg16

from dfnet.errors import InputError

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_VGG_LAYERS = 16  # up to relu3_3


class PerceptualLoss(nn.Module):
    """L1 between VGG-16 relu3_3 features.

    Args:
        vgg_weights: file with torchvision's VGG-16 state dict; nothing is downloaded silently.

    Raises:
        InputError: there is no such file.
    """

    def __init__(self, vgg_weights: str | None):
        super().__init__()
        if vgg_weights is None or not Path(vgg_weights).is_file():
            raise InputError(
                f"loss.vgg_weights={vgg_weights}: no such file, but loss.perceptual is above 0\n"
                "  Give the file of torchvision's VGG-16 weights (vgg16-397923af.pth), or set\n"
                "  loss.perceptual=0. Nothing is downloaded behind your back."
            )
        network = vgg16(weights=None)
        network.load_state_dict(torch.load(vgg_weights, weights_only=True))
        self.features = network.features[:_VGG_LAYERS].eval().requires_grad_(False)

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """The loss of (B, 3, H, W) pictures, a scalar."""
        mean = image.new_tensor(_IMAGENET_MEAN).view(3, 1, 1)
        std = image.new_tensor(_IMAGENET_STD).view(3, 1, 1)
        with torch.no_grad():
            wanted = self.features((target - mean) / std)
        return F.l1_loss(self.features((image - mean) / std), wanted)
