"""How far guesses of clipped light are off, by hand."""

import math

import pytest
import torch

from dfnet.model.highlights import Highlights
from dfnet.training.highlight_misfit import highlight_misfit


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
