"""Which slice is sharpest where, how sharp, and how far to trust it."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from dfnet.importing.lights import find_lights

FINE_SIGMA_PX, MIDDLE_SIGMA_PX = 0.7, 2.0
WINDOW_PX = 7
RADII_PX = (5, 20, 80)  # support is sought nearby first, then farther
RADIUS_WEIGHTS = (1.0, 0.1, 0.003)
EDGE_EPSILON = 2e-3  # of the guided filter, squared gray levels in [0, 1]
POWER = 2.0  # how much a clear winner counts above a close one
NOISE_FACTOR = 6.0  # detail below so many noise energies is no evidence
TYPICAL_QUANTILE = 0.5
MIN_FINE_SHARE = 0.15  # of the typical fine-to-middle ratio of a sharp surface
EDGE_PX, EDGE_SLICES = 7, 0.7  # window and jump of the index that make a depth edge
MISSED_DETAIL = 0.2  # log energy that a slice between two slices would have shown more
SOFT_SHARE = 0.008  # of the longer side: hides the blur that differs from slice to slice
DISAGREEMENT = 0.04  # gray levels in [0, 1] between softened neighbouring slices


class Sharpest(NamedTuple):
    """The focus of a stack, seen from its pictures.

    Attributes:
        index: (H, W) float32, the sharpest slice, between slices where the peak lies between.
        support: (n, H, W) float32, each slice's share of the evidence; sums to 1.
        confidence: (H, W) float32 in [0, 1]; low where nothing is sharp, textured or in accord.
    """

    index: np.ndarray
    support: np.ndarray
    confidence: np.ndarray


def find_sharpest(grays: Sequence[np.ndarray]) -> Sharpest:
    """Compare the slices pixel by pixel.

    Args:
        grays: aligned slices (H, W) float32 in [0, 1], in order of focus, exposure matched.
    """
    fine = np.stack([_energy(g, FINE_SIGMA_PX) for g in grays])
    noise = max(float(np.median([_noise_energy(g) for g in grays])), 1e-9)
    floor = NOISE_FACTOR * noise
    strength = (fine.max(axis=0) - floor).clip(0)
    texture = strength / (strength + floor)
    votes = (fine / fine.max(axis=0).clip(1e-12)) ** POWER  # nothing where all is clipped
    votes /= votes.sum(axis=0).clip(1e-12)
    guide = _guide(grays, fine)
    # Blur carries light into flat areas and makes faint slopes there: strong edges must outvote it.
    support = _aggregated(votes, np.sqrt(strength), guide)
    index = _peak(support)
    confidence = _saturating(GuidedFilter(guide, RADII_PX[0])(texture), 0.15)
    confidence *= _is_sharp(grays, fine, index, floor)
    confidence *= _agrees(grays, index)
    confidence *= _is_continuous(index) * _is_reached(fine, index, noise)
    is_light, smallest = find_lights(grays)
    index[is_light] = smallest[is_light]
    confidence[is_light] = 0  # what a light covers is not known well
    return Sharpest(index, support, cv2.blur(confidence, (5, 5)))


def _energy(gray: np.ndarray, sigma: float) -> np.ndarray:
    """Local mean square of the scale-normalised Laplacian of Gaussian."""
    response = sigma**2 * cv2.Laplacian(cv2.GaussianBlur(gray, (0, 0), sigma), cv2.CV_32F, ksize=1)
    window = round(WINDOW_PX * max(1.0, sigma / 1.5))
    # Running sums may round below zero.
    return cv2.blur(response * response, (window, window)).clip(0)


def _noise_energy(gray: np.ndarray) -> float:
    """What `_energy` shows where there is nothing: a low quantile over the picture."""
    return float(np.quantile(_energy(gray, FINE_SIGMA_PX)[::3, ::3], 0.05))


def _guide(grays: Sequence[np.ndarray], fine: np.ndarray) -> np.ndarray:
    """A first guess of the all-in-focus picture, whose edges the maps shall follow."""
    best = fine.argmax(axis=0)
    return np.take_along_axis(np.stack(grays), best[None], axis=0)[0]


def _aggregated(votes, strength, guide) -> np.ndarray:
    """Votes gathered along the guide's surfaces."""
    total = np.full_like(votes, 1e-9)
    for radius, share in zip(RADII_PX, RADIUS_WEIGHTS, strict=True):
        gather = GuidedFilter(guide, radius)
        for i, vote in enumerate(votes):
            total[i] += share * gather(vote * strength).clip(0)
    return total / total.sum(axis=0)


