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
    longest = 0
    for y in range(height):
        longest = max(longest, bands.offset[(y + 1) * width] - bands.offset[y * width])
    most = 0
    for p in range(height * width):
        most = max(most, bands.offset[p + 1] - bands.offset[p])
    paths = len(directions)
    lines = np.empty((2, paths, longest), dtype=np.float32)
    lowest = np.empty((2, paths, width), dtype=np.float32)
    shifted = np.empty(most + 2, dtype=np.float32)
    for turn in range(2):
        sense = 1 - 2 * turn
        for i in range(height):
            y = i if turn == 0 else height - 1 - i
            for j in range(width):
                x = j if turn == 0 else width - 1 - j
                for path in range(paths):
                    _visit(
                        cost, bands, guide, smoothness, x, y,
                        x + sense * directions[path, 0], y + sense * directions[path, 1],
                        lines[:, path], lowest[:, path], shifted, total,
                    )  # fmt: skip
    return total


@numba.njit(cache=True, fastmath=True, inline="always")
def _visit(cost, bands, guide, smoothness, x, y, qx, qy, lines, lowest, shifted, total):
    height, width = guide.shape
    p, here = y * width + x, bands.offset[y * width]
    begin, end = bands.offset[p], bands.offset[p + 1]
    line = lines[y % 2][begin - here : end - here]
    values, sums = cost[begin:end], total[begin:end]
    n = len(values)
    least = FAR
    if qx < 0 or qx >= width or qy < 0 or qy >= height:
        for k in range(n):
            line[k] = np.float32(values[k])
            least = min(least, line[k])
            sums[k] += line[k]
        lowest[y % 2, x] = least
        return
    q, there = qy * width + qx, bands.offset[qy * width]
    earlier = lines[qy % 2][bands.offset[q] - there : bands.offset[q + 1] - there]
    base = lowest[qy % 2, qx]
    step, jump = _penalties(guide, smoothness, x, y, qx, qy)
    # shifted[k + 1] is the earlier pixel's path cost at this pixel's k-th motion.
    offset = bands.first[y, x] - 1 - bands.first[qy, qx]
    from_k, to_k = max(0, -offset), min(n + 2, len(earlier) - offset)
    for k in range(0, min(from_k, n + 2)):
        shifted[k] = FAR
    for k in range(from_k, to_k):
        shifted[k] = earlier[k + offset] - base
    for k in range(max(to_k, 0), n + 2):
        shifted[k] = FAR
    for k in range(n):
        best = min(min(shifted[k], shifted[k + 2]) + step, min(shifted[k + 1], jump))
        best += np.float32(values[k])
        line[k] = best
        sums[k] += best
        least = min(least, best)
    lowest[y % 2, x] = least


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
                bend = costs[k - 1] + costs[k + 1] - 2 * costs[k]
                if bend > 0:
                    finer = np.float32(0.5) * (costs[k - 1] - costs[k + 1]) / bend
            motion[y, x] = low + bands.first[y, x] + k + finer
            other = FAR
            for i in range(len(costs)):
                if abs(i - k) > 1 and costs[i] < other:
                    other = costs[i]
            if other < FAR:
                ratio[y, x] = costs[k] / max(other, np.float32(1))
    return motion, ratio
