import pytest
import torch
from scipy.ndimage import convolve
from torch.testing import assert_close

from dfnet.blur import blurred_by, disc_blur, disc_kernel


@pytest.mark.parametrize("diameter_px", [0.0, 0.7, 2.0, 3.3, 8.0, 21.5])
def test_a_disc_keeps_the_light(diameter_px):
    assert_close(disc_kernel(diameter_px).sum(), torch.tensor(1.0))


@pytest.mark.parametrize("diameter_px", [6.5, 12.0, 25.0])
def test_its_spread_is_that_of_a_disc(diameter_px):
    kernel = disc_kernel(diameter_px)
    at = torch.arange(kernel.shape[0]) - kernel.shape[0] // 2
    variance = (kernel.sum(0) * at**2).sum()
    # By hand: a uniform disc of diameter D has variance D²/16 along each axis; a pixel adds 1/12.
    assert variance.item() == pytest.approx(diameter_px**2 / 16 + 1 / 12, rel=0.03)


def test_less_than_a_pixel_changes_nothing():
    image = torch.rand(1, 2, 6, 7, generator=torch.Generator().manual_seed(0))
    assert_close(disc_blur(image, 0.9), image)


def test_a_point_becomes_a_disc_of_its_diameter():
    image = torch.zeros(1, 1, 41, 41)
    image[..., 20, 20] = 1.0
    blurred = disc_blur(image, 16.0)[0, 0]
    lit = (blurred > 0.5 * blurred.max()).sum().item()
    assert lit == pytest.approx(3.14159 * 64, rel=0.05)


def test_a_blur_wider_than_the_image_still_works():
    assert_close(disc_blur(torch.full((1, 1, 5, 6), 0.3), 30.0), torch.full((1, 1, 5, 6), 0.3))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [3, 13, 15])
def test_a_lopsided_kernel_is_laid_as_scipy_lays_it(side, channels):
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(2, channels, 40, 33, generator=generator)
    kernel = torch.rand(side, side, generator=generator)
    found = blurred_by(image, kernel / kernel.sum())
    for one, other in zip(image.flatten(0, 1), found.flatten(0, 1), strict=True):
        expected = convolve(one.numpy(), (kernel / kernel.sum()).numpy(), mode="mirror")
        assert_close(other, torch.from_numpy(expected), atol=1e-5, rtol=0)


def test_a_negative_diameter_is_refused():
    with pytest.raises(ValueError, match="need a finite diameter_px >= 0"):
        disc_kernel(-1.0)
