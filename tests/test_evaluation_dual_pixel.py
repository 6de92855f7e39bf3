"""Dual-pixel photos made here: a known blur, gain and black, and gaps in the map."""

import cv2
import numpy as np
import pytest
import torch
from made_pair import texture
from test_evaluation_runner import METHODS

from dfnet.blur import disc_blur
from dfnet.errors import InputError
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.deconvolution import Wiener
from dfnet.evaluation.dual_pixel import (
    BLACK,
    COC_PX_PER_LEVEL,
    WHITE,
    dual_pixel_question,
    unseen_by_uw,
)
from dfnet.evaluation.methods import WithoutGuide, needs_guide, network
from dfnet.evaluation.plan import Plan
from dfnet.evaluation.rendering import Deconvolved, ThenLayers
from dfnet.evaluation.runner import evaluate
from dfnet.evaluation.scenes import find_scenes
from dfnet.evaluation.score import score_answer
from dfnet.model import DFNet
from dfnet.photo import srgb_from_linear

SIZE, TOP, LEFT = (240, 320), 30, 44  # of the truth, and where it lies in the photo
LEVEL = 60  # of the map: a disc of 7.56 px
GAIN = 0.3  # of the photo's exposure against the truth's


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One photo and its files; the second lacks its map and is none."""
    folder = tmp_path_factory.mktemp("set") / "phone"
    folder.mkdir()
    shape = SIZE[0] + 2 * TOP, SIZE[1] + 2 * LEFT
    light = texture(np.random.default_rng(2), shape)[:, :1].clamp(0.02, 0.98)
    photo = GAIN * disc_blur(light, COC_PX_PER_LEVEL * LEVEL)[0, 0].numpy()
    halves = {"left": 1.2 * photo, "right": 0.8 * photo}  # the lens vignettes them apart
    for name in ("001", "002"):
        for part, values in halves.items():
            write(folder / f"{name}_{part}.png", BLACK + (WHITE - BLACK) * values)
    middle = light[0, 0, TOP:-TOP, LEFT:-LEFT].numpy()
    write(folder / "001_gt.png", 40_000 * middle)
    write(folder / "002_gt.png", 40_000 * middle)
    level = np.full(SIZE, LEVEL, np.uint8)
    level[:, 100:110] = 0
    level[:, 105:108] = 0
    level[:, 300:] = 2 * LEVEL
    level[:, 280:300] = 0
    cv2.imwrite(str(folder / "001_defocus.png"), level)
    return folder.parent


def write(path, values):
    cv2.imwrite(str(path), values.round().astype(np.uint16))


@pytest.fixture(scope="module")
def question(root):
    return dual_pixel_question(root / "phone", "001")


def test_the_photo_is_the_truths_part_in_the_truths_exposure(question):
    truth = question.truth
    linear = torch.where(truth <= 0.04045, truth / 12.92, ((truth + 0.055) / 1.055) ** 2.4)
    wanted = disc_blur(linear[None], COC_PX_PER_LEVEL * LEVEL)[0]
    inside = (slice(None), slice(16, -16), slice(16, -16))
    error = (question.image_w - srgb_from_linear(wanted.clamp(0, 1)))[inside].abs()
    assert float(error.mean()) < 0.004  # the gain is fitted over a frame whose rim differs
    assert question.image_w.shape == truth.shape == (3, *SIZE)


def test_gaps_of_the_map_take_what_is_nearest(question):
    coc_px = question.prepared.defocus_w_px[0]
    assert torch.allclose(coc_px[:, :289], torch.tensor(COC_PX_PER_LEVEL * LEVEL))
    assert torch.allclose(coc_px[:, 291:], torch.tensor(2 * COC_PX_PER_LEVEL * LEVEL))
    assert not question.target_defocus_w_px.any()


def test_deblurring_is_worth_something_and_the_gain_is_not(question):
    method = ThenLayers(Deconvolved(Wiener(0.01)), needs_guide=False)
    everywhere = torch.full((1, *SIZE), COC_PX_PER_LEVEL * LEVEL)
    question = question._replace(prepared=unseen_by_uw(question.image_w, everywhere))
    before, after, brighter = (
        score_answer(question, x, "m").parts["all"]["psnr_db"]
        for x in (question.image_w, method(question), (0.9 * question.image_w))
    )
    assert after > before + 2
    assert abs(brighter - before) < 0.1


def test_whole_sets_are_found_and_only_methods_that_need_no_guide_answer(root, tmp_path):
    (scene,) = find_scenes(root)
    assert (scene.name, scene.kind) == ("phone/001", "dual_pixel")
    plan = Plan(METHODS, Asking(("all_in_focus", "refocus")), store=tmp_path)
    scores = evaluate([scene], plan)
    assert {(row.scene, row.task, row.method) for row in scores.rows} == {
        ("phone/001", "all_in_focus", "w_unchanged")
    }
    assert set(scores.skipped) == {
        "phone/001, refocus: a dual-pixel photo has no such truth",
        "phone/001, uw_pasted: no ultra-wide photo",
    }
    (whole,) = (row for row in scores.rows if row.band == "all")
    assert {"shift_px", "gain_percent"} <= set(whole.metrics)


def test_a_truth_larger_than_the_photo_is_refused(root, tmp_path):
    for path in (root / "phone").glob("001_*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write(tmp_path / "001_gt.png", np.full((400, 200), 1000.0))
    with pytest.raises(InputError, match=r"001: the truth is 200x400, the photo 408x300"):
        dual_pixel_question(tmp_path, "001")


def test_without_guide_means_that_it_is_hidden(question):
    seen = WithoutGuide(lambda asked: asked.prepared.uw_on_w)
    shown = question.prepared._replace(
        uw_on_w=1 - question.image_w, occluded_w=torch.zeros(1, *SIZE, dtype=torch.bool)
    )
    asked = question._replace(prepared=shown)
    assert torch.equal(seen(asked), question.image_w)
    assert WithoutGuide(lambda asked: asked.prepared.occluded_w)(asked).all()
    assert not needs_guide(seen)


@pytest.mark.parametrize("use_guide", [True, False])
def test_a_network_that_was_trained_without_guide_needs_none(use_guide):
    assert needs_guide(network(DFNet(width=4, use_guide=use_guide), "cpu")) == use_guide
