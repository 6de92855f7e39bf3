"""Disparity and occlusion on W's working grid, from rectified views and any matcher."""

import math
from typing import NamedTuple

import cv2
import numpy as np
import torch

from dfnet.optics import BlurLaw, defocus_from_disparity
from dfnet.preprocess.align import Views, gray, shrink
from dfnet.preprocess.blur_match import variable_disc_blur
from dfnet.preprocess.match import EpipolarPair, Matcher, Turn, turn_to_axis
from dfnet.preprocess.occlusion import find_hidden, find_inconsistent
from dfnet.preprocess.order import NearFar, solve_near_far
from dfnet.preprocess.rectify import Rectification, sample_uw
from dfnet.preprocess.refine import fill_from_far, upsample_along_edges

RANGE_MARGIN_SHARE = 0.25
RANGE_MARGIN_PX = 4.0


class Canvas(NamedTuple):
    """Both views at the matcher's scale, turned so that the baseline lies along x.

    Attributes:
        image_w: (H, W, 3).
        image_uw: (H, W, 3), rectified; it reaches beyond W's frame along the baseline.
        turn: between W's grid and the canvas.
        scale: of the canvas against W's full size.
        motion_range: to be searched [canvas px].
    """

    image_w: np.ndarray
    image_uw: np.ndarray
    turn: Turn
    scale: float
    motion_range: tuple[float, float]


class Motion(NamedTuple):
    """What a matcher found on a canvas [canvas px]; NaN where unknown.

    Attributes:
        motion_w: W (x, y) is UW (x + m, y).
        motion_uw: UW (x, y) is W (x - m, y).
        canvas: where it was found.
    """

    motion_w: np.ndarray
    motion_uw: np.ndarray
    canvas: Canvas


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
    return Canvas(turn.apply(small_w), canvas_uw, turn, scale, (low, high))


def find_motion(canvas: Canvas, matcher: Matcher) -> Motion:
    """Run a matcher on a canvas."""
    pair = EpipolarPair(gray(canvas.image_w), gray(canvas.image_uw), canvas.motion_range)
    match = matcher(pair)
    return Motion(match.motion_w, match.motion_uw, canvas)


def find_motion_through_blur(
    canvas: Canvas, matcher: Matcher, earlier: Motion, near_far: NearFar, law: BlurLaw
) -> Motion:
    """Run a matcher once more, UW blurred as W would be at the disparities found earlier.

    Args:
        canvas: may be finer than the earlier one.
        matcher: any.
        earlier: a first result.
        near_far: the order of the earlier motion.
        law: fitted to it [full W px].
    """
    disparity = near_far.sign * fill_from_far(earlier.motion_uw, near_far.near_is_larger)
    on_canvas = _between_canvases(disparity, earlier.canvas, canvas, cv2.INTER_LINEAR)
    coc = defocus_from_disparity(torch.from_numpy(on_canvas / earlier.canvas.scale), law).abs()
    blurred = variable_disc_blur(gray(canvas.image_uw).clip(0, 1), coc.numpy() * canvas.scale)
    pair = EpipolarPair(gray(canvas.image_w), blurred, canvas.motion_range)
    match = matcher(pair)
    return Motion(match.motion_w, match.motion_uw, canvas)


def order_from_images(motion: Motion) -> NearFar:
    """Which end of the motion is near, as `solve_near_far`."""
    canvas = motion.canvas
    upright = canvas.turn.undo(motion.motion_w)
    return solve_near_far(
        canvas.image_w, canvas.image_uw, motion.motion_w, motion.motion_uw, upright
    )


def solve_stereo(views: Views, motion: Motion, axis: np.ndarray, near_far: NearFar) -> Stereo:
    """Fill, upsample along the picture's edges, and find what UW cannot see."""
    near, sign, canvas = near_far.near_is_larger, near_far.sign, motion.canvas
    trust = np.isfinite(motion.motion_w).astype(np.float32)
    upright_trust = canvas.turn.undo(trust)
    disparity = upsample_along_edges(
        sign * canvas.turn.undo(fill_from_far(motion.motion_w, near)),
        upright_trust,
        canvas.turn.undo(canvas.image_w),
        views.image_w,
    )
    hidden = _hidden(disparity, sign * fill_from_far(motion.motion_uw, near), axis, near, canvas)
    size = disparity.shape[1], disparity.shape[0]
    matched = cv2.resize(upright_trust, size, interpolation=cv2.INTER_LINEAR) > 0.5
    return Stereo(disparity / canvas.scale, matched & ~hidden, hidden, -sign * axis, near_far)


def _hidden(disparity, disparity_uw, axis, near, canvas) -> np.ndarray:
    """Z-buffer and forward-backward tests, on a canvas that runs from W to UW."""
    turn = turn_to_axis(disparity.shape, axis)
    zoom = disparity.shape[1] / canvas.turn.shape[1]
    along = slice(None, None, -1) if near else slice(None)
    working = Canvas(None, None, turn, canvas.scale * zoom, canvas.motion_range)
    on_w = (turn.apply(disparity, cv2.INTER_NEAREST) * zoom)[:, along]
    on_uw = _between_canvases(disparity_uw * zoom, canvas, working, cv2.INTER_NEAREST)[:, along]
    hidden = find_hidden(on_w)
    hidden |= find_inconsistent(on_w, on_uw) & _near_hidden(hidden)
    back = turn.undo(np.ascontiguousarray(hidden[:, along]).astype(np.uint8))
    return back.astype(bool)


def _between_canvases(values, source: Canvas, target: Canvas, interpolation: int) -> np.ndarray:
    """Values of one canvas at the pixels of another that may have another scale and margin."""
    on_source_grid = (target.turn.positions() + 0.5) * source.scale / target.scale - 0.5
    matrix = source.turn.matrix
    at = (on_source_grid @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return cv2.remap(
        np.ascontiguousarray(values, dtype=np.float32),
        at[..., 0],
        at[..., 1],
        interpolation,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _near_hidden(hidden: np.ndarray) -> np.ndarray:
    """Disagreement counts as occlusion only beside a proven one; elsewhere it is a bad match."""
    return cv2.dilate(hidden.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
