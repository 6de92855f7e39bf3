import json
import math

import pytest
import torch
from torch.testing import assert_close

from dfnet.errors import InputError
from dfnet.layers import blur_in_layers
from dfnet.model import DFNet
from dfnet.model.change import change_weight
from dfnet.model.dfnet import blend, pyramid
from dfnet.model.finish import mended_shares
from dfnet.photo import linear_from_srgb, srgb_from_linear
from dfnet.sample import Sample
from dfnet.warp import backward_warp


def random_sample(height=48, width=80, source_px=6.0, target_px=0.0, seed=0):
    g = torch.Generator().manual_seed(seed)
    ones = torch.ones(2, 1, height, width)
    return Sample(
        torch.rand(2, 3, height, width, generator=g),
        torch.rand(2, 3, height, width, generator=g),
        (torch.rand(2, 1, height, width, generator=g) > 0.9).float(),
        source_px * ones,
        target_px * ones,
        torch.rand(2, 1, height, width, generator=g),
    )


def awake_model(seed=0, **settings):
    """A small network whose zero-initialised heads are given something to say."""
    torch.manual_seed(seed)
    model = DFNet(width=8, **settings).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "head" in name:
                parameter.normal_(0, 0.02)
    return model


def run_with_hooks(model, sample):
    seen = {}
    hooks = [
        getattr(model, name).register_forward_hook(
            lambda _m, _i, out, name=name: seen.__setitem__(name, out)
        )
        for name in ("refine_w", "refine_uw")
    ]
    with torch.no_grad():
        output = model(sample)
    for hook in hooks:
        hook.remove()
    return output, seen


@pytest.mark.parametrize(
    ("changed", "blind", "seeing"),
    [("uw_on_w", "refine_w", "refine_uw"), ("image_w", "refine_uw", "refine_w")],
)
def test_neither_path_sees_the_others_image(changed, blind, seeing):
    model, sample = awake_model(), random_sample()
    other = sample._replace(**{changed: 1 - getattr(sample, changed)})
    before, seen_before = run_with_hooks(model, sample)
    after, seen_after = run_with_hooks(model, other)
    for x, y in zip(
        seen_before[blind][0] + seen_before[blind][1],
        seen_after[blind][0] + seen_after[blind][1],
        strict=True,
    ):
        assert torch.equal(x, y)
    assert not torch.equal(seen_before[seeing][1][0], seen_after[seeing][1][0])
    assert not torch.equal(before.masks_by_scale[0], after.masks_by_scale[0])


def test_without_guide_uw_and_its_occlusion_change_nothing():
    model, sample = awake_model(use_guide=False), random_sample()
    other = sample._replace(uw_on_w=1 - sample.uw_on_w, occluded_w=1 - sample.occluded_w)
    with torch.no_grad():
        assert torch.equal(model(sample).image, model(other).image)


def test_near_and_far_blur_are_told_apart():
    model = awake_model()
    near, far = random_sample(source_px=-6.0), random_sample(source_px=6.0)
    with torch.no_grad():
        assert (model(near).image - model(far).image).abs().max() > 1e-3


@pytest.mark.parametrize(("height", "width"), [(48, 80), (37, 53)])
def test_equal_source_and_target_give_w_itself(height, width):
    sample = random_sample(height, width, source_px=9.0, target_px=9.0)
    with torch.no_grad():
        assert torch.equal(awake_model()(sample).image, sample.image_w)


def test_sizes_that_are_no_multiple_of_16_are_cropped_back():
    sample = random_sample(37, 53)
    with torch.no_grad():
        image = awake_model()(sample).image
        wider = Sample(
            *(torch.nn.functional.pad(x, (0, 11, 0, 11), mode="replicate") for x in sample)
        )
        assert_close(image, awake_model()(wider).image[..., :37, :53])


