"""The mathematics of target maps, without steps."""

import pytest
import torch
from torch.testing import assert_close

from dfnet.optics import BlurLaw, Lens, defocus_from_disparity, signed_defocus_px
from dfnet.targets import maps

HEIGHT, WIDTH = 48, 64


def a_ramp():
    """Rises to the right; (1, 48, 64), from -6 to 6 px."""
    return torch.linspace(-6, 6, WIDTH).expand(1, HEIGHT, WIDTH).clone()


def test_all_in_focus_is_zero_everywhere():
    assert_close(maps.all_in_focus(a_ramp()), torch.zeros(1, HEIGHT, WIDTH))


def test_refocusing_equals_the_blur_law_with_another_focus():
    disparity = torch.rand(1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0)) * 40
    disparity[:, 10:30, 20:50] = 12.5
    law = BlurLaw(defocus_per_disparity=0.22, disparity_at_focus_px=31.0)
    wanted = defocus_from_disparity(disparity, BlurLaw(0.22, 12.5))
    got = maps.refocus_at(defocus_from_disparity(disparity, law), (35, 20))
    assert_close(got, wanted, atol=1e-5, rtol=0)


def test_refocusing_on_something_nearer_makes_the_rest_beyond_focus():
    depth_m = torch.full((1, HEIGHT, WIDTH), 3.0)
    depth_m[:, :, :32] = 0.8
    defocus = signed_defocus_px(depth_m, Lens(0.0068, 2800.0, 1.85, 3.0))
    target = maps.refocus_at(defocus, (10, 20))
    assert (target[:, :, :32] == 0).all()
    assert (target[:, :, 32:] > 1).all()


def test_point_is_x_then_y():
    defocus = torch.zeros(1, HEIGHT, WIDTH)
    defocus[:, 5:20, 40:60] = 3.0  # y around 12, x around 50
    assert float(maps.refocus_at(defocus, (50, 12))[0, 0, 0]) == -3.0


def test_one_wild_pixel_under_the_click_changes_nothing():
    defocus = torch.full((1, HEIGHT, WIDTH), 2.0)
    defocus[0, 20, 30] = 500.0
    assert float(maps.refocus_at(defocus, (30, 20))[0, 0, 0]) == 0.0


@pytest.mark.parametrize("corner", [(0, 0), (WIDTH - 1, HEIGHT - 1)])
def test_corners_can_be_clicked(corner):
    assert_close(maps.refocus_at(torch.ones(1, HEIGHT, WIDTH), corner).abs().max().item(), 0.0)


def test_aperture_multiplies_the_blur():
    assert_close(maps.aperture(a_ramp(), 1.5), a_ramp() * 1.5)
