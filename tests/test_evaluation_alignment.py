"""Another exposure of a scene: what must not count does not, and what was fitted is told."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from made_pair import texture

from dfnet.blur import disc_blur
from dfnet.evaluation.alignment import MARGIN_PX, SIDE_PX, align, compare_aligned
from dfnet.evaluation.metrics import psnr
from dfnet.io.images import read_image
from dfnet.photo import srgb_from_linear

HEIGHT, WIDTH, BORDER = 300, 400, 32
FOLDER = os.environ.get("DFNET_REAL_DATA")
# Measured once by another program (OpenCV and scikit-image on 8-bit pictures).
REFERENCE_DB = {
    ("kitchen", "dc2_output"): 23.77,
    ("book", "baseline_output"): 20.74,
    ("cafeteria", "wide"): 26.93,
    ("gameroom", "dc2_output"): 27.25,
}


@pytest.fixture(scope="module")
def scene():
    """A truth that goes on beyond the frame, and an output that is softer and noisy."""
    shape = HEIGHT + 2 * BORDER, WIDTH + 2 * BORDER
    linear = texture(np.random.default_rng(3), shape)
    truth = 0.1 + 0.8 * srgb_from_linear(linear.clamp(0, 1))[0]
    soft = 0.1 + 0.8 * srgb_from_linear(disc_blur(linear, 4.0).clamp(0, 1))[0]
    noise = 0.02 * torch.randn(soft.shape, generator=torch.Generator().manual_seed(1))
    return truth, at(soft + noise, 0, 0).clamp(0.05, 0.95)


def at(image, dx, dy):
    """The frame's part of a larger picture, moved."""
    top, left = BORDER + dy, BORDER + dx
    return image[:, top : top + HEIGHT, left : left + WIDTH]


def resized(image, factor):
    """The frame's part of a larger picture, magnified about the centre."""
    height, width = image.shape[-2:]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix = np.hstack([np.eye(2) / factor, (centre - centre / factor)[:, None]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpAffine(image.permute(1, 2, 0).numpy(), matrix, (width, height), flags=flags)
    return at(torch.from_numpy(pixels).permute(2, 0, 1), 0, 0)


def main_db(output, truth):
    return compare_aligned(align(output, truth), {"all": None}, 1)["all"]["psnr_db"]


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (0, -3), (-2, 2), (1, 1)])
def test_a_shift_does_not_count(scene, dx, dy):
    truth, output = scene
    still, moved = at(truth, 0, 0), at(truth, dx, dy)
    assert abs(main_db(output, moved) - main_db(output, still)) < 0.1
    assert abs(align(output, moved).shift_px - np.hypot(dx, dy)) < 0.1
    assert psnr(output, moved) < psnr(output, still) - 1.5  # raw, it costs more than a method gains


@pytest.mark.parametrize("gain", [0.95, 1.05])
def test_a_gain_does_not_count(scene, gain):
    truth, output = at(scene[0], 0, 0), scene[1]
    found, before = align(gain * output, truth), align(output, truth)
    assert abs(main_db(gain * output, truth) - main_db(output, truth)) < 0.1
    ratio = (1 + found.gain_percent / 100) / (1 + before.gain_percent / 100)
    assert abs(ratio * gain - 1) < 0.02  # some values reach white
    assert psnr(gain * output, truth) < psnr(output, truth)


def test_the_truths_global_colours_gain_nothing(scene):
    """Copying what the truth says of brightness and contrast, channel by channel."""
    truth, output = at(scene[0], 0, 0), scene[1]
    mean, deviation = (f(truth, dim=(1, 2), keepdim=True) for f in (torch.mean, torch.std))
    centred = output - output.mean((1, 2), keepdim=True)
    copied = centred / output.std((1, 2), keepdim=True) * deviation + mean
    assert main_db(copied.clamp(0, 1), truth) < main_db(output, truth) + 0.1


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (0.9, 0.03)])
@pytest.mark.parametrize("dx", [0, 2])
def test_copying_the_truths_low_frequencies_gains_nothing(scene, gain, offset, dx):
    truth, output = at(scene[0], dx, 0), gain * scene[1] + offset
    copied = (output - smooth(output) + smooth(truth)).clamp(0, 1)
    assert psnr(copied, truth) > psnr(output, truth) - 0.05  # raw, it may pay
    assert main_db(copied, truth) < main_db(output, truth) + 0.1


