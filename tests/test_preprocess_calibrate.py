import numpy as np
import pytest
import torch

from dfnet.blur import disc_blur
from dfnet.photo import srgb_from_linear
from dfnet.preprocess.blur_match import variable_disc_blur
from dfnet.preprocess.calibrate import BlurTable, blur_table, fit_blur_law

LEVELS = np.concatenate([[0.0], np.arange(1, 25.0)])


def ideal_table(slope, focus_px, low=-20.0, high=30.0):
    disparity = np.linspace(low, high, 16)
    coc = slope * np.abs(disparity - focus_px)
    residual = 0.01 + 0.004 * np.abs(LEVELS[None] - coc[:, None]).clip(0, 8)
    return BlurTable(disparity, LEVELS, residual, np.ones(16))


@pytest.mark.parametrize("focus_px", [-45.0, 4.0, 60.0])
def test_the_v_is_found_inside_and_outside_of_the_scenes_range(focus_px):
    fit = fit_blur_law(ideal_table(0.25, focus_px))
    assert fit.law.disparity_at_focus_px == pytest.approx(focus_px, abs=6.0)
    assert fit.law.defocus_per_disparity == pytest.approx(0.25, rel=0.12)


def test_a_known_slope_is_kept():
    fit = fit_blur_law(ideal_table(0.3, 4.0), known_defocus_per_disparity=0.3)
    assert fit.law.defocus_per_disparity == 0.3
    assert fit.law.disparity_at_focus_px == pytest.approx(4.0, abs=1.0)


def test_one_plane_leaves_the_slope_to_the_prior():
    table = ideal_table(0.5, 4.0, low=19.0, high=19.2)
    fit = fit_blur_law(table)
    assert fit.law.defocus_per_disparity == pytest.approx(0.22, rel=0.1)
    assert 0.22 * abs(fit.law.disparity_at_focus_px - 19.1) == pytest.approx(7.55, rel=0.15)


def test_a_table_that_knows_no_blur_has_slope_zero():
    table = ideal_table(1e-6, 0.0)
    assert fit_blur_law(table).law.defocus_per_disparity == 0.0


def test_an_empty_table_has_no_law():
    nothing = BlurTable(np.empty(0), LEVELS, np.empty((0, len(LEVELS))), np.empty(0))
    assert fit_blur_law(nothing) is None


def textured(seed=0):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 60, 80, generator=generator)
    return torch.nn.functional.interpolate(coarse, scale_factor=4) * 0.8 + 0.1


def as_pixels(linear):
    return srgb_from_linear(linear.clamp(0, 1))[0].permute(1, 2, 0).numpy()


def planes(slope, focus_px, noise=0.0):
    """Six upright strips of rising disparity, each with the blur the law asks for."""
    sharp = textured()
    disparity = np.repeat(np.linspace(-10, 40, 6), 320 // 6 + 1)[:320].astype(np.float32)
    disparity = np.broadcast_to(disparity, (240, 320))
    blurred = torch.zeros_like(sharp)
    for d in np.unique(disparity):
        here = torch.from_numpy(disparity == d)
        blurred = torch.where(here, disc_blur(sharp, float(slope * abs(d - focus_px))), blurred)
    grain = noise * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(1))
    return as_pixels(blurred), as_pixels(sharp + grain), disparity


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_law_is_read_off_pictures(noise):
    image_w, uw_on_w, disparity = planes(0.25, 12.0, noise)
    table = blur_table(image_w, uw_on_w, disparity, np.ones(disparity.shape, bool))
    fit = fit_blur_law(table)
    assert fit.law.defocus_per_disparity == pytest.approx(0.25, rel=0.2)
    assert fit.law.disparity_at_focus_px == pytest.approx(12.0, abs=2.5)
    assert fit.gain > 0.2


def test_invalid_pixels_do_not_vote():
    image_w, uw_on_w, disparity = planes(0.25, 12.0)
    valid = np.zeros(disparity.shape, bool)
    assert len(blur_table(image_w, uw_on_w, disparity, valid).disparity_px) == 0


def test_varying_blur_equals_the_fixed_one_where_it_is_constant():
    image = as_pixels(textured())[..., 0]
    linear = textured()[:, :1]
    for diameter in (5.0, 12.0):
        expected = srgb_from_linear(disc_blur(linear, diameter))[0, 0].numpy()
        found = variable_disc_blur(image, np.full(image.shape, diameter))
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_varying_blur_leaves_what_is_sharp():
    image = as_pixels(textured())[..., 0]
    coc = np.zeros(image.shape)
    coc[:, 160:] = 9.0
    found = variable_disc_blur(image, coc)
    np.testing.assert_allclose(found[:, :160], image[:, :160], atol=1e-5)
    assert np.abs(found[:, 170:] - image[:, 170:]).mean() > 0.02


def test_averaged_noise_does_not_look_like_blur():
    faint = disc_blur(textured(), 3.0) * 0.15 + 0.3
    grain = torch.randn(faint.shape, generator=torch.Generator().manual_seed(3))
    image_w, uw_on_w = as_pixels(faint), as_pixels(faint + 0.05 * grain)
    disparity = np.broadcast_to(np.linspace(-10, 40, 320, dtype=np.float32), (240, 320))
    table = blur_table(image_w, uw_on_w, disparity, np.ones(disparity.shape, bool))
    by_level = table.residual.mean(axis=0)
    assert by_level[:3].min() < by_level[6:].min()  # not blurred is best, or almost
