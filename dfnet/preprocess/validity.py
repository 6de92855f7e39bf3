"""How far W's pixels may be believed, and why not."""

import math
from enum import IntEnum
from typing import NamedTuple

import cv2
import numba
import numpy as np
import torch
from torch import Tensor

from dfnet.preprocess.align import gray
from dfnet.resizing import enlarged_rows, row_strips

BELIEVED = 0.5  # validity from here on counts as valid
WINDOW_SHARE = 1 / 128  # of the longer side: texture this near supports a match
MIN_WINDOW_PX = 3  # half of it
NOISE_FACTOR = 1.5  # changes along the baseline below this many times the noise's are none
SOBEL_KEEPS = 12**0.5 / 8  # of white noise's deviation
MIN_TEXTURE = 0.001  # and below this none in any case: a quarter of a step of 8 bits
SOFT_EDGE_SHARE = 1 / 1000  # of the longer side: sigma of the band around what is hidden


class Reason(IntEnum):
    """Why a pixel of W cannot be filled from UW."""

    VALID = 0
    OCCLUDED = 1
    OUT_OF_FRAME = 2
    INCONSISTENT = 3
    TEXTURELESS = 4


VALID, OCCLUDED, OUT_OF_FRAME, INCONSISTENT, TEXTURELESS = map(int, Reason)  # for numba


class Validity(NamedTuple):
    """Per pixel of W.

    Attributes:
        validity_w: (H, W) float32 in [0, 1].
        reason_w: (H, W) uint8, of `Reason`; VALID exactly where `validity_w` is at least a half.
    """

    validity_w: np.ndarray
    reason_w: np.ndarray


def reasons(valid_w: Tensor, occluded_w: Tensor) -> Tensor:
    """`Reason` of pixels of which no more is known than these two, uint8 of their shape."""
    reason = torch.full(valid_w.shape, int(Reason.INCONSISTENT), dtype=torch.uint8)
    reason[valid_w] = int(Reason.VALID)
    reason[occluded_w] = int(Reason.OCCLUDED)
    return reason


def judge(
    confidence_w: np.ndarray, texture_w: np.ndarray, hidden_w: np.ndarray, inside_uw: np.ndarray
) -> Validity:
    """Put together what is known of each pixel.

    Args:
        confidence_w: of the match, (h, w) in [0, 1], at full size or smaller; 0 where W and UW
            disagree.
        texture_w: `texture_along` of UW on W, the same.
        hidden_w: bool (H, W).
        inside_uw: bool (H, W), lands in UW's frame.
    """
    shape = hidden_w.shape
    maps = Validity(np.empty(shape, np.float32), np.empty(shape, np.uint8))
    for rows in row_strips(*shape):
        enlarged = (
            enlarged_rows(torch.from_numpy(small)[None, None], shape, rows, "bilinear")[0, 0]
            for small in (confidence_w, texture_w)
        )
        confidence, texture = (x.numpy() for x in enlarged)
        seen = hidden_w[rows], inside_uw[rows], _visible(hidden_w, rows)
        _put_together(confidence, texture, *seen, *(x[rows] for x in maps))
    return maps


def _visible(hidden_w: np.ndarray, rows: slice) -> np.ndarray:
    """1 off what is hidden and less beside it, for some rows."""
    sigma = max(0.5, SOFT_EDGE_SHARE * max(hidden_w.shape))
    reach = math.ceil(4 * sigma) + 1
    top = max(0, rows.start - reach)
    around = 1 - hidden_w[top : rows.stop + reach].astype(np.float32)
    return cv2.GaussianBlur(around, (0, 0), sigma)[rows.start - top : rows.stop - top]


@numba.njit(cache=True, parallel=True)
def _put_together(confidence, texture, hidden, inside, visible, validity, reason):
    for y in numba.prange(len(validity)):
        for x in range(validity.shape[1]):
            seen = np.float32(0) if hidden[y, x] or not inside[y, x] else visible[y, x]
            validity[y, x] = seen * min(confidence[y, x], texture[y, x])
            reason[y, x] = VALID if validity[y, x] >= BELIEVED else OCCLUDED
            if not inside[y, x]:
                reason[y, x] = OUT_OF_FRAME
            elif not hidden[y, x] and texture[y, x] < BELIEVED:
                reason[y, x] = TEXTURELESS
            elif not hidden[y, x] and confidence[y, x] < BELIEVED:
                reason[y, x] = INCONSISTENT


def texture_along(guide_w: np.ndarray, baseline_direction: np.ndarray, noise: float) -> np.ndarray:
    """Whether there is anything to match by: structure across the baseline's pixels, above noise.

    Args:
        guide_w: UW on W's grid (H, W, 3), sharp at all depths.
        baseline_direction: only changes along it tell the disparity.
        noise: standard deviation of UW's noise on this grid.

    Returns:
        float32 (H, W) in [0, 1]; a half where the structure is as strong as needed.
    """
    luma = gray(guide_w)
    x, y = (cv2.Sobel(luma, cv2.CV_32F, *order, scale=0.125) for order in ((1, 0), (0, 1)))
    change = x * baseline_direction[0] + y * baseline_direction[1]
    side = 2 * max(MIN_WINDOW_PX, round(WINDOW_SHARE * max(luma.shape))) + 1
    energy = np.sqrt(cv2.boxFilter(change * change, -1, (side, side)).clip(0))
    needed = max(MIN_TEXTURE, NOISE_FACTOR * SOBEL_KEEPS * noise)
    return (0.5 * energy / needed).clip(0, 1)
