import dataclasses

import pytest
import torch
from made_preprocessed import made_preprocessed
from torch.testing import assert_close

from dfnet.camera import Camera
from dfnet.capture import Capture, save_capture
from dfnet.evaluation.methods import WithoutGuide
from dfnet.evaluation.question import Question
from dfnet.io.images import write_image
from dfnet.io.phone_depth import PhoneDepth
from dfnet.photo import (
    CLEAN,
    CameraSettings,
    develop,
    draw_photo,
    srgb_from_linear,
)
from dfnet.preprocess import Preprocessed
from dfnet.preprocess.single import preprocess_single
from dfnet.training import stacks
from dfnet.training.datamodule import NumberSampler, StackSamples
from dfnet.training.kinds import KindWeights
from dfnet.training.samples import SampleSettings, draw_sample, guide_error, smooth_noise
from dfnet.training.stacks import Guidance, TrainingStack
from dfnet.warp import backward_warp

HEIGHT, WIDTH = 56, 72
SHIFT = (5.0, -3.0)  # UW is W moved 5 right and 3 up
NOISY = dataclasses.replace(CLEAN, wide=CameraSettings(read_noise=(0.05, 0.05)))
QUIET = SampleSettings(
    crop_px=32,
    weights=KindWeights(refocus=1.0, all_in_focus=0.0, shallow=0.0, aperture=0.0),
    photo=CLEAN,
    flow_error_px=0.0,
    defocus_scale_error=0.0,
    guide_gain_error=0.0,
    estimated_share=0.0,
)


def make_stack(slices=3, estimated=False):
    """Every slice shows its own texture; defocus of slice k is x/10 + k everywhere."""
    g = torch.Generator().manual_seed(5)
    textures = torch.rand(slices + 1, 3, HEIGHT, WIDTH, generator=g) * 0.4
    ramp = torch.arange(WIDTH).float().expand(1, HEIGHT, WIDTH) / 10
    flow = torch.tensor(SHIFT).view(2, 1, 1).expand(2, HEIGHT, WIDTH).contiguous()
    occluded = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    true = [Guidance(flow, occluded, ramp + k) for k in range(slices)]
    off = [Guidance(flow + 1, ~occluded, ramp * 1.5 + k + 0.25) for k in range(slices)]
    guide = torch.roll(textures[0], (-3, 5), dims=(-2, -1))
    return TrainingStack(
        [t.half() for t in textures[:slices]],
        [guide.half()] * slices,
        textures[slices].half(),
        True,
        true,
        off if estimated else None,
        [t.defocus_w_px for t in true],
        torch.hypot(ramp, ramp),
    )


def draw(settings, seed, stack=None):
    return draw_sample(stack or make_stack(), settings, torch.Generator().manual_seed(seed))


def only(kind):
    zero = dict.fromkeys(("refocus", "all_in_focus", "shallow", "aperture"), 0.0)
    return KindWeights(**zero | {kind: 1.0})


def linear_photo(texture):
    return srgb_from_linear((4 * texture.half().float().square()).clamp(0, 1))


def test_the_guide_lands_on_w_in_every_crop_and_flip():
    stack = make_stack(slices=1)
    for seed in range(12):
        sample = draw(QUIET, seed, stack).sample
        inner = (..., slice(4, -4), slice(4, -4))  # rolled-in borders of the guide stay out
        error = (sample.uw_on_w - sample.image_w)[inner].abs()
        assert error.median() < 1e-3, seed


def test_the_guide_of_a_captured_stack_is_preprocessing_s_own(tmp_path, monkeypatch):
    """Its colours have been fitted on the whole frame, as in use; training warps nothing again."""
    picture = torch.rand(3, HEIGHT + 8, WIDTH, generator=torch.Generator().manual_seed(2))
    for name in ("w0.png", "w1.png", "uw.png"):
        write_image(picture, tmp_path / name)
    save_capture(Capture(tmp_path, ("w0.png", "w1.png"), ("uw.png",)))
    ramp = torch.arange(WIDTH).float().expand(1, HEIGHT + 8, WIDTH)

    def prepared(capture, index):
        maps = dict.fromkeys(Preprocessed._fields)
        maps |= {"uw_on_w": picture * 0.9, "flow_w_to_uw": torch.full_like(picture[:2], 7.0)}
        return Preprocessed(**maps | {"occluded_w": ramp > 40, "defocus_w_px": ramp / 10 + index})

    monkeypatch.setattr(stacks, "preprocess_capture", prepared)
    stack = stacks.load_stack(tmp_path, use_estimated=True)
    for seed in range(6):
        sample = draw(QUIET, seed, stack).sample
        assert_close(sample.uw_on_w, 0.9 * sample.image_w, atol=3e-3, rtol=0)  # 8-bit files


