"""Fractions of a pixel, found where they are known by construction."""

import numpy as np
import pytest
from made_pair import DEFOCUS_PER_DISPARITY, WALL_PX
from made_views import made_views

from dfnet.optics import BlurLaw
from dfnet.preprocess.subpixel import MAX_MOTION_PX, motion_left, refine_along_baseline

SHAPE = (160, 200)
INNER = (slice(24, -24), slice(24, -24))
EVERYWHERE = np.ones(SHAPE, np.float32)


def waves(motion_x=0.0, motion_y=0.0):
    """A picture that can be read between its pixels, read that far to the right and below."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float64)
    x, y = x + motion_x, y + motion_y
    parts = (np.sin(x / 3 + y / 7), np.sin(y / 4 - x / 9 + 1), np.sin(x / 11) * np.sin(y / 5 + 2))
    return (0.5 + 0.12 * sum(parts)).astype(np.float32)


@pytest.mark.parametrize("moved_px", [-0.8, 0.3])
@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, -1.0), (0.6, 0.8)])
def test_a_fraction_of_a_pixel_is_found_along_any_direction(direction, moved_px):
    step_x, step_y = direction
    image = waves(moved_px * step_x, moved_px * step_y) + 0.05  # W may be a little brighter
    found = motion_left(image, waves(), EVERYWHERE, np.array(direction))
    assert np.abs(found[INNER] - moved_px).max() < 0.08


def test_what_is_a_whole_match_away_is_not_followed():
    found = motion_left(waves(2.5), waves(), EVERYWHERE, np.array([1.0, 0.0]))
    assert np.abs(found).max() == MAX_MOTION_PX


def test_plain_surfaces_and_what_uw_cannot_see_do_not_move():
    noise = np.random.default_rng(0).normal(0.4, 0.004, (2, *SHAPE)).astype(np.float32)
    assert np.abs(motion_left(*noise, EVERYWHERE, np.array([1.0, 0.0]))).max() < 0.01
    found = motion_left(waves(0.5), waves(), 0 * EVERYWHERE, np.array([1.0, 0.0]))
    assert np.abs(found).max() < 0.01


def test_what_is_hidden_does_not_move_what_is_beside_it():
    weight = EVERYWHERE.copy()
    weight[:, :100] = 0
    image = waves(0.3)
    image[:, :100] = waves(-0.9)[:, :100]
    found = motion_left(image, waves(), weight, np.array([1.0, 0.0]))
    assert np.abs(found[24:-24, 100:-24] - 0.3).max() < 0.12


def test_disparities_that_are_off_are_put_right_through_the_blur():
    focus_px = WALL_PX + 20  # the wall is 5 px out of focus, the card 2
    given = made_views(focus_px, off_px=0.5)
    law = BlurLaw(DEFOCUS_PER_DISPARITY, focus_px)
    found = refine_along_baseline(given.views, given.stereo, given.guide, law)
    truth = given.made.disparity_w_px[0].numpy()
    assert np.median(np.abs(found.disparity_w_px - truth)[INNER]) < 0.15
    kept = found._replace(disparity_w_px=given.stereo.disparity_w_px)
    assert all(a is b for a, b in zip(kept, given.stereo, strict=True))


def test_hidden_and_unmatched_pixels_do_not_count():
    focus_px = WALL_PX + 20
    given = made_views(focus_px, off_px=0.5)
    law = BlurLaw(DEFOCUS_PER_DISPARITY, focus_px)
    everywhere = np.ones_like(given.stereo.hidden_w)
    for stereo in (
        given.stereo._replace(hidden_w=everywhere),
        given.stereo._replace(matched_w=~everywhere),
    ):
        found = refine_along_baseline(given.views, stereo, given.guide, law)
        np.testing.assert_allclose(found.disparity_w_px, stereo.disparity_w_px, atol=0.01)
