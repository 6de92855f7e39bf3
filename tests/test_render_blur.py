"""Discs of blur against the thin-lens formula, worked out in the test."""

import numpy as np
import pytest
import torch
from render_worlds import DARK, camera, facing_quad, glow

from dfnet.optics import signed_defocus_px
from dfnet.render.builder import WorldBuilder
from dfnet.render.lights import add_lights
from dfnet.render.trace import render, view_of

APERTURE_M, FOCAL_M, FOCAL_PX = 0.00681 / 1.85, 0.00681, 1000.0
# (focus, depth) [m]: beyond the focus, before it, far beyond, and near the lens.
CASES = [(0.30, 3.00), (0.30, 0.20), (1.00, 0.30), (1.00, 8.00), (0.15, 0.60)]


def formula_px(focus_m, depth_m):
    return (
        APERTURE_M * abs(depth_m - focus_m) / depth_m * FOCAL_PX / (focus_m - FOCAL_M)
    )  # DC², eq. 1


def moments(image):
    """Sum, centroid (x, y) and the mean of the two variances of a gray picture."""
    weight = image[0].astype(float)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
    total = weight.sum()
    cx, cy = (weight * x).sum() / total, (weight * y).sum() / total
    spread = (weight * ((x - cx) ** 2 + (y - cy) ** 2)).sum() / total / 2
    return total, cx, cy, spread


def dot(depth_m, width_px):
    builder = WorldBuilder()
    half = width_px / 2 * depth_m / FOCAL_PX
    centre = (3.0 * depth_m / FOCAL_PX, -2.0 * depth_m / FOCAL_PX, depth_m)
    facing_quad(builder, centre, (half, half), glow(builder))
    return builder.build(DARK)


def empty_world():
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 50.0), (1e-3, 1e-3), glow(builder, gray=0.0))
    return builder.build(DARK)


@pytest.mark.parametrize(("focus_m", "depth_m"), CASES)
def test_a_dot_blurs_to_the_disc_of_the_formula(focus_m, depth_m):
    # A disc of diameter c has variance c²/16 on each axis, a square of side s s²/12; they add.
    dot_px = 2.0
    view = view_of(camera((80, 72), focus_m), samples=900)
    total, cx, cy, spread = moments(render(dot(depth_m, dot_px), view, (80, 72)))
    diameter = 4 * np.sqrt(spread - dot_px**2 / 12 - 1 / 12)
    assert diameter == pytest.approx(formula_px(focus_m, depth_m), rel=0.05)  # worst: 1.8 %
    assert (cx, cy) == pytest.approx((39.5 + 3, 35.5 - 2), abs=0.2)
    assert total == pytest.approx(dot_px**2, rel=0.05)


def test_a_dot_in_focus_stays_a_dot():
    view = view_of(camera((80, 72), 0.5), samples=400)
    _, _, _, spread = moments(render(dot(0.5, 2.0), view, (80, 72)))
    assert spread == pytest.approx(0.5**2, abs=0.01)  # two pixels on each axis, equally bright


@pytest.mark.parametrize(("focus_m", "depth_m"), CASES)
def test_optics_and_camera_agree_with_the_formula(focus_m, depth_m):
    lens = camera(focus_m=focus_m).lens
    found = signed_defocus_px(torch.tensor(depth_m), lens).item()
    assert found == pytest.approx(np.sign(depth_m - focus_m) * formula_px(focus_m, depth_m))


@pytest.mark.parametrize(("focus_m", "depth_m"), CASES)
def test_a_point_light_is_the_disc_of_the_formula_and_keeps_its_energy(focus_m, depth_m):
    view = view_of(camera((80, 72), focus_m), samples=1)
    image = np.zeros((3, 72, 80), np.float32)
    lamp = [[0.003 * depth_m, -0.002 * depth_m, depth_m, 2e-6, 1.0, 0.5, 2.0]]
    add_lights(empty_world(), view, np.array(lamp), image)
    total, cx, cy, spread = moments(image)
    assert 4 * np.sqrt(spread - 1 / 12) == pytest.approx(formula_px(focus_m, depth_m), rel=0.05)
    assert (cx, cy) == pytest.approx((39.5 + 3, 35.5 - 2), abs=0.05)
    # Counted in quarter pixels: the area of a disc of 3 px comes out 6 % off, of larger ones 1 %.
    inexact = 0.08 if formula_px(focus_m, depth_m) < 6 else 0.02
    assert total == pytest.approx(2e-6 * (FOCAL_PX / depth_m) ** 2, rel=inexact)
    np.testing.assert_allclose(image.sum((1, 2)) / total, [1.0, 0.5, 2.0], rtol=1e-4)


@pytest.mark.parametrize(("focus_m", "card_m", "depth_m"), [(0.25, 0.4, 1.0), (2.0, 0.2, 0.5)])
def test_a_card_cuts_the_disc_of_a_light_as_it_cuts_sampled_rays(focus_m, card_m, depth_m):
    # The card's edge runs through the optical axis, so it hides one half of the lens: which half of
    # the *disc* goes dark depends on whether the light lies before or beyond the focus.
    card = WorldBuilder()
    dark = glow(card)._replace(emission=0.0)  # what shines does not hide lights
    facing_quad(card, (-1.0, 0, card_m), (1.0, 1.0), dark)
    view = view_of(camera((32, 28), focus_m), samples=1)
    image = np.zeros((3, 28, 32), np.float32)
    add_lights(card.build(DARK), view, np.array([[0, 0, depth_m, 1e-6, 1, 1, 1]]), image)
    half = 0.5 * depth_m / FOCAL_PX
    facing_quad(card, (0, 0, depth_m), (half, half), glow(card))
    rays = render(card.build(DARK), view_of(camera((32, 28), focus_m), 4000), (32, 28))
    total, cx, _, _ = moments(image)
    assert total == pytest.approx(0.5 * 1e-6 * (FOCAL_PX / depth_m) ** 2, rel=0.03)
    # The centroid of half a disc lies 4 r / (3 pi) from its straight edge. Lens points at x > 0 see
    # the light, and show it at x > 0 if it lies beyond the focus.
    expected = 4 / (3 * np.pi) * formula_px(focus_m, depth_m) / 2
    assert cx - 15.5 == pytest.approx(np.sign(depth_m - focus_m) * expected, rel=0.08)
    assert moments(rays)[1] == pytest.approx(cx, abs=0.2)


def test_a_foreground_edge_veils_what_is_sharp_behind_it():
    # A black card before a white wall in focus: a wall pixel keeps the share of the lens that sees
    # past the card, a circular segment.
    focus_m, card_m = 1.0, 0.25
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, focus_m), (2.0, 2.0), glow(builder))
    facing_quad(builder, (-1.0, 0, card_m), (1.0, 1.0), glow(builder, gray=0.0))
    view = view_of(camera((64, 16), focus_m), samples=512)
    row = render(builder.build(DARK), view, (64, 16))[0].mean(0)
    radius_px = formula_px(focus_m, card_m) / 2
    reach = np.clip((np.arange(64) - 31.5) / radius_px, -1, 1)
    visible = 0.5 + (np.arcsin(reach) + reach * np.sqrt(1 - reach**2)) / np.pi
    np.testing.assert_allclose(row, visible, atol=0.02)
