"""Where UW's pixels lie on W's grid, up to parallax.

Keypoints first; where W shows too little detail for them, whole patches. Matches that agree by more
than chance give a first geometry, which finds more matches, which fit it closely.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from dfnet.errors import InputError
from dfnet.preprocess.agreement import Agreement, Frames, find_agreement
from dfnet.preprocess.epipolar import (
    Matches,
    along_and_across,
    fit_across,
    translation,
)
from dfnet.preprocess.keypoints import (
    Details,
    Guide,
    find_details,
    match_freely,
    match_guided,
)
from dfnet.preprocess.overlap import measure_overlap
from dfnet.preprocess.patches import match_patches
from dfnet.preprocess.plane import fit_plane

AXES = tuple(np.array(a) for a in ((1.0, 0.0), (0.0, 1.0)))  # phones carry their lenses so,
DIAGONALS = tuple(np.array(a) / math.sqrt(2) for a in ((1.0, 1.0), (-1.0, 1.0)))  # or so
DIAGONAL_HANDICAP = 1.15
FIELD_RATIOS = (0.35, 3.5)  # of UW's to W's field of view that are looked for
MAX_LOG10_CHANCE = -3.0  # 78 of 80 unrelated pairs stay above -0.1; containment stops others
WEAK_LOG10_CHANCE = -12.0  # beyond it keypoints need no help from patches
DOUBTFUL_LOG10_CHANCE = -30.0  # beyond it the axis needs no help from whole pictures
PATCH_FIELD_RATIOS = 0.92 * 1.09 ** np.arange(12)  # phones have 1.0 to 2.2
PATCH_SCALE_STEP = 1.07
BANDS_SHARE = (0.03, 0.01)  # of W's longer side, about the epipolar line: first and second search
MAX_PARALLAX_SHARE = 0.75
ACROSS_TOLERANCE_SHARE = 0.01
MAX_FITTED = 600
NEIGHBOUR_SHARE = 0.06  # of W's longer side
ALIKE_SHARE = 0.015
NEIGHBOURS = 3
KEYPOINT_QUANTILES = (0.05, 0.95)
MIN_AGREED = 0.15
MIN_EXPECTED = 8  # where metadata foretell the place
FEW = 40
PLANE_LEAD = 1.2  # a plane must explain that many times the matches the epipolar model does
MIN_FIELD_RATIO = 0.9  # of UW's to W's field of view; below it the two files are swapped


class NoOverlapError(InputError):
    """The two photos have too little in common."""


class SwappedError(InputError):
    """W was given as UW and UW as W."""


class Registration(NamedTuple):
    """UW's place on W's grid, as if all were infinitely far.

    Attributes:
        w_from_uw: homography (3, 3), UW px to W px, at full resolution.
        axis: unit vector along the baseline in W's image axes; which way UW lies is not yet known.
        inliers: matches that agree.
        cross_residual_px: median distance of the matches from their epipolar lines, full W px.
        motion_range_px: of the matches along the axis, full W px.
    """

    w_from_uw: np.ndarray
    axis: np.ndarray
    inliers: int
    cross_residual_px: float
    motion_range_px: tuple[float, float]


class Start(NamedTuple):
    """A first geometry and the matches behind it."""

    agreement: Agreement
    matches: Matches
    is_metadata: bool = False


def register(
    gray_w: np.ndarray,
    gray_uw: np.ndarray,
    axis: np.ndarray | None = None,
    expected_w_from_uw: np.ndarray | None = None,
) -> Registration:
    """Register UW to W.

    Args:
        gray_w: 8-bit gray (H, W).
        gray_uw: 8-bit gray, any size and scale.
        axis: the baseline's axis where it is known from metadata.
        expected_w_from_uw: homography (3, 3) of infinitely far points where metadata tell it; it is
            refined, or dropped where the photos contradict it.

    Raises:
        NoOverlapError: the photos have too little in common.
        SwappedError: UW sees less than W.
    """
    grays = gray_w, gray_uw
    details = find_details(gray_w, gray_uw)
    free = match_freely(details)
    start = _expected(free, axis, expected_w_from_uw, details.side_px)
    axes = (*AXES, *DIAGONALS) if axis is None else (np.asarray(axis, dtype=float),)
    starts = [start] if start is not None else _starts(free, axes, grays)
    plane = None if start is not None else fit_plane(free, gray_uw.shape, details.side_px)
    if plane is not None and plane[1].sum() > PLANE_LEAD * max(map(_inliers, starts), default=0):
        _refuse_swapped(plane[0], gray_w.shape, gray_uw.shape)
        return _registration(plane[0], axes[0], free.at(plane[1]), grays)
    if not starts:
        raise _unrelated(len(free))
    start = _best_start(starts, grays)
    _refuse_swapped(start.agreement.similarity, gray_w.shape, gray_uw.shape)
    return _registration(*_refined(details, start), grays)


def _registration(
    homography: np.ndarray,
    axis: np.ndarray,
    matches: Matches,
    grays: tuple[np.ndarray, np.ndarray],
) -> Registration:
    side_px = max(grays[0].shape)
    along, across = along_and_across(matches, homography, axis)
    near = np.abs(across) < ACROSS_TOLERANCE_SHARE * side_px
    if not near.any():
        raise _unrelated(len(matches))
    middle = float(np.median(along[near]))
    homography = translation(-axis * middle) @ homography
    left = float(np.median(np.abs(across[near])))
    moved = _motion_range(grays, homography, axis, along[near] - middle)
    return Registration(homography, axis, int(near.sum()), left, moved)


def _motion_range(grays, homography, axis, along) -> tuple[float, float]:
    """Of whole pictures: keypoints miss what is near and blurred; repeated patterns fool them."""
    overlap = measure_overlap(*grays, homography, axis)
    low, high = np.quantile(along, KEYPOINT_QUANTILES)
    if overlap.share * overlap.likeness < MIN_AGREED:
        return float(low), float(high)
    return min(float(low), overlap.motion_range_px[0]), max(float(high), overlap.motion_range_px[1])


def _supported(points_w: np.ndarray, along: np.ndarray, side_px: float) -> np.ndarray:
    """Matches whose neighbours move alike; wrong matches are alone."""
    place = np.column_stack([points_w, along * NEIGHBOUR_SHARE / ALIKE_SHARE])
    radius = NEIGHBOUR_SHARE * side_px
    count = cKDTree(place).query_ball_point(place, radius, return_length=True) - 1
    return count >= min(NEIGHBOURS, len(along) // FEW)


def _refined(details: Details, start: Start) -> tuple[np.ndarray, np.ndarray, Matches]:
    """Search again near the epipolar lines, fit; and once more with what that gives."""
    side = details.side_px
    agreement, axis = start.agreement, start.agreement.axis
    homography = agreement.similarity
    anchors = start.matches.at(agreement.inliers)
    for band in BANDS_SHARE:
        middle = float(np.median(along_and_across(anchors, homography, axis)[0]))
        along = (middle - MAX_PARALLAX_SHARE * side, middle + MAX_PARALLAX_SHARE * side)
        found = match_guided(details, Guide(homography, axis, band * side, along))
        moved, _ = along_and_across(found, homography, axis)
        matches = _joined(anchors, found.at(_supported(found.wide, moved, side)))
        if start.is_metadata and len(matches) < FEW:  # metadata know better than a handful
            break
        step = math.ceil(len(matches) / MAX_FITTED)
        fit = fit_across(matches.at(slice(None, None, step)), homography, axis, side)
        homography, axis = fit.w_from_uw, fit.axis
    return homography, axis, matches


def _joined(a: Matches, b: Matches) -> Matches:
    return Matches(np.concatenate([a.wide, b.wide]), np.concatenate([a.ultrawide, b.ultrawide]))


def _expected(matches, axis, homography, side_px) -> Start | None:
    """The homography of the metadata and the matches that fit it, or None if too few do."""
    if axis is None or homography is None:
        return None
    axis = np.asarray(axis, dtype=float)
    along, across = along_and_across(matches, homography, axis)
    near = (np.abs(across) < BANDS_SHARE[0] * side_px) & (
        np.abs(along) < MAX_PARALLAX_SHARE * side_px
    )
    if near.sum() < max(MIN_EXPECTED, len(matches) / 3):
        return None
    similarity = homography / homography[2, 2]
    return Start(Agreement(similarity, axis, near, -math.inf), matches, is_metadata=True)


def _starts(free: Matches, axes: tuple, grays: tuple[np.ndarray, np.ndarray]) -> list[Start]:
    """What chance does not explain, over all axes, the least accidental first."""
    starts = [s for axis in axes if (s := _start(free, axis, grays)) is not None]
    if not starts or min(map(_log10_chance, starts)) > WEAK_LOG10_CHANCE:
        starts += [s for axis in axes[: len(AXES)] if (s := _patch_start(grays, axis)) is not None]
    believed = (s for s in starts if _log10_chance(s) < MAX_LOG10_CHANCE)
    return sorted(believed, key=_log10_chance)


def _best_start(starts: list[Start], grays: tuple[np.ndarray, np.ndarray]) -> Start:
    if _log10_chance(starts[0]) < DOUBTFUL_LOG10_CHANCE:
        return starts[0]
    return max(starts, key=lambda start: _agreed_area(grays, start.agreement))


def _inliers(start: Start) -> int:
    return int(start.agreement.inliers.sum())


def _start(free: Matches, axis: np.ndarray, grays: tuple[np.ndarray, np.ndarray]) -> Start | None:
    limits = tuple(ratio * _equal_fields(grays) for ratio in FIELD_RATIOS)
    agreement = find_agreement(free, axis, _frames(grays), limits)
    return None if agreement is None else Start(agreement, free)


def _patch_start(grays: tuple[np.ndarray, np.ndarray], axis: np.ndarray) -> Start | None:
    """From whole patches, at the scale where they agree best."""
    starts = []
    for scale in PATCH_FIELD_RATIOS * _equal_fields(grays):
        matches = match_patches(*grays, scale)
        limits = scale / PATCH_SCALE_STEP, scale * PATCH_SCALE_STEP
        agreement = find_agreement(matches, axis, _frames(grays), limits)
        if agreement is not None:
            tried = agreement.log10_chance + math.log10(len(PATCH_FIELD_RATIOS))
            starts.append(Start(agreement._replace(log10_chance=tried), matches))
    return min(starts, key=_log10_chance, default=None)


def _frames(grays: tuple[np.ndarray, np.ndarray]) -> Frames:
    return Frames(grays[0].shape, grays[1].shape)


def _equal_fields(grays: tuple[np.ndarray, np.ndarray]) -> float:
    """W px per UW px of two photos that see equally much."""
    return math.hypot(*grays[0].shape) / math.hypot(*grays[1].shape)


def _log10_chance(start: Start) -> float:
    """A diagonal baseline must be that much likelier to be believed."""
    axis = start.agreement.axis
    handicap = DIAGONAL_HANDICAP if np.abs(axis).max() < 0.8 else 1.0
    return start.agreement.log10_chance / handicap


def _agreed_area(grays: tuple[np.ndarray, np.ndarray], agreement: Agreement) -> float:
    overlap = measure_overlap(*grays, agreement.similarity, agreement.axis)
    return overlap.share * overlap.likeness


def _unrelated(count: int) -> NoOverlapError:
    return NoOverlapError(
        f"wide and ultrawide: {count} details that both seem to show, but not more agree than by"
        " chance\n"
        "  The two photos must show the same scene, taken at the same moment.\n"
        "  Check that the files belong together and are neither black nor badly blurred."
    )


def _refuse_swapped(similarity: np.ndarray, shape_w: tuple, shape_uw: tuple) -> None:
    scale = math.sqrt(abs(np.linalg.det(similarity[:2, :2])))
    field_ratio = scale * math.hypot(*shape_uw) / math.hypot(*shape_w)
    if field_ratio < MIN_FIELD_RATIO:
        raise SwappedError(
            f"wide and ultrawide: `ultrawide` sees only {field_ratio:.2f} times as much as `wide`\n"
            "  The ultra-wide photo must have the wider field of view; the two look swapped.\n"
            "  Give them the other way round."
        )
