"""Details that both photos show: SIFT (Lowe 2004), W being blurred as it may."""

import math
from typing import NamedTuple

import cv2
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
    return _collected(details, [_best(details.wide, uw, MATCH_RATIO) for uw in details.ultrawide])


def match_guided(details: Details, guide: Guide) -> Matches:
    """The same among the pairs that a first estimate of the geometry allows."""
    found = []
    for uw in details.ultrawide:
        allowed = _allowed(details.wide, uw, guide)
        found.append(_best(details.wide, uw, GUIDED_RATIO, allowed))
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


def _best(a: Keypoints, b: Keypoints, ratio: float, allowed: np.ndarray | None = None):
    """Indices (n, 2); a matrix product is faster than a k-d tree here."""
    if min(len(a.points), len(b.points)) < 2:
        return np.zeros((0, 2), dtype=int)
    similarity = a.described @ b.described.T
    if allowed is not None:
        similarity[~allowed] = 0.0  # no better than a descriptor that shares nothing
    best = similarity.argmax(axis=1)
    rows = np.arange(len(best))
    first = similarity[rows, best]
    mutual = (similarity.argmax(axis=0)[best] == rows) & (first > 0)
    similarity[rows, best] = -1
    second = similarity.max(axis=1)
    distinct = np.sqrt(np.maximum(1 - first, 0)) < ratio * np.sqrt(np.maximum(1 - second, 0))
    keep = np.flatnonzero(distinct & mutual)
    return np.stack([keep, best[keep]], axis=1)


def _allowed(a: Keypoints, b: Keypoints, guide: Guide) -> np.ndarray:
    """Pairs (n, m) that lie, turn and scale as the geometry says."""
    to_axis = np.array([guide.axis, [-guide.axis[1], guide.axis[0]]])
    along, across = to_axis @ apply_homography(guide.w_from_uw, b.points).T
    to_along, to_across = to_axis @ a.points.T
    motion = along[None] - to_along[:, None]
    allowed = np.abs(across[None] - to_across[:, None]) < guide.across_px
    allowed &= (motion > guide.along_px[0]) & (motion < guide.along_px[1])
    turn = math.degrees(math.atan2(guide.w_from_uw[1, 0], guide.w_from_uw[0, 0]))
    differ = (a.angle_deg[:, None] - b.angle_deg[None] - turn + 180) % 360 - 180
    zoom = math.sqrt(abs(np.linalg.det(guide.w_from_uw[:2, :2])))
    ratio = np.log(a.size_px / zoom)[:, None] - np.log(b.size_px)[None]
    return allowed & (np.abs(differ) < MAX_TURN_DEG) & (np.abs(ratio) < math.log(MAX_ZOOM))


def _collected(details: Details, found: list[np.ndarray]) -> Matches:
    wide = np.concatenate([details.wide.points[pairs[:, 0]] for pairs in found])
    ultrawide = [k.points[pairs[:, 1]] for k, pairs in zip(details.ultrawide, found, strict=True)]
    cell = (wide / (PATCH_SHARE * details.side_px)).round()
    _, first = np.unique(cell, axis=0, return_index=True)
    return Matches(wide, np.concatenate(ultrawide)).at(np.sort(first))
