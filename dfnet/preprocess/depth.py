"""Depth: in metres where the rig is known, else relative, and never one called the other."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.camera import Camera
from dfnet.preprocess.cameras import baseline_m
from dfnet.preprocess.epipolar import apply_homography

MAX_OFFSET_SPREAD = 0.25  # of the disparity range: beyond it the metadata do not fit the pictures
MIN_DISPARITY_PX = 0.05  # nearer to zero than this is infinitely far


class Rig(NamedTuple):
    """Two cameras, known well enough for metres.

    Attributes:
        uw_from_w_at_infinity: homography (3, 3), W px to UW px of infinitely far points.
        w_from_uw_at_infinity: its inverse.
        baseline_w: UW's position in W's axes (x, y) [m].
        focal_length_px: W's.
    """

    uw_from_w_at_infinity: np.ndarray
    w_from_uw_at_infinity: np.ndarray
    baseline_w: np.ndarray
    focal_length_px: float

    @property
    def baseline_m(self) -> float:
        """Distance between the lenses across the optical axis [m]."""
        return float(np.hypot(*self.baseline_w))


def known_rig(
    cameras: dict[str, Camera], shape_w: tuple[int, int], shape_uw: tuple[int, int]
) -> Rig | None:
    """The rig from metadata, or None where a needed number is missing."""
    wide, uw = cameras.get("wide", Camera()), cameras.get("ultrawide", Camera())
    baseline = baseline_m(cameras)
    if None in (wide.focal_length_px, uw.focal_length_px) or baseline is None:
        return None
    rotation, _ = cv2.Rodrigues(np.array(uw.rotation or (0.0, 0.0, 0.0)))
    to_uw = _intrinsics(uw, shape_uw) @ rotation @ np.linalg.inv(_intrinsics(wide, shape_w))
    return Rig(to_uw, np.linalg.inv(to_uw), baseline, float(wide.focal_length_px))


def zero_offset_px(
    rig: Rig, disparity_w_px: np.ndarray, flow_w_to_uw: np.ndarray, valid: np.ndarray
) -> float | None:
    """What to add to a disparity map so that 0 is infinity, or None where the rig contradicts it.

    Args:
        rig: from metadata.
        disparity_w_px: (H, W), up to an offset.
        flow_w_to_uw: (H, W, 2) [px], at full resolution.
        valid: bool (H, W).
    """
    step = max(1, int(valid.sum()) // 20_000)
    y, x = _every(step, valid)
    if len(x) == 0:
        return None
    at = np.stack([x, y], axis=1).astype(np.float64)
    at_infinity = apply_homography(rig.w_from_uw_at_infinity, at + flow_w_to_uw[y, x])
    direction = rig.baseline_w / rig.baseline_m
    offsets = -((at_infinity - at) @ direction) - disparity_w_px[y, x]
    spread = np.quantile(offsets, 0.9) - np.quantile(offsets, 0.1)
    scene = np.quantile(disparity_w_px[y, x], 0.99) - np.quantile(disparity_w_px[y, x], 0.01)
    if spread > max(2.0, MAX_OFFSET_SPREAD * scene):
        return None
    return float(np.median(offsets))


def _every(step: int, flags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of each `step`-th place that is set, row by row."""
    found, seen = [], 0
    for top, row in enumerate(flags):
        columns = np.flatnonzero(row)
        chosen = columns[-seen % step :: step]
        found.append((np.full(len(chosen), top), chosen))
        seen += len(columns)
    rows, columns = zip(*found, strict=True)
    return np.concatenate(rows), np.concatenate(columns)


def depth_from_disparity(metric_disparity_px: Tensor, rig: Rig) -> Tensor:
    """z-depth [m] of disparities whose zero is infinity; `inf` at and below zero."""
    depth = rig.baseline_m * rig.focal_length_px / metric_disparity_px.clamp_min(MIN_DISPARITY_PX)
    return depth.masked_fill_(metric_disparity_px <= MIN_DISPARITY_PX, float("inf"))


def relative_inverse_depth(disparity_px: Tensor, valid: Tensor) -> Tensor:
    """Disparity brought to 0 (farthest) .. 1 (nearest); no unit, not depth.

    Args:
        disparity_px: (1, H, W).
        valid: bool (1, H, W); its 1 % and 99 % quantiles become 0 and 1.
    """
    known = valid[0] if bool(valid.any()) else torch.ones_like(valid[0])
    at = _every(max(1, int(known.sum()) // 100_000), known.numpy())
    values = disparity_px[0][at].sort().values
    low, high = values[int(0.01 * (len(values) - 1))], values[int(0.99 * (len(values) - 1))]
    return (disparity_px - low).div_((high - low).clamp_min(1e-6)).clamp_(0, 1)


def _intrinsics(camera: Camera, shape: tuple[int, int]) -> np.ndarray:
    cx, cy = camera.principal_point_px or ((shape[1] - 1) / 2, (shape[0] - 1) / 2)
    f = camera.focal_length_px
    return np.array([[f, 0.0, cx], [0.0, f, cy], [0.0, 0.0, 1.0]])
