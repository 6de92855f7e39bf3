"""Lamps: which white spots count, what light they get, and what becomes of it."""

import math

import pytest
import torch
from test_model import awake_model, random_sample
from torch.testing import assert_close

from dfnet.model import DFNet
from dfnet.model.lamps import LampFinder, Lamps, white_spots
from dfnet.photo import linear_from_srgb


def sure_of_lamps(width=8, log_light=4.0):
    """As if it had learned that every white spot is a lamp of `exp(log_light)` times white."""
    lamps = LampFinder(width, 1)
    with torch.no_grad():
        lamps.path.heads[-1].bias.copy_(torch.tensor([13.0] * 4 + [log_light - 5] * 4))
    return lamps.eval()


def test_spots_are_white_in_all_channels_and_not_wide():
    photo = torch.full((1, 3, 64, 96), 0.6)
    photo[:, :, 8:11, 8:11] = 1.0  # a dot
    photo[:, :, 8:11, 30] = 0.825  # half white
    photo[:, :2, 8:11, 50:53] = 1.0  # yellow
    photo[:, :, 30:50, 20:60] = 1.0  # paper
    photo[:, :, 20:60, 80:83] = 1.0  # a line
    spots = white_spots(photo)[0, 0]
    assert (spots[8:11, 8:11] == 1).all()
    assert_close(spots[8:11, 30], torch.full((3,), 0.5), atol=1e-5, rtol=0)
    assert (spots[20:60, 80:83] == 1).all()
    assert float(spots.sum()) == pytest.approx(9 + 1.5 + 120, abs=1e-3)


def test_what_is_taken_for_a_lamp_gets_its_light():
    spots = torch.zeros(1, 1, 8, 32)
    spots[..., 4, 4::8] = 1.0
    log_odds = torch.tensor([9.0, 4.0, 3.0, -9.0]).repeat_interleave(4).expand(1, 1, 4, 16)
    light = Lamps(spots, log_odds, torch.full((1, 1, 4, 16), math.log(200))).light()
    found = light[0, 0, 4, 4::8] / 200
    assert_close(found, torch.tensor([1.0, 0.5, 1 / (1 + math.e**4), 0.0]), atol=1e-4, rtol=0)
    assert (light[spots == 0] == 0).all()


def test_lamps_do_not_depend_on_the_blur_that_is_wanted():
    model = awake_model(render=True, lamps=True)
    sample = random_sample(source_px=0.0)
    with torch.no_grad():
        found = [
            model(sample._replace(target_defocus_w_px=torch.full_like(sample.radial_w, px))).lamps
            for px in (5.0, 20.0)
        ]
        assert model(sample._replace(target_defocus_w_px=0 * sample.radial_w)).lamps is None
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    assert found[0].log_odds.std() > 0


def test_a_white_dot_is_blurred_into_the_disc_of_a_lamp():
    """The same dot: of white paper, and of a lamp that is 55 times brighter than white."""
    sample = random_sample(source_px=0.0)
    photo = torch.full_like(sample.image_w, 0.1)
    photo[..., 24, 40] = 1.0
    wanted = torch.full_like(sample.defocus_w_px, 12.0)
    asked = sample._replace(image_w=photo, target_defocus_w_px=wanted)
    light = []
    for lamps in (False, True):
        model = DFNet(width=16, render=True, lamps=lamps).eval()
        if lamps:
            model.lamps = sure_of_lamps()
        with torch.no_grad():
            light.append(linear_from_srgb(model(asked).image)[..., 24, 40] - 0.01)
    disc_px2 = math.pi / 4 * 12**2
    assert_close(light[1], torch.full((2, 3), 55.6 / disc_px2), atol=0, rtol=0.15)
    assert (light[0] < 0.01).all()
