from dataclasses import replace

import pytest
import torch
from made_stack import make_stack
from torch.testing import assert_close

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.evaluation.tasks import TASKS, questions, shifted_to, why_not

# Slices are stored out of order: 2 m, 0.4 m, 0.9 m; nearest to farthest they are 1, 2, 0.
DISTANCES_M = (2.0, 0.4, 0.9)


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    return load_capture(make_stack(tmp_path_factory.mktemp("stack"), DISTANCES_M))


@pytest.fixture(scope="module")
def asked(capture):
    found = list(questions(capture, preprocessing="truth"))
    return {task: [q for q in found if q.task == task] for task in TASKS}


def true_defocus(capture, index):
    return capture.true_defocus_w_px(index, capture.load_truth().depth_w_m)


def test_slices_are_ordered_by_distance_and_not_by_file(asked):
    assert [q.name for q in asked["refocus"]] == [
        "slice 1 → slice 0",
        "slice 0 → slice 1",
        "slice 2 → slice 0",
    ]
    assert [q.name for q in asked["all_in_focus"]] == [
        "slice 1 → all in focus",
        "slice 0 → all in focus",
    ]


def test_all_in_focus_asks_for_no_blur_and_answers_with_the_truth(asked, capture):
    for question, source in zip(asked["all_in_focus"], (1, 0), strict=True):
        assert_close(question.image_w, capture.load_wide(source))
        assert_close(question.prepared.defocus_w_px, true_defocus(capture, source))
        assert not question.target_defocus_w_px.any()
        assert_close(question.truth, capture.load_truth().all_in_focus)


def test_refocus_asks_for_the_other_slice_without_noise(asked, capture):
    for question, (source, target) in zip(asked["refocus"], [(1, 0), (0, 1), (2, 0)], strict=True):
        assert_close(question.image_w, capture.load_wide(source))
        assert_close(question.target_defocus_w_px, true_defocus(capture, target))
        assert_close(question.truth, capture.load_clean_wide(target))


def test_shallow_depth_of_field_starts_from_a_noisy_sharp_photo(asked, capture):
    (question,) = asked["shallow_depth_of_field"]
    sharp = capture.load_truth().all_in_focus
    noise = (question.image_w - sharp).abs().mean()
    assert 1e-4 < noise < 2e-2
    assert not question.prepared.defocus_w_px.any()
    assert question.name == "all in focus → slice 1"  # focused nearest, so most is blurred
    assert_close(question.target_defocus_w_px, true_defocus(capture, 1))
    assert_close(question.truth, capture.load_clean_wide(1))


def test_identity_asks_for_what_the_photo_is(asked):
    for question in asked["identity"]:
        assert_close(question.target_defocus_w_px, question.prepared.defocus_w_px)
        assert_close(question.truth, question.image_w)


def test_a_stack_without_truth_or_guide_answers_less(capture):
    photos = replace(capture, truth=None)
    assert [t for t in TASKS if why_not(photos, t) is None] == ["refocus", "identity"]
    assert why_not(photos, "identity", "truth") == "no true geometry"
    alone = replace(capture, ultrawide=())
    assert {why_not(alone, t) for t in TASKS} == {"no ultra-wide photo"}
    single = replace(capture, wide=capture.wide[:1], focus_distance_m=(2.0,))
    assert why_not(single, "refocus") == "fewer than two slices"
    assert {q.task for q in questions(single, preprocessing="truth")} == set(TASKS) - {"refocus"}


def test_misspelt_names_are_refused(capture):
    with pytest.raises(InputError, match=r"tasks: `deblur` is not known\n.*all_in_focus"):
        next(questions(capture, ["deblur"]))
    with pytest.raises(InputError, match=r"preprocessing: `real`"):
        next(questions(capture, preprocessing="real"))


def test_a_focus_shift_is_one_constant_that_outliers_do_not_move():
    defocus = torch.linspace(-7, 9, 300).view(1, 15, 20)
    wanted = defocus + 2.5
    wanted[:, :5] = 40.0
    assert_close(shifted_to(wanted, defocus), defocus + 2.5)
