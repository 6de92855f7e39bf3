"""Defocus-aware plane sweep: each motion implies a blur, and UW blurred by it must look like W."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from dfnet.preprocess.match import EpipolarPair, Match, MotionLaw, consistent_match
from dfnet.preprocess.sweep_aggregate import aggregate, best_motion
from dfnet.preprocess.sweep_cost import Bands, add_costs, make_bands
from dfnet.preprocess.sweep_images import (
    blurred,
    features,
    like_uw,
    noise_costs,
    to_linear,
    to_srgb,
)
from dfnet.preprocess.sweep_tone import tone_curve

FOUR_PATHS = np.array([[-1, 0], [0, -1]])
EIGHT_PATHS = np.array([[-1, 0], [0, -1], [-1, -1], [1, -1]])


class Scene(NamedTuple):
    """Both views at one resolution, in linear light, and what is known of them there."""

    linear_w: np.ndarray
    linear_uw: np.ndarray
    pair: EpipolarPair


@dataclass(frozen=True)
class DefocusSweep:
    """Plane sweep with semi-global aggregation; without a blur law it is a plain sweep.

    Attributes:
        window_px: side of the square that costs are averaged over.
        coc_step_px: between the blurs that are tried.
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
        """Both motions and how far to trust them."""
        scene = Scene(to_linear(pair.gray_w), to_linear(pair.gray_uw), pair)
        motions = self._motions(scene)
        return consistent_match(*motions, self.consistent_px)

    def _motions(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        """Dense motions of W and UW, coarse to fine."""
        shape = scene.linear_w.shape
        if max(shape) > self.full_search_side_px:
            half = _halved(scene)
            coarse = self._motions(half)
            agreed = consistent_match(*coarse, self.consistent_px)
            curve = tone_curve(to_srgb(half.linear_w), to_srgb(half.linear_uw), agreed, half.pair)
            toned = np.polyval(curve, to_srgb(scene.linear_uw))
            scene = scene._replace(linear_uw=to_linear(toned))
            near = [self._search_near(m, shape, scene.pair) for m in coarse]
        else:
            low, high = _whole_range(scene.pair)
            first = np.zeros(shape, dtype=np.int32)
            near = [make_bands(first, first + high - low)] * 2
        return self._sweep(scene, *near)

    def _search_near(self, coarse, shape, pair) -> Bands:
        low, high = _whole_range(pair)
        window = np.ones((3, 3), dtype=np.uint8)
        lowest, highest = cv2.erode(coarse, window), cv2.dilate(coarse, window)
        first = np.floor(2 * _doubled(lowest, shape)) - self.band_px - low
        last = np.ceil(2 * _doubled(highest, shape)) + self.band_px - low
        count = high - low
        return make_bands(
            first.clip(0, count).astype(np.int32), last.clip(0, count).astype(np.int32)
        )

    def _sweep(self, scene: Scene, bands_w: Bands, bands_uw: Bands):
        """Costs of all motions, aggregated in both views."""
        pair = scene.pair
        low, high = _whole_range(pair)
        w = features(to_srgb(like_uw(scene.linear_w, pair.uw_scale)))
        cost_w, cost_uw = (
            np.full(b.offset[-1], round(1024 * self._outside()), dtype=np.uint16)
            for b in (bands_w, bands_uw)
        )
        motions = np.arange(low, high + 1)
        cocs = self._cocs(motions, pair.law)
        extras = self._extras(cocs, pair)
        for coc in np.unique(cocs):
            uw = features(to_srgb(blurred(scene.linear_uw, float(coc))))
            here = cocs == coc
            add_costs(
                w, uw, motions[here], extras[here], low, self.window_px // 2, self._limits(),
                bands_w, cost_w, bands_uw, cost_uw,
            )  # fmt: skip
        found = []
        for cost, bands, guide in (
            (cost_w, bands_w, to_srgb(scene.linear_w)),
            (cost_uw, bands_uw, to_srgb(scene.linear_uw)),
        ):
            directions = EIGHT_PATHS if self.paths == 8 else FOUR_PATHS
            prices = np.float32([self.step_price, self.jump_price, self.jump_relief])
            total = aggregate(cost, bands, guide, prices, directions)
            motion, _ = best_motion(total, bands, low, guide.shape)
            found.append(cv2.medianBlur(motion, 3))
        return found

    def _limits(self) -> np.ndarray:
        return np.float32(
            [self.value_weight, self.value_limit, self.gradient_limit, self.value_limit]
        )

    def _outside(self) -> float:
        most = self.value_weight * self.value_limit + 2 * self.gradient_limit
        return 0.5 * most / self.value_limit

    def _cocs(self, motions: np.ndarray, law: MotionLaw | None) -> np.ndarray:
        if law is None:
            return np.zeros(len(motions))
        coc = law.per_px * np.abs(motions - law.at_focus_px)
        return np.where(coc < 1, 0.0, (coc / self.coc_step_px).round() * self.coc_step_px)

    def _extras(self, cocs: np.ndarray, pair: EpipolarPair) -> np.ndarray:
        """Price of blur, and what blur hides of noise."""
        floor = noise_costs(np.append(0.0, cocs), pair, self._mean_cost)
        hidden = floor[0] - floor[1:]
        return self.blur_price * cocs + self.noise_share * hidden.clip(0)

    def _mean_cost(self, w: np.ndarray, uw: np.ndarray) -> float:
        limits = [self.value_limit, self.gradient_limit, self.gradient_limit]
        weights = [self.value_weight, 1.0, 1.0]
        difference = np.abs(w - uw)
        total = sum(
            k * np.minimum(d, m).mean() for k, d, m in zip(weights, difference, limits, strict=True)
        )
        return float(total / self.value_limit)


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