class GuidedFilter:
    """Averages that stop at a picture's edges (He, Sun and Tang 2010)."""

    def __init__(self, guide: np.ndarray, radius: int):
        self.guide, self.window = guide, (2 * radius + 1, 2 * radius + 1)
        self.mean = cv2.blur(guide, self.window)
        self.variance = cv2.blur(guide * guide, self.window) - self.mean**2 + EDGE_EPSILON

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Filter a map (H, W) float32."""
        mean = cv2.blur(values, self.window)
        slope = (cv2.blur(self.guide * values, self.window) - self.mean * mean) / self.variance
        offset = mean - slope * self.mean
        return cv2.blur(slope, self.window) * self.guide + cv2.blur(offset, self.window)


def _peak(support: np.ndarray) -> np.ndarray:
    """The largest entry, refined by a parabola through the logarithms of its neighbours."""
    count = len(support)
    best = support.argmax(axis=0)
    logs = np.log(support + 1e-6)
    left, middle, right = (
        np.take_along_axis(logs, (best + d).clip(0, count - 1)[None], axis=0)[0] for d in (-1, 0, 1)
    )
    bend = left - 2 * middle + right
    shift = np.where(bend < -1e-6, 0.5 * (left - right) / np.minimum(bend, -1e-6), 0.0)
    shift[(best == 0) | (best == count - 1)] = 0
    return (best + shift.clip(-0.5, 0.5)).astype(np.float32)


def _saturating(values: np.ndarray, at: float) -> np.ndarray:
    return (values / at).clip(0, 1)


def _is_sharp(grays, fine, index, floor) -> np.ndarray:
    """Low where even the sharpest slice shows coarse detail only: beyond the sweep's ends."""
    nearest = index.round().astype(int)[None]
    middle = np.stack([_energy(g, MIDDLE_SIGMA_PX) for g in grays])
    at_fine = np.take_along_axis(fine, nearest, axis=0)[0]
    at_middle = np.take_along_axis(middle, nearest, axis=0)[0]
    ratio = (at_fine - floor / NOISE_FACTOR).clip(0) / (at_middle + floor)
    known = at_fine > 2 * floor
    if not known.any():
        return np.zeros_like(ratio)
    typical = np.quantile(ratio[known], TYPICAL_QUANTILE)
    gathered = cv2.blur(ratio * at_middle, (15, 15)) / (cv2.blur(at_middle, (15, 15)) + 1e-9)
    return ((gathered / typical) / MIN_FINE_SHARE - 0.5).clip(0, 1)


def _is_continuous(index: np.ndarray) -> np.ndarray:
    """Low at depth edges, where the blur of the near side covers the far one in all slices."""
    window = np.ones((EDGE_PX, EDGE_PX), dtype=np.uint8)
    jump = cv2.dilate(index, window) - cv2.erode(index, window)
    return np.exp(-(((jump - EDGE_SLICES).clip(0) / EDGE_SLICES) ** 2))


def _is_reached(fine: np.ndarray, index: np.ndarray, noise: float) -> np.ndarray:
    """Low where the focus passed by between two slices that are far apart.

    A parabola through the logarithms of detail tells how much more there was to be seen.
    """
    last = len(fine) - 1
    nearest = index.round().astype(int)
    logs = 2 * np.log(np.stack([cv2.blur(np.sqrt(f), (15, 15)) for f in fine]) + np.sqrt(noise))
    before, here, after = (
        np.take_along_axis(logs, (nearest + d).clip(0, last)[None], axis=0)[0] for d in (-1, 0, 1)
    )
    bend = np.minimum(before - 2 * here + after, -1e-3)
    shift = (0.5 * (before - after) / bend).clip(-1, 1)
    missed = -0.5 * bend * shift**2
    missed[(nearest == 0) | (nearest == last)] = 0
    return np.exp(-((missed / MISSED_DETAIL) ** 2))


def _agrees(grays, index) -> np.ndarray:
    """Low where the neighbouring slices, softened, differ: motion, ghosts, halos."""
    sigma = SOFT_SHARE * max(grays[0].shape)
    soft = np.stack([cv2.GaussianBlur(g, (0, 0), sigma) for g in grays])
    nearest = index.round().astype(int)
    here, before, after = (
        np.take_along_axis(soft, (nearest + d).clip(0, len(soft) - 1)[None], axis=0)[0]
        for d in (0, -1, 1)
    )
    apart = np.minimum(np.abs(here - before), np.abs(here - after))
    apart = np.where(nearest == 0, np.abs(here - after), apart)
    apart = np.where(nearest == len(soft) - 1, np.abs(here - before), apart)
    return np.exp(-((apart / DISAGREEMENT) ** 2)).astype(np.float32)
