import numpy as np
import pytest
import torch
from blurred_planes import as_pixels, planes, textured

from dfnet.blur import disc_blur
from dfnet.optics import BlurLaw
from dfnet.photo import linear_from_srgb, srgb_from_linear
from dfnet.preprocess.blur_evidence import STEP_PX, weigh_blurs
from dfnet.preprocess.blur_match import variable_disc_blur
from dfnet.preprocess.blur_patches import measure_patches
from dfnet.preprocess.blur_posterior import PHONES, SlopePrior
from dfnet.preprocess.blur_table import blur_table
from dfnet.preprocess.calibrate import BlurFit, defocus_deviation_px, fit_blur_law


def fit(image_w, uw_on_w, disparity, prior=PHONES):
    everywhere = np.ones(disparity.shape, bool)
    return fit_blur_law(measure_patches(image_w, uw_on_w, disparity, everywhere), prior)


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize(("slope", "focus_px"), [(0.25, 12.0), (0.17, 30.0), (0.36, -4.0)])
def test_the_law_is_read_off_pictures(slope, focus_px, noise):
    found = fit(*planes(slope, focus_px, noise))
    assert found.law.defocus_per_disparity == pytest.approx(slope, rel=0.1)
    assert slope * abs(found.law.disparity_at_focus_px - focus_px) < 0.55  # worst seen: 0.48


def test_a_known_slope_is_kept():
    found = fit(*planes(0.3, 12.0), SlopePrior(0.3, 0.0))
    assert found.law.defocus_per_disparity == 0.3
    assert found.slope_deviation == 0.0
    assert found.law.disparity_at_focus_px == pytest.approx(12.0, abs=1.5)


def test_pictures_without_defocus_have_slope_zero():
    image_w, uw_on_w, disparity = planes(0.0, 12.0, noise=0.02)
    assert fit(image_w, uw_on_w, disparity).law.defocus_per_disparity == 0.0


def test_the_deviation_of_defocus_by_hand():
    # Slope 0.2 +- 0.01, focus 30 +- 4, correlated by -0.5; at disparity 10 the law's variance is
    # (20 * 0.01)² + (0.2 * 4)² - 2 * 0.5 * (20 * 0.01) * (0.2 * 4), and the disparity adds 0.2².
    fit = BlurFit(BlurLaw(0.2, 30.0), 9.0, 4.0, 0.01, -0.5)
    found = defocus_deviation_px(torch.tensor([[10.0, 30.0]]), torch.tensor([[1.0, 0.0]]), fit)
    expected = torch.tensor([[(0.04 + 0.64 - 0.16 + 0.04) ** 0.5, 0.8]])
    torch.testing.assert_close(found, expected)
    double = defocus_deviation_px(torch.tensor([[20.0]]), 2.0, fit.scaled(2.0))
    torch.testing.assert_close(double, 2 * found[:, :1])


def test_stated_deviations_are_those_of_the_errors():
    z = []
    for slope, focus_px in ((0.18, 5.0), (0.22, 25.0), (0.3, 38.0), (0.2, -8.0)):
        found = fit(*planes(slope, focus_px, noise=0.01))
        z.append((found.law.defocus_per_disparity - slope) / found.slope_deviation)
        z.append((found.law.disparity_at_focus_px - focus_px) / found.focus_deviation_px)
    assert 0.1 < np.sqrt(np.mean(np.square(z))) < 2.5


def test_one_plane_leaves_the_slope_to_what_is_known_of_phones():
    image_w, uw_on_w, disparity = planes(0.36, -4.0)
    strip = slice(108, 162)  # a single one
    level = np.full_like(disparity, 10.0)[:, strip]
    found = fit(image_w[:, strip], uw_on_w[:, strip], level)
    assert found.slope_deviation > 0.04


def test_invalid_pixels_do_not_vote():
    image_w, uw_on_w, disparity = planes(0.25, 12.0)
    nowhere = np.zeros(disparity.shape, bool)
    assert fit_blur_law(measure_patches(image_w, uw_on_w, disparity, nowhere)) is None


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


@pytest.mark.parametrize("diameter_px", [6.5, 10.0, 13.0, 17.0, 23.0, 30.0, 45.0])
def test_wide_blur_is_read_as_wide(diameter_px):
    """Sharp-edged boxes, whose blurred edges still excite the finest bands a little."""
    generator = np.random.default_rng(0)
    sharp = np.full((384, 512, 3), 0.4, dtype=np.float32)
    for x, y, w, h in generator.integers((0, 0, 12, 12), (512, 384, 120, 120), (300, 4)):
        sharp[y : y + h, x : x + w] = generator.uniform(0.1, 0.8)
    linear = linear_from_srgb(torch.from_numpy(sharp)).permute(2, 0, 1)[None]
    blurred = srgb_from_linear(disc_blur(linear, diameter_px))[0].permute(1, 2, 0).numpy()
    wide = (blurred + generator.normal(0, 0.003, sharp.shape)).astype(np.float32)
    flat, everywhere = np.zeros(sharp.shape[:2], np.float32), np.ones(sharp.shape[:2], bool)
    evidence = weigh_blurs(measure_patches(wide, sharp, flat, everywhere), 1.0)
    found_px = evidence.lowest_px + STEP_PX * evidence.log_likelihood.sum(axis=0).argmax()
    assert found_px == pytest.approx(diameter_px, rel=0.05)
