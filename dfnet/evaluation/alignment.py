"""The fair comparison with another exposure of the scene: aligned and gain-corrected.

The truth of a real pair was taken a moment later: refocusing changed its magnification by some
tenths of a percent, the hand moved by pixels, the exposure drifted. A picture that is right but for
these scores some 20 dB raw. So the *truth* is laid onto each output by its own affine map (an
output is never resampled, which would blur it), and the output's channels are fitted to it by a
gain and an offset each. What was fitted is reported, and too much of it is flagged.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from dfnet.evaluation.metrics import EQUAL_PICTURES_DB, luma

SIDE_PX = (
    2688  # longer side of the photos that the lengths below were chosen on; they scale with it
)
SMOOTHING_PX = 8.0  # deviation at half size: blur differs between the pictures, position must not
MARGIN_PX = 64
MAX_SHIFT_PX, MAX_SCALE_PERCENT, MAX_GAIN_PERCENT = 16.0, 1.0, 15.0
ITERATIONS, PRECISION = 200, 1e-7
FIT_EVERY_PX = 8  # of the colour fit, in both directions; part of how published figures were made


class Alignment(NamedTuple):
    """The truth laid onto an output, and the output in its colours.

    Attributes:
        truth: (3, h, w), without the margin.
        fitted: (3, h, w) the output with gain and offset, clipped to [0, 1].
        margin_px: what was cut off on each side.
        matrix: (2, 3), from the output's pixels (x, y, 1) to the truth's.
        shift_px: how far the truth's centre had to move; flagged beyond `MAX_SHIFT_PX` of
            `SIDE_PX`.
        scale_percent: how much larger the truth shows things.
        gain_percent: the channel gain that is farthest from 1, less 1.
        found: whether the pictures could be aligned at all.
    """

    truth: Tensor
    fitted: Tensor
    margin_px: int
    matrix: np.ndarray
    shift_px: float
    scale_percent: float
    gain_percent: float
    found: bool

    def flags(self) -> tuple[str, ...]:
        """What makes this row doubtful, in words."""
        doubts = {
            "could not be aligned": not self.found,
            f"shifted by more than {self.max_shift_px:.3g} px": self.shift_px > self.max_shift_px,
            f"scaled by more than {MAX_SCALE_PERCENT:.0f} %": abs(self.scale_percent)
            > MAX_SCALE_PERCENT,
            f"gain beyond {MAX_GAIN_PERCENT:.0f} %": abs(self.gain_percent) > MAX_GAIN_PERCENT,
        }
        return tuple(text for text, is_so in doubts.items() if is_so)

    @property
    def max_shift_px(self) -> float:
        """The largest shift that is not flagged, at this size."""
        side_px = max(self.truth.shape[-2:]) + 2 * self.margin_px
        return MAX_SHIFT_PX * side_px / SIDE_PX

    def inside(self, mask: Tensor) -> Tensor:
        """A map (1, H, W) of the whole frame, without the margin."""
        m = self.margin_px
        return mask[..., m:-m, m:-m]


def align(output: Tensor, truth: Tensor) -> Alignment:
    """Lay the truth onto an output and fit the output's colours to it.

    Args:
        output: (3, H, W) sRGB, clipped to [0, 1].
        truth: same shape.
    """
    output, truth = (x.detach().float().clamp(0, 1) for x in (output, truth))
    matrix, found = _affine(_smooth_half(output), _smooth_half(truth))
    height, width = output.shape[-2:]
    warped = cv2.warpAffine(
        truth.permute(1, 2, 0).contiguous().numpy(),
        matrix,
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    margin = margin_px((height, width))
    inside = (..., slice(margin, -margin), slice(margin, -margin))
    on_output = torch.from_numpy(warped).permute(2, 0, 1).clamp(0, 1)[inside]
    fitted, gain = _fit_colours(output[inside], on_output)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    return Alignment(
        on_output,
        fitted,
        margin,
        matrix,
        float(np.hypot(*(matrix[:, :2] @ centre + matrix[:, 2] - centre))),
        100 * (float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))) - 1),
        100 * max((float(g) - 1 for g in gain), key=abs),
        found,
    )


def margin_px(size: tuple[int, int]) -> int:
    """What is left out on each side of a picture of this height and width."""
    return max(1, round(MARGIN_PX * max(size) / SIDE_PX))


def compare_aligned(
    alignment: Alignment, masks: dict[str, Tensor | None], least_pixels: int
) -> dict[str, dict[str, float]]:
    """PSNR over colour and SSIM over gray, of the aligned and fitted pictures.

    SSIM is scikit-image's default (uniform 7x7 window, sample covariance).

    Args:
        alignment: of `align`.
        masks: bool (1, H, W) of the whole frame by name; None is everywhere.
        least_pixels: smaller parts are left out.
    """
    error = (alignment.fitted - alignment.truth).double().square().mean(dim=0)
    gray = [luma(x).numpy() for x in (alignment.fitted, alignment.truth)]
    score, alike = structural_similarity(*gray, data_range=1.0, full=True)
    found = {}
    for name, mask in masks.items():
        if mask is None:
            found[name] = {"psnr_db": _decibels(error), "ssim": float(score)}
            continue
        inner = alignment.inside(mask)[0]
        if int(inner.sum()) >= least_pixels:
            likeness = float(alike[inner.numpy()].mean())
            found[name] = {"psnr_db": _decibels(error[inner]), "ssim": likeness}
    return found


def _decibels(error: Tensor) -> float:
    return min(float(-10 * torch.log10(error.mean())), EQUAL_PICTURES_DB)


def _smooth_half(image: Tensor) -> np.ndarray:
    """Gray at half size, (h, w) in [0, 255]; an odd last row or column is cut off."""
    height, width = (side // 2 * 2 for side in image.shape[-2:])
    gray = luma(image[:, :height, :width])[None, None]
    half = 255 * torch.nn.functional.avg_pool2d(gray, 2)[0, 0]
    return cv2.GaussianBlur(half.numpy(), (0, 0), SMOOTHING_PX * max(height, width) / SIDE_PX)


def _affine(output: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, bool]:
    """Full-size matrix from output to truth pixels (Evangelidis and Psarakis, TPAMI 2008)."""
    half, found = np.eye(2, 3, dtype=np.float32), True
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, ITERATIONS, PRECISION)
    try:
        _, half = cv2.findTransformECC(output, truth, half, cv2.MOTION_AFFINE, stop, None, 5)
    except cv2.error:  # flat pictures, or nothing in common
        half, found = np.eye(2, 3, dtype=np.float32), False
    matrix = half.astype(np.float64)
    # Half-size pixel centres lie at 2x + 0.5 of the full size.
    matrix[:, 2] = 2 * matrix[:, 2] + 0.5 - matrix[:, :2] @ np.array([0.5, 0.5])
    return matrix, found


def _fit_colours(output: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Least squares per channel: the fitted output, and the gains (3,)."""
    some = (slice(None), slice(None, None, FIT_EVERY_PX), slice(None, None, FIT_EVERY_PX))
    flat, wanted = (x[some].double().flatten(1) for x in (output, truth))
    mean, mean_wanted = flat.mean(1), wanted.mean(1)
    covariance = ((flat - mean[:, None]) * (wanted - mean_wanted[:, None])).mean(1)
    gain = covariance / flat.var(1, correction=0).clamp_min(1e-12)
    offset = (mean_wanted - gain * mean).float()
    return (output * gain.float()[:, None, None] + offset[:, None, None]).clamp(0, 1), gain
