"""PSNR, SSIM and the gradient ratio, with the settings that every number of this project uses.

All are taken on sRGB-encoded values in [0, 1] (clipped first, as a file would be), over a picture
without its outermost `MARGIN_PX` pixels, where no method sees what lies beyond the frame.
PSNR and SSIM are torchmetrics'. SSIM (Wang et al., "Image quality assessment: from error visibility
to structural similarity", 2004) uses an 11x11 Gaussian window of deviation 1.5 px, K1 = 0.01 and
K2 = 0.03, per channel, averaged over the picture, which is mirrored at the margin. Where the truth
is known in parts of the picture only, all are means over those.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

MARGIN_PX = 16
EQUAL_PICTURES_DB = 99.0  # stands for an infinite PSNR, so that means exist
SSIM_SETTINGS = {"sigma": 1.5, "k1": 0.01, "k2": 0.03, "data_range": 1.0}
LUMA = (0.299, 0.587, 0.114)


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
    if mask is None:
        return structural_similarity_index_measure(image, truth, **SSIM_SETTINGS)
    return _ssim_map(image, truth)[_inner_mask(mask, image, margin)].mean()


def gradient_ratio(
    image: Tensor, truth: Tensor, margin: int = MARGIN_PX, mask: Tensor | None = None
) -> Tensor:
    """Gradient magnitude of the picture over that of the truth, of luma; 1 is as sharp.

    Below 1 the picture is too soft, above it too sharp, or noisy. A scalar; see `psnr`.
    """
    image, truth = _comparable(image, truth, margin)
    inside = slice(None) if mask is None else _inner_mask(mask, image, margin)[:, :-1, :-1]
    return _gradient(image)[inside].sum() / _gradient(truth)[inside].sum().clamp_min(1e-12)


def compare(
    image: Tensor, truth: Tensor, masks: Mapping[str, Tensor | None], least_pixels: int = 1
) -> dict[str, dict[str, float]]:
    """All of this module's metrics over parts of one picture, each error map taken once.

    Args:
        image: (3, H, W).
        truth: same shape.
        masks: bool (1, H, W) by name; None is everywhere.
        least_pixels: inside the margin; smaller parts are left out.
    """
    image, truth = _comparable(image, truth, MARGIN_PX)
    error = (image - truth).square().mean(dim=1)
    alike, gradients = _ssim_map(image, truth), (_gradient(image), _gradient(truth))
    found = {}
    for name, mask in masks.items():
        mask = torch.ones_like(truth[0, :1], dtype=torch.bool) if mask is None else _inner(mask)
        if int(mask.sum()) < least_pixels:
            continue
        mine, true = (g[mask[:, :-1, :-1]].sum() for g in gradients)
        found[name] = {
            "psnr_db": min(float(-10 * torch.log10(error[mask].mean())), EQUAL_PICTURES_DB),
            "ssim": float(alike[mask].mean()),
            "gradient_ratio": float(mine / true.clamp_min(1e-12)),
        }
    return found


def _inner(mask: Tensor) -> Tensor:
    return mask[:, MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]


def luma(image: Tensor) -> Tensor:
    """(..., H, W) of sRGB-encoded (..., 3, H, W)."""
    weights = torch.tensor(LUMA, dtype=image.dtype, device=image.device)
    return (image * weights[:, None, None]).sum(dim=-3)


def _gradient(image: Tensor) -> Tensor:
    """Forward differences of luma, (B, h - 1, w - 1)."""
    gray = luma(image)
    across, down = gray.diff(dim=-1)[..., :-1, :], gray.diff(dim=-2)[..., :-1]
    return torch.hypot(across, down)


def _ssim_map(image: Tensor, truth: Tensor) -> Tensor:
    """(B, h, w), mean over channels."""
    _, everywhere = structural_similarity_index_measure(
        image, truth, **SSIM_SETTINGS, return_full_image=True
    )
    return everywhere.mean(dim=1)


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
