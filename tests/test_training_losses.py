"""Optional losses, by hand."""

import math

import pytest
import torch
from test_training_samples import QUIET, make_stack
from torch.testing import assert_close

from dfnet.model.dfnet import DFNetOutput
from dfnet.model.lamps import Lamps
from dfnet.training.losses import RefocusLoss, lamp_misfit
from dfnet.training.pixel_losses import charbonnier, laplacian_l1, shift_tolerant_l1
from dfnet.training.samples import draw_sample

ALONE = {"pixel": 0.0, "gradient": 0.0, "ssim": 0.0, "coarse": 0.0}


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def ones_like(image):
    return torch.ones_like(image[:, :1])


def loss_of(image, target, near_edge=None, **weights):
    output = DFNetOutput(image, [image], [])
    return RefocusLoss(**(ALONE | weights))(output, target, ones_like(image), near_edge).item()


@pytest.mark.parametrize(
    "name", ["pixel", "gradient", "ssim", "coarse", "laplacian", "shift_tolerant"]
)
def test_what_is_not_trusted_may_be_anything(name):
    image, target = noise(1, 3, 64, 64), noise(1, 3, 64, 64, seed=1)
    weight = ones_like(image)
    weight[..., 20:41, 20:41] = 0
    halves = [image, torch.nn.functional.avg_pool2d(image, 2)]
    loss = RefocusLoss(**(ALONE | {name: 1.0}))
    found = loss(DFNetOutput(image, halves, []), target, weight)
    assert found > 0
    target[..., 20:41, 20:41] = 5
    assert_close(loss(DFNetOutput(image, halves, []), target, weight), found)


def test_charbonnier_by_hand():
    error = torch.tensor([0.0, 0.3, -0.4])
    # With ε = 0.4: sqrt(0.09 + 0.16) - 0.4 = 0.1; sqrt(0.16 + 0.16) - 0.4.
    assert_close(charbonnier(error, 0.4), torch.tensor([0.0, 0.1, 0.4 * (math.sqrt(2) - 1)]))
    assert_close(charbonnier(error, 0.0), error.abs())
    image = torch.full((1, 3, 16, 16), 0.3)
    assert loss_of(image, torch.zeros_like(image), pixel=2.0, charbonnier=0.4) == pytest.approx(0.2)


def test_a_constant_error_is_all_in_the_coarsest_part_of_the_laplacian_pyramid():
    target = noise(2, 3, 32, 48)
    got = laplacian_l1(target + 0.25, target, ones_like(target))
    assert_close(got, torch.tensor(0.25))


def test_a_checkerboard_error_is_all_in_the_finest_octave():
    """Its 2x2 means are 0, so the first octave holds it whole and the coarser ones nothing."""
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    checker = 0.5 * (1 - 2 * ((rows + columns) % 2)).float().expand(1, 3, 32, 32)
    target = noise(1, 3, 32, 32)
    assert_close(laplacian_l1(target + checker, target, ones_like(target)), torch.tensor(0.5))
    assert loss_of(target + checker, target, laplacian=2.0) == pytest.approx(1.0, abs=1e-5)


