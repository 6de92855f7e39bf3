"""Details that both photos show: SIFT (Lowe 2004), W being blurred as it may."""

import math
from typing import NamedTuple

import cv2
import numba
import numpy as np

from dfnet.preprocess.epipolar import Matches, apply_homography

SIDE_PX = 1280
MAX_FEATURES = 5000
CONTRAST = 0.01
BLUR_SHARES = (0.0, 0.005, 0.01, 0.02)  # sigma over the longer side, of the UW copies searched
PATCH_SHARE = 0.0025  # of W's longer side: a detail found at several blurs is still one witness
MATCH_RATIO = 0.75
GUIDED_RATIO = 0.88  # where geometry leaves few candidates
MAX_TURN_DEG = 20.0
MAX_ZOOM = 1.6  # of a detail's size, against what the geometry says


class Keypoints(NamedTuple):
    """Details of one photo.

    Attributes:
        points: (n, 2) at full resolution.
        angle_deg: (n,) orientation.
        size_px: (n,) diameter at full resolution.
        described: (n, 128) root-SIFT (Arandjelović and Zisserman 2012), unit length.
    """

    points: np.ndarray
    angle_deg: np.ndarray
    size_px: np.ndarray
    described: np.ndarray


class Details(NamedTuple):
    """Of both photos; UW's at several blurs, as W may be far out of focus.

    Attributes:
        wide: of W.
        ultrawide: of UW, by blur.
        side_px: W's longer side.
    """

    wide: Keypoints
    ultrawide: tuple[Keypoints, ...]
    side_px: int


class Guide(NamedTuple):
    """What is already known of the geometry, for a second search.

    Attributes:
        w_from_uw: homography (3, 3) up to motion along the axis.
        axis: unit vector along the baseline.
        across_px: matches lie this near to their epipolar line.
        along_px: lowest and highest motion along the axis.
    """

    w_from_uw: np.ndarray
    axis: np.ndarray
    across_px: float
    along_px: tuple[float, float]


def find_details(gray_w: np.ndarray, gray_uw: np.ndarray) -> Details:
    """Search both 8-bit gray photos (H, W) of any size."""
    small_uw, scale_uw = _shrunk(gray_uw)
    copies = [small_uw]
    for share in BLUR_SHARES[1:]:
        copies.append(cv2.GaussianBlur(small_uw, (0, 0), share * max(small_uw.shape)))
    wide = _described(*_shrunk(gray_w))
    ultrawide = tuple(_described(copy, scale_uw) for copy in copies)
    return Details(wide, ultrawide, max(gray_w.shape))


def match_freely(details: Details) -> Matches:
    """Matches that pass the ratio test and are each other's best."""
    return _collected(details, [_best_of_all(details.wide, uw) for uw in details.ultrawide])


def match_guided(details: Details, guide: Guide) -> Matches:
    """The same among the pairs that a first estimate of the geometry allows."""
    found = [_best_of_allowed(details.wide, uw, guide) for uw in details.ultrawide]
    return _collected(details, found)


def _shrunk(gray: np.ndarray) -> tuple[np.ndarray, float]:
    scale = min(1.0, SIDE_PX / max(gray.shape))
    return cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale


def _described(gray: np.ndarray, scale: float) -> Keypoints:
    sift = cv2.SIFT_create(nfeatures=MAX_FEATURES, contrastThreshold=CONTRAST)
    found, described = sift.detectAndCompute(gray, None)
    if described is None:
        described = np.zeros((0, 128), np.float32)
    rooted = np.sqrt(described / np.maximum(described.sum(axis=1, keepdims=True), 1e-6))
    points = np.array([k.pt for k in found], dtype=np.float64).reshape(-1, 2)
    angle, size = (np.array([getattr(k, name) for k in found]) for name in ("angle", "size"))
    return Keypoints((points + 0.5) / scale - 0.5, angle, size / scale, rooted)


def _best_of_all(a: Keypoints, b: Keypoints) -> np.ndarray:
    """Indices (n, 2); a matrix product is faster than a k-d tree here."""
    if min(len(a.points), len(b.points)) < 2:
        return np.zeros((0, 2), dtype=int)
    return _distinct(*_two_best(a.described @ b.described.T), MATCH_RATIO)


