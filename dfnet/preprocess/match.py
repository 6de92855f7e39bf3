"""Motion along the baseline between W and rectified UW: what a matcher is given and returns.

Matchers are interchangeable: any callable from `EpipolarPair` to `Match` will do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

SNAP_DEG = 0.3


class MotionLaw(NamedTuple):
    """The blur law in the canvas's own motion: CoC diameter = per_px * |m - at_focus_px|.

    Attributes:
        per_px: circle-of-confusion diameter [canvas px] per canvas px of motion; not negative.
        at_focus_px: the motion that W shows sharp; may lie outside the scene's range.
    """

    per_px: float
    at_focus_px: float


class Match(NamedTuple):
    """What a matcher found, on the canvas; float32 (H, W).

    Attributes:
        motion_w: W (x, y) is UW (x + m, y) [px]; NaN where unknown.
        motion_uw: UW (x, y) is W (x - m, y) [px]: W to UW as well; NaN where unknown.
        confidence_w: in [0, 1], 0 where `motion_w` is unknown.
        confidence_uw: the same of `motion_uw`.
    """

    motion_w: np.ndarray
    motion_uw: np.ndarray
    confidence_w: np.ndarray
    confidence_uw: np.ndarray


class EpipolarPair(NamedTuple):
    """W and UW turned so that the baseline lies along x: W (x, y) is found in UW at (x + m, y).

    Attributes:
        gray_w: float32 gray (H, W) in [0, 1], sRGB-encoded.
        gray_uw: the same of UW, histogram-matched to W.
        motion_range: lowest and highest m to look for [px].
        law: which motion is blurred how much in W; None: not known, match as if nothing were.
        noise_w: standard deviation of the noise in `gray_w`, 0 where not known.
        noise_uw: the same of `gray_uw` (`sweep_images.noise_on_canvas` estimates both).
        uw_scale: canvas px per pixel of UW's own; above 1 UW resolves less than the canvas.
    """

    gray_w: np.ndarray
    gray_uw: np.ndarray
    motion_range: tuple[float, float]
    law: MotionLaw | None = None
    noise_w: float = 0.0
    noise_uw: float = 0.0
    uw_scale: float = 1.0


Matcher = Callable[[EpipolarPair], Match]


@dataclass(frozen=True)
class SemiGlobalMatcher:
    """OpenCV's 3-way semi-global block matching (Hirschmüller 2008); it knows nothing of blur.

    Attributes:
        block_px: side of the matched blocks.
        smoothness: penalties per unit of 8-bit contrast; 1 is OpenCV's own advice.
        consistent_px: W and UW must agree to this, else a motion is unknown.
    """

    block_px: int = 5
    smoothness: float = 4.0
    consistent_px: float = 1.0

    def __call__(self, pair: EpipolarPair) -> Match:
        """Both motions; confidence is how well they agree, from 1 down to 1/2."""
        gray_w, gray_uw = _to_8_bit(pair.gray_w), _to_8_bit(pair.gray_uw)
        motion_w = self._search(gray_w, gray_uw, pair.motion_range)
        # Seen from UW and mirrored, the search runs the same way.
        motion_uw = self._search(gray_uw[:, ::-1], gray_w[:, ::-1], pair.motion_range)[:, ::-1]
        return consistent_match(motion_w, motion_uw, self.consistent_px)

    def _search(self, reference: np.ndarray, other: np.ndarray, motion_range) -> np.ndarray:
        low, high = np.floor(motion_range[0]), np.ceil(motion_range[1])
        count = 16 * max(1, int(np.ceil((high - low + 1) / 16)))
        first = int(-high)
        pad = count + abs(first) + self.block_px
        padded = [
            cv2.copyMakeBorder(np.ascontiguousarray(g), 0, 0, pad, pad, cv2.BORDER_REPLICATE)
            for g in (reference, other)
        ]
        area = self.block_px**2
        search = cv2.StereoSGBM_create(
            minDisparity=first,
            numDisparities=count,
            blockSize=self.block_px,
            P1=int(8 * area * self.smoothness),
            P2=int(32 * area * self.smoothness),
            disp12MaxDiff=-1,
            preFilterCap=31,
            uniquenessRatio=0,
            speckleWindowSize=0,
            mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
        )
        disparity = search.compute(*padded)[:, pad:-pad].astype(np.float32) / 16
        return np.where(disparity < first, np.nan, -disparity)


def _to_8_bit(gray: np.ndarray) -> np.ndarray:
    return (gray.clip(0, 1) * 255).round().astype(np.uint8)


def sample_row(values: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """`values` at x + offset, nearest pixel; NaN outside and where the offset is NaN."""
    width = values.shape[1]
    at = np.arange(width)[None] + offset
    known = np.isfinite(at) & (at >= -0.5) & (at <= width - 0.5)
    column = np.where(known, at, 0).round().astype(int).clip(0, width - 1)
    return np.where(known, np.take_along_axis(values, column, axis=1), np.nan)


def consistent_match(motion_w: np.ndarray, motion_uw: np.ndarray, consistent_px: float) -> Match:
    """Keep what going there and back confirms to `consistent_px`; agreement is the confidence.

    Args:
        motion_w: W (x, y) is UW (x + m, y), (H, W); NaN allowed.
        motion_uw: UW (x, y) is W (x - m, y), (H, W); NaN allowed.
        consistent_px: the largest difference that is kept; confidence there is 1/2.
    """
    there = np.abs(sample_row(motion_uw, motion_w) - motion_w)
    back = np.abs(sample_row(motion_w, -motion_uw) - motion_uw)
    maps = [
        np.where(difference <= consistent_px, motion, np.nan).astype(np.float32)
        for motion, difference in ((motion_w, there), (motion_uw, back))
    ]
    confidence = [
        np.where(difference <= consistent_px, 1 - 0.5 * difference / consistent_px, 0.0)
        for difference in (there, back)
    ]
    return Match(*maps, *(c.astype(np.float32) for c in confidence))


class Turn(NamedTuple):
    """The rotation between an image grid and the canvas on which the baseline lies along x.

    Attributes:
        matrix: (2, 3), image pixels to canvas pixels.
        size: (width, height) of the canvas.
        shape: (height, width) of the image.
    """

    matrix: np.ndarray
    size: tuple[int, int]
    shape: tuple[int, int]

    def apply(self, image: np.ndarray, interpolation: int = cv2.INTER_CUBIC) -> np.ndarray:
        """Image onto the canvas, its border repeated outwards."""
        return cv2.warpAffine(
            image, self.matrix, self.size, flags=interpolation, borderMode=cv2.BORDER_REPLICATE
        )

    def positions(self) -> np.ndarray:
        """Where the canvas's pixels lie on the image grid, (H, W, 2); margins lie outside it."""
        inverse = cv2.invertAffineTransform(self.matrix)
        y, x = np.mgrid[: self.size[1], : self.size[0]]
        return np.stack([x, y], axis=-1) @ inverse[:, :2].T + inverse[:, 2]

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Canvas values (NaN allowed) back onto the image grid, nearest pixel."""
        height, width = self.shape
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(
            values, self.matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )


def turn_to_axis(shape: tuple[int, int], axis: np.ndarray, margin_px: int = 0) -> Turn:
    """The rotation that brings `axis` to (1, 0), exact for axis-parallel baselines.

    Args:
        shape: (height, width) of the image.
        axis: unit vector along the baseline.
        margin_px: how far the canvas goes on beyond both ends of the baseline, where UW still sees
            what parallax moved out of W's frame.
    """
    angle = np.degrees(np.arctan2(axis[1], axis[0]))
    snapped = 90 * round(angle / 90)
    angle = np.radians(snapped if abs(angle - snapped) < SNAP_DEG else angle)
    c, s = np.cos(angle), np.sin(angle)
    rotation = np.array([[c, s], [-s, c]])
    height, width = shape
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]])
    turned = (corners @ rotation.T).round(6)
    margin = np.array([margin_px, 0])
    low, high = np.floor(turned.min(axis=0)) - margin, np.ceil(turned.max(axis=0)) + margin
    size = (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)
    return Turn(np.hstack([rotation, -low[:, None]]), size, shape)
