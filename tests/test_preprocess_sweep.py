from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from dfnet.blur import disc_blur
from dfnet.photo import linear_from_srgb, srgb_from_linear
from dfnet.preprocess.match import EpipolarPair, MotionLaw
from dfnet.preprocess.sweep import DefocusSweep

INNER = np.s_[14:-14, 26:-26]
SWEEP = DefocusSweep()


def texture(height=100, width=190, seed=0, sigma=1.0, deviation=0.18):
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
    return (smooth * deviation / smooth.std() + 0.45).clip(0.05, 0.95)


def defocused(gray, coc_px):
    linear = linear_from_srgb(torch.from_numpy(gray))[None, None]
    return srgb_from_linear(disc_blur(linear, coc_px).clamp(0, 1))[0, 0].numpy()


def moved(gray, motion_px):
    x, y = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in gray.shape[::-1]))
    return cv2.remap(gray, x - motion_px, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def with_noise(gray, deviation, seed=5):
    noise = np.random.default_rng(seed).normal(0, deviation, gray.shape).astype(np.float32)
    return (gray + noise).clip(0, 1)


def right_share(found, motion, within_px=1.0):
    return np.mean(np.abs(found[INNER] - motion) < within_px)


@pytest.mark.parametrize("motion", [7, -5])
def test_motion_counts_right_as_positive_in_both_views(motion):
    wide = texture()
    match = SWEEP(EpipolarPair(wide, moved(wide, motion), (-12.0, 12.0)))
    for found in (match.motion_w, match.motion_uw):
        assert right_share(found, motion, 0.2) > 0.98


@pytest.mark.parametrize("motion", [3.25, 3.75])
def test_motion_is_finer_than_a_pixel(motion):
    wide = texture(sigma=1.5)
    match = SWEEP(EpipolarPair(wide, moved(wide, motion), (-2.0, 9.0)))
    # Semi-global costs pull towards whole pixels: 0.14 px here, 0.17 by a parabola.
    assert np.nanmedian(match.motion_w[INNER]) == pytest.approx(motion, abs=0.155)


@pytest.mark.parametrize("at_focus", [-14.0, 30.0], ids=["focused_beyond", "focused_before"])
def test_a_defocused_plane_is_found_by_its_blur_and_missed_without(at_focus):
    """Two candidates lie in the picture: the true one sharp, and a false one that is blurred."""
    sharp, motion = texture(seed=1, sigma=1.2), 6.0
    law = MotionLaw(0.4, at_focus)
    wide = defocused(sharp, law.per_px * abs(motion - at_focus))
    pair = EpipolarPair(with_noise(wide, 0.01), moved(sharp, motion), (-12.0, 14.0), law, 0.01)
    aware = right_share(SWEEP(pair).motion_w, motion)
    plain = right_share(SWEEP(pair._replace(law=None)).motion_w, motion)
    assert aware > 0.97
    assert plain < aware - 0.1


def test_blur_alone_tells_the_depth_of_what_repeats():
    """Bars repeat every 8 px: -4 and 4 fit alike, but only one is blurred as W is."""
    x = np.arange(190, dtype=np.float32)
    bars = (0.5 + 0.35 * np.sign(np.sin(2 * np.pi * (x + 0.5) / 8)))[None].repeat(100, axis=0)
    wide = defocused(bars.astype(np.float32), 4.0)
    for motion, law in ((4.0, MotionLaw(0.5, -4.0)), (-4.0, MotionLaw(0.5, 4.0))):
        pair = EpipolarPair(wide, moved(bars.astype(np.float32), 4), (-7.0, 7.0), law)
        assert right_share(SWEEP(pair).motion_w, motion) > 0.9


def test_a_law_without_blur_is_no_law():
    wide = texture(seed=2)
    pair = EpipolarPair(with_noise(wide, 0.02), moved(wide, 3), (-6.0, 8.0), None, 0.02, 0.02)
    plain, none = SWEEP(pair), SWEEP(pair._replace(law=MotionLaw(0.0, 3.0)))
    for a, b in zip(plain, none, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_noise_that_blur_hides_is_added_back():
    """Weak texture in focus, and noise in UW: averaging it must not make blur look right."""
    wide = texture(seed=3, sigma=2.0, deviation=0.03)
    noisy = with_noise(moved(wide, 5), 0.05)
    pair = EpipolarPair(wide, noisy, (-12.0, 14.0), MotionLaw(0.5, 5.0), 0.0, 0.05)
    careless = replace(SWEEP, noise_share=0.0, blur_price=0.0)
    careful = right_share(replace(careless, noise_share=1.0)(pair).motion_w, 5, 2.0)
    assert careful > right_share(careless(pair).motion_w, 5, 2.0) + 0.2


def test_of_two_that_fit_alike_the_sharper_is_taken():
    """A smooth ramp looks the same blurred; the price decides for the focused motion."""
    flat = np.full((100, 190), 0.5, dtype=np.float32)
    pair = EpipolarPair(flat, flat, (-8.0, 8.0), MotionLaw(0.5, 3.0))
    found = replace(SWEEP, blur_price=0.01, consistent_px=4.0)(pair).motion_w
    assert np.nanmax(np.abs(found[INNER] - 3)) <= 2.5
    free = replace(SWEEP, blur_price=0.0, consistent_px=4.0)(pair).motion_w
    assert np.abs(np.nanmedian(free[INNER]) - 3) > 2.5


def test_a_search_in_bands_finds_what_a_full_search_finds():
    """A near card before a wall, 18 px apart: the card's edge must not be lost to narrow bands."""
    wall, card = texture(140, 220, 1), texture(140, 220, 2)
    inside = np.zeros(wall.shape, dtype=bool)
    inside[45:100, 80:140] = True
    uw_inside = np.roll(inside, 20, axis=1)
    wide = np.where(inside, card, wall)
    ultrawide = np.where(uw_inside, moved(card, 20), moved(wall, 2))
    pair = EpipolarPair(wide, ultrawide, (-4.0, 26.0))
    truth = np.where(inside, 20, 2)
    banded = replace(SWEEP, full_search_side_px=70)(pair).motion_w
    full = replace(SWEEP, full_search_side_px=400)(pair).motion_w
    area = np.s_[10:-10, 30:-30]
    both = np.isfinite(banded[area]) & np.isfinite(full[area])
    assert both.mean() > 0.8
    assert np.mean(np.abs(banded[area] - full[area])[both] < 0.05) > 0.99
    assert np.mean(np.abs(banded[area] - truth[area])[both] < 0.5) > 0.98


def test_what_the_two_views_contradict_is_unknown_and_not_trusted():
    pair = EpipolarPair(texture(seed=1), texture(seed=2), (-8.0, 8.0))
    match = SWEEP(pair)
    assert np.isnan(match.motion_w).mean() > 0.2
    np.testing.assert_array_equal(match.confidence_w == 0, np.isnan(match.motion_w))
    np.testing.assert_array_equal(match.confidence_uw == 0, np.isnan(match.motion_uw))


def test_confidence_falls_where_nothing_tells_motions_apart():
    wide = texture(seed=6)
    wide[:, 95:] = 0.45
    views = with_noise(wide, 0.004, 1), with_noise(moved(wide, 4), 0.004, 2)
    match = SWEEP(EpipolarPair(*views, (-8.0, 8.0), None, 0.004, 0.004))
    textured, flat = match.confidence_w[20:80, 30:80], match.confidence_w[20:80, 115:160]
    assert textured.mean() > 0.95
    assert flat.mean() < textured.mean() - 0.1


def test_a_tone_that_a_histogram_cannot_match_is_corrected():
    """UW's contrast is too low, as a histogram match with a blurred W leaves it."""
    sharp = texture(150, 200, 8, sigma=1.2)
    wide = defocused(sharp, 0.4 * (20 - 6))
    flattened = with_noise(0.45 + 0.3 * (moved(sharp, 6) - 0.45), 0.02)
    law = MotionLaw(0.4, 20.0)
    pair = EpipolarPair(with_noise(wide, 0.02, 3), flattened, (-12.0, 14.0), law, 0.02, 0.02)
    assert right_share(SWEEP(pair).motion_w, 6) > 0.99
    one_size = replace(SWEEP, full_search_side_px=300)
    assert right_share(one_size(pair).motion_w, 6) < 0.95


@pytest.mark.parametrize("law", [MotionLaw(0.3, 4000.0), MotionLaw(5.0, 0.0)])
def test_laws_beyond_reason_do_no_harm(law):
    wide = texture(60, 70)
    match = SWEEP(EpipolarPair(wide, wide, (-3.0, 3.0), law))
    assert match.motion_w.shape == wide.shape


def test_settings_tell_matchers_apart():
    """Caches are keyed by the settings' text."""
    assert repr(SWEEP) == repr(DefocusSweep())
    assert repr(SWEEP) != repr(replace(SWEEP, band_px=SWEEP.band_px + 1))
