"""Occlusion, holes and validity: two cards before a wall, the hidden strips worked out by hand."""

import numpy as np
import pytest

from dfnet import resizing
from dfnet.preprocess.fill import fill_unknown
from dfnet.preprocess.occlusion import find_hidden, nearer_in_uw
from dfnet.preprocess.specks import without_specks
from dfnet.preprocess.validity import Reason, judge, texture_along

UNKNOWN = np.nan
DIRECTIONS = {"right": (1, 0), "left": (-1, 0), "down": (0, 1), "up": (0, -1)}
FAR, NEAR = 2.0, 9.0


def card_scene(shape=(50, 70), rows=slice(18, 34), columns=slice(24, 46)):
    """A card before a wall: (H, W) disparity."""
    disparity = np.full(shape, FAR, np.float32)
    disparity[rows, columns] = NEAR
    return disparity


# UW sees a point at p - disparity * direction: the card moves 7 px further than the wall, against
# the direction, so that the 7 px of wall beside it on that side are hidden.
STRIPS = {
    "right": (slice(18, 34), slice(17, 24)),
    "left": (slice(18, 34), slice(46, 53)),
    "down": (slice(11, 18), slice(24, 46)),
    "up": (slice(34, 41), slice(24, 46)),
}


@pytest.mark.parametrize("name", DIRECTIONS)
def test_the_wall_is_hidden_beside_the_card_where_uw_lies(name):
    expected = np.zeros((50, 70), bool)
    expected[STRIPS[name]] = True
    found = find_hidden(card_scene(), np.array(DIRECTIONS[name], float))
    np.testing.assert_array_equal(found, expected)


def slow_hidden(disparity, direction):
    """Every pixel against every other one: lands within half a pixel, and is nearer."""
    y, x = np.mgrid[: disparity.shape[0], : disparity.shape[1]]
    at = np.stack([x, y], -1).reshape(-1, 2) - disparity.reshape(-1, 1) * direction
    d = disparity.ravel()
    hidden = np.zeros(len(d), bool)
    for k in range(len(d)):
        near = np.abs(at - at[k]).max(axis=1) < 0.75
        hidden[k] = (d[near] > d[k] + 1).any()
    return hidden.reshape(disparity.shape)


def test_along_a_slanted_baseline_it_is_as_pixel_by_pixel():
    direction = np.array([np.cos(0.2), np.sin(0.2)])
    disparity = card_scene()
    found, expected = find_hidden(disparity, direction), slow_hidden(disparity, direction)
    assert (found & expected).sum() > 0.85 * expected.sum()  # the twin is more generous at rims
    assert not (found & ~expected).any()


def test_a_slanted_surface_does_not_hide_itself():
    ramp = np.linspace(0, 30, 70, dtype=np.float32)[None].repeat(20, axis=0)
    for sign in (1.0, -1.0):
        assert not find_hidden(ramp, np.array([sign, 0.0])).any()


def test_what_uw_sees_nearer_is_hidden_and_farther_is_not():
    disparity_w = np.full((30, 50), 4.0, np.float32)
    there = disparity_w.copy()
    there[5:15, 10:20], there[20:28, 10:20], there[25, 40] = 9.0, -3.0, 9.0
    there[0:4, 0:4] = UNKNOWN
    expected = np.zeros((30, 50), bool)
    expected[5:15, 10:20] = True
    np.testing.assert_array_equal(nearer_in_uw(disparity_w, there), expected)


GRAY = np.full((40, 60, 3), 0.5, np.float32)


@pytest.mark.parametrize("strips_at", [1, -1])
def test_an_occlusion_gap_takes_the_far_side(strips_at):
    disparity = np.full((40, 60), FAR, np.float32)
    disparity[:, 20:30] = NEAR
    gap = slice(30, 37) if strips_at == 1 else slice(13, 20)
    disparity[:, gap] = UNKNOWN
    filled = fill_unknown(disparity, GRAY, strips_at)
    np.testing.assert_array_equal(filled[:, gap], FAR)
    assert np.isfinite(filled).all()


def test_a_failed_match_takes_its_own_colours_surface():
    disparity = np.full((40, 60), FAR, np.float32)
    guide = GRAY.copy()
    disparity[:, 20:44], guide[:, 20:44] = NEAR, 0.9
    disparity[15:25, 28:52] = UNKNOWN  # most of it on the card, the rest on the wall
    filled = fill_unknown(disparity, guide, strips_at=-1)
    np.testing.assert_allclose(filled[17:23, 30:42], NEAR, rtol=1e-5)
    np.testing.assert_allclose(filled[17:23, 46:50], FAR, rtol=1e-5)