def test_colour_matching_undoes_the_ultrawide_s_own_exposure_and_cast():
    """UW is 0.35 stops and 10 % off in most samples; its photo is W's again within a few levels."""
    photo = dataclasses.replace(CLEAN, exposure_difference_stops=0.35, white_balance_difference=0.1)
    stack = make_stack(slices=1)
    matched, raw = [], []
    for seed in range(12):
        inner = (..., slice(4, -4), slice(4, -4))
        sample = draw(dataclasses.replace(QUIET, photo=photo), seed, stack).sample
        matched.append((sample.uw_on_w - sample.image_w)[inner].abs().median())
        generator = torch.Generator().manual_seed(seed)
        wide, ultrawide = (
            develop(4 * stack.wide[0].float().square(), c, generator)
            for c in draw_photo(photo, generator)
        )
        raw.append((ultrawide - wide).abs().median())
    assert max(matched) < 0.02
    assert sum(matched) < 0.2 * sum(raw)


def test_maps_turn_with_the_picture():
    """Defocus grows along the frame's x: where x went, the picture must have gone too."""
    stack = make_stack(slices=1)
    photo = linear_photo(stack.wide[0])
    for seed in range(8):
        sample = draw(QUIET, seed, stack).sample
        columns = (sample.defocus_w_px[0] * 10).round().long()
        candidates = photo[:, :, columns[0, 0]]
        distance = (candidates - sample.image_w[:, 0, 0].view(3, 1)).abs().sum(0)
        assert distance.min() < 1e-3


def test_refocus_target_is_the_source_map_moved_by_a_constant():
    for seed in range(6):
        batch = draw(QUIET, seed)
        change = batch.sample.target_defocus_w_px - batch.sample.defocus_w_px
        assert_close(change, change.mean().expand_as(change), atol=1e-5, rtol=0)
        assert abs(float(change.mean())) in (pytest.approx(k, abs=1e-4) for k in (0, 1, 2))


def test_identity_keeps_the_noise_of_w():
    noisy = dataclasses.replace(QUIET, photo=NOISY)
    stack = make_stack(slices=1)  # source and target can only be the same
    batch = draw(noisy, 3, stack)
    assert torch.equal(batch.target, batch.sample.image_w)
    assert (batch.sample.target_defocus_w_px - batch.sample.defocus_w_px).abs().max() == 0


def test_all_in_focus_target_is_noise_free_truth_with_a_zero_map():
    settings = dataclasses.replace(QUIET, photo=NOISY, weights=only("all_in_focus"))
    stack = make_stack()
    batch = draw(settings, 2, stack)
    assert batch.sample.target_defocus_w_px.abs().max() == 0
    truth = linear_photo(stack.all_in_focus)
    values = truth.flatten().sort().values
    place = torch.searchsorted(values, batch.target.flatten()).clamp(1, len(values) - 1)
    nearest = torch.minimum(
        (values[place] - batch.target.flatten()).abs(),
        (values[place - 1] - batch.target.flatten()).abs(),
    )
    assert nearest.max() < 1e-4


def test_add_blur_starts_from_the_sharp_picture():
    batch = draw(dataclasses.replace(QUIET, weights=only("shallow")), 4)
    assert batch.sample.defocus_w_px.abs().max() == 0
    assert batch.sample.target_defocus_w_px.abs().max() > 0


def test_estimated_guidance_is_used_by_its_share():
    stack = make_stack(estimated=True)
    always = dataclasses.replace(QUIET, estimated_share=1.0)
    assert draw(always, 0, stack).sample.occluded_w.min() == 1
    assert draw(QUIET, 0, stack).sample.occluded_w.max() == 0
    # The estimated source map is off; the target is that map shifted onto the wanted one's median.
    change = (lambda s: s.target_defocus_w_px - s.defocus_w_px)(draw(always, 1, stack).sample)
    assert_close(change, change.mean().expand_as(change), atol=1e-5, rtol=0)


def test_crops_are_taken_where_there_is_something_to_do():
    """Slices differ in one corner only: of 16 places looked at, one reaches it nearly always."""
    corner = torch.zeros(3, HEIGHT, WIDTH)
    corner[:, :12, :12] = 0.3
    stack = make_stack(slices=1)
    stack = dataclasses.replace(stack, all_in_focus=(stack.wide[0].float() + corner).half())
    sharp = dataclasses.replace(QUIET, weights=only("all_in_focus"))

    def reached(candidates):
        settings = dataclasses.replace(sharp, candidates=candidates)
        batches = [draw(settings, seed, stack) for seed in range(40)]
        change = [(b.target - b.sample.image_w).abs().max() for b in batches]
        return sum(bool(c > 0.05) for c in change)

    assert reached(16) > 35
    assert reached(1) < 30


