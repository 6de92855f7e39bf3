"""Shapes of blur: kernels against hand-made ones, and what becomes of points of light."""

import math

import numpy as np
import pytest
import torch
from hand_blur import disc
from torch.testing import assert_close

from dfnet.camera import Frame
from dfnet.iris import CatEyeIris, Opening, PolygonIris, cat_eye_kernels, opening_blur
from dfnet.iris import polygon_kernel as kernel_of
from dfnet.layers import blur_in_layers

FINER = 31
# By hand: a regular polygon of n sides and area A has its corners at R² = 2A / (n sin(2π/n)) and
# the variance R² / 12 · (1 + 2 cos²(π/n)) along each axis; here A = π·6², a disc of 12 px.
VARIANCES = {5: 9.1526, 6: 9.0690, 9: 9.0122}


def fine_grid(reach):
    """(y, x) of a grid 31 times finer, in pixels."""
    count = (2 * reach + 1) * FINER
    at = (np.arange(count) + 0.5) / FINER - (2 * reach + 1) / 2
    return at[:, None], at[None]


def counted(inside):
    """Shares of pixels, of sum 1."""
    side = inside.shape[0] // FINER
    kernel = inside.astype(float).reshape(side, FINER, side, FINER).mean((1, 3))
    return kernel / kernel.sum()


def polygon(diameter_px, blades, rotation_deg, reach):
    """A polygon by its corners: inside is on one side of each side."""
    area = math.pi * diameter_px**2 / 4
    radius = math.sqrt(2 * area / (blades * math.sin(2 * math.pi / blades)))
    turns = np.arange(blades + 1) / blades + rotation_deg / 360
    corner_x, corner_y = radius * np.sin(math.tau * turns), -radius * np.cos(math.tau * turns)
    y, x = fine_grid(reach)
    inside = np.ones((y.size, x.size), bool)
    for k in range(blades):
        along_x, along_y = corner_x[k + 1] - corner_x[k], corner_y[k + 1] - corner_y[k]
        inside &= along_x * (y - corner_y[k]) - along_y * (x - corner_x[k]) >= 0
    return counted(inside)


def cat_eye(diameter_px, shift_x_px, shift_y_px, reach):
    y, x = fine_grid(reach)
    first = x**2 + y**2 <= diameter_px**2 / 4
    second = (x - shift_x_px) ** 2 + (y - shift_y_px) ** 2 <= diameter_px**2 / 4
    return counted(first & second)


def light_at(x, y, shape=(97, 129)):
    image = torch.zeros(1, 1, *shape)
    image[..., y, x] = 1.0
    return image


