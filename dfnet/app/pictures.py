"""Tensors as what a page shows: JPEG and PNG in data addresses, maps in colours."""

import base64

import cv2
import numpy as np
import torch
from torch import Tensor

JPEG_QUALITY = 93
STRIPE_PX = 7


def photo_address(image: Tensor) -> str:
    """A picture (3, h, w) in [0, 1] as the address of a JPEG."""
    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _address(pixels[..., ::-1], ".jpg", "image/jpeg", options + sampling)


def depth_address(inverse_depth: Tensor) -> str:
    """Relative inverse depth (1, h, w): near is bright, far is dark."""
    levels = (inverse_depth[0].clamp(0, 1) * 255).byte().numpy()
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)
    return _address(colours, ".jpg", "image/jpeg", [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def blur_address(defocus_px: Tensor, largest_px: float) -> str:
    """A signed map (1, h, w) over nothing: sharp is clear, near blur is blue, far blur is orange.

    Args:
        defocus_px: signed diameter.
        largest_px: shown in full colour.
    """
    share = (defocus_px[0] / max(largest_px, 1e-6)).clamp(-1, 1)
    near, far = torch.tensor([255.0, 120, 40]), torch.tensor([30.0, 130, 255])  # blue, green, red
    colours = torch.where(share[..., None] < 0, near, far)
    alpha = (share.abs().sqrt() * 175)[..., None]
    return _transparent(torch.cat([colours, alpha], dim=-1))


def doubt_address(doubt: Tensor) -> str:
    """Stripes where a bool map (1, h, w) is true, clear elsewhere."""
    height, width = doubt.shape[-2:]
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None]
    stripe = ((rows + columns) // STRIPE_PX % 2 == 0) & doubt[0]
    alpha = torch.where(stripe, 190.0, 0.0)[..., None]
    colour = torch.tensor([60.0, 80, 240]).expand(height, width, 3)
    return _transparent(torch.cat([colour, alpha], dim=-1))


def _transparent(pixels: Tensor) -> str:
    array = pixels.round().byte().numpy()
    return _address(array, ".png", "image/png", [cv2.IMWRITE_PNG_COMPRESSION, 3])


def _address(pixels: np.ndarray, suffix: str, kind: str, options: list[int]) -> str:
    _, encoded = cv2.imencode(suffix, np.ascontiguousarray(pixels), options)
    return f"data:{kind};base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"
