"""Methods of two steps, the ceiling and the controls, on questions made by hand."""

import functools

import pytest
import torch
from hand_blur import blurred, psnr, tensor, texture
from made_preprocessed import made_preprocessed
from torch.testing import assert_close

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.evaluation import rendering
from dfnet.evaluation.deconvolution import RichardsonLucy
from dfnet.evaluation.from_folder import FromFolder
from dfnet.evaluation.methods import needs_guide, needs_stack, uw_pasted, w_unchanged
from dfnet.evaluation.question import Question
from dfnet.evaluation.rendering import (
    Deconvolved,
    ThenLayers,
    constant_blur,
    focus_stack,
    layers_alone,
)
from dfnet.io.images import write_image
from dfnet.photo import srgb_from_linear

HEIGHT, WIDTH, BORDER = 96, 128, 32
LEFT = slice(0, 64)


def encoded(linear):
    inside = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    return srgb_from_linear(tensor(linear[inside])[0].clamp(0, 1))


def halves(left, right):
    x = right.clone()
    x[..., LEFT] = left[..., LEFT]
    return x


@pytest.fixture(scope="module")
def scene():
    """A plain texture whose left half lies before the right one: pictures by focus."""
    light = texture(1, (HEIGHT + 2 * BORDER, WIDTH + 2 * BORDER))
    sharp, by_5, by_8 = encoded(light), encoded(blurred(light, 5.0)), encoded(blurred(light, 8.0))
    return {"sharp": sharp, "far": halves(by_5, sharp), "near": halves(sharp, by_8)}


def level(left_px, right_px):
    return halves(torch.full((1, HEIGHT, WIDTH), left_px), torch.full((1, HEIGHT, WIDTH), right_px))


def ask(scene, source, shown_px, wanted_px, truth, **more):
    prepared = made_preprocessed(HEIGHT, WIDTH, uw_on_w=scene["sharp"], defocus_w_px=shown_px)
    return Question(
        "refocus",
        "slice 1 → slice 0",
        scene[source],
        prepared,
        wanted_px,
        Camera(),
        scene[truth],
        scene="desk",
        **more,
    )


def score(picture, question):
    """PSNR off the frame's border and off the seam of the halves, which is no real scene's."""
    return min(
        psnr(picture[..., columns], question.truth[..., columns], 12)
        for columns in (slice(0, 60), slice(68, WIDTH))
    )


def test_a_sharp_guide_then_layers_refocus_a_photo(scene):
    question = ask(scene, "far", level(-5.0, 0.0), level(0.0, 8.0), "near")
    asked = []
    answer = ThenLayers(lambda q: asked.append(q) or uw_pasted(q))(question)
    assert not asked[0].target_defocus_w_px.any()  # all in focus
    assert score(scene["far"], question) < 25
    assert score(answer, question) > 38


def test_deblurring_then_layers_refocuses_without_a_guide(scene):
    question = ask(scene, "far", level(-5.0, 0.0), level(0.0, 8.0), "near")
    method = ThenLayers(Deconvolved(RichardsonLucy(30)), needs_guide=False)
    gain = score(method(question), question) - score(scene["far"], question)
    assert gain > 1.5
    blind_to_it = method(
        question._replace(prepared=question.prepared._replace(uw_on_w=torch.rand(3, HEIGHT, WIDTH)))
    )
    assert_close(blind_to_it, method(question))


def test_what_is_in_focus_or_stays_as_it_is_is_w(scene):
    question = ask(scene, "far", level(-5.0, 0.0), level(-5.0, 6.0), "near")
    wrong = ThenLayers(lambda q: torch.zeros_like(q.image_w))(question)
    assert_close(wrong[..., :40], scene["far"][..., :40])  # nothing changes there
    layers_alone = ThenLayers(w_unchanged)(question)
    assert_close(wrong[..., 90:], layers_alone[..., 90:])  # W is sharp there
    assert (wrong - scene["far"])[..., 90:].abs().mean() > 0.01


def doubled(x):
    return torch.nn.functional.interpolate(x[None], scale_factor=2, mode="bicubic")[0]


def test_a_large_photo_is_worked_on_reduced(scene, monkeypatch):
    small = ask(scene, "far", level(-5.0, 0.0), level(0.0, 8.0), "near")
    prepared = small.prepared._replace(
        uw_on_w=doubled(scene["sharp"]),
        defocus_w_px=level(-10.0, 0.0).repeat(1, 2, 1).repeat_interleave(2, dim=2),
        occluded_w=torch.zeros(1, 2 * HEIGHT, 2 * WIDTH) > 0,
    )
    wanted = level(0.0, 16.0).repeat(1, 2, 1).repeat_interleave(2, dim=2)
    question = small._replace(
        image_w=doubled(scene["far"]), prepared=prepared, target_defocus_w_px=wanted
    )
    sizes = []

    def pasted(asked):
        sizes.append(asked.image_w.shape)
        return uw_pasted(asked)

    methods = (ThenLayers(pasted), layers_alone)
    whole = [m(question) for m in methods]
    monkeypatch.setattr(rendering, "WORKING_SIDE_PX", WIDTH)
    reduced = [m(question) for m in methods]
    assert sizes == [(3, 2 * HEIGHT, 2 * WIDTH), (3, HEIGHT, WIDTH)]
    for a, b in zip(whole, reduced, strict=True):
        assert psnr(b, a, 24) > 36  # 39.6 and 51.2; against the photo 21 and 23


