"""Highlights: which channels count as clipped, what light they get, and what becomes of it."""

import math

import torch
from test_model import awake_model, random_sample
from torch.testing import assert_close

from dfnet.model import DFNet
from dfnet.model.beyond_white import BeyondWhite
from dfnet.model.highlights import HighlightFinder, Highlights
from dfnet.photo import linear_from_srgb


def sure_of(gain):
    """As if it had learned that all that is clipped was `gain` times brighter."""
    finder = HighlightFinder(8, 1)
    with torch.no_grad():
        finder.path.heads[-1].bias.fill_(math.log(gain - 1) + 2)  # softplus of log(g - 1) is log(g)
    return finder.eval()


def test_each_clipped_channel_was_brighter_by_its_gain():
    sharp = torch.full((1, 3, 32, 32), 0.5)
    sharp[:, 0] = 1.0
    sharp[:, 1] = 0.94  # half clipped
    found = sure_of(3.0)(sharp, sharp, torch.zeros(1, 6, 32, 32))
    assert_close(found.light()[..., 16, 16], torch.tensor([[2.0, 1.0, 0.0]]), atol=1e-3, rtol=0)


def test_before_it_learns_hardly_anything_was_brighter_than_white():
    white = torch.ones(1, 3, 32, 32)
    light = HighlightFinder(8, 1)(white, white, torch.zeros(1, 6, 32, 32)).light()
    assert_close(light, torch.full_like(light, math.exp(-2)), atol=1e-5, rtol=0)


def test_highlights_do_not_depend_on_the_blur_that_is_wanted():
    model = awake_model(render=True, highlights=True)
    sample = random_sample(source_px=0.0)
    with torch.no_grad():
        found = [
            model(sample._replace(target_defocus_w_px=torch.full_like(sample.radial_w, px)))
            for px in (0.0, 5.0, 20.0)
        ]
    assert found[0].highlights is None
    assert torch.equal(found[1].highlights.log_gain, found[2].highlights.log_gain)
    assert found[1].highlights.log_gain.std() > 0


def test_a_window_spreads_further_than_white_paper():
    """A white area before dark, blurred: 8 px beyond its edge a window is brighter."""
    sample = random_sample(source_px=0.0)
    photo = torch.full_like(sample.image_w, 0.1)
    photo[..., :40] = 1.0
    wanted = torch.full_like(sample.defocus_w_px, 24.0)
    asked = sample._replace(image_w=photo, target_defocus_w_px=wanted)
    light = []
    for gain in (None, 4.0):
        model = DFNet(width=16, render=True, highlights=gain is not None).eval()
        if gain is not None:
            model.highlights = sure_of(gain)
        with torch.no_grad():
            light.append(linear_from_srgb(model(asked).image)[..., 24, 48] - 0.01)
    assert_close(light[1], 4 * light[0], atol=0, rtol=0.03)
    assert (light[0] > 0.05).all()


def test_lamps_and_highlights_add_up():
    clipped = torch.zeros(1, 3, 8, 8)
    clipped[:, 0, 4, 4] = 1.0
    wide = Highlights(clipped, torch.full((1, 3, 4, 4), math.log(3)))
    assert BeyondWhite().light() is None
    assert_close(BeyondWhite(highlights=wide).light()[0, :, 4, 4], torch.tensor([2.0, 0.0, 0.0]))

    class Lamps:
        def light(self):
            return torch.full((1, 1, 8, 8), 5.0)

    both = BeyondWhite(Lamps(), wide).light()
    assert_close(both[0, :, 4, 4], torch.tensor([7.0, 5.0, 5.0]))