def test_blocks_of_two_are_counted_in_the_second_octave_as_well():
    """±1 in 2x2 blocks: halved it is a checkerboard, whole in octave two.

    Doubled again bilinearly, each pixel is 9/16 of its block, -3/16 of two and 1/16 of one, so 1/4
    of its own; octave one holds the other 3/4.
    """
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    error = (1 - 2 * ((rows // 2 + columns // 2) % 2)).float().expand(1, 1, 64, 64)
    inner = torch.zeros(1, 1, 64, 64)
    inner[..., 16:48, 16:48] = 1
    assert_close(laplacian_l1(error, torch.zeros_like(error), inner), torch.tensor(1 + 3 / 4))


@pytest.mark.parametrize(("reach", "is_found"), [(2, True), (1, False)])
def test_a_shifted_picture_has_no_error_within_reach(reach, is_found):
    texture = noise(1, 3, 40, 40)
    image, target = texture[..., 4:36, 4:36], texture[..., 6:38, 3:35]  # 2 up, 1 right
    inner = torch.zeros(1, 1, 32, 32)
    inner[..., 6:-6, 6:-6] = 1
    got = shift_tolerant_l1(image, target, inner, reach)
    plain = shift_tolerant_l1(image, target, inner, 0)
    assert plain > 0.2
    if is_found:
        assert got == 0
    else:
        assert 0.5 * plain < got < plain


def test_a_window_takes_one_shift_not_each_pixel_its_own():
    """Each pixel finds its value next door, half of them left and half right; no window does."""
    image = torch.tensor([0.0, 0.0, 1.0, 1.0]).repeat(8).expand(1, 1, 32, 32)
    target = torch.tensor([1.0, 0.0]).repeat(16).expand(1, 1, 32, 32)
    # In 5 columns, one shift of a stripe pattern of period 2 matches half of the columns.
    got = shift_tolerant_l1(image, target, ones_like(image), 1)
    assert 0.35 < got < 0.5
    assert loss_of(image, target, shift_tolerant=2.0, shift_px=1) == pytest.approx(2 * got.item())


def test_without_a_shift_it_is_the_mean_error():
    image, target = noise(2, 3, 16, 24), noise(2, 3, 16, 24, seed=1) * 0 + 2
    inner = torch.zeros(2, 1, 16, 24)
    inner[0, 0, 8, 10] = 1
    by_hand = (2 - image[0, :, 6:11, 8:13]).mean()
    assert_close(shift_tolerant_l1(image, target, inner, 0), by_hand)


def test_edges_weigh_more_where_the_batch_says_they_are():
    """Error 0.1, near the edge 0.4; a quarter lies near, counted three times."""
    near = torch.zeros(1, 1, 16, 16)
    near[..., :4] = 1
    image = 0.1 + 0.3 * near.expand(1, 3, 16, 16)
    target = torch.zeros_like(image)
    by_hand = (12 * 0.1 + 4 * 3 * 0.4) / (12 + 4 * 3)
    assert loss_of(image, target, near, pixel=1.0, edge=2.0) == pytest.approx(by_hand)
    assert loss_of(image, target, near, pixel=1.0) == pytest.approx((12 * 0.1 + 4 * 0.4) / 16)


def test_the_batch_knows_what_is_near_a_depth_edge():
    """The flow of columns right of 40 is 3 px off: pixels up to 8 px from the step are near it."""
    stack = make_stack(slices=1)
    stack.true[0].flow_w_to_uw[0, :, 40:] += 3
    for seed in range(4):
        batch = draw_sample(stack, QUIET, torch.Generator().manual_seed(seed))
        columns = 10 * batch.sample.defocus_w_px  # x of the frame, turned as the picture was
        near = (columns > 39 - 8.5) & (columns < 40 + 8.5)
        assert_close(batch.near_edge, near.float())
    assert not draw_sample(make_stack(), QUIET, torch.Generator()).near_edge.any()


def test_options_are_off_unless_asked_for():
    image, target = noise(1, 3, 32, 32), noise(1, 3, 32, 32, seed=1)
    assert loss_of(image, target, ones_like(image)) == 0
    l1 = (image - target).abs().mean().item()
    assert loss_of(image, target, ones_like(image), pixel=1.0) == pytest.approx(l1)


def guess(log_odds=0.0, log_light=5.0):
    """Two white dots of four pixels in a picture of 16x32."""
    spots = torch.zeros(1, 1, 16, 32)
    spots[..., 4:6, 4:6] = spots[..., 4:6, 20:22] = 1.0
    return Lamps(spots, torch.full((1, 1, 8, 16), log_odds), torch.full((1, 1, 8, 16), log_light))


def test_lamps_are_told_from_other_white_spots_by_hand():
    true = torch.zeros(1, 3, 16, 32)
    assert_close(lamp_misfit(guess(-2.0), true), torch.log1p(torch.tensor(math.e**-2)))
    true[..., 4:6, 4:6] = math.e**5  # the first is one: half of the spots
    assert_close(lamp_misfit(guess(), true), torch.tensor(math.log(2)))
    chance = 1 / (1 + math.e**-2)
    cross_entropy = -(math.log(chance) + math.log(1 - chance)) / 2
    assert_close(lamp_misfit(guess(2.0), true), torch.tensor(cross_entropy))
    too_dim, too_bright = (lamp_misfit(guess(2.0, log_light), true) for log_light in (3.0, 7.0))
    assert_close(too_dim, torch.tensor(cross_entropy + 0.2 * 0.8 * 2))
    assert_close(too_bright, torch.tensor(cross_entropy + 0.2 * 0.2 * 2))


def test_where_lamps_are_not_known_nothing_is_asked():
    true = torch.zeros(1, 3, 16, 32)
    assert lamp_misfit(None, true) == 0
    found = guess()
    found.log_odds.requires_grad_()
    true[..., 16:] = torch.nan
    true[..., :4, :4] = 100.0  # a lamp beside the first spot: is the spot one, too?
    lamp_misfit(found, true).backward()
    assert (found.log_odds.grad == 0).all()
    assert lamp_misfit(guess(), true[..., :15, :30] * 0) > 0  # sides are padded
