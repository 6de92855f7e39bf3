"""Figures for one pair: motion, occlusion, defocus. All lengths are pixels of W.

Motion and defocus are judged where UW sees W's point and in its frame (`Truth.counted_w` without
`hidden_w`); occlusion wherever the frame holds the point, so that being out of frame, which is easy
to tell, earns nothing.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from dfnet.evaluation.preprocessing.cases import Truth
from dfnet.optics import BlurLaw, defocus_from_disparity
from dfnet.preprocess import Preprocessed

MAX_ERROR_PX = 50.0
BAD_PX = 2.0
DEFOCUSED_FROM_PX = 6.0  # diameter of the true circle of confusion
SHARP_BELOW_PX = 2.0
KEPT_EVERY = 5  # of the errors that quantiles over many pairs are taken from


class MotionScore(NamedTuple):
    """One pair's flow; shares are in [0, 1], NaN where no pixel qualifies.

    Attributes:
        end_point_px: mean length of the flow's error, each clipped at 50.
        bad: share of pixels off by more than 2 px.
        bad_defocused: the same where the true circle of confusion is 6 px or more.
        bad_sharp: the same where it is below 2 px.
        weights: pixels that counted: all, defocused, sharp.
    """

    end_point_px: float
    bad: float
    bad_defocused: float
    bad_sharp: float
    weights: tuple[int, int, int]


class CaseScore(NamedTuple):
    """One pair's figures.

    Attributes:
        motion: of the flow.
        defocus_px: mean |estimated - true| of signed diameters, the whole chain.
        defocus_95_px: its 95th percentile.
        defocus_matching_px: mean, with the true law and the estimated disparity.
        defocus_law_px: mean, with the estimated law and the true disparity.
        near_far_right: 1 where near and far are the right way round, else 0.
        slope: estimated `defocus_per_disparity` over the true one.
        valid: share of the visible pixels that the result calls valid.
        bad_valid: share of pixels off by more than 2 px, among those.
        occlusion: pixels (hidden and found, found, hidden).
    """

    motion: MotionScore
    defocus_px: float
    defocus_95_px: float
    defocus_matching_px: float
    defocus_law_px: float
    near_far_right: float
    slope: float
    valid: float
    bad_valid: float
    occlusion: tuple[int, int, int]


def score_case(result: Preprocessed, truth: Truth) -> tuple[CaseScore, Tensor]:
    """Hold a result against the truth.

    Returns:
        the figures, and a sample of the defocus errors (n,) for quantiles over many pairs.
    """
    visible, valid = truth.counted_w & ~truth.hidden_w, result.valid_w
    offset = frame_offset_px(result.disparity_w_px, truth.disparity_w_px, visible)
    here = BlurLaw(
        truth.law.defocus_per_disparity, truth.law.disparity_at_focus_px - offset
    )  # the true law in the frame of the estimated disparity
    with_true_law = defocus_from_disparity(result.disparity_w_px, here)
    with_true_disparity = defocus_from_disparity(truth.disparity_w_px - offset, result.blur_law)
    errors = (result.defocus_w_px - truth.defocus_w_px).abs()[visible]
    score = CaseScore(
        score_motion(result.flow_w_to_uw, truth),
        float(errors.mean()),
        float(errors.quantile(0.95)),
        _mean((with_true_law - truth.defocus_w_px).abs(), visible),
        _mean((with_true_disparity - truth.defocus_w_px).abs(), visible),
        float(near_far_right(result.disparity_w_px, truth.disparity_w_px, visible)),
        result.blur_law.defocus_per_disparity / truth.law.defocus_per_disparity,
        _mean(result.valid_w.float(), visible),
        _mean((flow_error_px(result.flow_w_to_uw, truth) > BAD_PX).float(), visible & valid),
        occlusion_counts(result.occluded_w, truth.hidden_w, truth.counted_w),
    )
    return score, errors[::KEPT_EVERY]


def score_motion(flow_w_to_uw: Tensor, truth: Truth) -> MotionScore:
    """Hold a flow (2, H, W) against the truth."""
    visible, coc = truth.counted_w & ~truth.hidden_w, truth.defocus_w_px.abs()
    regions = (visible, visible & (coc >= DEFOCUSED_FROM_PX), visible & (coc < SHARP_BELOW_PX))
    error = flow_error_px(flow_w_to_uw, truth)
    bad = [_mean((error > BAD_PX).float(), region) for region in regions]
    return MotionScore(_mean(error, visible), *bad, tuple(int(r.sum()) for r in regions))


def flow_error_px(flow_w_to_uw: Tensor, truth: Truth) -> Tensor:
    """Length of the flow's error (1, H, W) in W's pixels, at most 50."""
    off = (flow_w_to_uw - truth.flow_w_to_uw).square().sum(dim=0, keepdim=True).sqrt()
    return (off * truth.w_px_per_uw_px).clamp_max(MAX_ERROR_PX)


def frame_offset_px(disparity_px: Tensor, true_disparity_px: Tensor, where: Tensor) -> float:
    """What the estimated disparity lacks to the true one, which has its zero at infinity."""
    return float((true_disparity_px - disparity_px)[where].median())


def near_far_right(disparity_px: Tensor, true_disparity_px: Tensor, where: Tensor) -> bool:
    """Whether estimated and true disparity grow together."""
    pair = torch.stack([disparity_px[where], true_disparity_px[where]]).double()
    return bool(torch.corrcoef(pair)[0, 1] > 0)


def occlusion_counts(found: Tensor, hidden: Tensor, where: Tensor) -> tuple[int, int, int]:
    """Pixels that are hidden and found to be, found, and hidden."""
    found, hidden = found & where, hidden & where
    return int((found & hidden).sum()), int(found.sum()), int(hidden.sum())


def precision_recall_f1(counts: tuple[int, int, int]) -> tuple[float, float, float]:
    """Of counts that may be summed over pairs; NaN where nothing is hidden or found."""
    both, found, hidden = counts
    nan = float("nan")
    return (
        both / found if found else nan,
        both / hidden if hidden else nan,
        2 * both / (found + hidden) if found + hidden else nan,
    )


def _mean(values: Tensor, where: Tensor) -> float:
    return float(values[where].double().mean())  # NaN where there is nothing