class TestPolygon:
    @pytest.mark.parametrize("blades", [5, 6, 9])
    def test_its_area_and_spread_are_those_computed_by_hand(self, blades):
        kernel = kernel_of(12.0, PolygonIris(blades, 11.0)).double()
        reach = kernel.shape[0] // 2
        assert float(1 / kernel[reach, reach]) == pytest.approx(math.pi * 36, rel=1e-3)
        at = torch.arange(-reach, reach + 1)
        for axis in (0, 1):  # a pixel adds 1/12
            spread = float((kernel.sum(axis) * at**2).sum()) - 1 / 12
            assert spread == pytest.approx(VARIANCES[blades], rel=3e-3)

    @pytest.mark.parametrize("diameter_px", [1.7, 3.37, 9.6])
    @pytest.mark.parametrize(("blades", "rotation_deg"), [(5, 0), (7, 20), (8, -22.5), (6, 30)])
    def test_it_is_the_polygon_of_its_corners(self, diameter_px, blades, rotation_deg):
        kernel = kernel_of(diameter_px, PolygonIris(blades, rotation_deg)).double().numpy()
        twin = polygon(diameter_px, blades, rotation_deg, kernel.shape[0] // 2)
        assert np.abs(kernel - twin).sum() < 0.025  # upside down, 3.37 px: 0.04 or more

    @pytest.mark.parametrize("diameter_px", [0.0, 0.6, 1.0])
    def test_less_than_a_pixel_is_none(self, diameter_px):
        assert torch.equal(kernel_of(diameter_px, PolygonIris(6)), torch.ones(1, 1))

    @pytest.mark.parametrize(
        ("defocus_px", "rotation_deg", "corner"),
        [(30, 0, "top"), (-30, 0, "bottom"), (30, 90, "right"), (-30, 90, "left")],
    )
    def test_its_corner_is_where_it_was_asked(self, defocus_px, rotation_deg, corner):
        opening = Opening(PolygonIris(5, rotation_deg), Frame(64, 48, 80))
        spot = opening_blur(light_at(64, 48), defocus_px, opening)[0, 0]
        spot = {
            "top": spot,
            "bottom": spot.flip(0),
            "right": spot.T.flip(0)[16:],
            "left": spot.T[16:],
        }[corner]
        lit = (spot > 0.25 * spot.max()).nonzero()
        top, bottom = lit[:, 0].min(), lit[:, 0].max()
        # By hand: R = 1.1495 · 15 = 17.24 px above, R cos 36° = 13.95 px below.
        assert (48 - int(top), int(bottom) - 48) == (17, 14)
        assert (lit[:, 0] == top).sum() <= 3
        assert (lit[:, 0] == bottom).sum() > 15

    def test_wide_ones_keep_their_corners_on_a_reduced_layer(self):
        opening = Opening(PolygonIris(5), Frame(64, 64, 90))
        image = light_at(64, 64, (129, 129))
        spot = blur_in_layers(image, torch.full_like(image, 60.0), opening)[0, 0]
        true = polygon(60.0, 5, 0, 64) > 0.5 / (math.pi * 900)
        seen = (spot > 0.5 / (math.pi * 900)).numpy()
        assert (true & seen).sum() / (true | seen).sum() > 0.92  # measured 0.937


class TestCatEye:
    def test_its_area_is_that_of_two_circles(self):
        # By hand: two circles of radius r, r apart, share (2π/3 - √3/2) r².
        kernel = cat_eye_kernels(24.0, torch.tensor([-1.0]), torch.tensor([0.0]))[0]
        assert float(1 / kernel.max()) == pytest.approx(1.2284 * 144, rel=2e-3)
        whole = cat_eye_kernels(7.3, torch.zeros(1), torch.zeros(1))[0].numpy()
        reach = whole.shape[0] // 2
        centre = disc(7.3).shape[0] // 2
        inner = slice(centre - reach, centre + reach + 1)
        assert np.abs(whole - disc(7.3)[inner, inner]).sum() < 0.01

    @pytest.mark.parametrize("way", [(1, 0), (-1, 0), (0, 1), (0, -1)])
    @pytest.mark.parametrize("defocus_px", [20.0, -20.0])
    def test_behind_the_focus_the_side_away_from_the_centre_is_cut(self, way, defocus_px):
        # 160 px of 400 to the corner: the rim has moved by 0.4 radii, 4 of 10 px.
        opening = Opening(CatEyeIris(1.0), Frame(64 - 160 * way[0], 64 - 160 * way[1], 400))
        spot = opening_blur(light_at(64, 64, (129, 129)), defocus_px, opening)[0, 0]
        line = spot[64] if way[0] else spot[:, 64]
        at = (torch.arange(129) - 64) * sum(way)  # outwards
        assert float(line.sum() / line.max()) == pytest.approx(16, abs=0.4)
        middle = -2 if defocus_px > 0 else 2  # of -10 to 6, or of -6 to 10
        assert float((line * at).sum() / line.sum()) == pytest.approx(middle, abs=0.2)

    def test_far_beyond_the_corner_something_is_left(self):
        kernels = cat_eye_kernels(
            24.0, torch.tensor([1.5, 2.5, 0.0]), torch.tensor([0.0, 0.0, -9.0])
        )
        assert_close(kernels[1], kernels[0])  # two discs 2 radii apart have nothing in common
        assert_close(kernels[2], kernels[0].T.flip(0), atol=1e-4, rtol=0)
        assert_close(kernels.sum((1, 2)), torch.ones(3))

    @pytest.mark.parametrize("place", [(110, 20), (15, 83), (77, 50)])
    def test_anywhere_it_is_what_that_place_wants(self, place):
        opening = Opening(CatEyeIris(0.8), Frame(-160, 120, 400))
        spot = opening_blur(light_at(*place), 18.0, opening)[0, 0].numpy()
        # By hand: moved by 0.8 · 9 px at 400 px from the centre, towards it.
        shift = [-0.8 * 9 * (p - c) / 400 for p, c in zip(place, (-160, 120), strict=True)]
        twin = np.zeros((97 + 40, 129 + 40))
        twin[place[1] + 10 : place[1] + 31, place[0] + 10 : place[0] + 31] = cat_eye(18, *shift, 10)
        error = np.abs(spot - twin[20:-20, 20:-20]).sum()
        assert error < 0.04  # measured 0.024; a disc 0.4, 0.8 or 1.2 of the cut 0.1 and more

    def test_wide_ones_are_cut_alike_on_a_reduced_layer(self):
        # 360 px of 400 to the corner: 40 px less 0.9 · 20; each pixel asks its own kernel, and they
        # change by 20 px on the way to the corner.
        opening = Opening(CatEyeIris(1.0), Frame(64 - 360, 64, 400))
        image = light_at(64, 64, (129, 129))
        line = blur_in_layers(image, torch.full_like(image, 40.0), opening)[0, 0, 64]
        assert float(line.sum() / line.max()) == pytest.approx(22 / (1 + 20 / 400), abs=0.8)

    def test_one_colour_stays_and_light_is_hardly_lost(self):
        opening = Opening(CatEyeIris(1.0), Frame(-160, 120, 400))
        plain = torch.full((1, 2, 97, 129), 0.3)
        assert_close(opening_blur(plain, 16.0, opening), plain)
        light = opening_blur(light_at(20, 70), -16.0, opening).sum()
        assert float(light) == pytest.approx(1, abs=16 / 400)

    def test_a_cut_frame_keeps_its_shapes(self):
        generator = torch.Generator().manual_seed(3)
        image = torch.rand(1, 1, 97, 129, generator=generator)
        opening = Opening(CatEyeIris(1.0), Frame(-160, 120, 400))
        whole = opening_blur(image, 9.0, opening)
        cut = opening_blur(image[..., 13:, 27:], 9.0, opening.from_origin(27, 13))
        assert_close(cut[..., 5:, 5:], whole[..., 18:, 32:], atol=0.01, rtol=0)


def test_the_layers_of_one_colour_keep_it_in_any_shape():
    defocus_px = torch.linspace(-5, 4, 49 * 65).view(1, 1, 49, 65)
    defocus_px[..., 30:, 20:] = 34.0
    image = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 49, 65)
    for iris in (PolygonIris(7, 5.0), CatEyeIris(1.0)):
        out = blur_in_layers(image, defocus_px, Opening(iris, Frame(64, 48, 80)))
        assert_close(out, image, atol=1e-4, rtol=0)