def test_blend_takes_each_octave_where_its_mask_says():
    g = torch.Generator().manual_seed(1)
    image_w, image_uw = (pyramid(torch.rand(1, 3, 32, 48, generator=g)) for _ in range(2))
    nothing = [torch.zeros_like(x) for x in image_w]
    ones = [torch.ones_like(x[:, :1]) for x in image_w]
    zeros = [torch.zeros_like(x[:, :1]) for x in image_w]
    for mask, expected in ((ones, image_w), (zeros, image_uw)):
        for result, wanted in zip(blend(image_w, image_uw, mask, nothing), expected, strict=True):
            assert_close(result, wanted)
    # Fine detail of UW on the coarse colours of W: a constant offset of UW must vanish.
    offset = [x + 0.25 for x in image_uw]
    mixed = [zeros[0], zeros[1], zeros[2], ones[3]]
    for a, b in zip(
        blend(image_w, image_uw, mixed, nothing),
        blend(image_w, offset, mixed, nothing),
        strict=True,
    ):
        assert_close(a, b)


def test_corrections_reach_the_finest_scale():
    black = pyramid(torch.zeros(1, 3, 32, 32))
    corrections = [torch.zeros_like(x) for x in black]
    corrections[2] += 0.5
    masks = [torch.ones_like(x[:, :1]) for x in black]
    assert_close(blend(black, black, masks, corrections)[0], torch.full((1, 3, 32, 32), 0.5))


def test_change_is_where_defocus_changes_and_as_far_as_its_blur_reaches():
    source, target = torch.zeros(2, 1, 1, 64, 96)
    target[..., 32, 48] = -20.0  # radius 10 px
    weight = change_weight(source, target)[0, 0]
    assert weight[32, 48] == 1
    assert weight[32, 48 + 9] == 1
    assert weight[32, 48 + 24] == 0
    assert weight[32 + 24, 48] == 0


@pytest.mark.parametrize("diameter_px", [3.0, 21.0, 70.0])
def test_blur_reaches_in_all_directions_as_far_as_to_the_next_power_of_two(diameter_px):
    """A point of radius r changes what lies up to 2^ceil(log2 r) px away, at most 32."""
    wanted = torch.zeros(1, 1, 91, 95)
    wanted[..., 45, 47] = diameter_px
    changes = change_weight(torch.zeros_like(wanted), wanted)[0, 0] == 1
    rows, columns = changes.nonzero().T
    reach = min(32, 2 ** math.ceil(math.log2(diameter_px / 2)))
    inner = reach - 2  # the weight is smoothed over 5 px
    assert (rows.min(), rows.max()) == (45 - inner, 45 + inner)
    assert (columns.min(), columns.max()) == (47 - inner, 47 + inner)
    assert len(rows) == (2 * inner + 1) ** 2


@pytest.mark.parametrize(
    ("change_px", "expected"), [(0.0, 0.0), (0.5, 0.0), (1.0, 0.5), (1.5, 1.0)]
)
def test_change_sets_in_smoothly(change_px, expected):
    source = torch.full((1, 1, 32, 32), -3.0)
    weight = change_weight(source, source + change_px)
    assert_close(weight, torch.full_like(weight, expected))


def test_bfloat16_inside_leaves_a_ramp_smooth():
    ramp = torch.linspace(0, 1, 512).expand(1, 3, 32, 512).contiguous()
    maps = torch.zeros(1, 1, 32, 512)
    sample = Sample(ramp, ramp, maps, maps + 4, maps, maps)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        image = awake_model_with_quiet_heads()(sample).image
    assert image.dtype == torch.float32
    assert image.diff(dim=-1).abs().max() < 1 / 255
    assert (image[0, 0, 16] * 65535).round().unique().numel() > 256


def awake_model_with_quiet_heads():
    torch.manual_seed(0)
    return DFNet(width=8).eval()


def test_saved_weights_come_back_within_half_precision(tmp_path):
    model, sample = awake_model(trained_coc_px=17.0), random_sample()
    model.save_pretrained(tmp_path / "weights", {"note": "here"})
    loaded = DFNet.from_pretrained(tmp_path / "weights")
    assert loaded.trained_coc_px == 17.0
    assert not loaded.training
    assert json.loads((tmp_path / "weights" / "config.json").read_text())["notes"] == {
        "note": "here"
    }
    with torch.no_grad():
        difference = (loaded(sample).image - model(sample).image).abs().max()
    assert 0 < difference < 2e-3


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_unusable_weights_are_refused_with_their_place(tmp_path, damage):
    folder = tmp_path / "weights"
    if damage != "missing":
        awake_model().save_pretrained(folder)
    if damage == "cut":
        file = folder / "model.safetensors"
        file.write_bytes(file.read_bytes()[:1000])
    if damage == "other":
        (folder / "config.json").write_text('{"model": {"width": 4}}')
    with pytest.raises(InputError, match="no usable weights"):
        DFNet.from_pretrained(folder)