def test_colour_outvotes_more_neighbours():
    disparity, guide = np.full((40, 60), FAR, np.float32), GRAY.copy()
    disparity[:, 28:32], guide[:, 28:32] = NEAR, 0.9
    disparity[10:30, 10:50] = UNKNOWN  # on the pole two neighbours know it, six the wall
    filled = fill_unknown(disparity, guide, strips_at=1)
    np.testing.assert_allclose(filled[15:25, 29:31], NEAR, rtol=1e-5)
    np.testing.assert_allclose(filled[15:25, 34:46], FAR, rtol=1e-5)


def test_nothing_known_gives_zeros():
    assert not fill_unknown(np.full((6, 8), UNKNOWN), GRAY[:6, :8], 1).any()


def test_specks_go_and_surfaces_stay():
    motion = np.full((100, 100), -3.0, np.float32)
    motion[40:60, 40:60], motion[10, 10:12], motion[80:90, 5] = 8.0, 20.0, UNKNOWN
    found = without_specks(motion, 4)
    assert np.isnan(found[10, 10:12]).all()
    assert np.isfinite(found[40:60, 40:60]).all()
    assert np.isnan(found).sum() == 12


CONFIDENT = np.ones((64, 64), np.float32)
NOWHERE = np.zeros((64, 64), bool)


def test_each_pixel_has_its_reason():
    confidence, texture = CONFIDENT.copy(), CONFIDENT.copy()
    hidden, inside = NOWHERE.copy(), ~NOWHERE
    hidden[0:30, 0:30], inside[40:64, 0:20] = True, False
    confidence[40:64, 30:40], texture[40:64, 50:60] = 0.0, 0.1
    confidence[0:10, 50:60], texture[0:10, 50:60] = 0.0, 0.0
    hidden[55:64, 10:20] = True
    found = judge(confidence, texture, hidden, inside)
    assert found.reason_w[10, 10] == Reason.OCCLUDED
    assert found.reason_w[60, 15] == Reason.OUT_OF_FRAME  # hidden as well
    assert found.reason_w[50, 35] == Reason.INCONSISTENT
    assert found.reason_w[50, 55] == Reason.TEXTURELESS
    assert found.reason_w[5, 55] == Reason.TEXTURELESS  # why nothing consistent was found
    assert found.reason_w[20, 45] == Reason.VALID
    np.testing.assert_array_equal(found.validity_w >= 0.5, found.reason_w == Reason.VALID)
    assert found.validity_w[20, 45] == 1
    assert found.validity_w[10, 10] == found.validity_w[50, 15] == found.validity_w[50, 35] == 0


def test_validity_is_soft_only_beside_what_is_hidden():
    hidden = np.zeros((300, 2000), bool)
    hidden[:, 1000:1100] = True
    row = judge(*np.ones((2, 300, 2000), np.float32), hidden, ~np.zeros_like(hidden)).validity_w[
        150
    ]
    assert not row[1000:1100].any()
    assert (np.diff(row[1100:1108]) > 0).all()
    assert 0.5 < row[1100] < 0.8
    assert row[1112] > 0.99


def test_validity_has_no_seams_between_strips(monkeypatch):
    random = np.random.default_rng(0)
    small = random.random((2, 40, 50), np.float32)
    hidden = random.random((300, 400)) > 0.9
    whole = judge(*small, hidden, ~np.zeros_like(hidden))
    monkeypatch.setattr(resizing, "STRIP_PX", 7 * 400)
    found = judge(*small, hidden, ~np.zeros_like(hidden))
    np.testing.assert_allclose(found.validity_w, whole.validity_w, atol=1e-5)
    assert (found.reason_w != whole.reason_w).mean() < 1e-4
    assert (whole.validity_w == 0)[hidden].all()


def test_texture_counts_along_the_baseline_and_above_noise():
    stripes = np.tile(np.float32([0.3, 0.3, 0.6, 0.6]), 40)[None, :, None]
    guide = np.broadcast_to(stripes, (120, 160, 3)).copy()
    guide[:, :80] = 0.4 + np.random.default_rng(0).normal(0, 0.02, (120, 80, 1))
    along = texture_along(guide, np.array([1.0, 0.0]), 0.02)
    across = texture_along(guide, np.array([0.0, 1.0]), 0.02)
    assert (along[:, 90:] == 1).all()
    assert (along[:, :70] < 0.5).mean() > 0.98
    assert (across < 0.5).mean() > 0.98
    assert (texture_along(guide, np.array([1.0, 0.0]), 0.0)[:, :70] > 0.5).all()
