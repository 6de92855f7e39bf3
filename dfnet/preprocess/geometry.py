"""Where UW lies: from the pictures, helped by metadata that the pictures do not contradict."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from dfnet.camera import Camera
from dfnet.preprocess.align import MAX_ASTRAY_SHARE, Views, gray_8_bit, straighten, working_views
from dfnet.preprocess.cameras import baseline_direction
from dfnet.preprocess.depth import Rig, known_rig
from dfnet.preprocess.plausible import plausible_cameras
from dfnet.preprocess.rectify import Rectification
from dfnet.preprocess.register import NoOverlapError, register

MAX_LEFT_ACROSS_PX = 0.003  # of the longer side; more means that rectification failed
MAX_SCALE_ERROR = 0.12  # of the focal lengths' ratio; EXIF's whole millimetres make 0.06
MIN_AXIS_COSINE = 0.8
BETTER = 0.5  # what is left across, when the pictures' own axis is taken instead of the stated one


class Geometry(NamedTuple):
    """How UW is to be laid onto W.

    Attributes:
        views: both photos on the working grid.
        rectification: from W's grid to UW's.
        motion_range_px: along the baseline [full W px].
        left_px: median distance across the baseline that is left [full W px].
        cameras: what is believed of the metadata.
        rig: the two cameras, where enough is believed.
        notes: what is not believed, and why.
    """

    views: Views
    rectification: Rectification
    motion_range_px: tuple[float, float]
    left_px: float
    cameras: dict[str, Camera]
    rig: Rig | None
    notes: tuple[str, ...]


def find_geometry(
    photos: tuple[np.ndarray, np.ndarray],
    cameras: dict[str, Camera],
    working_side_px: int,
    rounds: int,
) -> Geometry:
    """Register and straighten UW; the metadata first, and the pictures alone where they disagree.

    Args:
        photos: W and UW, (H, W, 3) in [0, 1].
        cameras: what is known, if anything.
        working_side_px: longer side of the working grid.
        rounds: of straightening.

    Raises:
        InputError: the photos have too little in common, or are swapped.
    """
    shapes = {n: p.shape[:2] for n, p in zip(("wide", "ultrawide"), photos, strict=True)}
    cameras, notes = plausible_cameras(cameras, shapes)
    believed = baseline_direction(cameras)
    rig = known_rig(cameras, *shapes.values())
    try:
        found = _laid_out(photos, believed, rig, working_side_px, rounds)
    except NoOverlapError:
        if believed is None:
            raise
        found = None
    if believed is not None and (found is None or _is_doubtful(found)):
        free = _laid_out(photos, None, None, working_side_px, rounds)
        if found is None or _is_better(free, found, believed):
            found, cameras = free, _without_place(cameras)
            notes = (*notes, _on_axis(believed, found[1].registration.axis))
    wrong_scale = _on_scale(cameras, found[0].w_per_uw)
    if wrong_scale is not None:
        cameras, notes = _without_focal_lengths(cameras), (*notes, wrong_scale)
    return Geometry(*found, cameras, known_rig(cameras, *shapes.values()), notes)


def _laid_out(photos, direction, rig, working_side_px, rounds):
    """Views, rectification, range of motion, and what is left across the baseline."""
    w, uw = photos
    at_infinity = None if rig is None else rig.w_from_uw_at_infinity
    registration = register(gray_8_bit(w), gray_8_bit(uw), direction, at_infinity)
    views = working_views(w, uw, registration, working_side_px)
    return views, *straighten(views, Rectification(registration, w.shape[:2]), rounds)


def _is_doubtful(found: Sequence) -> bool:
    _, rectification, _, left = found
    too_far = left > MAX_LEFT_ACROSS_PX * max(rectification.shape_w)
    return too_far or rectification.astray_share > MAX_ASTRAY_SHARE


def _is_better(free: Sequence, found: Sequence, direction: np.ndarray) -> bool:
    """Whether the pictures' own axis is another one and fits them much better."""
    if abs(free[1].registration.axis @ direction) > MIN_AXIS_COSINE:
        return False
    astray = free[1].astray_share, found[1].astray_share
    return astray[0] < BETTER * astray[1] or free[3] < BETTER * found[3]


def _on_axis(stated: np.ndarray, seen: np.ndarray) -> str:
    return (
        f"The metadata place the ultra-wide camera along ({stated[0]:.2f}, {stated[1]:.2f}), the "
        f"pictures along ({seen[0]:.2f}, {seen[1]:.2f}) or against it; the pictures were believed."
    )


def _on_scale(cameras: dict[str, Camera], w_per_uw: float) -> str | None:
    """A note where the focal lengths' ratio is not the photos' scale."""
    focal = [cameras.get(n, Camera()).focal_length_px for n in ("wide", "ultrawide")]
    if None in focal:
        return None
    stated = focal[0] / focal[1]
    if abs(math.log(stated / w_per_uw)) <= MAX_SCALE_ERROR:
        return None
    swapped = abs(math.log(stated * w_per_uw)) <= MAX_SCALE_ERROR
    why = "the two cameras' look swapped" if swapped else "is it another phone's preset?"
    return (
        f"The stated focal lengths mean that one pixel of UW spans {stated:.2f} of W, the pictures "
        f"show {w_per_uw:.2f}: {why}; the pictures were believed."
    )


def _without_place(cameras: dict[str, Camera]) -> dict[str, Camera]:
    return {n: replace(c, position_m=None, direction=None) for n, c in cameras.items()}


def _without_focal_lengths(cameras: dict[str, Camera]) -> dict[str, Camera]:
    return {n: replace(c, focal_length_px=None) for n, c in cameras.items()}
