"""PSNR and SSIM, with the settings that every number of this project uses.

Both are torchmetrics', on sRGB-encoded values in [0, 1] (clipped first, as a file would be), over a
picture without its outermost `MARGIN_PX` pixels, where no method sees what lies beyond the frame.
SSIM (Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004)
uses an 11x11 Gaussian window of deviation 1.5 px, K1 = 0.01 and K2 = 0.03, per channel,
averaged over the picture, which is mirrored at the margin. Where the truth is known in parts of the
picture only, both are means over those.
"""

import torch
from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

MARGIN_PX = 16


def psnr(
    image: Tensor, truth: Tensor, margin: int = MARGIN_PX, mask: Tensor | None = None
) -> Tensor:
    """Peak signal-to-noise ratio [dB] over a batch, as one scalar; `inf` for equal pictures.

    Args:
        image: (3, H, W) or (B, 3, H, W), sRGB; clipped to [0, 1].
        truth: same shape.
        margin: pixels left out on each side.
        mask: bool (1, H, W) or (B, 1, H, W), where the truth counts; everywhere when None.
    """
    image, truth = _comparable(image, truth, margin)
    if mask is None:
        return peak_signal_noise_ratio(image, truth, data_range=1.0)
    error = (image - truth).square().mean(dim=1)[_inner_mask(mask, image, margin)]
    return -10 * torch.log10(error.mean())


def ssim(
    image: Tensor, truth: Tensor, margin: int = MARGIN_PX, mask: Tensor | None = None
) -> Tensor:
    """Structural similarity over a batch, as one scalar, 1 for equal pictures; see `psnr`."""
    image, truth = _comparable(image, truth, margin)
    settings = {"sigma": 1.5, "k1": 0.01, "k2": 0.03, "data_range": 1.0}
    if mask is None:
        return structural_similarity_index_measure(image, truth, **settings)
    _, everywhere = structural_similarity_index_measure(
        image, truth, **settings, return_full_image=True
    )
    return everywhere.mean(dim=1)[_inner_mask(mask, image, margin)].mean()


def _inner_mask(mask: Tensor, inside: Tensor, margin: int) -> Tensor:
    """The mask (B, h, w) of pictures without their margin."""
    mask = (mask if mask.ndim == 4 else mask[None])[:, 0]
    bottom, right = margin + inside.shape[-2], margin + inside.shape[-1]
    mask = mask[:, margin:bottom, margin:right]
    if not bool(mask.any()):
        raise ValueError("the mask leaves no pixel to compare")
    return mask


def _comparable(image: Tensor, truth: Tensor, margin: int) -> tuple[Tensor, Tensor]:
    if image.shape != truth.shape:
        raise ValueError(f"shapes differ: {tuple(image.shape)} and {tuple(truth.shape)}")
    if min(image.shape[-2:]) <= 2 * margin + 11:
        raise ValueError(f"a picture of {tuple(image.shape)} has no inside at margin {margin}")
    inside = (..., slice(margin, image.shape[-2] - margin), slice(margin, image.shape[-1] - margin))
    pair = (image[inside], truth[inside])
    pair = tuple(x.detach().float().clamp(0, 1) for x in pair)
    return tuple(x if x.ndim == 4 else x[None] for x in pair)
