import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch.testing import assert_close

from dfnet.errors import InputError
from dfnet.photo import (
    CLEAN,
    PHONE,
    CameraSettings,
    CameraShot,
    PhotoSettings,
    develop,
    draw_photo,
    linear_from_srgb,
    srgb_from_linear,
)
from dfnet.photo.curves import add_contrast
from dfnet.photo.sharpness import shake, shake_kernel, sharpen, soften
from dfnet.photo.storage import compress, quantise
from dfnet.photo.tone import apply_local_tone, draw_tone_waves, tone_field_stops

NOISE = CameraShot(shot_noise=4e-4, read_noise=2e-3)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def scene(height=40, width=56):
    """Blotches from deep shadow to above white."""
    return 1.3 * torch.rand(3, height, width, generator=seeded(9)) ** 3


# Reference values of IEC 61966-2-1: 0.5 linear is 0.7353569831 encoded; 0.0031308 is the knee.
@pytest.mark.parametrize(
    ("linear", "encoded"), [(0.0, 0.0), (0.001, 0.01292), (0.5, 0.73535698), (1.0, 1.0)]
)
def test_the_encoding_is_srgb(linear, encoded):
    assert_close(srgb_from_linear(torch.tensor(linear)), torch.tensor(encoded), atol=1e-6, rtol=0)
    assert_close(linear_from_srgb(torch.tensor(encoded)), torch.tensor(linear), atol=1e-6, rtol=0)


def test_the_curves_are_inverse_and_have_no_step_at_the_knee():
    x = torch.linspace(0, 1, 4001, dtype=torch.float64)
    assert_close(linear_from_srgb(srgb_from_linear(x)), x, atol=2e-7, rtol=0)
    assert float(srgb_from_linear(x).diff().min()) > 0


@pytest.mark.parametrize("contrast", [-1.9, -0.3, 0.6, 0.99])
def test_contrast_keeps_black_grey_and_white_and_rises(contrast):
    x = torch.linspace(0, 1, 1001)
    y = add_contrast(x, contrast)
    assert_close(y[[0, 500, 1000]], x[[0, 500, 1000]])
    assert float(y.diff().min()) > 0
    slope = float((y[501] - y[499]) / (x[501] - x[499]))
    assert slope == pytest.approx(1 + contrast / 2, rel=1e-3)


def test_with_everything_off_light_is_clipped_and_encoded_exactly():
    want = srgb_from_linear(scene().clamp(0, 1))
    assert torch.equal(develop(scene(), CameraShot(), seeded()), want)
    for camera in draw_photo(CLEAN, seeded(3)):
        assert torch.equal(develop(scene(), camera, seeded()), want)


WAVES = draw_tone_waves(0.4, (20.0, 60.0), seeded(7))
ALONE = [
    ("contrast", {"contrast": 0.5}, lambda light: add_contrast(srgb_from_linear(light), 0.5)),
    ("softness", {"softness_px": 0.6}, lambda light: srgb_from_linear(soften(light, 0.6))),
    ("shake", {"shake_px": 1.5}, lambda light: srgb_from_linear(shake(light, 1.5, seeded()))),
    ("local tone", {"local_tone": WAVES}, lambda x: srgb_from_linear(apply_local_tone(x, WAVES))),
    (
        "sharpening",
        {"sharpening": 0.8, "sharpening_radius_px": 1.2},
        lambda light: sharpen(srgb_from_linear(light), 0.8, 1.2),
    ),
    ("jpeg", {"jpeg_quality": 85}, lambda light: compress(srgb_from_linear(light), 85, False)),
]


@pytest.mark.parametrize(("effect", "wanted"), [a[1:] for a in ALONE], ids=[a[0] for a in ALONE])
def test_each_effect_acts_where_it_should_light_or_photo(effect, wanted):
    light = scene() * 0.3  # nothing clips
    got = develop(light, CameraShot(**effect), seeded())
    assert_close(got, wanted(light))
    assert (got - srgb_from_linear(light)).abs().max() > 0.01


