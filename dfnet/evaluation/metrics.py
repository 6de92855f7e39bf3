"""PSNR and SSIM, with the settings that every number of this project uses.

Both are torchmetrics', on sRGB-encoded values in [0, 1] (clipped first, as a file would be), over a
picture without its outermost `MARGIN_PX` pixels, where no method sees what lies beyond the frame.
SSIM (Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004)
uses an 11x11 Gaussian window of deviation 1.5 px, K1 = 0.01 and K2 = 0.03, per channel,
averaged over the picture, which is mirrored at the margin.
"""

from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

MARGIN_PX = 16


def psnr(image: Tensor, truth: Tensor, margin: int = MARGIN_PX) -> Tensor:
    """Peak signal-to-noise ratio [dB] over a batch, as one scalar; `inf` for equal pictures.

    Args:
        image: (3, H, W) or (B, 3, H, W), sRGB; clipped to [0, 1].
        truth: same shape.
        margin: pixels left out on each side.
    """
    return peak_signal_noise_ratio(*_comparable(image, truth, margin), data_range=1.0)


def ssim(image: Tensor, truth: Tensor, margin: int = MARGIN_PX) -> Tensor:
    """Structural similarity over a batch, as one scalar, 1 for equal pictures; see `psnr`."""
    return structural_similarity_index_measure(
        *_comparable(image, truth, margin), sigma=1.5, k1=0.01, k2=0.03, data_range=1.0
    )


def _comparable(image: Tensor, truth: Tensor, margin: int) -> tuple[Tensor, Tensor]:
    if image.shape != truth.shape:
        raise ValueError(f"shapes differ: {tuple(image.shape)} and {tuple(truth.shape)}")
    if min(image.shape[-2:]) <= 2 * margin + 11:
        raise ValueError(f"a picture of {tuple(image.shape)} has no inside at margin {margin}")
    inside = (..., slice(margin, image.shape[-2] - margin), slice(margin, image.shape[-1] - margin))
    pair = (image[inside], truth[inside])
    pair = tuple(x.detach().float().clamp(0, 1) for x in pair)
    return tuple(x if x.ndim == 4 else x[None] for x in pair)
