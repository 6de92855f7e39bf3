"""Semi-global aggregation (Hirschmüller 2008) of ragged cost volumes, and the best motion of each.

Paths cross pixels whose bands differ: what the earlier pixel did not try costs as much as a jump.
"""

import numba
import numpy as np

from dfnet.preprocess.sweep_cost import COST_UNIT

FAR = np.float32(1e9)


@numba.njit(cache=True, fastmath=True)
def aggregate(cost, bands, guide, smoothness, directions):
    """Sum of path costs.

    Args:
        cost: uint16 volume.
        bands: its `Bands`.
        guide: float32 (H, W), in [0, 1]; motions may jump where it does.
        smoothness: penalty of a step of 1; of a jump; how much a jump's falls with the guide's
            contrast.
        directions: int (P, 2), (dx, dy) to the earlier pixel, for a pass from the top left; a
            second pass runs the other way.

    Returns:
        float32 volume.
    """
    height, width = guide.shape
    total = np.zeros(len(cost), dtype=np.float32)
    paths = len(directions)
    longest, most = _longest(bands.offset, height, width)
    lines = np.empty(2 * paths * longest, dtype=np.float32)
    lowest = np.empty((2, paths, width), dtype=np.float32)
    shifted = np.empty(most + 2, dtype=np.float32)
    for turn in range(2):
        sense = 1 - 2 * turn
        for i in range(height):
            y = i if turn == 0 else height - 1 - i
            begin = bands.offset[y * width]
            for j in range(width):
                x = j if turn == 0 else width - 1 - j
                p = y * width + x
                at, count = bands.offset[p], bands.offset[p + 1] - bands.offset[p]
                for path in range(paths):
                    qx, qy = x + sense * directions[path, 0], y + sense * directions[path, 1]
                    here = (y % 2 * paths + path) * longest + at - begin
                    jump = FAR
                    step = FAR
                    if 0 <= qx < width and 0 <= qy < height:
                        q = qy * width + qx
                        there = (qy % 2 * paths + path) * longest
                        there += bands.offset[q] - bands.offset[qy * width]
                        _shift(
                            lines, there, bands.offset[q + 1] - bands.offset[q],
                            bands.first[y, x] - 1 - bands.first[qy, qx],
                            lowest[qy % 2, path, qx], shifted, count + 2,
                        )  # fmt: skip
                        step, jump = _penalties(guide, smoothness, x, y, qx, qy)
                    else:
                        shifted[: count + 2] = 0
                    lowest[y % 2, path, x] = _advance(
                        shifted, cost, total, at, lines, here, count, step, jump
                    )
    return total


@numba.njit(cache=True)
def _longest(offset, height, width):
    """Cells of the longest row, and of the longest band."""
    longest, most = 0, 0
    for y in range(height):
        longest = max(longest, offset[(y + 1) * width] - offset[y * width])
    for p in range(height * width):
        most = max(most, offset[p + 1] - offset[p])
    return longest, most


@numba.njit(cache=True, fastmath=True)
def _shift(lines, there, length, offset, base, shifted, n):
    """The earlier pixel's path costs at this one's motions, from one below to one above."""
    from_k = min(max(0, -offset), n)
    to_k = max(min(n, length - offset), from_k)
    for k in range(np.uint64(from_k)):
        shifted[k] = FAR
    for k in range(np.uint64(to_k), np.uint64(n)):
        shifted[k] = FAR
    out, start = np.uint64(from_k), np.uint64(there + from_k + offset)
    for k in range(np.uint64(to_k - from_k)):
        shifted[out + k] = lines[start + k] - base


@numba.njit(cache=True, fastmath=True)
def _advance(shifted, cost, total, at, lines, here, count, step, jump):
    """One pixel's path costs, added to the sum; returns the least. Unsigned: it must vectorise."""
    one, two = np.uint64(1), np.uint64(2)
    n, at, here = np.uint64(count), np.uint64(at), np.uint64(here)
    least = FAR
    for k in range(n):
        below, above, same = shifted[k], shifted[k + two], shifted[k + one]
        beside = (below if below < above else above) + step
        best = same if same < jump else jump
        best = (beside if beside < best else best) + np.float32(cost[at + k])
        lines[here + k] = best
        least = best if best < least else least
    for k in range(n):  # a loop of its own, or neither becomes vector code
        total[at + k] += lines[here + k]
    return least


@numba.njit(cache=True, fastmath=True, inline="always")
def _penalties(guide, smoothness, x, y, qx, qy):
    contrast = abs(guide[y, x] - guide[qy, qx])
    step = smoothness[0] * np.float32(COST_UNIT)
    jump = smoothness[1] * np.float32(COST_UNIT) / (np.float32(1) + smoothness[2] * contrast)
    return step, max(jump, np.float32(1.5) * step)


@numba.njit(cache=True)
def best_motion(total, bands, low, shape):
    """The motion of least cost, to a fraction of a pixel, and how much better it is.

    Args:
        total: float32 volume.
        bands: its `Bands`.
        low: the lowest motion [px].
        shape: (H, W).

    Returns:
        motion (H, W) [px] and the ratio of the least cost to the least that is not beside it, both
        float32; the ratio is 0 where nothing else was tried.
    """
    height, width = shape
    motion = np.empty((height, width), dtype=np.float32)
    ratio = np.zeros((height, width), dtype=np.float32)
    for y in range(height):
        for x in range(width):
            p = y * width + x
            costs = total[bands.offset[p] : bands.offset[p + 1]]
            k = np.argmin(costs)
            finer = np.float32(0)
            if 0 < k < len(costs) - 1:
                # Absolute differences make a V, whose arms are equally steep (not a parabola).
                below, above = costs[k - 1] - costs[k], costs[k + 1] - costs[k]
                steeper = max(below, above)
                if steeper > 0:
                    finer = np.float32(0.5) * (below - above) / steeper
            motion[y, x] = low + bands.first[y, x] + k + finer
            other = FAR
            for i in range(len(costs)):
                if abs(i - k) > 1 and costs[i] < other:
                    other = costs[i]
            if other < FAR:
                ratio[y, x] = costs[k] / max(other, np.float32(1))
    return motion, ratio
