"""Matching costs of a plane sweep in ragged volumes: each pixel has its own band of motions."""

from typing import NamedTuple

import numba
import numpy as np

COST_UNIT = 1024  # stored cost of 1; costs stay below 60
STRIP_ROWS = 32


class Bands(NamedTuple):
    """The motions that each pixel tries, counted from the lowest of all.

    Attributes:
        first: int32 (H, W), the first one.
        offset: int64 (H * W + 1), where each pixel's costs begin in the volume.
    """

    first: np.ndarray
    offset: np.ndarray


def make_bands(first: np.ndarray, last: np.ndarray) -> Bands:
    """Bands from `first` to `last`, both included, int (H, W)."""
    count = np.maximum(last - first + 1, 1).astype(np.int64)
    offset = np.concatenate([[0], np.cumsum(count.ravel())])
    return Bands(np.ascontiguousarray(first, dtype=np.int32), offset)


@numba.njit(cache=True, fastmath=True)
def add_costs(w, uw, motions, extras, low, radius, limits, bands_w, cost_w, bands_uw, cost_uw):
    """Fill in the costs of some motions for both views; UW's are W's, looked up from its side.

    Args:
        w: float32 (3, H, W): value and its two gradients.
        uw: the same of UW, blurred as these motions imply.
        motions: int (K,) [px].
        extras: float (K,), added to the costs.
        low: the lowest motion of all; bands count from it.
        radius: of the square window that costs are averaged over.
        limits: weight of values, their truncation, the gradients' truncation, the unit of cost.
        bands_w: `Bands` of W.
        cost_w: uint16 volume of W, written.
        bands_uw: `Bands` of UW.
        cost_uw: uint16 volume of UW, written.
    """
    height, width = w.shape[1:]
    raw = np.empty((STRIP_ROWS + 2 * radius, width), dtype=np.float32)
    column = np.empty(width + 2 * radius, dtype=np.float32)
    box = np.empty(width, dtype=np.float32)
    scale = np.float32(COST_UNIT / ((2 * radius + 1) ** 2 * limits[3]))
    for top in range(0, height, STRIP_ROWS):
        rows = min(STRIP_ROWS, height - top)
        for j in range(len(motions)):
            m = motions[j]
            start, stop = max(0, -m), min(width, width - m)
            if start >= stop:
                continue
            for i in range(rows + 2 * radius):
                _raw_row(w, uw, min(max(top + i - radius, 0), height - 1), m, limits, raw[i])
            extra = np.float32(extras[j] * COST_UNIT + 0.5)
            for i in range(rows):
                _box_row(raw, i, radius, column, box)
                for x in range(width):
                    box[x] = box[x] * scale + extra
                line = (top + i) * width
                _scatter(box, start, stop, 0, line, m - low, bands_w, cost_w)
                _scatter(box, start, stop, m, line, m - low, bands_uw, cost_uw)


@numba.njit(cache=True, fastmath=True, inline="always")
def _raw_row(w, uw, y, m, limits, out):
    width = w.shape[2]
    weight, most, most_gradient = limits[0], limits[1], limits[2]
    start, stop = max(0, -m), min(width, width - m)
    outside = np.float32(0.5) * (weight * most + np.float32(2) * most_gradient)
    out[:start] = outside
    out[stop:] = outside
    n = stop - start
    a, ax, ay = w[0, y, start:stop], w[1, y, start:stop], w[2, y, start:stop]
    first, last = start + m, stop + m
    b, bx, by = uw[0, y, first:last], uw[1, y, first:last], uw[2, y, first:last]
    inner = out[start:stop]
    for x in range(n):
        value, across, down = abs(a[x] - b[x]), abs(ax[x] - bx[x]), abs(ay[x] - by[x])
        value = value if value < most else most
        across = across if across < most_gradient else most_gradient
        down = down if down < most_gradient else most_gradient
        inner[x] = value * weight + across + down


@numba.njit(cache=True, fastmath=True, inline="always")
def _box_row(raw, first, radius, column, box):
    width = raw.shape[1]
    inner = column[radius : radius + width]
    inner[:] = raw[first]
    for i in range(first + 1, first + 2 * radius + 1):
        row = raw[i]
        for x in range(width):
            inner[x] += row[x]
    column[:radius] = inner[0]
    column[radius + width :] = inner[width - 1]
    box[:] = column[:width]
    for d in range(1, 2 * radius + 1):
        beside = column[d : d + width]
        for x in range(width):
            box[x] += beside[x]


@numba.njit(cache=True, inline="always")
def _scatter(values, start, stop, shift, line, index, bands, cost):
    begin, end = line + start + shift, line + stop + shift
    first = bands.first.ravel()[begin:end]
    offset, after = bands.offset[begin:end], bands.offset[begin + 1 : end + 1]
    for i in range(stop - start):
        at = offset[i] + index - first[i]
        if offset[i] <= at < after[i]:
            cost[at] = np.uint16(values[start + i])
