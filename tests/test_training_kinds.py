import dataclasses
from collections import Counter

import pytest
import torch
from test_training_samples import QUIET, linear_photo, make_stack, only
from torch.nn.functional import avg_pool2d
from torch.testing import assert_close

from dfnet.errors import InputError
from dfnet.model.dfnet import DFNetOutput
from dfnet.training.kinds import KindWeights, choose, draw_kind
from dfnet.training.losses import RefocusLoss
from dfnet.training.pixel_losses import gradient_l1, weighted_mean
from dfnet.training.samples import draw_sample
from dfnet.training.stacks import AperturePicture

SLICE, SCALE = 1, 2.5
DRAWS = 2000


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def stack():
    """Three slices and a picture at a wider aperture, focused as slice 1."""
    made = make_stack(estimated=True)
    picture = (0.4 * torch.rand(made.wide[0].shape, generator=seeded(8))).half()
    return dataclasses.replace(made, apertures=(AperturePicture(picture, SLICE, SCALE),))


def kinds_drawn(stack, weights):
    generator = seeded(1)
    return Counter(draw_kind(stack, weights, generator) for _ in range(DRAWS))


def expect(counts, shares):
    """Within four standard deviations of the binomial."""
    assert sum(counts.values()) == DRAWS
    for kind, share in shares.items():
        spread = (DRAWS * share * (1 - share)) ** 0.5
        assert abs(counts[kind] - DRAWS * share) < 4 * spread + 1e-9, kind


def test_kinds_are_drawn_by_their_weights(stack):
    weights = KindWeights(refocus=3.0, all_in_focus=1.5, shallow=0.5, aperture=1.0)
    counts = kinds_drawn(stack, weights)
    expect(counts, {"refocus": 0.5, "all_in_focus": 0.25, "shallow": 1 / 12, "aperture": 1 / 6})


def test_a_stack_that_lacks_a_kind_draws_the_others_in_proportion(stack):
    weights = KindWeights(refocus=3.0, all_in_focus=1.0, shallow=2.0, aperture=9.0)
    without = dataclasses.replace(stack, apertures=())
    shares = {"refocus": 1 / 2, "all_in_focus": 1 / 6, "shallow": 1 / 3, "aperture": 0.0}
    expect(kinds_drawn(without, weights), shares)
    slices_only = dataclasses.replace(without, all_in_focus=None)
    assert kinds_drawn(slices_only, weights) == {"refocus": DRAWS}


def test_a_stack_that_serves_no_weighted_kind_is_refused(stack):
    slices_only = dataclasses.replace(stack, apertures=(), all_in_focus=None)
    with pytest.raises(InputError, match="serves only refocus, whose weight is 0"):
        draw_kind(slices_only, only("aperture"), seeded())


def test_an_aperture_sample_asks_for_the_scaled_map_of_the_target_s_focus(stack):
    """Defocus of slice k is x/10 + k in truth, so any source's map asks for scale * (x/10 + 1)."""
    wanted = SCALE * stack.true[SLICE].defocus_w_px
    sources = Counter()
    generator = seeded(2)
    for _ in range(300):
        choice = choose(stack, stack.true, only("aperture"), generator)
        assert choice.target is stack.apertures[0].image
        assert not choice.is_identity
        assert_close(choice.target_defocus_w_px, wanted, atol=1e-4, rtol=0)
        pictures = [*stack.wide, stack.all_in_focus]
        source = next(k for k, p in enumerate(pictures) if p is choice.source)
        shown = stack.true[source].defocus_w_px if source < 3 else torch.zeros_like(wanted)
        assert_close(choice.guidance.defocus_w_px, shown)
        sources[source] += 1
    # Half of them the target's own slice, the rest any of four pictures: 5/8 and 1/8 each.
    assert sources[SLICE] / 300 == pytest.approx(5 / 8, abs=0.11)
    assert all(sources[k] / 300 == pytest.approx(1 / 8, abs=0.08) for k in (0, 2, 3))


def test_errors_of_the_estimated_map_are_scaled_too(stack):
    """The estimated map is 1.5 times too steep; the user's aperture slider cannot know."""
    generator = seeded(3)
    for _ in range(40):
        choice = choose(stack, stack.estimated, only("aperture"), generator)
        slope = choice.target_defocus_w_px.diff(dim=-1)
        assert_close(slope, torch.full_like(slope, SCALE * 0.15), atol=1e-4, rtol=0)


def test_an_aperture_sample_crops_the_picture_that_it_names(stack):
    settings = dataclasses.replace(QUIET, weights=only("aperture"))
    photo = linear_photo(stack.apertures[0].image)
    columns = photo.flatten(1)
    for seed in range(4):
        target = draw_sample(stack, settings, seeded(seed)).target
        for pixel in (target[:, 0, 0], target[:, 20, 11]):
            assert (columns - pixel[:, None]).abs().sum(0).min() < 1e-4


def test_confidence_weighs_merged_truth_and_nothing_else(stack):
    ramp = (torch.arange(72) / 71).expand(1, 56, 72)
    merged = dataclasses.replace(stack, confidence=ramp.half())
    batch = draw_sample(merged, dataclasses.replace(QUIET, weights=only("all_in_focus")), seeded(1))
    shown = batch.sample.defocus_w_px  # x/10 + k, turned as the weight must be
    offset = (shown - 71 / 10 * batch.weight).mean()
    assert abs(offset - offset.round()) < 0.01
    assert_close(71 / 10 * batch.weight + offset, shown, atol=0.02, rtol=0)
    for kind in ("refocus", "shallow", "aperture"):
        batch = draw_sample(merged, dataclasses.replace(QUIET, weights=only(kind)), seeded(1))
        assert batch.weight.min() == 1


def test_what_has_no_weight_does_not_count():
    target, weight = torch.rand(2, 3, 40, 40, generator=seeded()), torch.ones(2, 1, 40, 40)
    weight[:, :, :, 20:] = 0
    answer = target + 0.1
    spoilt = answer.clone()
    spoilt[..., 32:] = 7.0  # farther than the SSIM window from what counts
    loss = RefocusLoss()
    want, got = (
        loss(DFNetOutput(a, [a, avg_pool2d(a, 2)], []), target, weight) for a in (answer, spoilt)
    )
    assert_close(want, got)
    assert want > 0.1
    ones = torch.ones_like(weight)
    assert loss(DFNetOutput(spoilt, [spoilt], []), target, ones) > 2 * want


def test_nothing_to_trust_gives_no_loss_and_no_nan():
    target = torch.rand(1, 3, 16, 16, generator=seeded())
    answer = (target + 0.3).requires_grad_()
    output = DFNetOutput(answer, [answer], [])
    loss = RefocusLoss()(output, target, torch.zeros(1, 1, 16, 16))
    loss.backward()
    assert loss == 0
    assert torch.equal(answer.grad, torch.zeros_like(answer))


def test_weighted_means_by_hand():
    values = torch.tensor([[[[1.0, 2.0, 4.0]], [[3.0, 0.0, 8.0]]]])
    weight = torch.tensor([[[[1.0, 0.5, 0.0]]]])
    # (1 + 3) * 1 + (2 + 0) * 0.5 = 5 over two channels of 1.5.
    assert weighted_mean(values, weight).item() == pytest.approx(5 / 3)
    # Differences 1 and 2, 3 and 8, each weighed by the lesser of its two pixels: 0.5 and 0.
    got = gradient_l1(values, torch.zeros_like(values), weight)
    assert got.item() == pytest.approx((1 * 0.5 + 3 * 0.5) / (2 * 0.5))