def test_exposure_and_white_balance_multiply_light_before_the_curve():
    camera = CameraShot(exposure=0.5, white_balance=(1.2, 1.0, 0.8))
    got = linear_from_srgb(develop(torch.full((3, 2, 2), 0.4), camera, seeded()))
    assert_close(got[:, 0, 0], torch.tensor([0.24, 0.2, 0.16]))


@pytest.mark.parametrize("radiance", [0.05, 0.15, 0.4])
def test_noise_lies_on_the_line_of_variance_over_signal(radiance):
    """Exposure comes first: twice the light, twice the shot noise."""
    camera = dataclasses.replace(NOISE, exposure=2.0)
    light = linear_from_srgb(develop(torch.full((3, 300, 300), radiance), camera, seeded()))
    want = 4e-4 * 2 * radiance + 2e-3**2
    # 270 000 pixels: the variance's own standard error is 0.3 %.
    assert light.var().item() == pytest.approx(want, rel=0.015)
    assert light.mean().item() == pytest.approx(2 * radiance, rel=1e-3)


def test_noise_is_white_and_apart_in_each_channel():
    light = linear_from_srgb(develop(torch.full((3, 200, 200), 0.3), NOISE, seeded()))
    noise = light - light.mean(dim=(1, 2), keepdim=True)
    power = noise.square().mean().item()
    for other in (noise.roll(1, -1), noise.roll(1, -2), noise.roll(1, 0)):
        assert abs((noise * other).mean().item()) < 0.015 * power


def test_softness_makes_noise_coarser():
    camera = dataclasses.replace(NOISE, softness_px=0.6)
    light = linear_from_srgb(develop(torch.full((3, 200, 200), 0.3), camera, seeded()))
    noise = light - light.mean()
    correlation = (noise * noise.roll(1, -1)).mean() / noise.square().mean()
    # By hand: weights 0.0026 0.1655 0.6638 0.1655 0.0026; lag 1 over lag 0 is 0.2206 / 0.4954.
    assert correlation.item() == pytest.approx(0.445, abs=0.015)


def test_a_seed_repeats_the_photo_and_another_does_not():
    camera = draw_photo(PHONE, seeded(1)).wide
    again = develop(scene(), camera, seeded(1))
    assert torch.equal(develop(scene(), camera, seeded(1)), again)
    assert not torch.equal(develop(scene(), camera, seeded(2)), again)
    assert draw_photo(PHONE, seeded(1)).wide == camera
    assert draw_photo(PHONE, seeded(2)).wide != camera


def test_the_local_tone_field_has_the_stated_deviation_over_draws():
    fields = [
        tone_field_stops(draw_tone_waves(0.25, (40.0, 200.0), seeded(k)), 30, 50)
        for k in range(400)
    ]
    corners = torch.stack(fields)[:, [0, 14, 29]][:, :, [0, 25, 49]]
    assert corners.std(0) == pytest.approx(torch.full((3, 3), 0.25).numpy(), rel=0.12)
    assert torch.stack(fields).std().item() == pytest.approx(0.25, rel=0.05)


def test_the_local_tone_field_is_never_finer_than_its_shortest_period():
    field = tone_field_stops(draw_tone_waves(0.25, (32.0, 128.0), seeded(4)), 256, 256)
    window = torch.hann_window(256, periodic=True)
    power = torch.fft.rfft2(field * window * window[:, None]).abs().square()
    fy = torch.fft.fftfreq(256)[:, None]
    fx = torch.fft.rfftfreq(256)[None]
    too_fine = torch.hypot(fy, fx) > 1 / 32 + 6 / 256  # the window spreads each wave a little
    assert float(power[too_fine].sum() / power.sum()) < 1e-6


def test_the_local_tone_field_is_a_gain_in_stops():
    waves = torch.tensor([[0.3, -0.2, 0.7, 0.5]])
    got = apply_local_tone(torch.full((3, 5, 6), 0.2), waves)
    x, y = 4, 3
    want = 0.2 * 2 ** (0.5 * math.cos(0.3 * x - 0.2 * y + 0.7))
    assert got[1, y, x].item() == pytest.approx(want, rel=1e-5)


