import cv2
import numpy as np
import pytest

from dfnet.preprocess.colour import (
    ColourMap,
    apply_curves,
    fit_colours,
    fit_quadratic,
    histogram_curves,
    local_gain,
    match_colour,
)

EVERYWHERE = np.ones((120, 160), bool)
STRAIGHT = np.linspace(0, 1, 256)[None].repeat(3, axis=0)


def quadratic(image, coefficients):
    return ColourMap(STRAIGHT, coefficients, np.ones((2, 2, 3))).apply(image)


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
    matched = quadratic(ultrawide, fit_quadratic(ultrawide, wide, EVERYWHERE))
    assert np.abs(matched - wide).max() < 0.03
    assert np.abs(matched - wide).mean() < 0.005


def test_what_is_misaligned_or_invalid_does_not_count():
    wide = photo()
    ultrawide = recoloured(wide)
    valid = EVERYWHERE.copy()
    ultrawide[:40, :50], valid[:40, :50] = 0.5, False
    ultrawide[90:, 130:] = photo(1)[90:, 130:]  # not known to be wrong
    matched = quadratic(ultrawide, fit_quadratic(ultrawide, wide, valid))
    assert np.abs(matched - wide)[50:80].max() < 0.03


def test_colours_never_seen_stay_near_themselves():
    gray = photo()[..., :1].repeat(3, axis=2)
    coefficients = fit_quadratic(gray, gray, EVERYWHERE)
    primary = np.array([[[0.9, 0.1, 0.1], [0.1, 0.1, 0.9]]], np.float32)
    assert np.abs(quadratic(primary, coefficients) - primary).max() < 0.05


def test_too_little_to_see_changes_nothing():
    wide = photo()
    coefficients = fit_quadratic(recoloured(wide), wide, np.zeros((120, 160), bool))
    np.testing.assert_allclose(quadratic(wide, coefficients), wide, atol=1e-6)


def test_all_steps_stay_within_the_range():
    wide = photo()
    matched = match_colour(recoloured(wide), wide, EVERYWHERE)
    assert matched.min() >= 0
    assert matched.max() <= 1
    assert np.abs(matched - wide).mean() == pytest.approx(0, abs=0.01)


def test_ten_terms_are_applied_as_written():
    rgb = np.array([[[0.2, 0.5, 0.7]]], np.float32).repeat(2, axis=1)
    coefficients = np.random.default_rng(3).uniform(-0.1, 0.3, (10, 3))
    r, g, b = 0.2, 0.5, 0.7
    by_hand = np.array([1, r, g, b, r * r, g * g, b * b, r * g, r * b, g * b]) @ coefficients
    np.testing.assert_allclose(quadratic(rgb, coefficients)[0, 0], by_hand.clip(0, 1), atol=1e-5)


def test_curves_are_interpolated_and_end_at_the_ends():
    curve = STRAIGHT**2
    values = np.array([[[0.0, 0.1234, 1.0], [-0.5, 0.75, 1.5]]], np.float32)
    expected = values.clip(0, 1) ** 2
    np.testing.assert_allclose(apply_curves(values, curve), expected, atol=2e-5)


@pytest.mark.parametrize("strong", [False, True])
def test_curves_come_first_only_where_they_help(strong):
    # A tone curve far from quadratic needs them; moved, unequal pictures are misled by them.
    wide = photo()
    if strong:
        ultrawide = (wide**3.5).astype(np.float32)
        assert np.abs(match_colour(ultrawide, wide, EVERYWHERE) - wide).mean() < 0.01
    else:
        found = fit_colours(wide, wide, EVERYWHERE)
        np.testing.assert_allclose(found.apply(wide), wide, atol=0.01)


def test_where_only_w_is_clipped_nothing_is_learnt():
    wide = (photo() * 2.2).clip(0, 1)  # four fifths of it are clipped
    ultrawide = photo() * 0.9
    matched = quadratic(ultrawide, fit_quadratic(ultrawide, wide, EVERYWHERE))
    seen = wide.max(axis=-1) < 0.9
    assert np.abs(matched - wide)[seen].mean() < 0.03  # 0.023; with the clipped pixels 0.051


def test_what_uw_shows_white_stays_neutral():
    wide = photo() * [1.0, 0.85, 0.7]
    found = fit_colours(photo(), wide.astype(np.float32), EVERYWHERE, local=False)
    white = np.full((4, 4, 3), 1.0, np.float32)
    assert np.ptp(found.apply(white)) < 1e-6
    assert found.apply(white).min() > 0.85
    light = np.full((4, 4, 3), 0.9, np.float32)
    assert np.ptp(found.apply(light)[0, 0]) > 0.2


def shaded(image):
    """Brightened towards the right, as local tone mapping may do."""
    return (image * np.linspace(0.8, 1.15, image.shape[1])[None, :, None]).astype(np.float32)


def test_a_smooth_local_gain_is_found():
    wide = shaded(photo())
    without = fit_colours(photo(), wide, EVERYWHERE, local=False).apply(photo())
    matched = fit_colours(photo(), wide, EVERYWHERE).apply(photo())
    assert np.abs(matched - wide).mean() < 0.35 * np.abs(without - wide).mean()


def test_the_gain_is_one_where_nothing_is_valid_and_ignores_a_moved_thing():
    uw, wide = photo(), photo()
    nothing = local_gain(uw, wide, ~EVERYWHERE)
    np.testing.assert_allclose(nothing, 1, atol=1e-6)
    wide = wide.copy()
    wide[50:62, 70:82] = 1 - wide[50:62, 70:82]  # something else stands there
    assert np.abs(local_gain(uw, wide, EVERYWHERE) - 1).max() < 0.1  # 0.07; without the limit 0.21


def test_strips_give_what_the_whole_gives():
    wide, uw = shaded(photo()), photo()
    found = fit_colours(uw, wide, EVERYWHERE)
    out = np.empty((3, 120, 160), np.float32)
    for top in range(0, 120, 50):
        found.apply_rows(uw[top : top + 50], top, out)
    np.testing.assert_array_equal(out.transpose(1, 2, 0), found.apply(uw))
