"""Light that photos clip: what a sample knows of it, and how far guesses are off, by hand."""

import dataclasses
import math

import pytest
import torch
from test_training_samples import HEIGHT, QUIET, WIDTH, draw, make_stack, only
from torch.testing import assert_close

from dfnet.model.highlights import Highlights
from dfnet.photo import CLEAN, linear_from_srgb
from dfnet.training.highlight_misfit import highlight_misfit

HALF_EXPOSED = dataclasses.replace(QUIET, photo=dataclasses.replace(CLEAN, exposure=(0.5, 0.5)))


def guess(gain):
    """The lower half of a picture of 16x32 is clipped in red."""
    clipped = torch.zeros(1, 3, 16, 32)
    clipped[:, 0, 8:] = 1.0
    return Highlights(clipped, torch.full((1, 3, 8, 16), math.log(gain)))


def light():
    """Four times white in red below, and other light that does not matter."""
    true = torch.full((1, 3, 16, 32), 5.0)
    true[:, 0, 8:] = 3.0
    return true


ALL_CLIPPED = 1 / 0.03  # a sixth is


def test_the_gain_of_clipped_channels_counts_and_no_other():
    assert highlight_misfit(guess(4), light()) == pytest.approx(0, abs=1e-9)
    expected = ALL_CLIPPED / 6 * math.log(2) ** 2
    assert highlight_misfit(guess(2), light()) == pytest.approx(expected)
    assert highlight_misfit(guess(8), light()) == pytest.approx(expected)


def test_pictures_count_by_how_much_of_them_is_clipped():
    less = guess(2)
    less.clipped[..., 8:] = 0.0
    share = highlight_misfit(less, light()) / highlight_misfit(guess(2), light())
    assert share == pytest.approx(1 / 4)


def test_what_is_not_known_is_left_out():
    true = light()
    true[..., 16:] = torch.nan
    found = guess(2)
    found.log_gain.requires_grad_()
    misfit = highlight_misfit(found, true)
    misfit.backward()
    assert misfit.item() == pytest.approx(ALL_CLIPPED / 6 * math.log(2) ** 2)
    assert (found.log_gain.grad[..., 9:] == 0).all()
    assert highlight_misfit(guess(2), torch.nan * true) == 0
    assert highlight_misfit(None, true) == 0
    cut = highlight_misfit(guess(2), light()[..., :15, :30])  # sides are padded
    assert cut == pytest.approx(ALL_CLIPPED / 3 * 7 / 15 * math.log(2) ** 2)


def test_a_sample_knows_its_lamps_light():
    stack = make_stack(slices=1)
    assert draw(QUIET, 0, stack).lamp_light.isnan().all()
    level = torch.zeros(3, HEIGHT, WIDTH)
    level[1, 20:40, 30:50] = 50.0
    stack.wide[0][:, 20:40, 30:50] = 1.0
    stack = dataclasses.replace(stack, beyond_white_level=level.half())
    seen = [draw(HALF_EXPOSED, k, stack) for k in range(6)]
    for batch in seen:
        lit = batch.sample.image_w[0] > 0.99  # they turn with the picture
        assert (batch.lamp_light[1, lit] == 25).all()
        assert (batch.lamp_light[:, ~lit] == 0).all()
        assert (batch.lamp_light[0] == 0).all()
    assert any((batch.lamp_light > 0).any() for batch in seen)


def test_a_sample_knows_what_light_its_photo_clips():
    stack = make_stack(slices=1)
    stack.all_in_focus[1, 20:40, 30:50] = 0.9  # 3.24 times white; at half the exposure 1.62
    settings = dataclasses.replace(HALF_EXPOSED, weights=only("all_in_focus"))
    seen = [draw(settings, k, stack) for k in range(6)]
    for batch in seen:
        light = linear_from_srgb(batch.target) + batch.clipped_light  # they turn with the picture
        lit = batch.clipped_light > 0
        assert (batch.target[lit] > 0.99).all()
        assert (batch.target[~lit] < 1).float().mean() > 0.99
        assert_close(light[1].max(), torch.tensor(1.62), atol=3e-3, rtol=0)
    captured = dataclasses.replace(stack, is_linear=False)
    assert draw(QUIET, 0, captured).clipped_light.isnan().all()