def test_sample_number_fixes_the_sample():
    samples = StackSamples([make_stack()], QUIET, seed=3)
    again = StackSamples([make_stack()], QUIET, seed=3)
    other = StackSamples([make_stack()], QUIET, seed=4)
    assert torch.equal(samples[7].sample.image_w, again[7].sample.image_w)
    assert not torch.equal(samples[7].sample.image_w, samples[8].sample.image_w)
    assert not torch.equal(samples[7].sample.image_w, other[7].sample.image_w)


def test_numbers_go_on_from_epoch_to_epoch():
    sampler = NumberSampler(4)
    assert list(sampler) == [0, 1, 2, 3]
    sampler.set_epoch(2)
    assert list(sampler) == [8, 9, 10, 11]


def test_smooth_noise_has_unit_variance_and_no_fine_detail():
    noise = smooth_noise((200, 64, 64), torch.Generator().manual_seed(0))
    assert 0.7 < float(noise.std()) < 1.2
    assert noise.diff(dim=-1).std() < 0.25


def test_guide_error_leads_back_to_the_true_flow():
    """A flow that is off by 2 px and stretches: hand-made truth, solved at every pixel."""
    x = torch.arange(64).float().expand(40, 64)
    flow = torch.stack([0.1 * x, torch.zeros_like(x)])
    true = torch.stack([0.1 * x + 2.2, torch.full_like(x, -1.0)])
    error, misfit = guide_error(flow, true)
    inner = (slice(None), slice(4, -4), slice(4, -8))
    # e + 0.1 (x + e) = 0.1 x + 2.2: e = 2; and -1 downwards
    assert_close(error[inner], torch.tensor([2.0, -1.0]).view(2, 1, 1).expand_as(error[inner]))
    assert misfit[inner].max() < 1e-3


def test_the_known_error_puts_the_guide_right_in_every_flip():
    stack = make_stack(slices=1)
    off = stack.true[0]._replace(
        flow_w_to_uw=stack.true[0].flow_w_to_uw + torch.tensor([2.0, -3.0]).view(2, 1, 1)
    )
    stack = dataclasses.replace(stack, estimated=[off])
    wrong = dataclasses.replace(QUIET, estimated_share=1.0)
    for seed in range(12):
        batch = draw(wrong, seed, stack)
        assert batch.guide_error_px.abs().sum() > 0
        mended = backward_warp(batch.sample.uw_on_w[None], batch.guide_error_px[None])[0]
        known = batch.guide_error_weight * batch.guide_error_weight.roll((4, -4), (-2, -1))
        inner = torch.zeros_like(known)
        inner[:, 6:-6, 6:-6] = 1
        right = (mended - batch.sample.image_w).abs() * known * inner
        given = (batch.sample.uw_on_w - batch.sample.image_w).abs() * known * inner
        assert right.sum() < 0.05 * given.sum(), seed
        assert known.mean() > 0.5


def test_where_uw_cannot_see_no_error_is_known():
    stack = make_stack(slices=1)
    hidden = [stack.true[0]._replace(occluded_w=torch.ones_like(stack.true[0].occluded_w))]
    assert draw(QUIET, 0, stack).guide_error_weight.min() == 1
    stack = dataclasses.replace(stack, true=hidden)
    assert draw(QUIET, 0, stack).guide_error_weight.max() == 0


def test_an_absent_guide_is_drawn_by_its_share_and_as_single_photos_have_it():
    """The very inputs that `preprocess_single` and the evaluation's `WithoutGuide` make."""
    stack = make_stack(slices=2)
    third = dataclasses.replace(QUIET, absent_guide_share=0.3)
    absent = 0
    for seed in range(60):
        batch, usual = draw(third, seed, stack), draw(QUIET, seed, stack)
        if batch.sample.occluded_w.min() == 0:
            assert batch.guide_error_weight.max() == 1
            continue
        absent += 1
        image = batch.sample.image_w
        alone = preprocess_single(image, PhoneDepth(torch.ones(1, 8, 8), False, "test's"), Camera())
        assert torch.equal(batch.sample.uw_on_w, alone.uw_on_w)
        assert torch.equal(batch.sample.occluded_w, alone.occluded_w.float())
        maps = made_preprocessed(32, 32)
        question = Question("all_in_focus", "it", image, maps, image[:1], Camera(), image)
        given = WithoutGuide(lambda question: question.prepared)(question)
        assert torch.equal(batch.sample.uw_on_w, given.uw_on_w)
        assert torch.equal(batch.sample.occluded_w, given.occluded_w.float())
        assert batch.guide_error_weight.max() == 0
        blur = [float(b.sample.defocus_w_px.sum()) for b in (batch, usual)]
        assert blur[0] == pytest.approx(blur[1])
    assert absent / 60 == pytest.approx(0.3, abs=0.2)