def test_local_tone_is_on_ultrawide_only_and_differences_are_relative_to_wide():
    settings = PhotoSettings(
        exposure=(0.5, 2.0),
        exposure_difference_stops=0.3,
        white_balance_difference=0.1,
        local_tone_stops=(0.2, 0.2),
    )
    shots = [draw_photo(settings, seeded(k)) for k in range(300)]
    assert all(s.wide.local_tone is None and s.wide.white_balance == (1, 1, 1) for s in shots)
    stops = np.log2([s.ultrawide.exposure / s.wide.exposure for s in shots])
    assert stops.std() == pytest.approx(0.3, rel=0.1)
    gains = np.log([s.ultrawide.white_balance for s in shots])
    assert gains.std(0) == pytest.approx([0.1, 0.0, 0.1], rel=0.1, abs=1e-6)
    assert gains.mean(0) == pytest.approx([0, 0, 0], abs=0.02)
    assert {s.wide.exposure > 1 for s in shots} == {True, False}


def test_softening_is_a_gaussian_that_keeps_the_light():
    point = torch.zeros(3, 21, 21)
    point[1, 10, 10] = 1.0
    blurred = soften(point, 0.6)
    assert blurred.sum().item() == pytest.approx(1.0, abs=1e-5)
    assert blurred[0].abs().max() == 0
    x = torch.arange(21.0) - 10
    # By hand, weights as above: 2 (0.1655 + 4 * 0.0026).
    assert (blurred[1].sum(0) * x.square()).sum().item() == pytest.approx(0.3518, rel=0.01)


def test_sharpening_overshoots_by_what_the_blur_takes_away():
    """By hand: beside a step, a Gaussian of sigma 1 has mixed in Phi(-1/2) of the other side."""
    image = torch.full((3, 20, 31), 0.4)
    image[:, :, 16:] = 0.6
    sharp = sharpen(image, 0.5, 1.0)
    halo = (sharp - image)[0, 10]
    assert halo[16].item() == pytest.approx(0.5 * 0.2 * 0.3085, rel=0.03)
    assert_close(halo[15], -halo[16])
    assert halo[:10].abs().max() < 1e-6


def test_sharpening_leaves_colour_differences_alone():
    image = torch.rand(3, 20, 20, generator=seeded(2)) * 0.4 + 0.3
    sharp = sharpen(image, 0.7, 1.0)
    assert_close(sharp[0] - sharp[2], image[0] - image[2])


@pytest.mark.parametrize("length", [0.3, 1.0, 1.5])
def test_a_shake_keeps_light_and_place(length):
    for seed in range(20):
        kernel = shake_kernel(length, seeded(seed))
        offsets = np.arange(len(kernel)) - len(kernel) // 2
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        assert kernel.min() >= 0
        assert (kernel.sum(0) * offsets).sum() == pytest.approx(0, abs=1e-5)
        assert (kernel.sum(1) * offsets).sum() == pytest.approx(0, abs=1e-5)
        # No point of a path is farther from its centroid than its length; pixels add sqrt(2).
        far = np.hypot(*np.meshgrid(offsets, offsets))[kernel > 0].max()
        assert far < length + math.sqrt(2)


def test_a_longer_shake_blurs_more():
    point = torch.zeros(3, 15, 15)
    point[:, 7, 7] = 1.0
    peaks = [shake(point, length, seeded(3)).max().item() for length in (0.0, 0.5, 1.0, 1.5)]
    assert peaks[0] == 1.0
    assert peaks == sorted(peaks, reverse=True)


def test_eight_bits_are_256_levels_and_the_nearest():
    x = scene().clamp(0, 1)
    levels = quantise(x) * 255
    assert_close(levels, levels.round())
    assert (quantise(x) - x).abs().max() <= 0.5 / 255 + 1e-6
    photo = develop(scene(), CameraShot(is_8_bit=True), seeded())
    assert torch.equal(photo, quantise(srgb_from_linear(scene().clamp(0, 1))))


