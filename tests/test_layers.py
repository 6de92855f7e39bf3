"""The layered renderer against scenes composed by hand, with kernels of their own."""

import math

import numpy as np
import pytest
import torch
from hand_blur import blurred, disc, psnr, tensor, texture
from scipy.ndimage import distance_transform_edt
from torch.testing import assert_close

from dfnet.layers import blur_in_layers, blur_photo_in_layers
from dfnet.photo import linear_from_srgb

HEIGHT, WIDTH, BORDER = 96, 120, 32
SHAPE = (HEIGHT, WIDTH)
CARD = (slice(30, 70), slice(40, 85))


def wall_behind(cover):
    """A background that its surroundings foretell: plain behind and near the card."""
    y, x = np.mgrid[-BORDER : HEIGHT + BORDER, -BORDER : WIDTH + BORDER]
    plain = np.stack([0.3 + 0.003 * x, 0.6 - 0.002 * y, 0.2 + 0.001 * (x + y)], axis=-1)
    far = distance_transform_edt(cover == 0)[..., None] > 13
    return plain + far * 0.4 * (texture(8, cover.shape) - 0.4)


def two_planes(front_px, back_px):
    """All-in-focus picture, map and true photo of a card before a wall."""
    card = np.pad(texture(1, SHAPE), ((BORDER, BORDER), (BORDER, BORDER), (0, 0)))
    cover = np.zeros(card.shape[:2])
    cover[BORDER:-BORDER, BORDER:-BORDER][CARD] = 1
    wall = wall_behind(cover)
    sharp = cover[..., None] * card + (1 - cover[..., None]) * wall
    seen = blurred(cover, abs(front_px))[..., None]
    photo = blurred(card * cover[..., None], abs(front_px)) + (1 - seen) * blurred(
        wall, abs(back_px)
    )
    defocus_px = np.where(cover > 0, front_px, back_px)
    inside = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    return tensor(sharp[inside]), tensor(defocus_px[inside][..., None]), tensor(photo[inside])


@pytest.mark.parametrize(
    ("front_px", "back_px"),
    [(-7.4, 0.0), (0.0, 9.6), (-5.3, 6.1), (-12.0, -2.5), (4.2, 10.9), (-24.0, 0.0)],
)
def test_two_planes_are_those_composed_by_hand(front_px, back_px):
    sharp, defocus_px, photo = two_planes(front_px, back_px)
    assert psnr(sharp, photo) < 33
    assert (
        psnr(blur_in_layers(sharp, defocus_px), photo) > 50
    )  # worst measured: 51.7, at reduced size


def test_a_sharp_front_keeps_the_blur_behind_off_itself():
    sharp = tensor(texture(2, SHAPE))
    defocus_px = torch.full((1, 1, HEIGHT, WIDTH), 11.3)
    defocus_px[..., *CARD] = 0.0
    out = blur_in_layers(sharp, defocus_px)
    assert_close(out[..., *CARD], sharp[..., *CARD], atol=1e-4, rtol=0)
    # Nor does the card's colour leak out: with a black card, the wall darkens nowhere.
    sharp = torch.full_like(sharp, 0.5)
    sharp[..., *CARD] = 0.0
    out = blur_in_layers(sharp, defocus_px)
    beside = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    beside[CARD] = False
    assert_close(out[..., beside], torch.full_like(out[..., beside], 0.5), atol=0.01, rtol=0)


def test_a_blurred_front_spreads_over_what_is_sharp_and_a_blurred_back_does_not():
    sharp = torch.full((1, 3, HEIGHT, WIDTH), 0.2)
    sharp[..., *CARD] = 0.9
    defocus_px = torch.zeros(1, 1, HEIGHT, WIDTH)
    defocus_px[..., *CARD] = -10.0
    row, edge = 50, CARD[1].start
    front = blur_in_layers(sharp, defocus_px)[0, 0, row]
    assert front[edge - 3] > 0.3  # over the sharp wall
    assert front[edge + 2] < 0.8  # and the wall shows through its rim
    back = blur_in_layers(sharp, -defocus_px)[0, 0, row]
    assert_close(back[:edge], sharp[0, 0, row, :edge], atol=1e-4, rtol=0)


def test_the_mixed_pixels_of_an_edge_are_not_continued_beneath_it():
    sharp = torch.full((1, 3, HEIGHT, WIDTH), 0.2)
    sharp[..., CARD[0].start - 1 : CARD[0].stop + 1, CARD[1].start - 1 : CARD[1].stop + 1] = 0.6
    sharp[..., *CARD] = 1.0
    defocus_px = torch.zeros(1, 1, HEIGHT, WIDTH)
    defocus_px[..., *CARD] = -16.0
    cover = torch.from_numpy(blurred((defocus_px[0, 0] < 0).double().numpy(), 16.0)).float()
    expected = cover + (1 - cover) * 0.2
    seen = blur_in_layers(sharp, defocus_px)[0, 0]
    (top, bottom), (left, right) = ((s.start, s.stop) for s in CARD)
    for inner_edge in (
        (slice(top + 1, top + 6), 60),
        (slice(bottom - 6, bottom - 1), 60),
        (50, slice(left + 1, left + 6)),
        (50, slice(right - 6, right - 1)),
    ):
        # 0.017 with them
        assert_close(seen[inner_edge], expected[inner_edge], atol=0.008, rtol=0)


