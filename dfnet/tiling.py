"""Overlapping tiles whose seams do not show: they bound the memory of any picture."""

import math
from collections.abc import Callable

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


class Mosaic:
    """Tiles blended into a picture; only the rows that a later tile may change are held.

    Args:
        channels: of the values.
        size: (height, width) of the picture.
        finish: called from top to bottom with rows that are done and their values
            (1, channels, rows, width).
    """

    def __init__(
        self, channels: int, size: tuple[int, int], finish: Callable[[slice, Tensor], object]
    ):
        self._channels, self._size, self._finish = channels, size, finish
        self._top = 0
        self._total = torch.zeros(1, channels + 1, 0, size[1])  # the last one is the weight

    @property
    def rows_held(self) -> int:
        """How many rows are in memory."""
        return self._total.shape[-2]

    def add(self, rows: slice, columns: slice, values: Tensor) -> None:
        """One of `tiles`, in their order, (1, channels, rows, columns) float32."""
        height, width = self._size
        self._close_above(rows.start)
        missing = rows.stop - self._top - self.rows_held
        if missing > 0:
            more = torch.zeros(1, self._channels + 1, missing, width)
            self._total = torch.cat([self._total, more], dim=-2)
        weight = feather(rows, height)[:, None] * feather(columns, width)
        place = self._total[..., rows.start - self._top : rows.stop - self._top, columns]
        place[:, :-1] += weight * values
        place[:, -1:] += weight

    def close(self) -> None:
        """After the last tile."""
        self._close_above(self._size[0])

    def _close_above(self, row: int) -> None:
        count = row - self._top
        if count > 0:
            done = self._total[..., :count, :]
            self._finish(slice(self._top, row), done[:, :-1] / done[:, -1:])
            self._total, self._top = self._total[..., count:, :].clone(), row


def _spans(length: int, tile_px: int) -> list[slice]:
    step = (tile_px - OVERLAP_PX) // _GRID_PX * _GRID_PX
    if step <= 0:
        raise ValueError(f"need tile_px >= {OVERLAP_PX + _GRID_PX}, got {tile_px}")
    count = max(0, math.ceil((length - tile_px) / step)) + 1
    return [slice(i * step, min(i * step + tile_px, length)) for i in range(count)]
