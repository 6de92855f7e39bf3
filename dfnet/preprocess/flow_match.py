"""Optical flow in place of a stereo matcher: its part along the baseline is the motion."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from dfnet.preprocess.flow import dense_flow
from dfnet.preprocess.match import EpipolarPair, Match, consistent_match

Flow = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class DisFlow:
    """OpenCV's DIS, which needs no weights."""

    def __call__(self, gray_a: np.ndarray, gray_b: np.ndarray) -> np.ndarray:
        """Flow a to b (H, W, 2) [px] of two 8-bit gray pictures (H, W)."""
        return dense_flow(gray_a, gray_b)


@dataclass(frozen=True)
class FlowMatcher:
    """A `Matcher` that asks a flow method and keeps what both directions agree on.

    Attributes:
        flow: two 8-bit gray pictures (H, W) to the flow (H, W, 2) [px] from the first to the
            second.
        consistent_px: W and UW must agree to this along the baseline, else a motion is unknown.
    """

    flow: Flow = field(default_factory=DisFlow)
    consistent_px: float = 1.0

    def __call__(self, pair: EpipolarPair) -> Match:
        """Both motions; confidence is how well they agree, from 1 down to 1/2."""
        gray_w, gray_uw = (
            (gray.clip(0, 1) * 255).round().astype(np.uint8) for gray in (pair.gray_w, pair.gray_uw)
        )
        motion_w = self.flow(gray_w, gray_uw)[..., 0]
        motion_uw = -self.flow(gray_uw, gray_w)[..., 0]
        return consistent_match(motion_w, motion_uw, self.consistent_px)