def test_jpeg_keeps_channels_apart_and_harms_more_at_lower_quality():
    x = torch.stack([torch.full((40, 56), v) for v in (0.2, 0.5, 0.8)])
    assert (compress(x, 90, True) - x).abs().max() < 3 / 255
    fine = scene().clamp(0, 1)
    errors = [(compress(fine, q, False) - fine).abs().mean().item() for q in (98, 90, 80)]
    assert 0 < errors[0] < errors[1] < errors[2]


def test_half_chroma_blurs_colour_and_not_brightness():
    x = torch.full((3, 32, 32), 0.5)
    x[0, :, ::2] += 0.1
    x[1, :, ::2] -= 0.1 * 0.299 / 0.587  # stripes of equal brightness
    stripes = [(c[0] - c[1]).std().item() for c in (compress(x, 98, h) for h in (False, True))]
    assert stripes[1] < 0.1 * stripes[0]
    grey = x.mean(0, keepdim=True).expand(3, -1, -1)
    assert (compress(grey, 98, True) - grey).abs().mean() < 2 / 255


def test_the_target_has_the_look_of_the_photo_and_none_of_its_accidents():
    """With noise, shake and JPEG drawn as nothing, photo and target are one picture."""
    for seed in range(4):
        camera = draw_photo(PHONE, seeded(seed)).wide
        target = develop(scene(), camera.clean(), seeded(1))
        assert torch.equal(target, develop(scene(), camera.clean(), seeded(2)))
        quiet = dataclasses.replace(
            camera, shot_noise=0.0, read_noise=0.0, shake_px=0.0, jpeg_quality=None, is_8_bit=False
        )
        assert torch.equal(target, develop(scene(), quiet, seeded(1)))
        flat = torch.full((3, 64, 64), 0.3)
        photo, clean = (develop(flat, c, seeded(5)) for c in (camera, camera.clean()))
        assert clean.std() < 1e-6
        assert_close(photo.mean(), clean.mean(), atol=2e-3, rtol=0)


def test_every_range_is_drawn_from_end_to_end():
    shots = [draw_photo(PHONE, seeded(k)) for k in range(400)]
    drawn = {
        "exposure": ([s.wide.exposure for s in shots], PHONE.exposure),
        "contrast": ([s.ultrawide.contrast for s in shots], PHONE.contrast),
        "quality": ([s.wide.jpeg_quality for s in shots], PHONE.jpeg_quality),
        "shake": ([s.wide.shake_px for s in shots if s.wide.shake_px], PHONE.shake_px),
    }
    for name in ("shot_noise", "read_noise", "softness_px", "sharpening"):
        drawn[f"w {name}"] = [getattr(s.wide, name) for s in shots], getattr(PHONE.wide, name)
        ranges = getattr(PHONE.ultrawide, name)
        drawn[f"uw {name}"] = [getattr(s.ultrawide, name) for s in shots], ranges
    for name, (values, (low, high)) in drawn.items():
        assert low <= min(values) < low + 0.1 * (high - low), name
        assert high - 0.1 * (high - low) < max(values) <= high, name
    shaken = sum(s.wide.shake_px > 0 for s in shots)
    assert shaken / 400 == pytest.approx(PHONE.shake_chance, abs=0.07)
    assert all(s.ultrawide.shake_px == 0 for s in shots)


def test_the_configured_phone_is_the_default_one():
    configs = str(Path(__file__).parents[1] / "configs")
    with initialize_config_dir(configs, version_base="1.3"):
        for name, settings in (("phone", PHONE), ("clean", CLEAN)):
            found = instantiate(compose(f"photo/{name}").photo)
            assert found == settings
            assert repr(found) == repr(settings)  # part of the key of cached results


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exposure": (2.0, 1.0)}, r"exposure=\[2.0, 1.0\] is not a range"),
        ({"shake_px": (1.0,)}, r"shake_px=\[1.0\] is not a range"),
        ({"contrast": (0.0, 1.5)}, "must lie between -2 and 1"),
    ],
)
def test_impossible_ranges_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        PhotoSettings(**changes)
    with pytest.raises(InputError, match=r"softness_px=.* is not a range"):
        CameraSettings(softness_px=(1.0, 0.5))