def _best_of_allowed(a: Keypoints, b: Keypoints, guide: Guide) -> np.ndarray:
    """Indices (n, 2) among the pairs that lie, turn and scale as the geometry says."""
    if min(len(a.points), len(b.points)) < 2:
        return np.zeros((0, 2), dtype=int)
    to_axis = np.array([guide.axis, [-guide.axis[1], guide.axis[0]]])
    turn = math.degrees(math.atan2(guide.w_from_uw[1, 0], guide.w_from_uw[0, 0]))
    zoom = math.sqrt(abs(np.linalg.det(guide.w_from_uw[:2, :2])))
    moved = apply_homography(guide.w_from_uw, b.points) @ to_axis.T
    poses_a = np.column_stack([a.points @ to_axis.T, a.angle_deg, np.log(a.size_px)])
    poses_b = np.column_stack([moved, b.angle_deg + turn, np.log(b.size_px * zoom)])
    order = np.argsort(poses_b[:, 1])
    limits = np.array([guide.across_px, *guide.along_px, MAX_TURN_DEG, math.log(MAX_ZOOM)])
    described = a.described, np.ascontiguousarray(b.described[order])
    cosine = _cosines_within(*described, poses_a, poses_b[order], limits)
    pairs = _distinct(*_two_best(cosine), GUIDED_RATIO)
    return np.column_stack([pairs[:, 0], order[pairs[:, 1]]])


def _distinct(best, first, second, back, ratio: float) -> np.ndarray:
    """Pairs (n, 2) that are each other's best, and much better than the next.

    Args:
        best: of each row, the likest column; -1 for none.
        first: how like that is, a cosine.
        second: how like the next is.
        back: of each column, the likest row.
        ratio: of the two distances, at most.
    """
    mutual = (best >= 0) & (back[best] == np.arange(len(best))) & (first > 0)
    nearest, next_one = (np.sqrt(np.maximum(1 - cosine, 0)) for cosine in (first, second))
    keep = np.flatnonzero(mutual & (nearest < ratio * next_one))
    return np.stack([keep, best[keep]], axis=1)


@numba.njit(cache=True)
def _two_best(cosine):
    """What `_distinct` asks for, of all pairs (n, m); those of 0 do not count."""
    rows, columns = cosine.shape
    best, back = np.full(rows, -1), np.full(columns, -1)
    first, second = np.zeros(rows, np.float32), np.zeros(rows, np.float32)
    first_back = np.zeros(columns, np.float32)
    for i in range(rows):
        for j in range(columns):
            value = cosine[i, j]
            if value > first[i]:
                best[i], second[i], first[i] = j, first[i], value
            elif value > second[i]:
                second[i] = value
            if value > first_back[j]:
                back[j], first_back[j] = i, value
    return best, first, second, back


@numba.njit(cache=True, fastmath=True)
def _cosines_within(described_a, described_b, poses_a, poses_b, limits):
    """Cosines (n, m) of the few pairs within limits; 0 of the others.

    Poses are (n, 4): along, across, turn, log size; those of b ascend by their place across.
    """
    cosine = np.zeros((len(poses_a), len(poses_b)), np.float32)
    starts = np.searchsorted(poses_b[:, 1], poses_a[:, 1] - limits[0], side="right")
    stops = np.searchsorted(poses_b[:, 1], poses_a[:, 1] + limits[0], side="left")
    for i in range(len(poses_a)):
        for j in range(starts[i], stops[i]):
            if _fits(poses_a[i], poses_b[j], limits):
                value = np.float32(0)
                for k in range(described_a.shape[1]):
                    value += described_a[i, k] * described_b[j, k]
                cosine[i, j] = value
    return cosine


@numba.njit(cache=True, fastmath=True)
def _fits(pose_a, pose_b, limits):
    motion = pose_b[0] - pose_a[0]
    turned = (pose_a[2] - pose_b[2] + 180) % 360 - 180
    alike = abs(turned) < limits[3] and abs(pose_a[3] - pose_b[3]) < limits[4]
    return alike and limits[1] < motion < limits[2]


def _collected(details: Details, found: list[np.ndarray]) -> Matches:
    wide = np.concatenate([details.wide.points[pairs[:, 0]] for pairs in found])
    ultrawide = [k.points[pairs[:, 1]] for k, pairs in zip(details.ultrawide, found, strict=True)]
    cell = (wide / (PATCH_SHARE * details.side_px)).round()
    _, first = np.unique(cell, axis=0, return_index=True)
    return Matches(wide, np.concatenate(ultrawide)).at(np.sort(first))
