"""Disparity and occlusion on W's working grid, from rectified views and any matcher."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from dfnet.optics import BlurLaw
from dfnet.preprocess.align import Views, gray, shrink
from dfnet.preprocess.fill import fill_unknown
from dfnet.preprocess.match import (
    EpipolarPair,
    Match,
    Matcher,
    MotionLaw,
    Turn,
    turn_to_axis,
)
from dfnet.preprocess.occlusion import find_hidden, nearer_in_uw
from dfnet.preprocess.order import NearFar, solve_near_far
from dfnet.preprocess.rectify import Rectification, pixel_grid, sample_uw
from dfnet.preprocess.refine import upsample_along_edges
from dfnet.preprocess.specks import without_specks
from dfnet.preprocess.sweep_images import noise_on_canvas

RANGE_MARGIN_SHARE = 0.25
RANGE_MARGIN_PX = 4.0
SPECK_SHARE = 1 / 2500  # of the canvas: smaller islands are chance matches
MATCHED = 0.25  # confidence, interpolated between pixels that matched (0.5 to 1) and not (0)


class Canvas(NamedTuple):
    """Both views at the matcher's scale, turned so that the baseline lies along x.

    Attributes:
        image_w: (H, W, 3).
        image_uw: (H, W, 3), rectified; it reaches beyond W's frame along the baseline.
        turn: between W's grid and the canvas.
        scale: of the canvas against W's full size.
        motion_range: to be searched [canvas px].
        noise_w: standard deviation of W's noise here, sRGB-encoded gray.
        noise_uw: the same of UW.
        uw_scale: canvas px per full UW px.
    """

    image_w: np.ndarray
    image_uw: np.ndarray
    turn: Turn
    scale: float
    motion_range: tuple[float, float]
    noise_w: float
    noise_uw: float
    uw_scale: float

    def positions_of(self, points: np.ndarray) -> np.ndarray:
        """Canvas pixels (..., 2), float32, of positions on W's full-resolution grid (..., 2)."""
        matrix = self.turn.matrix
        at = ((points + 0.5) * self.scale - 0.5) @ matrix[:, :2].T + matrix[:, 2]
        return at.astype(np.float32)


class Motion(NamedTuple):
    """What a matcher found on a canvas [canvas px]; NaN where unknown.

    Attributes:
        motion_w: W (x, y) is UW (x + m, y).
        motion_uw: UW (x, y) is W (x - m, y).
        confidence_w: in [0, 1], 0 where `motion_w` is unknown.
        canvas: where it was found.
    """

    motion_w: np.ndarray
    motion_uw: np.ndarray
    confidence_w: np.ndarray
    canvas: Canvas


class Stereo(NamedTuple):
    """Stereo on W's working grid.

    Attributes:
        disparity_w_px: (h, w) [full W px], larger is nearer.
        matched_w: bool (h, w), W and UW agree there.
        confidence_w: (h, w) in [0, 1], 0 where W and UW do not agree.
        hidden_w: bool (h, w), behind something as seen from UW.
        hidden_by_uw_w: bool (h, w), the part of it that UW's own map tells.
        baseline_direction: unit vector W to UW, in W's image axes.
        near_far: how the order was found.
    """

    disparity_w_px: np.ndarray
    matched_w: np.ndarray
    confidence_w: np.ndarray
    hidden_w: np.ndarray
    hidden_by_uw_w: np.ndarray
    baseline_direction: np.ndarray
    near_far: NearFar


def make_canvas(
    views: Views,
    rectification: Rectification,
    motion_range_px: tuple[float, float],
    share: float,
) -> Canvas:
    """Lay out both views for a matcher, at `share` of the working resolution."""
    small_w, small_uw = shrink(views.image_w, share), shrink(views.image_uw, share)
    scale, scale_uw = views.scale * share, views.scale_uw * share
    low, high = (m * scale for m in motion_range_px)
    margin = RANGE_MARGIN_PX + RANGE_MARGIN_SHARE * (high - low)
    low, high = low - margin, high + margin
    axis = rectification.registration.axis
    turn = turn_to_axis(small_w.shape[:2], axis, math.ceil(max(-low, high, 0)))
    points = rectification.points_uw((turn.positions() + 0.5) / scale - 0.5)
    canvas_uw, _ = sample_uw(small_uw, points, scale_uw)
    uw_scale = views.w_per_uw * scale
    return Canvas(
        turn.apply(small_w),
        canvas_uw,
        turn,
        scale,
        (low, high),
        noise_on_canvas(views.noise_w, scale),
        noise_on_canvas(views.noise_uw, uw_scale),
        uw_scale,
    )


