"""Strips and the whole give the same."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from dfnet.resizing import chosen, enlarged_rows, resize, row_strips


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("small", "size"), [((7, 9), (40, 33)), ((30, 11), (31, 12))])
def test_enlarged_strip_by_strip_is_enlarged(mode, small, size):
    x = torch.rand(2, 3, *small, generator=torch.Generator().manual_seed(0))
    whole = F.interpolate(x, size, mode=mode)
    strips = [slice(0, 3), slice(3, 17), slice(17, size[0])]
    parts = [enlarged_rows(x, size, rows, mode) for rows in strips]
    assert_close(torch.cat(parts, dim=-2), whole, atol=1e-5, rtol=0)


def test_what_is_constant_stays_so_to_the_bit():
    ones = torch.ones(1, 1, 13, 17)
    for rows in (slice(0, 20), slice(20, 50)):
        assert torch.equal(
            enlarged_rows(ones, (50, 41), rows, "bilinear"),
            ones[..., :1, :1].expand(1, 1, rows.stop - rows.start, 41),
        )


def test_strips_cover_all_rows_once():
    strips = row_strips(1000, 4000)
    assert [i for rows in strips for i in range(rows.start, rows.stop)] == list(range(1000))
    assert max(rows.stop - rows.start for rows in strips) * 4000 <= 1 << 20


def test_chosen_is_a_masks_pick():
    x = torch.rand(1, 1, 5, 7)
    assert torch.equal(chosen(x, x > 0.5), x[x > 0.5])


def test_a_smaller_size_averages():
    checks = (torch.arange(8) % 2).float().expand(1, 1, 8, 8)
    assert float((resize(checks, (2, 2)) - 0.5).abs().max()) < 0.1
