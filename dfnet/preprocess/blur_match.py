"""UW blurred as W is, pixel by pixel, so that a matcher compares like with like."""

import numpy as np
import torch

from dfnet.blur import disc_blur
from dfnet.optics import BlurLaw, defocus_from_disparity
from dfnet.photo import linear_from_srgb, srgb_from_linear
from dfnet.preprocess.align import gray

LEVELS_PX = (0.0, 1.5, 2.5, 3.5, 5.0, 7.0, 9.0, 12.0, 15.0, 19.0, 24.0, 30.0, 40.0)


def blurred_as_w(
    guide: np.ndarray, disparity_w_px: np.ndarray, law: BlurLaw, scale: float
) -> np.ndarray:
    """UW in W's place, gray, blurred as W is by its disparity.

    Args:
        guide: (h, w, 3) sRGB-encoded.
        disparity_w_px: (h, w) [full W px].
        law: blur of W by disparity [full W px].
        scale: of the guide's grid against full W.

    Returns:
        (h, w) float32, sRGB-encoded, in [0, 1].
    """
    coc = defocus_from_disparity(torch.from_numpy(disparity_w_px), law).abs().numpy() * scale
    return variable_disc_blur(gray(guide).clip(0, 1), coc)


def variable_disc_blur(gray_uw: np.ndarray, coc_px: np.ndarray) -> np.ndarray:
    """Disc blur of varying diameter, interpolated between a few fixed ones, in linear light.

    Args:
        gray_uw: (H, W) float32, sRGB-encoded, in [0, 1].
        coc_px: diameter (H, W); beyond the largest level it is clipped.

    Returns:
        (H, W) float32, sRGB-encoded.
    """
    linear = linear_from_srgb(torch.from_numpy(np.ascontiguousarray(gray_uw)))[None, None]
    top = int(np.searchsorted(LEVELS_PX, coc_px.max(initial=0.0))) + 1
    levels = LEVELS_PX[: max(2, top)]
    position = torch.from_numpy(np.interp(coc_px, levels, np.arange(len(levels)))).float()
    blurred = torch.zeros_like(linear[0, 0])
    for k, diameter in enumerate(levels):
        weight = (1 - (position - k).abs()).clamp_min(0)
        if bool((weight > 0).any()):
            blurred += weight * disc_blur(linear, diameter)[0, 0]
    return srgb_from_linear(blurred.clamp(0, 1)).numpy()
