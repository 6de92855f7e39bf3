import cv2
import numpy as np
import pytest

from dfnet.preprocess.colour import (
    apply_colour,
    apply_curves,
    fit_colour,
    histogram_curves,
    match_colour,
)

EVERYWHERE = np.ones((120, 160), bool)


def photo(seed=0):
    noise = np.random.default_rng(seed).uniform(0, 1, (120, 160, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 5)
    return ((smooth - smooth.min()) / np.ptp(smooth) * 0.8 + 0.1).astype(np.float32)


def recoloured(image):
    """Another camera's rendering: crosstalk, gains, a tone curve."""
    mix = np.array([[0.85, 0.1, 0.0], [0.05, 0.9, 0.02], [0.0, 0.08, 0.95]], np.float32)
    return ((image @ mix.T) ** 1.1 * [0.9, 1.0, 1.05]).astype(np.float32).clip(0, 1)


def test_histograms_need_no_alignment():
    wide = photo()
    curves = histogram_curves(recoloured(wide)[:, ::-1], wide, EVERYWHERE)
    matched = apply_curves(recoloured(wide), curves)
    assert np.abs(matched - wide).mean() < 0.4 * np.abs(recoloured(wide) - wide).mean()


def test_a_saturated_histogram_gives_a_rising_curve():
    wide = photo()
    curves = histogram_curves((wide * 1.6).clip(0, 1), wide, EVERYWHERE)
    assert all((np.diff(curve) >= -1e-6).all() for curve in curves)


def test_the_quadratic_map_is_recovered():
    wide = photo()
    ultrawide = recoloured(wide)
    matched = apply_colour(ultrawide, fit_colour(ultrawide, wide, EVERYWHERE))
    assert np.abs(matched - wide).max() < 0.03
    assert np.abs(matched - wide).mean() < 0.005


def test_what_is_misaligned_or_invalid_does_not_count():
    wide = photo()
    ultrawide = recoloured(wide)
    valid = EVERYWHERE.copy()
    ultrawide[:40, :50], valid[:40, :50] = 0.5, False
    ultrawide[90:, 130:] = photo(1)[90:, 130:]  # not known to be wrong
    matched = apply_colour(ultrawide, fit_colour(ultrawide, wide, valid))
    assert np.abs(matched - wide)[50:80].max() < 0.03


def test_colours_never_seen_stay_near_themselves():
    gray = photo()[..., :1].repeat(3, axis=2)
    coefficients = fit_colour(gray, gray, EVERYWHERE)
    primary = np.array([[[0.9, 0.1, 0.1], [0.1, 0.1, 0.9]]], np.float32)
    assert np.abs(apply_colour(primary, coefficients) - primary).max() < 0.05


def test_too_little_to_see_changes_nothing():
    wide = photo()
    coefficients = fit_colour(recoloured(wide), wide, np.zeros((120, 160), bool))
    np.testing.assert_allclose(apply_colour(wide, coefficients), wide, atol=1e-6)


def test_both_steps_stay_within_the_range():
    wide = photo()
    matched = match_colour(recoloured(wide), wide, EVERYWHERE, EVERYWHERE)
    assert matched.min() >= 0
    assert matched.max() <= 1
    assert np.abs(matched - wide).mean() == pytest.approx(0, abs=0.01)
