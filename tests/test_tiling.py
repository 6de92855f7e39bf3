import itertools

import pytest
import torch
from torch.testing import assert_close

from dfnet.tiling import OVERLAP_PX, Mosaic, feather, tiles

SIZES = [(200, 300, 512), (1000, 1100, 256), (513, 512, 512), (700, 1009, 208)]


@pytest.mark.parametrize(("height", "width", "tile_px"), SIZES)
def test_every_pixel_is_well_inside_of_some_tile(height, width, tile_px):
    best = torch.zeros(height, width)
    for rows, columns in tiles(height, width, tile_px):
        weight = feather(rows, height)[:, None] * feather(columns, width)
        best[rows, columns] = torch.maximum(best[rows, columns], weight)
    assert float(best.min()) > 0.2


@pytest.mark.parametrize(("height", "width", "tile_px"), SIZES)
def test_tiles_are_bounded_on_the_grid_and_overlap(height, width, tile_px):
    windows = tiles(height, width, tile_px)
    for rows, columns in windows:
        assert rows.stop - rows.start <= tile_px
        assert columns.stop - columns.start <= tile_px
        assert rows.start % 16 == columns.start % 16 == 0
    tops = sorted({(r.start, r.stop) for r, _ in windows})
    for above, below in itertools.pairwise(tops):
        assert above[1] - below[0] >= OVERLAP_PX
    assert tops[-1][1] == height


def test_a_picture_that_fits_is_one_tile_of_full_weight():
    assert tiles(100, 200, 512) == [(slice(0, 100), slice(0, 200))]
    assert_close(feather(slice(0, 100), 100), torch.ones(100))


def test_the_pixels_beside_an_inner_border_do_not_count():
    weight = feather(slice(160, 416), 1000)
    assert (weight[:32] == 0).all()
    assert (weight[-32:] == 0).all()
    assert (weight[96:-96] == 1).all()
    assert float(weight.diff().abs().max()) < 0.03  # a ramp, no step


def test_tiles_too_small_to_overlap_are_refused():
    with pytest.raises(ValueError, match="need tile_px >= 144, got 120"):
        tiles(300, 300, 120)


def test_a_mosaic_blends_what_tiles_say_and_lets_go_of_it_row_by_row():
    size, tile = (300, 260), 176
    generator = torch.Generator().manual_seed(0)
    total, weights = torch.zeros(1, 2, *size), torch.zeros(size)
    told, held = [], []
    mosaic = Mosaic(2, size, lambda rows, values: told.append((rows, values)))
    for rows, columns in tiles(*size, tile):
        values = torch.rand(1, 2, rows.stop - rows.start, columns.stop - columns.start)
        values += torch.rand(1, generator=generator)
        weight = feather(rows, size[0])[:, None] * feather(columns, size[1])
        total[..., rows, columns] += weight * values
        weights[rows, columns] += weight
        mosaic.add(rows, columns, values)
        held.append(mosaic.rows_held)
    mosaic.close()
    assert [rows.start for rows, _ in told] == [0, *[rows.stop for rows, _ in told[:-1]]]
    assert_close(torch.cat([values for _, values in told], dim=-2), total / weights)
    assert len(told) > 2
    assert max(held) == tile
    assert mosaic.rows_held == 0
