"""The tone curve between UW and W, once a coarse match tells how UW has to be blurred.

A histogram match compares a blurred picture with a sharp one, and so flattens the sharp one.
"""

import numpy as np

from dfnet.preprocess.blur_match import variable_disc_blur
from dfnet.preprocess.match import EpipolarPair, Match

IDENTITY = np.array([0.0, 1.0, 0.0])
MIN_PIXELS, MOST_PIXELS = 1000, 40_000
MIN_CONTRAST = 0.05
LEAST_SLOPE = 0.2
REWEIGHTINGS = 8


def tone_curve(
    gray_w: np.ndarray, gray_uw: np.ndarray, match: Match, pair: EpipolarPair
) -> np.ndarray:
    """The quadratic of UW's gray, blurred and moved onto W, that comes nearest to W's (about L1).

    Args:
        gray_w: (H, W) in [0, 1], sRGB-encoded.
        gray_uw: the same of UW.
        match: between the two.
        pair: its blur law counts.

    Returns:
        Coefficients (3,) for `np.polyval`; the identity where too little is known or the curve
        would hardly rise.
    """
    known = np.isfinite(match.motion_w)
    if known.sum() < MIN_PIXELS:
        return IDENTITY
    if pair.law is not None:
        motion_uw = np.nan_to_num(match.motion_uw, nan=float(np.median(match.motion_w[known])))
        coc = pair.law.per_px * np.abs(motion_uw - pair.law.at_focus_px)
        gray_uw = variable_disc_blur(gray_uw, coc)
    y, x = (at[:: 1 + known.sum() // MOST_PIXELS] for at in np.nonzero(known))
    at = np.round(x + match.motion_w[y, x]).astype(int).clip(0, known.shape[1] - 1)
    seen, wanted = gray_uw[y, at].astype(np.float64), gray_w[y, x].astype(np.float64)
    if np.ptp(seen) < MIN_CONTRAST:
        return IDENTITY
    curve = IDENTITY
    for _ in range(REWEIGHTINGS):
        weight = 1 / np.maximum(np.abs(np.polyval(curve, seen) - wanted), 0.01)
        weighted = np.stack([seen**2 * weight, seen * weight, weight])
        basis = np.stack([seen**2, seen, np.ones_like(seen)])
        # Sums by einsum: a linear-algebra library's threads cost more than they bring here.
        system = np.einsum("in,jn->ij", weighted, basis)
        curve = np.linalg.solve(system, np.einsum("in,n->i", weighted, wanted))
    slopes = curve[1], curve[1] + 2 * curve[0]
    return curve if min(slopes) > LEAST_SLOPE else IDENTITY
