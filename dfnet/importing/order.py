"""The order of focus from the pictures alone: what is sharp moves smoothly through the scene.

Each photo is described by how much fine detail every cell of a coarse grid shows. In the right
order each cell gets sharper up to one photo and softer after it; the order sought is the one with
the fewest ups and downs beyond that. It comes without a direction.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

GRID = (24, 32)  # cells; coarse, so that breathing and a moving hand do not matter
NOISE_SHARE = 0.02  # of the stack's strongest detail: below it a cell is taken as flat
EXACT = 8  # photos; beyond it the path is improved step by step
SAME_FOCUS = 0.02  # mean difference of log detail below which nothing was refocused


class Order(NamedTuple):
    """Photos in order of focus.

    Attributes:
        indices: into the photos as they were given; from one end of the focus to the other.
        excess: mean ups and downs of a cell's log detail beyond a single peak.
    """

    indices: list[int]
    excess: float


class Differences(NamedTuple):
    """What an order is judged by.

    Attributes:
        step: (n, n) mean change of log detail from photo to photo.
        level: (n,) mean log detail of each photo.
        peak: mean over cells of the largest log detail.
    """

    step: np.ndarray
    level: np.ndarray
    peak: float

    def excess(self, indices: Sequence[int]) -> float:
        """Mean ups and downs beyond a single peak per cell, for photos in this order."""
        walked = sum(self.step[a, b] for a, b in itertools.pairwise(indices))
        needed = 2 * self.peak - self.level[indices[0]] - self.level[indices[-1]]
        return float(walked - needed)


def detail_profile(gray: np.ndarray) -> np.ndarray:
    """Fine detail per cell of the picture, (cells,), relative to its local brightness.

    Args:
        gray: (H, W) uint8.
    """
    smooth = cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 0.8)
    energy = cv2.Laplacian(smooth, cv2.CV_32F, ksize=3) ** 2
    rows, columns = GRID
    cells = cv2.resize(energy, (columns, rows), interpolation=cv2.INTER_AREA)
    # Cells a little too large overlap, so that a detail on a border has no preferred side.
    return cv2.GaussianBlur(cells, (0, 0), 0.7).ravel()


def compare_details(profiles: Sequence[np.ndarray]) -> Differences:
    """How the focus of the photos differs, from their `detail_profile`s."""
    detail = np.stack(profiles)
    detail = detail / np.median(detail.mean(axis=1))
    floor = NOISE_SHARE * np.quantile(detail.max(axis=0), 0.9)
    logs = 0.5 * np.log(detail + floor)
    step = np.abs(logs[:, None] - logs[None]).mean(axis=2)
    return Differences(step, logs.mean(axis=1), float(logs.max(axis=0).mean()))


def order_by_detail(differences: Differences) -> Order:
    """The order with the fewest needless ups and downs; its end with the lower index first."""
    count = len(differences.level)
    exact = count <= EXACT
    path = _best_of_all(differences) if exact else _improved(_greedy(differences), differences)
    path = path if path[0] < path[-1] else path[::-1]
    return Order(list(path), differences.excess(path))


def _best_of_all(differences: Differences) -> tuple[int, ...]:
    paths = (p for p in itertools.permutations(range(len(differences.level))) if p[0] < p[-1])
    return min(paths, key=differences.excess)


def _greedy(differences: Differences) -> list[int]:
    """Start with the two most different photos; insert each other where it disturbs least."""
    first = np.unravel_index(differences.step.argmax(), differences.step.shape)
    path = [int(i) for i in first]
    left = set(range(len(differences.level))) - set(path)
    while left:
        options = [
            (differences.excess([*path[:at], new, *path[at:]]), new, at)
            for new in left
            for at in range(len(path) + 1)
        ]
        _, new, at = min(options)
        path.insert(at, new)
        left.remove(new)
    return path


def _improved(path: list[int], differences: Differences) -> list[int]:
    """Turn round or move any part of the path while that helps."""
    best, better = differences.excess(path), True
    while better:
        better = False
        for i, j in itertools.combinations(range(len(path) + 1), 2):
            rest = path[:i] + path[j:]
            options = [[*path[:i], *path[i:j][::-1], *path[j:]]]
            options += [rest[:k] + path[i:j] + rest[k:] for k in range(len(rest) + 1)]
            excess, option = min((differences.excess(o), o) for o in options)
            if excess < best - 1e-9:
                path, best, better = option, excess, True
                break
    return path