def smooth(image):
    pixels = image.permute(1, 2, 0).contiguous().numpy()
    return torch.from_numpy(cv2.GaussianBlur(pixels, (0, 0), 16)).permute(2, 0, 1)


def test_the_output_itself_is_never_resampled(scene):
    truth, output = at(scene[0], 4, 3), scene[1]
    found = align(output, truth)
    inside = output[:, found.margin_px : -found.margin_px, found.margin_px : -found.margin_px]
    for before, after in zip(inside.double().numpy(), found.fitted.double().numpy(), strict=True):
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 1 - 1e-9
    assert found.margin_px == round(MARGIN_PX * WIDTH / SIDE_PX)


@pytest.mark.parametrize("factor", [1.006, 0.996])
def test_magnification_is_found(scene, factor):
    found = align(scene[1], resized(scene[0], factor))
    assert abs(found.scale_percent - 100 * (factor - 1)) < 0.05
    assert found.shift_px < 0.3
    assert found.flags() == ()


def test_too_much_of_it_is_flagged(scene):
    truth, output = scene
    # 16 px of 2688 are 2.38 px of 400.
    assert align(output, at(truth, 3, 0)).flags() == ("shifted by more than 2.38 px",)
    assert align(output, at(truth, 2, 0)).flags() == ()
    assert align(output, resized(truth, 1.015)).flags() == ("scaled by more than 1 %",)
    assert align(output, 0.6 * at(truth, 0, 0)).flags() == ("gain beyond 15 %",)
    flat = torch.full_like(output, 0.5)
    assert "could not be aligned" in align(flat, at(truth, 0, 0)).flags()


def test_parts_are_places_of_the_output(scene):
    truth, output = at(scene[0], 3, 2), scene[1].clone()
    mask = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    mask[:, 100:160, 120:220] = True
    spoilt = torch.where(mask, 1 - output, output)
    parts = compare_aligned(
        align(spoilt, truth), {"all": None, "in": mask, "out": ~mask, "few": mask & False}, 1
    )
    assert set(parts) == {"all", "in", "out"}
    assert parts["in"]["psnr_db"] < 15 < parts["out"]["psnr_db"] - 5
    assert parts["in"]["ssim"] < parts["out"]["ssim"]


needs_photos = pytest.mark.skipif(
    not FOLDER, reason="DFNET_REAL_DATA does not name a copy of the DC² page's examples"
)


def read(name, file):
    return read_image(next(Path(FOLDER, name).glob(f"{file}.*")))


@needs_photos
@pytest.mark.parametrize(("name", "output"), list(REFERENCE_DB))
def test_published_pictures_score_as_another_program_found(name, output):
    found = main_db(read(name, output), read(name, "target"))
    assert abs(found - REFERENCE_DB[name, output]) < 0.05


@needs_photos
def test_eight_pixels_and_five_percent_of_a_real_photo_do_not_count():
    """Of its middle, for speed; what comes into view is real, too."""
    target, picture = read("cafeteria", "target"), read("cafeteria", "dc2_output")
    rows, columns = slice(500, 1508), slice(700, 2044)
    cut, still = picture[:, rows, columns], target[:, rows, columns]
    moved = target[:, 492:1500, 708:2052]
    before = main_db(cut, still)
    assert abs(main_db(cut, moved) - before) < 0.1
    for gain in (0.95, 1.05):
        assert abs(main_db(gain * cut, still) - before) < 0.1
