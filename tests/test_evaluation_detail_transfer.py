"""Detail transfer on a photo blurred by hand; the guide has its own tone, place and gaps."""

import pytest
import torch
from hand_blur import blurred, psnr, tensor, texture
from made_preprocessed import made_preprocessed

from dfnet.camera import Camera
from dfnet.evaluation.detail_transfer import (
    detail_transfer,
    leftover_shift,
    likeness,
    smoothed,
)
from dfnet.evaluation.question import Question
from dfnet.photo import srgb_from_linear

HEIGHT, WIDTH, BORDER = 120, 160, 32
COC_PX = 6.0


def encoded(linear, dx=0):
    rows, columns = slice(BORDER, -BORDER), slice(BORDER + dx, BORDER + dx + WIDTH)
    return srgb_from_linear(tensor(linear[rows, columns])[0].clamp(0, 1))


@pytest.fixture(scope="module")
def scene():
    coarse = texture(5, (24, 28)).repeat(8, axis=0).repeat(8, axis=1)  # what survives the blur
    light = 0.5 * coarse[: HEIGHT + 64, : WIDTH + 64] + 0.5 * texture(6, (HEIGHT + 64, WIDTH + 64))
    return light, encoded(light), encoded(blurred(light, COC_PX))


def ask(image_w, guide, shown_px, wanted_px, occluded=None):
    nothing = torch.zeros(1, HEIGHT, WIDTH)
    prepared = made_preprocessed(
        HEIGHT,
        WIDTH,
        uw_on_w=guide,
        occluded_w=nothing > 0 if occluded is None else occluded,
        defocus_w_px=nothing + shown_px,
    )
    return Question("all_in_focus", "", image_w, prepared, nothing + wanted_px, Camera(), image_w)


def test_detail_comes_back_and_a_smooth_difference_of_tone_does_not_matter(scene):
    _, sharp, soft = scene
    ramp = torch.linspace(-0.1, 0.1, WIDTH)
    answer = detail_transfer(ask(soft, (sharp + ramp).clamp(0, 1), COC_PX, 0.0))
    assert psnr(answer, sharp) > psnr(soft, sharp) + 5
    assert psnr(answer, sharp) > psnr(sharp + ramp, sharp) + 3  # better than pasting


def test_blur_is_added_too(scene):
    _, sharp, soft = scene
    answer = detail_transfer(ask(sharp, sharp, 0.0, COC_PX))
    assert psnr(answer, soft) > psnr(sharp, soft) + 8


def test_a_guide_a_little_off_is_moved_into_place(scene):
    light, sharp, soft = scene
    off = encoded(light, dx=-3)
    answer = detail_transfer(ask(soft, off, COC_PX, 0.0))
    without = soft + off - encoded(blurred(light, COC_PX), dx=-3)
    assert psnr(without, sharp) < psnr(soft, sharp)  # it would do harm
    assert psnr(answer, sharp) > psnr(soft, sharp) + 3


def test_the_shift_points_from_w_to_the_guide(scene):
    gray, moved = (encoded(scene[0], dx=dx).mean(dim=0).numpy() for dx in (0, -3))
    flow = leftover_shift(gray, moved)  # W's x is at x + 3 there
    assert flow[20:-20, 20:-20, 0].mean() == pytest.approx(3.0, abs=0.3)
    assert abs(flow[20:-20, 20:-20, 1].mean()) < 0.3


def test_nothing_comes_from_where_uw_cannot_see(scene):
    _, sharp, soft = scene
    occluded = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    occluded[..., :50] = True
    answer = detail_transfer(ask(soft, sharp, COC_PX, 0.0, occluded))
    torch.testing.assert_close(answer[..., :48], soft[..., :48], atol=1e-4, rtol=0)
    assert psnr(answer[..., 60:], sharp[..., 60:]) > psnr(soft[..., 60:], sharp[..., 60:]) + 5


def test_another_picture_does_little_harm(scene):
    _, _, soft = scene
    other = encoded(texture(9, (HEIGHT + 64, WIDTH + 64)))
    answer = detail_transfer(ask(soft, other, COC_PX, 0.0))
    pasted = psnr(soft + other - encoded(blurred(texture(9, (184, 224)), COC_PX)), soft)
    assert psnr(answer, soft) > pasted + 4


def test_likeness_is_of_detail_and_not_of_tone(scene):
    gray = scene[1].mean(dim=0).numpy()
    assert likeness(gray, 0.5 * gray + 0.3)[20:-20, 20:-20].mean() > 0.95
    assert likeness(gray, 1 - gray).max() == 0.0
    assert likeness(gray, gray * 0 + 0.5).max() < 0.01


def test_noise_finer_than_the_blur_is_not_kept(scene):
    _, sharp, soft = scene
    noise = 0.03 * torch.randn(soft.shape, generator=torch.Generator().manual_seed(0))
    noisy = soft + noise
    answer = detail_transfer(ask(noisy, sharp, COC_PX, 0.0))
    added = noisy + sharp - soft
    assert psnr(answer, sharp) > psnr(added, sharp) + 1


def test_smoothing_follows_the_map():
    spot = torch.zeros(1, 3, 81, 161)
    spot[..., 40, 40], spot[..., 40, 120] = 1.0, 1.0
    sigma = torch.zeros(1, 1, 81, 161)
    sigma[..., 80:] = 3.0  # half-way between 2 and 4
    out = smoothed(spot, sigma)
    torch.testing.assert_close(out[..., :80], spot[..., :80])
    # By hand: the peak of a Gaussian is 1 / (2 pi sigma²).
    peak = (1 / 2**2 + 1 / 4**2) / 2 / (2 * torch.pi)
    assert float(out[0, 0, 40, 120]) == pytest.approx(peak, rel=0.03)


def test_large_photos_are_worked_on_reduced_and_keep_their_size(scene, monkeypatch):
    _, sharp, soft = scene
    monkeypatch.setattr("dfnet.evaluation.detail_transfer.WORKING_SIDE_PX", WIDTH // 2)
    answer = detail_transfer(ask(soft, sharp, COC_PX, 0.0))
    assert answer.shape == soft.shape
    assert psnr(answer, sharp) > psnr(soft, sharp) + 2
