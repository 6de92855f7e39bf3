"""The losses of DC² (section 4.1) in one weighted sum, and options of which each is off at 0."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from kornia.losses import ssim_loss
from torch import Tensor, nn

from dfnet.model.dfnet import DFNetOutput
from dfnet.model.lamps import Lamps
from dfnet.training.perceptual_loss import PerceptualLoss
from dfnet.training.pixel_losses import (
    charbonnier,
    coarse_l1,
    gradient_l1,
    laplacian_l1,
    shift_tolerant_l1,
    weighted_mean,
)

_LAMP_LIGHT = 3.0  # mean of four pixels, of white: from there on a spot is a lamp
_LEAST_SPOT = 0.01
_LIGHT_WEIGHT = 0.2  # of a lamp's brightness, against whether it is one
_BRIGHTER_THAN = 0.8  # the share of lamps that a guess outshines: a disc too bright is still white


class RefocusLoss(nn.Module):
    """A weighted sum of image losses at every scale of the blend.

    All terms but the coarse one are taken at the finest scale only: coarser scales exist to lead
    the finest one, and L1 does that.

    Args:
        pixel: weight of the L1, or Charbonnier, error of each pixel.
        charbonnier: where that error turns from square to linear, in [0, 1]; 0 is L1.
        gradient: weight of the L1 of horizontal and vertical differences.
        ssim: weight of (1 - SSIM) / 2, 11x11 window.
        coarse: weight of each coarser scale's L1.
        laplacian: weight of the L1 of each octave.
        shift_tolerant: weight of the L1 after small shifts.
        shift_px: the largest of these.
        edge: by how much more the pixel and gradient terms weigh near depth edges.
        perceptual: weight of the L1 between VGG-16 features.
        vgg_weights: file with torchvision's VGG-16 state dict; needed when `perceptual` > 0.
    """

    def __init__(
        self,
        pixel: float = 1.0,
        charbonnier: float = 0.0,
        gradient: float = 0.5,
        ssim: float = 0.05,
        coarse: float = 0.25,
        laplacian: float = 0.0,
        shift_tolerant: float = 0.0,
        shift_px: int = 2,
        edge: float = 0.0,
        perceptual: float = 0.0,
        vgg_weights: str | None = None,
    ):
        super().__init__()
        self.pixel, self.charbonnier, self.gradient = pixel, charbonnier, gradient
        self.ssim, self.coarse, self.laplacian = ssim, coarse, laplacian
        self.shift_tolerant, self.shift_px, self.edge = shift_tolerant, shift_px, edge
        self.perceptual = perceptual
        self.features = PerceptualLoss(vgg_weights) if perceptual > 0 else None

    def forward(
        self,
        output: DFNetOutput,
        target: Tensor,
        weight: Tensor,
        near_edge: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch, a scalar.

        Args:
            output: of the network.
            target: (B, 3, H, W) in [0, 1].
            weight: (B, 1, H, W) trust in the target, 0 to 1; what has none is left out.
            near_edge: (B, 1, H, W), 1 near depth edges; None is nowhere.
        """
        image = output.image
        # Some terms mix neighbours: where the target is not trusted, the answer stands in for it.
        target = target + (1 - weight) * (image.detach() - target)
        stressed = weight if near_edge is None else weight * (1 + self.edge * near_edge)
        error = charbonnier(image - target, self.charbonnier)
        loss = self.pixel * weighted_mean(error, stressed)
        loss = loss + self.gradient * gradient_l1(image, target, stressed)
        if self.ssim > 0:
            unlike = ssim_loss(image, target, window_size=11, reduction="none")
            loss = loss + self.ssim * weighted_mean(unlike, weight)
        if self.coarse > 0:
            loss = loss + self.coarse * coarse_l1(output.images_by_scale, target, weight)
        return loss + self._options(image, target, weight)

    def _options(self, image: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        loss = image.new_zeros(())
        if self.laplacian > 0:
            loss = loss + self.laplacian * laplacian_l1(image, target, weight)
        if self.shift_tolerant > 0:
            tolerant = shift_tolerant_l1(image, target, weight, self.shift_px)
            loss = loss + self.shift_tolerant * tolerant
        if self.features is not None:
            loss = loss + self.perceptual * self.features(image, target)
        return loss


def lamp_misfit(found: Lamps | None, true: Tensor) -> Tensor:
    """How badly lamps are told from other white spots, a scalar.

    Cross-entropy over the spots, and how far off the logarithm of the true lamps' light is; too dim
    costs more than too bright.

    Args:
        found: see `DFNetOutput`; None costs nothing.
        true: (B, 3, H, W) lamps' light, see `TrainingBatch`; what is not finite is left out.
    """
    if found is None:
        return true.new_zeros(())
    height, width = found.spots.shape[-2:]
    sides = (0, width - true.shape[-1], 0, height - true.shape[-2])
    light = F.pad(true.mean(dim=1, keepdim=True), sides, value=torch.nan)
    mean = F.avg_pool2d(light, 2)
    is_lamp = mean > _LAMP_LIGHT
    beside_lamp = F.max_pool2d(mean.nan_to_num(), 3, stride=1, padding=1) > _LAMP_LIGHT
    counts = (F.max_pool2d(found.spots, 2) > 0.5) & mean.isfinite() & (is_lamp | ~beside_lamp)
    cost = F.binary_cross_entropy_with_logits(found.log_odds, is_lamp.float(), reduction="none")
    whole, spots = (_nearby(x) for x in (light.nan_to_num(), found.spots))  # of the whole lamp
    log_light = torch.log((whole / spots.clamp_min(_LEAST_SPOT)).clamp_min(_LAMP_LIGHT))
    too_dim = log_light - found.log_light
    off = torch.maximum(_BRIGHTER_THAN * too_dim, (_BRIGHTER_THAN - 1) * too_dim)
    lit = (counts & is_lamp).float()
    return weighted_mean(cost, counts.float()) + _LIGHT_WEIGHT * weighted_mean(off, lit)


def _nearby(x: Tensor) -> Tensor:
    """Means over 6x6 pixels around each block of four."""
    return F.avg_pool2d(F.avg_pool2d(x, 2), 3, stride=1, padding=1, count_include_pad=False)


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