def find_motion(
    canvas: Canvas, matcher: Matcher, law: BlurLaw | None = None, sign: float = 1.0
) -> Motion:
    """Run a matcher on a canvas.

    Args:
        canvas: both views.
        matcher: any.
        law: blur of W by disparity [full W px]; None where it is not known yet.
        sign: disparity is this times the motion.
    """
    told = law and MotionLaw(
        law.defocus_per_disparity, sign * law.disparity_at_focus_px * canvas.scale
    )
    pair = EpipolarPair(
        gray(canvas.image_w),
        gray(canvas.image_uw),
        canvas.motion_range,
        told,
        canvas.noise_w,
        canvas.noise_uw,
        canvas.uw_scale,
    )
    return _motion(matcher(pair), canvas)


def order_from_images(motion: Motion) -> NearFar:
    """Which end of the motion is near, as `solve_near_far`."""
    canvas = motion.canvas
    upright = canvas.turn.undo(motion.motion_w)
    return solve_near_far(
        canvas.image_w, canvas.image_uw, motion.motion_w, motion.motion_uw, upright
    )


def solve_stereo(views: Views, motion: Motion, axis: np.ndarray, near_far: NearFar) -> Stereo:
    """Fill, upsample along the picture's edges, and find what UW cannot see."""
    canvas, direction = motion.canvas, -near_far.sign * axis
    confidence = canvas.turn.undo(motion.confidence_w)
    on_canvas = near_far.sign * motion.motion_w
    filled = fill_unknown(on_canvas, canvas.image_w, round(near_far.sign))
    disparity = upsample_along_edges(
        canvas.turn.undo(filled), confidence, canvas.turn.undo(canvas.image_w), views.image_w
    )
    disparity /= canvas.scale
    hidden = find_hidden(disparity * views.scale, direction)
    there = _uw_at_landing(motion, disparity, direction, near_far, views.scale)
    by_uw = nearer_in_uw(disparity * views.scale, there) & _beside(hidden)
    hidden |= by_uw
    size = disparity.shape[1], disparity.shape[0]
    confidence = cv2.resize(confidence, size, interpolation=cv2.INTER_LINEAR)
    matched = (confidence > MATCHED) & ~hidden
    return Stereo(disparity, matched, confidence, hidden, by_uw, direction, near_far)


def _motion(match: Match, canvas: Canvas) -> Motion:
    """A match without its specks."""
    motion_w, motion_uw = (
        without_specks(motion, round(SPECK_SHARE * motion.size))
        for motion in (match.motion_w, match.motion_uw)
    )
    confidence = np.where(np.isfinite(motion_w), match.confidence_w, 0).astype(np.float32)
    return Motion(motion_w, motion_uw, confidence, canvas)


def _filled_uw(motion: Motion, near_far: NearFar) -> np.ndarray:
    """Disparity of UW's pixels [canvas px]; strips that W does not see lie on the other side."""
    disparity = near_far.sign * motion.motion_uw
    return fill_unknown(disparity, motion.canvas.image_uw, -round(near_far.sign))


def _uw_at_landing(motion, disparity, direction, near_far, scale) -> np.ndarray:
    """UW's own disparity where W's working pixels land [working px]."""
    canvas = motion.canvas
    landing = pixel_grid(disparity.shape, scale) - disparity[..., None] * direction
    at = canvas.positions_of(landing)
    there = cv2.remap(
        _filled_uw(motion, near_far),
        at[..., 0],
        at[..., 1],
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return there * np.float32(scale / canvas.scale)


def _between_canvases(values, source: Canvas, target: Canvas, interpolation: int) -> np.ndarray:
    """Values of one canvas at the pixels of another that may have another scale and margin."""
    at = source.positions_of((target.turn.positions() + 0.5) / target.scale - 0.5)
    return cv2.remap(
        np.ascontiguousarray(values, dtype=np.float32),
        at[..., 0],
        at[..., 1],
        interpolation,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _beside(hidden: np.ndarray) -> np.ndarray:
    """What UW alone tells counts as occlusion only beside a proven one; else it is a bad match."""
    return cv2.dilate(hidden.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
