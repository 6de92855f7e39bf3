"""A matcher alone, told the true blur law, on pairs that need no rectification."""

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
import torch

from dfnet.evaluation.preprocessing.cases import Case
from dfnet.evaluation.preprocessing.metrics import MotionScore, score_motion
from dfnet.evaluation.preprocessing.stereo import UW_RESOLUTION
from dfnet.preprocess.align import gray
from dfnet.preprocess.colour import apply_curves, histogram_curves
from dfnet.preprocess.fill import fill_unknown
from dfnet.preprocess.match import EpipolarPair, Matcher, MotionLaw
from dfnet.preprocess.pipeline import image_pixels
from dfnet.preprocess.sweep_images import noise_deviation, noise_on_canvas

RANGE_MARGIN_PX = 4.0


class GivenLaw(NamedTuple):
    """A matcher's figures with the true law, by pair."""

    method: str
    scores: dict[str, MotionScore]


def run_matcher(name: str, matcher: Matcher, cases: Iterable[Case], share: float) -> GivenLaw:
    """A matcher on rectified pairs (baseline along x, near things to the left in UW).

    Args:
        name: for people.
        matcher: is told range, law and noise.
        cases: as `StereoSet` makes them.
        share: of the pictures' size that it works at.
    """
    scores = {}
    for case in cases:
        pair = given_pair(case, share)
        motion_w = matcher(pair).motion_w
        guide = np.repeat(pair.gray_w[..., None], 3, axis=2)
        motion = -fill_unknown(-motion_w, guide, -1) / share
        height, width = case.image_w.shape[-2:]
        full = cv2.resize(motion, (width, height), interpolation=cv2.INTER_NEAREST)
        flow = torch.from_numpy(np.stack([full, np.zeros_like(full)]))
        scores[case.name] = score_motion(flow, case.truth)
    return GivenLaw(name, scores)


def given_pair(case: Case, share: float) -> EpipolarPair:
    """What a matcher is told of a made stereo pair."""
    w, uw = image_pixels(case.image_w), image_pixels(case.image_uw)
    uw = apply_curves(uw, histogram_curves(uw, w, np.ones(w.shape[:2], dtype=bool)))
    native = cv2.resize(uw, None, fx=UW_RESOLUTION, fy=UW_RESOLUTION, interpolation=cv2.INTER_AREA)
    small = [
        cv2.resize(gray(x), None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        if share < 1
        else gray(x)
        for x in (w, uw)
    ]
    disparity, law = case.truth.disparity_w_px, case.truth.law
    return EpipolarPair(
        *small,
        motion_range=(
            -share * float(disparity.max()) - RANGE_MARGIN_PX,
            -share * float(disparity.min()) + RANGE_MARGIN_PX,
        ),
        law=MotionLaw(law.defocus_per_disparity, -share * law.disparity_at_focus_px),
        noise_w=noise_on_canvas(noise_deviation(gray(w)), share),
        noise_uw=noise_on_canvas(noise_deviation(gray(native)), share / UW_RESOLUTION),
        uw_scale=share / UW_RESOLUTION,
    )
