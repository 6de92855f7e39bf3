"""How badly each blur of a sharp picture explains a slice of a focus stack, by disparity.

The sharp picture is the stack's own merge, of the same camera; for two cameras see `blur_patches`.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch

from dfnet.blur import disc_blur, disc_kernel
from dfnet.photo import linear_from_srgb, srgb_from_linear

EVIDENCE = 400.0  # independent pixels the table counts for, against the prior
BINS = 24
MAX_COC_SHARE = 0.08  # of the longer side
TRUNCATION = 0.15
MIN_TEXTURE = 0.015
MIN_BIN_PIXELS = 60


class BlurTable(NamedTuple):
    """Mean robust residual [disparity bin, CoC level].

    Attributes:
        disparity_px: centre of each bin.
        coc_px: diameter of each level.
        residual: (bins, levels).
        weight: (bins,), so that one large plane does not outvote the rest.
    """

    disparity_px: np.ndarray
    coc_px: np.ndarray
    residual: np.ndarray
    weight: np.ndarray


def blur_table(
    image_w: np.ndarray,
    uw_on_w: np.ndarray,
    disparity_px: np.ndarray,
    valid: np.ndarray,
    uw_scale: float = 1.0,
) -> BlurTable:
    """Try every blur on aligned UW and hold it against W.

    Args:
        image_w: (H, W, 3) in [0, 1].
        uw_on_w: aligned, colour-matched UW, the same shape.
        disparity_px: (H, W).
        valid: bool (H, W), visible in both and matched well.
        uw_scale: W-grid pixels per pixel of UW's own; above 1 UW resolves less than the grid.

    Returns:
        The table; without rows where there is too little texture.
    """
    gray_w, gray_uw = _linear_gray(image_w), _linear_gray(uw_on_w)
    if uw_scale > 1.05:
        sigma = 0.5 * float(np.sqrt(uw_scale**2 - 1))
        gray_w = cv2.GaussianBlur(gray_w, (0, 0), sigma)
    keep = valid & _textured(gray_uw) & _smooth(disparity_px)
    levels = _levels(max(gray_w.shape))
    edges, index = _bins(disparity_px, keep)
    centres, rows, weights = [], [], []
    encoded_w, noise = _encode(gray_w), _noise_deviation(_encode(gray_uw))
    residuals = [_residual(encoded_w, gray_uw, coc, noise) for coc in levels]
    for b in range(len(edges) - 1):
        here = keep & (index == b)
        if here.sum() < MIN_BIN_PIXELS:
            continue
        centres.append(float(np.median(disparity_px[here])))
        rows.append([float(r[here].mean()) for r in residuals])
        weights.append(float(np.sqrt(here.sum())))
    return BlurTable(
        np.array(centres), levels, np.array(rows).reshape(-1, len(levels)), np.array(weights)
    )


def explained(table: BlurTable, slopes: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Residual of Vs with these slopes and centres, (slopes, centres, bins)."""
    distance = np.abs(table.disparity_px[None, None] - centres[None, :, None])
    coc = slopes[:, None, None] * distance
    out = np.empty(coc.shape)
    for b, row in enumerate(table.residual):
        out[..., b] = np.interp(coc[..., b], table.coc_px, row)
    return out


def _levels(side_px: int) -> np.ndarray:
    top = max(6.0, MAX_COC_SHARE * side_px)
    return np.concatenate(
        [[0.0], np.arange(1.0, 7.0, 0.5), np.arange(7.0, 16.0), np.arange(16.0, top + 2.0, 2.0)]
    )


def _bins(disparity_px: np.ndarray, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if keep.sum() < MIN_BIN_PIXELS:
        return np.empty(0), np.full(disparity_px.shape, -1)
    low, high = np.quantile(disparity_px[keep], [0.005, 0.995])
    edges = np.linspace(low, max(high, low + 1e-3), BINS + 1)
    index = np.digitize(disparity_px, edges) - 1
    return edges, index


def _residual(encoded_w, gray_uw, coc_px: float, noise: float) -> np.ndarray:
    """|W - blurred UW| in gamma; what blur averages of UW's noise is added back."""
    blurred = disc_blur(torch.from_numpy(gray_uw)[None, None], float(coc_px))[0, 0].numpy()
    kept = float((disc_kernel(float(coc_px)) ** 2).sum())
    difference = encoded_w - _encode(blurred)
    return np.sqrt(difference**2 + noise**2 * (1 - kept)).clip(0, TRUNCATION)


def _noise_deviation(gray: np.ndarray) -> float:
    """Immerkær's mask (1996) with a median instead of a mean, so that texture counts little."""
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    response = cv2.filter2D(gray, -1, mask)[1:-1, 1:-1]
    return float(np.median(np.abs(response)) / 0.6745 / 6)


def _textured(gray_linear: np.ndarray) -> np.ndarray:
    gray = _encode(gray_linear)
    mean = cv2.blur(gray, (9, 9))
    variance = cv2.blur(gray * gray, (9, 9)) - mean * mean
    return np.sqrt(variance.clip(0)) > MIN_TEXTURE


def _smooth(disparity_px: np.ndarray) -> np.ndarray:
    """Away from depth edges, where two blurs mix."""
    window = np.ones((9, 9), dtype=np.uint8)
    values = disparity_px.astype(np.float32)
    return cv2.dilate(values, window) - cv2.erode(values, window) < 3.0


def _linear_gray(image: np.ndarray) -> np.ndarray:
    linear = linear_from_srgb(torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32)))
    return (linear @ torch.tensor([0.2126, 0.7152, 0.0722])).numpy()


def _encode(gray_linear: np.ndarray) -> np.ndarray:
    return srgb_from_linear(torch.from_numpy(gray_linear).clamp(0, 1)).numpy()
