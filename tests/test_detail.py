import pytest
import torch
from torch.testing import assert_close

from dfnet.detail import keep_high_band


@pytest.mark.parametrize(
    ("source_px", "target_px", "keep"),
    [(0.0, 0.4, 1.0), (0.0, 2.1, 0.0), (9.0, 3.0, 1.0), (3.0, 5.0, 0.0), (3.0, 3.03, 1.0)],
)
def test_high_band_follows_the_extra_blur(source_px, target_px, keep):
    source, target = (torch.full((1, 1, 20, 20), v) for v in (source_px, target_px))
    assert_close(keep_high_band(source, target, scale=1.0), torch.full((1, 1, 20, 20), keep))


def test_extra_blur_counts_in_full_pixels():
    source, target = torch.zeros(1, 1, 20, 20), torch.full((1, 1, 20, 20), 0.3)
    assert float(keep_high_band(source, target, scale=1.0).min()) == 1.0
    assert float(keep_high_band(source, target, scale=1 / 8).max()) == 0.0  # 2.4 px


@pytest.mark.parametrize(("sign", "beside"), [(-1.0, 0.75), (1.0, 1.0)])
def test_only_blur_in_front_spreads_over_its_sharp_neighbours(sign, beside):
    target = torch.zeros(1, 1, 80, 80)
    target[..., :40] = sign * 16.0
    keep = keep_high_band(torch.zeros_like(target), target, scale=1.0)[0, 0, 40]
    assert float(keep[:39].max()) < 0.01
    assert float(keep[43]) == pytest.approx(beside, abs=0.1)  # half covered at 0, none from 8 px
    assert float(keep[56:].min()) > 0.99
    if sign < 0:
        assert float(keep[40:52].diff().abs().max()) < 0.2  # a slope, not a step