def test_a_slope_is_each_point_spread_by_its_own_disc():
    shape = (56, 72)
    image = texture(3, shape)
    slope_px = np.linspace(-6, 8, shape[1])[None].repeat(shape[0], 0)
    light, weight = np.zeros((96, 112, 3)), np.zeros((96, 112, 1))
    for y in range(shape[0]):
        for x in range(shape[1]):
            spot = disc(abs(slope_px[y, x]))[..., None]
            r = spot.shape[0] // 2
            place = (slice(y + 20 - r, y + 21 + r), slice(x + 20 - r, x + 21 + r))
            light[place] += spot * image[y, x]
            weight[place] += spot
    truth = tensor((light / weight.clip(1e-9))[20:-20, 20:-20])
    out = blur_in_layers(tensor(image), tensor(slope_px[..., None]))
    assert psnr(tensor(image), truth, 10) < 30
    assert psnr(out, truth, 10) > 46  # measured: 48.6


@pytest.mark.parametrize("diameter_px", [-17.0, -3.6, 0.0, 5.0, 30.0])
def test_a_point_of_light_is_spread_and_not_lost(diameter_px):
    image = torch.zeros(1, 3, 81, 91)
    image[0, :, 40, 44] = torch.tensor([3.0, 1.0, 0.5])
    out = blur_in_layers(image, torch.full((1, 1, 81, 91), diameter_px))
    assert_close(out.sum((0, 2, 3)), torch.tensor([3.0, 1.0, 0.5]), atol=2e-3, rtol=0)
    assert out.min() > -1e-5


def test_what_has_one_colour_keeps_it_whatever_the_map():
    generator = torch.Generator().manual_seed(4)
    coarse = 20 * torch.randn(2, 1, 6, 7, generator=generator)
    defocus_px = torch.nn.functional.interpolate(coarse, (63, 77), mode="nearest")
    image = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(2, 3, 63, 77)
    assert_close(blur_in_layers(image, defocus_px), image, atol=1e-4, rtol=0)


def test_no_blur_changes_nothing():
    image = tensor(texture(5, SHAPE))
    assert_close(blur_in_layers(image, torch.zeros(1, 1, HEIGHT, WIDTH)), image)


def test_gradients_through_picture_and_map():
    generator = torch.Generator().manual_seed(6)
    image = torch.rand(1, 3, 9, 11, generator=generator, dtype=torch.float64)
    defocus_px = torch.full((1, 1, 9, 11), 2.3, dtype=torch.float64)
    defocus_px[..., 3:6, 4:8] = -3.4
    defocus_px += 0.2 * torch.rand(1, 1, 9, 11, generator=generator, dtype=torch.float64)
    inputs = (image.requires_grad_(), defocus_px.requires_grad_())
    assert torch.autograd.gradcheck(blur_in_layers, inputs, fast_mode=True)
    gradient_of_map = torch.autograd.grad(blur_in_layers(*inputs).square().sum(), defocus_px)[0]
    assert (gradient_of_map != 0).float().mean() > 0.9


def test_the_gradient_leads_to_the_right_diameter():
    image = tensor(texture(7, (48, 60)))
    photo = blur_in_layers(image, torch.full((1, 1, 48, 60), 6.4))
    slopes = []
    for diameter_px in (3.2, 6.4, 9.7):
        guess = torch.full((1, 1, 48, 60), diameter_px, requires_grad=True)
        (blur_in_layers(image, guess) - photo).square().sum().backward()
        slopes.append(float(guess.grad.sum()))
    assert slopes[0] < -0.1
    assert abs(slopes[1]) < 1e-3
    assert slopes[2] > 0.1


def test_a_lamp_spreads_the_light_that_its_photo_has_clipped():
    """One pixel of 20 times white: a disc of 9 px has 20 / (pi/4 9²) of white."""
    photo, beyond_white = torch.zeros(2, 1, 3, 31, 31)
    photo[..., 15, 15], beyond_white[..., 15, 15] = 1.0, 19.0
    wanted = torch.full((1, 1, 31, 31), 9.0)
    blurred = blur_photo_in_layers(photo, wanted, beyond_white=beyond_white)
    light = linear_from_srgb(blurred)
    assert_close(light[..., 15, 15], torch.full((1, 3), 20 / (math.pi / 4 * 81)), atol=0.01, rtol=0)
    assert_close(light.sum(dim=(-1, -2)), torch.full((1, 3), 20.0), atol=0.3, rtol=0)


def test_what_is_made_up_beneath_an_edge_is_no_brighter_than_white():
    """A lamp beside a sharp card: its disc ends at the card, and nothing glows along the edge."""
    image, defocus_px = torch.full((1, 3, 64, 64), 0.01), torch.full((1, 1, 64, 64), 8.0)
    defocus_px[..., 32:] = 0.0
    plain = blur_in_layers(image, defocus_px)
    image[..., 32, 25] = 500.0
    lit = blur_in_layers(image, defocus_px)
    assert (lit[..., 32, 22:28] > 5).all()
    far_along = lit[..., 44:, 24:31]
    assert_close(far_along, plain[..., 44:, 24:31], atol=0.02, rtol=0)
