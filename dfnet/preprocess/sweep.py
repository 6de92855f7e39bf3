"""Defocus-aware plane sweep: each motion implies a blur, and UW blurred by it must look like W.

Coarse to fine: the smallest pictures are searched in full, finer ones in a band around what was
found before, wider where depths meet. Costs of both views come from one sweep: C_uw(x + m, m) is
C_w(x, m).
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from dfnet.preprocess.match import EpipolarPair, Match, MotionLaw, consistent_match
from dfnet.preprocess.sweep_aggregate import aggregate, best_motion
from dfnet.preprocess.sweep_cost import COST_UNIT, Bands, add_costs, make_bands
from dfnet.preprocess.sweep_images import (
    blurred,
    features,
    like_uw,
    noise_pairs,
    to_linear,
    to_srgb,
)
from dfnet.preprocess.sweep_tone import tone_curve

COC_STEP_SHARE = 0.04
# Share of consistent pixels within 2 px of the truth by the ratio of the two least costs, on
# rendered pairs and on Middlebury's alike; what W and UW differ by lowers it a little.
RATIOS = (0.0, 0.3, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0)
RIGHT = (0.995, 0.99, 0.98, 0.965, 0.925, 0.85, 0.76, 0.68, 0.63)
LESS_PER_PX = 0.08
FOUR_PATHS = np.array([[-1, 0], [0, -1]])
EIGHT_PATHS = np.array([[-1, 0], [0, -1], [-1, -1], [1, -1]])


class Scene(NamedTuple):
    """Both views at one resolution, in linear light, and what is known of them there."""

    linear_w: np.ndarray
    linear_uw: np.ndarray
    pair: EpipolarPair


class Found(NamedTuple):
    """The best motion of every pixel, (H, W) float32, and the best cost over the next best."""

    motion_w: np.ndarray
    motion_uw: np.ndarray
    ratio_w: np.ndarray
    ratio_uw: np.ndarray


@dataclass(frozen=True)
class DefocusSweep:
    """Plane sweep with semi-global aggregation; without a blur law it is a plain sweep.

    Attributes:
        window_px: side of the square that costs are averaged over.
        coc_step_px: between the blurs that are tried; large ones are further apart.
        value_weight: of differences of gray against differences of its gradients.
        value_limit: differences of gray count up to this.
        gradient_limit: differences of gradients count up to this.
        blur_price: added cost per px of blur: of two hypotheses alike, the sharper wins.
        noise_share: how much of what blur hides of UW's noise is added back to the cost.
        step_price: penalty of a change of motion by 1 px between neighbours.
        jump_price: penalty of a larger one.
        jump_relief: how much the latter falls with contrast.
        paths: 4 or 8.
        consistent_px: W and UW must agree to this, else a motion is unknown.
        band_px: finer resolutions search this far around what a coarser one found.
        full_search_side_px: a picture up to this size is searched in full.
    """

    window_px: int = 5
    coc_step_px: float = 0.5
    value_weight: float = 0.15
    value_limit: float = 0.12
    gradient_limit: float = 0.06
    blur_price: float = 0.002
    noise_share: float = 1.0
    step_price: float = 0.3
    jump_price: float = 2.5
    jump_relief: float = 30.0
    paths: int = 4
    consistent_px: float = 1.5
    band_px: int = 6
    full_search_side_px: int = 180

    def __call__(self, pair: EpipolarPair) -> Match:
        """Both motions.

        Confidence is the chance that a motion is within 2 px of the truth, for pixels that W and UW
        agree on: by how much worse the next best motion would be (flat costs: no texture, or one
        that repeats), and by how well the two agree. It is 0 where they do not.
        """
        scene = Scene(to_linear(pair.gray_w), to_linear(pair.gray_uw), pair)
        found = self._search(scene)
        match = consistent_match(found.motion_w, found.motion_uw, self.consistent_px)
        return match._replace(
            confidence_w=self._chance(match.confidence_w, found.ratio_w),
            confidence_uw=self._chance(match.confidence_uw, found.ratio_uw),
        )

    def _chance(self, agreement: np.ndarray, ratio: np.ndarray) -> np.ndarray:
        difference_px = 2 * (1 - agreement) * self.consistent_px
        chance = np.interp(ratio, RATIOS, RIGHT) - LESS_PER_PX * difference_px
        return np.where(agreement > 0, chance.clip(0.5, 1), 0).astype(np.float32)

    def _search(self, scene: Scene) -> Found:
        """Dense motions, coarse to fine."""
        shape = scene.linear_w.shape
        low, high = _whole_range(scene.pair)
        if max(shape) <= self.full_search_side_px:
            first = np.zeros(shape, dtype=np.int32)
            return self._sweep(scene, *[make_bands(first, first + high - low)] * 2)
        half = _halved(scene)
        coarse = self._search(half)
        agreed = consistent_match(coarse.motion_w, coarse.motion_uw, self.consistent_px)
        curve = tone_curve(to_srgb(half.linear_w), to_srgb(half.linear_uw), agreed, half.pair)
        toned = to_linear(np.polyval(curve, to_srgb(scene.linear_uw)))
        near = (self._near(motion, shape, low, high - low) for motion in coarse[:2])
        return self._sweep(scene._replace(linear_uw=toned), *near)

    def _near(self, coarse: np.ndarray, shape: tuple[int, int], low: int, count: int) -> Bands:
        """Bands around a motion found at half the size."""
        window = np.ones((3, 3), dtype=np.uint8)
        lowest, highest = cv2.erode(coarse, window), cv2.dilate(coarse, window)
        first = np.floor(2 * _doubled(lowest, shape)) - self.band_px - low
        last = np.ceil(2 * _doubled(highest, shape)) + self.band_px - low
        return make_bands(
            first.clip(0, count).astype(np.int32), last.clip(0, count).astype(np.int32)
        )

    def _sweep(self, scene: Scene, bands_w: Bands, bands_uw: Bands) -> Found:
        """The best motions within the bands."""
        costs = self._costs(scene, bands_w, bands_uw)
        low, _ = _whole_range(scene.pair)
        motion_w, ratio_w = self._best(costs[0], bands_w, to_srgb(scene.linear_w), low)
        motion_uw, ratio_uw = self._best(costs[1], bands_uw, to_srgb(scene.linear_uw), low)
        return Found(motion_w, motion_uw, ratio_w, ratio_uw)

    def _costs(self, scene: Scene, bands_w: Bands, bands_uw: Bands) -> list[np.ndarray]:
        """Volumes of both views."""
        pair = scene.pair
        low, high = _whole_range(pair)
        w = features(to_srgb(like_uw(scene.linear_w, pair.uw_scale)))
        outside = round(COST_UNIT * self._mean_cost(0.5))
        costs = [np.full(b.offset[-1], outside, dtype=np.uint16) for b in (bands_w, bands_uw)]
        motions = np.arange(low, high + 1)
        cocs = self._cocs(motions, pair.law)
        extras = self._extras(cocs, pair)
        limits = [self.value_weight, self.value_limit, self.gradient_limit, self.value_limit]
        for coc in np.unique(cocs):
            uw = features(to_srgb(blurred(scene.linear_uw, float(coc))))
            here = cocs == coc
            add_costs(
                w, uw, motions[here], extras[here], low, self.window_px // 2, np.float32(limits),
                bands_w, costs[0], bands_uw, costs[1],
            )  # fmt: skip
        return costs

    def _best(self, cost, bands: Bands, guide, low: int) -> tuple[np.ndarray, np.ndarray]:
        directions = EIGHT_PATHS if self.paths == 8 else FOUR_PATHS
        prices = np.float32([self.step_price, self.jump_price, self.jump_relief])
        total = aggregate(cost, bands, guide, prices, directions)
        motion, ratio = best_motion(total, bands, low, guide.shape)
        return cv2.medianBlur(motion, 3), ratio

    def _cocs(self, motions: np.ndarray, law: MotionLaw | None) -> np.ndarray:
        """Diameters to blur UW by, a few for many motions."""
        if law is None:
            return np.zeros(len(motions))
        coc = law.per_px * np.abs(motions - law.at_focus_px)
        # Even steps up to where `COC_STEP_SHARE` of a diameter is one, then even ratios.
        knee = self.coc_step_px / COC_STEP_SHARE
        even = (coc / self.coc_step_px).round() * self.coc_step_px
        steps = (np.log(np.maximum(coc, knee) / knee) / COC_STEP_SHARE).round()
        return np.where(
            coc < 1, 0.0, np.where(coc < knee, even, knee * np.exp(steps * COC_STEP_SHARE))
        )

    def _extras(self, cocs: np.ndarray, pair: EpipolarPair) -> np.ndarray:
        """Price of blur, and what blur hides of noise."""
        levels, which = np.unique(np.append(0.0, cocs), return_inverse=True)
        pairs = noise_pairs(levels, pair)
        floor = np.array([self._mean_cost(np.abs(w - uw)) for w, uw in pairs])[which]
        hidden = (floor[0] - floor[1:]).clip(0)
        return self.blur_price * cocs + self.noise_share * hidden

    def _mean_cost(self, difference: np.ndarray | float) -> float:
        """Of features (3, H, W) that differ so; a number is a share of the limits."""
        limits = np.array([self.value_limit, self.gradient_limit, self.gradient_limit])
        weights = np.array([self.value_weight, 1.0, 1.0])
        if np.ndim(difference):
            limits = np.minimum(difference, limits[:, None, None]).mean(axis=(1, 2))
        else:
            limits = difference * limits
        return float(weights @ limits / self.value_limit)


def _whole_range(pair: EpipolarPair) -> tuple[int, int]:
    return int(np.floor(pair.motion_range[0])), int(np.ceil(pair.motion_range[1]))


def _halved(scene: Scene) -> Scene:
    """Every length halved; an odd last row or column counts twice."""
    halves = []
    for linear in scene[:2]:
        height, width = linear.shape
        even = cv2.copyMakeBorder(linear, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        halves.append(cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    pair = scene.pair
    law = pair.law
    half = pair._replace(
        motion_range=tuple(0.5 * m for m in pair.motion_range),
        law=None if law is None else MotionLaw(law.per_px, 0.5 * law.at_focus_px),
        noise_w=0.5 * pair.noise_w,
        noise_uw=0.5 * pair.noise_uw,
        uw_scale=max(1.0, 0.5 * pair.uw_scale),
    )
    return Scene(*halves, half)


def _doubled(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return values.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]
