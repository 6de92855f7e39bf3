import pytest
import torch
from torch.testing import assert_close

from dfnet.sensor import CLEAN, ULTRAWIDE, WIDE, Sensor, develop, linear_from_srgb, srgb_from_linear


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# Reference values of IEC 61966-2-1: 0.5 linear is 0.7353569831 encoded; 0.0031308 is the knee.
@pytest.mark.parametrize(
    ("linear", "encoded"), [(0.0, 0.0), (0.001, 0.01292), (0.5, 0.73535698), (1.0, 1.0)]
)
def test_the_tone_curve_is_srgb(linear, encoded):
    assert_close(srgb_from_linear(torch.tensor(linear)), torch.tensor(encoded), atol=1e-6, rtol=0)
    assert_close(linear_from_srgb(torch.tensor(encoded)), torch.tensor(linear), atol=1e-6, rtol=0)


def test_the_curves_are_inverse_and_have_no_step_at_the_knee():
    x = torch.linspace(0, 1, 4001, dtype=torch.float64)
    assert_close(linear_from_srgb(srgb_from_linear(x)), x, atol=2e-7, rtol=0)
    assert float(srgb_from_linear(x).diff().min()) > 0


def test_a_clean_sensor_only_clips_and_encodes():
    radiance = torch.tensor([0.25, 0.5, 3.0]).view(3, 1, 1).expand(3, 5, 7)
    want = srgb_from_linear(torch.tensor([0.25, 0.5, 1.0])).view(3, 1, 1).expand(3, 5, 7)
    assert_close(develop(radiance, CLEAN, seeded()), want)


def test_exposure_and_white_balance_multiply_before_the_curve():
    sensor = Sensor(exposure=0.5, white_balance=(1.2, 1.0, 0.8))
    got = linear_from_srgb(develop(torch.full((3, 2, 2), 0.4), sensor, seeded()))
    assert_close(got[:, 0, 0], torch.tensor([0.24, 0.2, 0.16]))


@pytest.mark.parametrize("radiance", [0.05, 0.3])
def test_noise_has_the_stated_variance(radiance):
    sensor = Sensor(shot_noise=4e-4, read_noise=2e-3)
    photo = develop(torch.full((3, 300, 300), radiance), sensor, seeded())
    variance = linear_from_srgb(photo).var().item()
    assert variance == pytest.approx(4e-4 * radiance + 2e-3**2, rel=0.02)
    assert linear_from_srgb(photo).mean().item() == pytest.approx(radiance, rel=2e-3)


def test_a_seed_repeats_the_noise_and_another_does_not():
    radiance = torch.full((3, 8, 9), 0.3)
    assert torch.equal(develop(radiance, WIDE, seeded(1)), develop(radiance, WIDE, seeded(1)))
    assert not torch.equal(develop(radiance, WIDE, seeded(1)), develop(radiance, WIDE, seeded(2)))


def test_the_ultrawide_is_the_noisier_camera():
    radiance = torch.full((3, 100, 100), 0.3)
    noise = [develop(radiance, s, seeded())[1].std() for s in (WIDE, ULTRAWIDE)]
    assert noise[1] > 1.2 * noise[0]