def test_with_render_the_fusion_is_the_same_whatever_blur_is_asked():
    model = awake_model(render=True, finish=True)
    sample = random_sample(source_px=9.0)
    blurred = sample._replace(target_defocus_w_px=sample.target_defocus_w_px + 6)
    with torch.no_grad():
        sharp, soft = model(sample), model(blurred)
    for a, b in zip(sharp.masks_by_scale, soft.masks_by_scale, strict=True):
        assert torch.equal(a, b)
    assert_close(sharp.image, sharp.images_by_scale[0][..., :48, :80])
    assert not torch.equal(sharp.image, soft.image)


def test_with_render_the_wanted_blur_is_the_renderer_s():
    """Before the finish has learned anything, it changes nothing."""
    torch.manual_seed(0)
    plain, finished = (DFNet(width=16, render=True, finish=f).eval() for f in (False, True))
    sample = random_sample(source_px=0.0)
    target = sample.target_defocus_w_px + 7.5
    with torch.no_grad():
        asked = sample._replace(target_defocus_w_px=target)
        image, mended = plain(asked).image, finished(asked).image
    light = blur_in_layers(linear_from_srgb(sample.image_w), target)
    assert_close(image, srgb_from_linear(light.clamp(0, 1)), atol=1e-4, rtol=0)
    assert torch.equal(image, mended)


def test_what_is_finer_than_the_wanted_blur_is_not_mended():
    """Shares of three scales: whole up to 4, 8 and 16 px, gone at twice as much."""
    blur = torch.full((1, 1, 32, 96), -6.0)
    blur[..., 48:] = 24.0
    fine, half, quarter = mended_shares(blur, 3)
    for shares, scale, left, right in ((fine, 0, 0.5, 0), (half, 1, 1, 0), (quarter, 2, 1, 0.5)):
        assert shares.shape == (1, 1, 32 >> scale, 96 >> scale)
        edge = (48 + 4) >> scale  # the least within 4 px counts
        assert (shares[..., :edge] == left).all()
        assert (shares[..., edge:] == right).all()


def test_wide_blur_is_the_renderer_s_whatever_the_finish_has_learned():
    model = awake_model(render=True, finish=True)
    sample = random_sample(source_px=0.0)
    answers = []
    for target in (20.0, 33.0):
        asked = sample._replace(target_defocus_w_px=torch.full_like(sample.defocus_w_px, target))
        mend, model.finish = model.finish, None
        with torch.no_grad():
            plain = model(asked).image
            model.finish = mend
            answers.append((model(asked).image - plain).abs().max())
    assert answers[0] > 1e-3
    assert answers[1] == 0


def test_with_render_w_stays_where_nothing_changes():
    sample = random_sample(37, 53, source_px=9.0, target_px=9.0)
    with torch.no_grad():
        assert torch.equal(awake_model(render=True, finish=True)(sample).image, sample.image_w)


def test_an_aligned_guide_is_moved_before_it_is_refined():
    model, sample = awake_model(align=True), random_sample()
    with torch.no_grad():
        for search in (model.align.coarse, model.align.fine):
            search.head.weight.zero_()
            search.head.bias.zero_()
        model.align.coarse.head.bias[0] = 0.75  # features of four pixels: 3 px to the right
        moved = model(sample)
        plain = awake_model()
        plain.load_state_dict({k: v for k, v in model.state_dict().items() if "align" not in k})
        right = torch.tensor([3.0, 0.0]).view(1, 2, 1, 1).expand(2, 2, 48, 80)
        shifted = backward_warp(sample.uw_on_w, right)
        expected = plain(sample._replace(uw_on_w=shifted))
    assert_close(moved.image, expected.image)
    assert_close(moved.guide_motions_px[-1][0, :, 20, 20], torch.tensor([3.0, 0.0]))
