"""Overlapping tiles whose seams do not show: they bound the memory of any picture."""

import math

import torch
from torch import Tensor

OVERLAP_PX = 128
_GRID_PX = 16  # tiles start on the network's coarsest grid, so that tiling shifts no pooling


def tiles(height: int, width: int, tile_px: int) -> list[tuple[slice, slice]]:
    """Windows (rows, columns) that cover the picture, overlapping by at least `OVERLAP_PX`.

    Raises:
        ValueError: tiles of that size could not overlap enough.
    """
    return [(r, c) for r in _spans(height, tile_px) for c in _spans(width, tile_px)]


def feather(span: slice, length: int) -> Tensor:
    """Weight of a tile along one axis: nothing beside an inner border, then a ramp up to one.

    The first pixels of a tile lack context, so they do not count at all. The picture's own borders
    are not feathered.

    Args:
        span: of the tile.
        length: of the picture along this axis.

    Returns:
        (span's length,) in [0, 1]; two neighbours' weights in their overlap are never both zero.
    """
    position = torch.arange(span.stop - span.start, dtype=torch.float32)
    unfeathered = torch.full_like(position, math.inf)
    from_start = position if span.start > 0 else unfeathered
    from_stop = position.flip(0) if span.stop < length else unfeathered
    border = torch.minimum(from_start, from_stop)
    return ((border - OVERLAP_PX / 4) / (OVERLAP_PX / 2)).clamp(0, 1)


def _spans(length: int, tile_px: int) -> list[slice]:
    step = (tile_px - OVERLAP_PX) // _GRID_PX * _GRID_PX
    if step <= 0:
        raise ValueError(f"need tile_px >= {OVERLAP_PX + _GRID_PX}, got {tile_px}")
    count = max(0, math.ceil((length - tile_px) / step)) + 1
    return [slice(i * step, min(i * step + tile_px, length)) for i in range(count)]
