"""Disparity and occlusion on W's working grid, from rectified views and any matcher."""

import math
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from dfnet.preprocess.align import Views, gray, shrink
from dfnet.preprocess.match import EpipolarPair, Turn, turn_to_axis
from dfnet.preprocess.occlusion import find_hidden, find_inconsistent
from dfnet.preprocess.order import NearFar, solve_near_far
from dfnet.preprocess.rectify import Rectification, sample_uw
from dfnet.preprocess.refine import fill_from_far, upsample_along_edges

Matcher = Callable[[EpipolarPair], tuple[np.ndarray, np.ndarray]]
RANGE_MARGIN_SHARE = 0.25
RANGE_MARGIN_PX = 4.0


class Motion(NamedTuple):
    """What the matcher found, on the turned canvas at its own scale; NaN where unknown."""

    motion_w: np.ndarray
    motion_uw: np.ndarray
    canvas_w: np.ndarray
    canvas_uw: np.ndarray
    turn: Turn
    scale: float


class Stereo(NamedTuple):
    """Stereo on W's working grid.

    Attributes:
        disparity_w_px: (h, w) [full W px], larger is nearer.
        matched_w: bool (h, w), W and UW agree there.
        hidden_w: bool (h, w), behind something as seen from UW.
        baseline_direction: unit vector W to UW, in W's image axes.
        near_far: how the order was found.
    """

    disparity_w_px: np.ndarray
    matched_w: np.ndarray
    hidden_w: np.ndarray
    baseline_direction: np.ndarray
    near_far: NearFar


def find_motion(
    views: Views,
    rectification: Rectification,
    motion_range_px: tuple[float, float],
    matcher: Matcher,
    side_px: int,
) -> Motion:
    """Run the matcher on a canvas where the baseline lies along x."""
    reduce = min(1.0, side_px / max(views.image_w.shape[:2]))
    small_w, small_uw = shrink(views.image_w, reduce), shrink(views.image_uw, reduce)
    scale, scale_uw = views.scale * reduce, views.scale_uw * reduce
    low, high = (m * scale for m in motion_range_px)
    margin = RANGE_MARGIN_PX + RANGE_MARGIN_SHARE * (high - low)
    low, high = low - margin, high + margin
    axis = rectification.registration.axis
    turn = turn_to_axis(small_w.shape[:2], axis, math.ceil(max(-low, high, 0)))
    points = rectification.points_uw((turn.positions() + 0.5) / scale - 0.5)
    canvas_w, (canvas_uw, _) = turn.apply(small_w), sample_uw(small_uw, points, scale_uw)
    pair = EpipolarPair(gray(canvas_w), gray(canvas_uw), (low, high))
    motion_w, motion_uw = matcher(pair)
    return Motion(motion_w, motion_uw, canvas_w, canvas_uw, turn, scale)


def order_from_images(motion: Motion) -> NearFar:
    """Which end of the motion is near, as `solve_near_far`."""
    upright = motion.turn.undo(motion.motion_w)
    return solve_near_far(motion.canvas_uw, motion.motion_uw, upright)


def solve_stereo(views: Views, motion: Motion, axis: np.ndarray, near_far: NearFar) -> Stereo:
    """Fill, upsample along the picture's edges, and find what UW cannot see."""
    near = near_far.near_is_larger
    sign = 1.0 if near else -1.0
    dense = fill_from_far(motion.motion_w, near)
    trust = np.isfinite(motion.motion_w).astype(np.float32)
    upright = sign * motion.turn.undo(dense)
    upright_trust = motion.turn.undo(trust)
    guide_small = motion.turn.undo(motion.canvas_w)
    disparity = upsample_along_edges(upright, upright_trust, guide_small, views.image_w)
    disparity_uw = sign * fill_from_far(motion.motion_uw, near)
    hidden = _hidden(disparity, disparity_uw, axis, near, motion)
    size = disparity.shape[1], disparity.shape[0]
    matched = cv2.resize(upright_trust, size, interpolation=cv2.INTER_LINEAR) > 0.5
    direction = -axis if near else axis
    return Stereo(disparity / motion.scale, matched & ~hidden, hidden, direction, near_far)


def _hidden(disparity, disparity_uw, axis, near, motion) -> np.ndarray:
    """Z-buffer and forward-backward tests, on a canvas that runs from W to UW."""
    turn = turn_to_axis(disparity.shape, axis)
    zoom = disparity.shape[1] / motion.turn.shape[1]
    along = slice(None, None, -1) if near else slice(None)
    canvas = (turn.apply(disparity, cv2.INTER_NEAREST) * zoom)[:, along]
    on_matcher_grid = (turn.positions() + 0.5) / zoom - 0.5
    matrix = motion.turn.matrix
    at = (on_matcher_grid @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    from_uw = cv2.remap(disparity_uw * zoom, at[..., 0], at[..., 1], cv2.INTER_NEAREST)
    hidden = find_hidden(canvas)
    hidden |= find_inconsistent(canvas, from_uw[:, along]) & _near_hidden(hidden)
    back = turn.undo(np.ascontiguousarray(hidden[:, along]).astype(np.uint8))
    return back.astype(bool)


def _near_hidden(hidden: np.ndarray) -> np.ndarray:
    """Disagreement counts as occlusion only beside a proven one; elsewhere it is a bad match."""
    return cv2.dilate(hidden.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
