import math

import pytest
import torch
from torch.testing import assert_close

from dfnet.optics import BlurLaw, Lens, defocus_from_disparity, signed_defocus_px

# By hand: aperture 5 mm / 2 = 2.5 mm; CoC at infinity 0.0025 * 4000 / (1.005 - 0.005) = 10 px.
LENS = Lens(focal_length_m=0.005, focal_length_px=4000.0, f_number=2.0, focus_distance_m=1.005)
DEPTH_M_TO_PX = [(0.67, -5.0), (1.005, 0.0), (2.01, 5.0), (math.inf, 10.0)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("depth_m", "expected_px"), DEPTH_M_TO_PX)
def test_defocus_equals_the_hand_computed_lens(depth_m, expected_px, dtype):
    depth = torch.full((2, 1, 3, 4), depth_m, dtype=dtype)
    want = torch.full_like(depth, expected_px)
    assert_close(signed_defocus_px(depth, LENS), want, atol=1e-5, rtol=1e-6)


def test_a_lens_focused_at_infinity_blurs_by_aperture_over_depth():
    lens = Lens(0.005, 4000.0, 2.0, math.inf)
    depth = torch.tensor([0.5, 2.0, math.inf])
    assert_close(signed_defocus_px(depth, lens), torch.tensor([-20.0, -5.0, 0.0]))


def test_dc2s_formula_gives_the_same_diameter():
    depth = torch.tensor([0.2, 0.7, 3.0], dtype=torch.float64)
    s1, f, aperture = LENS.focus_distance_m, LENS.focal_length_m, LENS.aperture_m
    coc_m = aperture * (depth - s1).abs() / depth * f / (s1 - f)  # DC², section 3.2
    px_per_m = LENS.focal_length_px / f
    assert_close(signed_defocus_px(depth, LENS).abs(), coc_m * px_per_m)


def test_defocus_is_differentiable():
    depth = torch.tensor([0.5, 1.5, 4.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda d: signed_defocus_px(d, LENS), depth)


@pytest.mark.parametrize("focus_distance_m", [0.005, 0.001, -1.0, math.nan])
def test_impossible_focus_is_refused(focus_distance_m):
    with pytest.raises(ValueError, match="need 0 < focal_length_m < focus_distance_m"):
        Lens(0.005, 4000.0, 2.0, focus_distance_m)


def test_defocus_is_disparity_seen_across_the_aperture():
    """The blur law is the thin lens in other words: slope aperture / baseline."""
    baseline_m = 0.012
    depth = torch.tensor([0.4, 1.005, 5.0])
    disparity = baseline_m * LENS.focal_length_px / depth
    at_focus = baseline_m * LENS.focal_length_px / LENS.focus_distance_m
    law = BlurLaw(LENS.aperture_m / baseline_m, at_focus)
    got = defocus_from_disparity(disparity, law)
    beyond = 1 - LENS.focal_length_m / LENS.focus_distance_m  # 0.5 % here, left out by the law
    assert_close(got, signed_defocus_px(depth, LENS) * beyond, atol=1e-4, rtol=1e-5)


def test_nearer_is_negative_and_larger_disparity_is_nearer():
    law = BlurLaw(0.22, 10.0)
    defocus = defocus_from_disparity(torch.tensor([0.0, 10.0, 30.0]), law)
    assert_close(defocus, torch.tensor([2.2, 0.0, -4.4]))


def test_resizing_scales_disparity_and_defocus_alike():
    law, disparity = BlurLaw(0.22, 10.0), torch.tensor([3.0, 25.0])
    small = defocus_from_disparity(disparity * 0.4, law.scaled(0.4))
    assert_close(small, defocus_from_disparity(disparity, law) * 0.4)