def test_one_disc_is_the_median_of_what_is_missing(scene):
    shown, wanted = level(3.0, 0.0), level(3.0, 8.0)
    wanted[..., :70] = 5.0  # 4 px are missing in more than half of the picture
    shown[..., :70] = 3.0
    question = ask(scene, "sharp", shown, wanted, "sharp")
    light = texture(1, (HEIGHT + 2 * BORDER, WIDTH + 2 * BORDER))
    expected = encoded(blurred(light, 4.0))
    assert psnr(constant_blur(question), expected) > 45
    same = ask(scene, "sharp", wanted, wanted, "sharp")
    assert_close(constant_blur(same), scene["sharp"])


def test_layers_alone_add_what_is_missing_and_leave_what_is_too_much(scene):
    question = ask(scene, "near", level(0.0, 8.0), level(-5.0, 0.0), "far")
    answer = layers_alone(question)
    left, right = slice(0, 56), slice(72, WIDTH)
    assert psnr(answer[..., left], scene["far"][..., left], 12) > 38
    assert_close(answer[..., right], scene["near"][..., right], atol=1e-3, rtol=0)
    beside = answer[..., 64:66] - scene["near"][..., 64:66]
    assert beside.abs().mean() > 0.005  # what is nearer spreads over what is farther
    farther = question._replace(target_defocus_w_px=level(5.0, 0.0))
    assert_close(layers_alone(farther)[..., 64:], scene["near"][..., 64:], atol=1e-3, rtol=0)
    deeper = ask(scene, "near", level(-3.0, 8.0), level(-5.0, 8.0), "far")
    light = texture(1, (HEIGHT + 2 * BORDER, WIDTH + 2 * BORDER))
    expected = encoded(blurred(light, 4.0))  # 3 and 4 are 5, as in variances
    assert psnr(layers_alone(deeper)[..., left], expected[..., left], 12) > 38


def test_a_stack_is_merged_where_each_slice_is_sharp(scene):
    loads = {"slices": lambda: [scene["near"], scene["far"]]}
    nothing_known = level(0.0, 0.0)
    question = ask(scene, "far", nothing_known, level(0.0, 0.0), "sharp", **loads)
    assert score(scene["far"], question) < 25
    assert score(focus_stack(question), question) > 33
    refocused = ask(scene, "far", level(-5.0, 0.0), level(0.0, 8.0), "near", **loads)
    assert score(focus_stack(refocused), refocused) > 33
    with pytest.raises(InputError, match=r"desk: focus_stack needs the slices"):
        focus_stack(question._replace(slices=None))


def test_a_stack_with_clipped_light_is_merged_all_the_same(scene):
    slices = [scene["near"].clone(), scene["far"].clone()]
    for picture in slices:
        picture[:, 30:70, 20:50] = 1.0
    question = ask(scene, "far", level(0.0, 0.0), level(0.0, 0.0), "sharp")
    merged = focus_stack(question._replace(slices=lambda: slices))
    assert_close(merged[:, 36:64, 26:44], torch.ones(3, 28, 18), atol=0.01, rtol=0)
    assert psnr(merged[..., 80:], scene["sharp"][..., 80:]) > 33


def test_who_needs_what():
    assert needs_guide(ThenLayers(uw_pasted))
    assert not needs_guide(ThenLayers(w_unchanged, needs_guide=False))
    others = [constant_blur, focus_stack, layers_alone, FromFolder("x")]
    assert not any(map(needs_guide, others))
    assert not needs_guide(functools.partial(constant_blur))
    assert [needs_stack(functools.partial(m)) for m in others] == [False, True, False, False]


def test_files_of_others_are_found_by_scene_and_question(scene, tmp_path):
    question = ask(scene, "far", level(0.0, 0.0), level(0.0, 0.0), "near")
    (tmp_path / "desk").mkdir()
    write_image(scene["near"], tmp_path / "desk" / "refocus_slice_1_to_slice_0.png", bits=16)
    write_image(scene["far"], tmp_path / "desk" / "their.output.jpg")
    near = FromFolder(str(tmp_path))(question)
    assert_close(near, scene["near"], atol=1e-4, rtol=0)
    far = FromFolder(str(tmp_path), "{scene}/their.output")(question)
    assert (far - scene["far"]).abs().mean() < 0.03  # what JPEG costs a texture
    flat = FromFolder(str(tmp_path / "desk" / "refocus_slice_1_to_slice_0.png"))
    assert_close(flat(question._replace(scene="another")), near)


def test_a_missing_file_or_a_wrong_pattern_is_named(scene, tmp_path):
    question = ask(scene, "far", level(0.0, 0.0), level(0.0, 0.0), "near")
    with pytest.raises(InputError, match=r"desk/refocus_slice_1_to_slice_0\.png: no such file"):
        FromFolder(str(tmp_path))(question)
    for pattern in ("{scne}/x", "{", "{0}"):
        with pytest.raises(InputError, match=r"not a pattern of file names(.|\n)*\{scene\}"):
            FromFolder(str(tmp_path), pattern)(question)
