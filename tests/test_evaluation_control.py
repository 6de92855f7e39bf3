"""Methods whose control is known by construction, and what the measure says of them."""

import numpy as np
import pytest
import torch
from made_pair import texture
from made_preprocessed import made_preprocessed

from dfnet.blur import disc_blur
from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.evaluation.bands import SceneMaps
from dfnet.evaluation.blur_reading import PATCH_PX, blur_reader
from dfnet.evaluation.control import Probe, measure_control
from dfnet.evaluation.question import Question
from dfnet.photo import linear_from_srgb, srgb_from_linear

HEIGHT, WIDTH = 192, 240
LEFT_PX, RIGHT_PX = 5.0, -8.0  # defocus of the two halves


@pytest.fixture(scope="module")
def sharp():
    linear = texture(np.random.default_rng(4), (HEIGHT, WIDTH)).clamp(0, 1)
    return srgb_from_linear(linear)[0]


@pytest.fixture(scope="module")
def probe(sharp):
    defocus = torch.full((1, HEIGHT, WIDTH), LEFT_PX)
    defocus[..., WIDTH // 2 :] = RIGHT_PX
    prepared = made_preprocessed(HEIGHT, WIDTH, defocus_w_px=defocus)
    nothing = torch.zeros_like(defocus)
    maps = SceneMaps(defocus.abs(), nothing, nothing.bool())
    question = Question("control", "", sharp, prepared, defocus, Camera(), sharp, maps=maps)
    return Probe(question, blur_reader(sharp, maps), truth_slope=1.0, truth_rank=1.0)


def rendered(sharp, diameter_px):
    linear = linear_from_srgb(sharp)[None]
    return srgb_from_linear(disc_blur(linear, float(diameter_px))[0].clamp(0, 1))


def obedient(strength=1.0, reverse=False):
    """Renders each half with the blur asked for, or with some share of it."""

    def method(question):
        target = question.target_defocus_w_px[0].abs()
        wanted = [float(target[:, : WIDTH // 2].median()), float(target[:, WIDTH // 2 :].median())]
        wanted = [max(0.0, 14 - w) if reverse else strength * w for w in wanted]
        left, right = (rendered(question.truth, w) for w in wanted)
        return torch.cat([left[..., : WIDTH // 2], right[..., WIDTH // 2 :]], dim=-1)

    return method


@pytest.mark.parametrize("diameter_px", [0.0, 2.2, 3.7, 5.5, 9.1, 15.2, 26.0])
def test_the_reader_reads_the_disc_that_was_laid_on(sharp, probe, diameter_px):
    read = probe.reader.read(rendered(sharp, diameter_px))
    expected = max(diameter_px, 1.0)  # below a pixel nothing is blurred
    assert abs(float(read.median()) - expected) < 0.15 * expected + 0.3


def test_a_brighter_or_noisy_picture_is_read_the_same(sharp, probe):
    blurred = rendered(sharp, 7.0)
    noise = 0.02 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(0))
    for changed in (blurred + 0.05, blurred + noise):
        read = probe.reader.read(changed)
        assert abs(float((read - probe.reader.read(blurred)).median())) < 0.3


def test_patches_without_texture_or_beside_depth_edges_are_not_read(sharp):
    flat = sharp.clone()
    flat[:, : 2 * PATCH_PX] = 0.5
    disparity = torch.zeros(1, HEIGHT, WIDTH)
    disparity[..., 5 * PATCH_PX :] = 4.0
    zeros = torch.zeros_like(disparity)
    patches = blur_reader(flat, SceneMaps(zeros, disparity, zeros.bool())).patches
    assert not patches[:2].any()
    assert not patches[:, 4:6].any()
    assert patches[2:, :4].float().mean() > 0.9


def test_a_renderer_that_does_as_asked_has_slope_and_rank_one(probe):
    found = measure_control(obedient(), probe, "m")
    for name in ("aperture_slope", "aperture_rank", "focus_slope", "focus_rank"):
        assert abs(found[name] - 1) < 0.08, name
    for asked in (2, 5, 10, 20):  # of 40 px there is no patch of 24 that shows it well
        assert abs(found[f"uniform_{asked}_px"] - 1) < 0.1, asked
    assert found["floor_px"] < 1
    assert found["reading_slope"] == 1.0


def test_half_the_blur_and_the_wrong_order_are_told(probe):
    half = measure_control(obedient(0.5), probe, "m")
    assert abs(half["aperture_slope"] - 0.5) < 0.1
    assert half["aperture_rank"] > 0.9
    assert abs(half["uniform_10_px"] - 0.5) < 0.05
    backwards = measure_control(obedient(reverse=True), probe, "m")
    assert backwards["aperture_slope"] < -0.8
    assert backwards["aperture_rank"] < -0.9


def test_w_unchanged_follows_nothing(probe):
    """It has the most blur where the most is asked for, and keeps it."""
    as_taken = obedient()(probe.question)
    found = measure_control(lambda q: as_taken, probe, "m")
    assert abs(found["aperture_slope"]) < 0.02
    assert found["aperture_rank"] == 0.0
    assert 4.5 < found["floor_px"] < 8.5  # of halves blurred by 5 and 8 px
    assert found["uniform_2_px"] == pytest.approx(found["floor_px"] / 2)
    assert "step_0.25_px" not in found  # no change to be smooth


def test_the_slope_counts_what_the_truth_shows(probe):
    """An estimator that reads half of any blur gives the same verdict."""
    found = measure_control(obedient(0.5), probe._replace(truth_slope=0.5), "m")
    assert abs(found["aperture_slope"] - 1) < 0.2


def test_small_steps_are_held_against_a_proportional_change(probe):
    def smooth(question):
        return (0.5 + 0.01 * question.target_defocus_w_px).expand(3, -1, -1)

    def jumpy(question):
        return (0.5 + 0.01 * (question.target_defocus_w_px / 0.8).round()).expand(3, -1, -1)

    for step in ("step_0.25_px", "step_0.5_px"):
        assert abs(measure_control(smooth, probe, "m")[step] - 1) < 1e-3
    assert abs(measure_control(jumpy, probe, "m")["step_0.25_px"] - 1) > 0.3


def test_an_output_that_is_no_number_is_refused(probe):
    with pytest.raises(InputError, match=r"liar, , control: .* not finite"):
        measure_control(lambda q: q.image_w / 0, probe, "liar")
